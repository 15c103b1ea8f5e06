"""Attribution of many journeys: time and memory of each model, beside ChannelAttribution.

`uv run --group bench python -m warehouse.bench_attribution --journeys 1000000 --channels 20`
"""

import argparse
import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from warehouse import contract
from warehouse.home import PROJECT, Home
from warehouse.ingest import write_contracts
from warehouse.sql import literal, scalar

TARGETS = ("fct_attribution_credits", "int_shapley_values")
# What the Markov model needs once journeys are there, and what the heuristics need.
MARKOV_MODELS = (
    "int_markov_contexts",
    "int_markov_orders",
    "int_markov_chain",
    "int_markov_powers",
    "int_markov_removal_effects",
)


@dataclass
class Result:
    """What was measured; seconds by dbt model, and beside them by the other library."""

    journeys: int
    channels: int
    touches: int = 0
    credits: int = 0
    won_conversions: int = 0
    unconserved_conversions: int = 0
    model_seconds: dict[str, float] = field(default_factory=dict)
    peak_gigabytes: float = 0.0
    other_seconds: dict[str, float] = field(default_factory=dict)
    other_largest_error: float | None = None

    @property
    def total_seconds(self) -> float:
        """All models, from staging to credits."""
        return sum(self.model_seconds.values())

    @property
    def markov_seconds(self) -> float:
        """From journeys to exact removal effects, the counting of steps included."""
        return sum(self.model_seconds.get(name, 0.0) for name in MARKOV_MODELS)

    def lines(self) -> list[str]:
        """The result to print."""
        lines = [
            f"{self.journeys:,} journeys, {self.channels} channels, {self.touches:,} touches",
            f"{self.won_conversions:,} conversions, {self.credits:,} credits",
            *(f"  {name:<34}{spent:>8.2f} s" for name, spent in self.model_seconds.items()),
            f"  {'all models':<34}{self.total_seconds:>8.2f} s, peak {self.peak_gigabytes:.1f} GB",
            f"  {'Markov alone':<34}{self.markov_seconds:>8.2f} s, exact",
            f"  conversions whose credits miss their revenue: {self.unconserved_conversions}",
        ]
        lines += [
            f"  ChannelAttribution {name:<15}{spent:>8.2f} s"
            for name, spent in self.other_seconds.items()
        ]
        if self.other_largest_error is not None:
            lines.append(
                "  its removal effects differ from the exact ones by up to "
                f"{self.other_largest_error:.2%}"
            )
        return lines


def benchmark(home: Path, journeys: int, channels: int) -> Result:
    """Build the attribution models over made-up journeys in `home`, a folder to throw away."""
    result = Result(journeys=journeys, channels=channels)
    write_contracts(Home(home), contract.load())
    write_journeys(home, journeys, channels)
    _build(home, result)
    with duckdb.connect(home / "warehouse.duckdb", read_only=True) as connection:
        _check(connection, result)
        _compare(connection, result)
    return result


def write_journeys(home: Path, journeys: int, channels: int) -> None:
    """Touches and decisions as accepted Parquet: the same on every machine, without a random number."""
    with duckdb.connect() as connection:
        connection.execute(
            """
            create temp table touches as
            with journeys as (
                select
                    number,
                    1 + least(9, cast(floor(-3.2 * ln(1 - (hash(number, 1) % 1000000) / 1e6)) as integer)) as length
                from range(?) as numbers (number)
            )
            select
                't' || number || '-' || position as touch_id,
                'c' || number as customer_id,
                number,
                timestamp '2025-01-01'
                + cast(hash(number, 2) % 300 as integer) * interval 1 day
                + position * interval 3 day
                + cast(hash(number, position, 5) % 80000 as integer) * interval 1 second as occurred_at,
                'channel_' || lpad(
                    cast(cast(floor(
                        ? * power((hash(number, position, 3) % 1000000) / 1e6, 1.6)
                    ) as integer) as varchar), 2, '0'
                ) as channel,
                cast(null as varchar) as campaign,
                true as is_paid
            from journeys, lateral (select unnest(range(length)) as position)
            """,
            [journeys, channels],
        )
        gate = """
            'benchmark' as _file, row_number() over () + 1 as _row, cast(null as varchar) as _extra,
            timestamp '2026-01-01' as _known_at, timestamp '2026-01-01' as _loaded_at
        """
        touches = f"select * exclude (number), {gate} from touches"
        # Three in ten buy, four in ten decide not to, the others never decide.
        conversions = f"""
            select
                'v' || number as conversion_id,
                'c' || number as customer_id,
                'P1' as product_id,
                max(occurred_at) + interval 1 day as occurred_at,
                hash(number, 9) % 100 < 30 as is_won,
                cast(
                    case when hash(number, 9) % 100 < 30 then (hash(number, 11) % 1000000) / 100 else 0 end
                    as decimal(18, 2)
                ) as revenue_amount,
                'USD' as currency,
                {gate}
            from touches
            group by number
            having hash(number, 9) % 100 < 70
        """
        for extract, query in (("touchpoints", touches), ("conversions", conversions)):
            path = home / "raw" / "revenue" / extract / "benchmark.parquet"
            connection.execute(f"copy ({query}) to {literal(str(path))} (format parquet)")


def _build(home: Path, result: Result) -> None:
    arguments = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", "--quiet", "build"]
    arguments += ["--select", *(f"+{target}" for target in TARGETS)]
    arguments += ["--exclude-resource-type", "unit_test", "--exclude-resource-type", "test"]
    arguments += ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT / "profiles")]
    arguments += ["--target-path", str(home / "target"), "--log-path", str(home / "logs")]
    # The profile gives a query one thread, so that builds repeat to the last digit; here time counts.
    threads = os.environ.get("WAREHOUSE_THREADS", str(os.cpu_count() or 1))
    environment = {"WAREHOUSE_HOME": str(home), "WAREHOUSE_THREADS": threads}
    subprocess.run(arguments, check=True, env=os.environ | environment)
    result.peak_gigabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    results = json.loads((home / "target" / "run_results.json").read_text(encoding="utf-8"))
    result.model_seconds = {
        item["unique_id"].rpartition(".")[2]: item["execution_time"]
        for item in results["results"]
        if item["unique_id"].startswith("model.") and item["execution_time"] >= 0.005
    }


def _check(connection: duckdb.DuckDBPyConnection, result: Result) -> None:
    result.touches = scalar(connection, "select count(*) from intermediate.int_attribution_touches")
    result.credits = scalar(connection, "select count(*) from marts.fct_attribution_credits")
    result.won_conversions = scalar(
        connection, "select count_if(is_won) from intermediate.int_attribution_conversions"
    )
    result.unconserved_conversions = scalar(
        connection,
        """
        with credited as (
            select attribution_model, conversion_id, sum(credited_amount) as credited_amount
            from marts.fct_attribution_credits
            group by all
        )
        select count(*)
        from intermediate.int_attribution_conversions as conversions
        cross join reference.attribution_models as models
        left join credited
            on conversions.conversion_id = credited.conversion_id
            and models.attribution_model = credited.attribution_model
        where conversions.is_won
            and credited.credited_amount is distinct from conversions.reporting_revenue_amount
        """,
    )


def _compare(connection: duckdb.DuckDBPyConnection, result: Result) -> None:
    """ChannelAttribution on the same paths; left out where it is not installed."""
    try:
        other: Any = importlib.import_module("ChannelAttribution")
    except ImportError:
        return

    paths = _timed(
        result,
        "paths",
        lambda: connection.execute(
            """
            with paths as (
                select
                    string_agg(channel, ' > ' order by touch_position) as path,
                    max(outcome) = 'won' as is_won
                from intermediate.int_attribution_journey_touches
                where outcome <> 'open'
                group by journey_id
            )
            select path, count_if(is_won) as won, count_if(not is_won) as lost
            from paths
            group by path
            """
        ).df(),
    )
    _timed(
        result,
        "heuristics",
        lambda: other.heuristic_models(paths, "path", "won", sep=">", flg_pro=False),
    )
    found = _timed(
        result,
        "markov",
        lambda: other.markov_model(
            paths,
            "path",
            "won",
            var_null="lost",
            out_more=True,
            verbose=False,
            flg_pro=False,
            seed=1,
        ),
    )
    exact = dict(
        connection.execute(
            "select channel, removal_effect from intermediate.int_markov_removal_effects"
        ).fetchall()
    )
    effects = found["removal_effects"]
    result.other_largest_error = max(
        abs(effect / exact[channel] - 1)
        for channel, effect in zip(effects.iloc[:, 0], effects.iloc[:, 1], strict=True)
    )


def _timed(result: Result, name: str, work: Any) -> Any:
    started = time.perf_counter()
    value = work()
    result.other_seconds[name] = time.perf_counter() - started
    return value


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark in a folder that is removed afterwards, and print what it measured."""
    parser = argparse.ArgumentParser(description="Benchmark the attribution models.")
    parser.add_argument("--journeys", type=int, default=1_000_000)
    parser.add_argument("--channels", type=int, default=20)
    parser.add_argument("--json", type=Path, help="write the result here as well")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="bench-attribution-") as home:
        result = benchmark(Path(home), arguments.journeys, arguments.channels)
    print("\n".join(result.lines()))
    if arguments.json:
        arguments.json.write_text(json.dumps(asdict(result), indent=2), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
