"""Attribution of many journeys: time and memory of all models, beside ChannelAttribution."""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

from warehouse import contract
from warehouse.bench import Figure, Part, build_models, timed
from warehouse.home import Home
from warehouse.ingest import write_contracts
from warehouse.sql import literal, scalar

TARGETS = ("fct_attribution_credits", "int_shapley_values")
# What the Markov model does once journeys are there; the other library judges no orders by itself.
MARKOV_STEPS = {
    "steps counted from journeys": ("int_markov_contexts",),
    "three orders judged on held-out journeys": ("int_markov_orders",),
    "removal effects from counted steps": (
        "int_markov_chain",
        "int_markov_powers",
        "int_markov_removal_effects",
    ),
}


def run(folder: Path, sizes: Mapping[str, int]) -> list[Figure]:
    """Build the attribution models over made-up journeys, and run the other library on the same."""
    write_contracts(Home(folder), contract.load())
    write_journeys(folder, sizes["journeys"], sizes["channels"])
    process, seconds = build_models(folder, TARGETS)
    with duckdb.connect(folder / "warehouse.duckdb", read_only=True) as connection:
        return [
            *_size(connection),
            *(Figure(name, spent, "s") for name, spent in seconds.items() if spent >= 0.005),
            Figure("all models", sum(seconds.values()), "s"),
            Figure("all models, with dbt", process.seconds, "s"),
            Figure("all models, with dbt, processor", process.processor_seconds, "s"),
            Figure("all models, peak memory", process.peak_gigabytes, "GB"),
            *_markov(connection, folder / "target" / "compiled"),
            *_compare(connection),
        ]


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


def _size(connection: duckdb.DuckDBPyConnection) -> list[Figure]:
    counts = {
        "touches": "select count(*) from intermediate.int_attribution_touches",
        "won conversions": """
            select count_if(is_won) from intermediate.int_attribution_conversions
        """,
        "credits": "select count(*) from marts.fct_attribution_credits",
        "conversions whose credits miss their revenue": """
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
    }
    return [Figure(name, scalar(connection, query), "") for name, query in counts.items()]


def _markov(connection: duckdb.DuckDBPyConnection, compiled: Path) -> list[Figure]:
    """The Markov models once more in this process, to be timed as the other library is."""
    figures: list[Figure] = []
    queries = {path.stem: path.read_text(encoding="utf-8") for path in compiled.rglob("*.sql")}
    for step, models in MARKOV_STEPS.items():
        with timed(figures, f"Markov: {step}"):
            for model in models:
                connection.execute(f"create temp table bench_{model} as {queries[model]}")
    return figures


def _compare(connection: duckdb.DuckDBPyConnection) -> list[Figure]:
    """ChannelAttribution on the same paths; left out where it is not installed."""
    try:
        other: Any = importlib.import_module("ChannelAttribution")
    except ImportError:
        return []

    figures: list[Figure] = []
    with timed(figures, "ChannelAttribution: paths put together for it"):
        paths = connection.execute(
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
        ).df()
    with timed(figures, "ChannelAttribution: heuristics"):
        other.heuristic_models(paths, "path", "won", sep=">", flg_pro=False)
    with timed(figures, "ChannelAttribution: Markov"):
        found = other.markov_model(
            paths,
            "path",
            "won",
            var_null="lost",
            out_more=True,
            verbose=False,
            flg_pro=False,
            seed=1,
        )
    exact = dict(
        connection.execute(
            "select channel, removal_effect from intermediate.int_markov_removal_effects"
        ).fetchall()
    )
    effects = found["removal_effects"]
    error = max(
        abs(effect / exact[channel] - 1)
        for channel, effect in zip(effects.iloc[:, 0], effects.iloc[:, 1], strict=True)
    )
    figures.append(Figure("ChannelAttribution: largest error of its effects", 100 * error, "%"))
    return figures


PART = Part(
    name="attribution",
    description="eight attribution models over many journeys, beside ChannelAttribution",
    run=run,
    sizes={"journeys": 1_000_000, "channels": 20},
)
