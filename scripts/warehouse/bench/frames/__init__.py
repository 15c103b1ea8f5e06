"""Five marts three ways: the warehouse's SQL, and the same calculation in plain pandas and plain Polars.

Each way reads the raw files of the same home, in a process of its own, and writes every mart. The data
frames are written for this one company: they take as given what the SQL reads from seeds (reports in USD
by calendar month, prices per month, billing when invoiced, use counted in events, cloud costs of at most
eight decimals). What they write must be what the warehouse says, row by row and to the last digit.
"""

import importlib.util
import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from warehouse.bench import Figure, Part, Process, build_models, measure, warehouse
from warehouse.errors import UsageError
from warehouse.home import Home

# Every mart with its key, in an order in which later ones stand on results of earlier ones.
MARTS = {
    "fct_revenue": ("invoice_id", "line_number", "fiscal_period"),
    "fct_feature_revenue": ("product_id", "feature_id", "customer_id", "month_date"),
    "fct_mrr_movements": ("customer_id", "product_id", "month_date"),
    "rpt_mrr_waterfall": ("month_date",),
    "fct_cloud_costs": (
        "charge_date",
        "provider_name",
        "service_name",
        "service_category",
        "sub_account_id",
        "product_id",
        "charge_category",
        "currency",
    ),
}
WAYS = {"SQL": "in_sql", "pandas": "in_pandas", "Polars": "in_polars"}


@dataclass(frozen=True)
class Run:
    """What one way took: seconds by mart, without imports, and the process as a whole."""

    seconds: Mapping[str, float]
    process: Process

    @property
    def total(self) -> float:
        """Seconds of all marts."""
        return sum(self.seconds.values())


def run(folder: Path, sizes: Mapping[str, int]) -> list[Figure]:
    """Build the marts of a simulated company, make them anew in every way, and compare."""
    extracts, home = folder / "extracts", Home(folder / "home")
    environment = {"WAREHOUSE_HOME": str(home.root)}
    warehouse(["simulate", "--out", str(extracts), "--scale", str(sizes["scale"])], environment)
    warehouse(["ingest", "--landing", str(extracts)], environment)
    built, _ = build_models(home.root, [*MARTS])
    return [
        Figure("the models of all five by dbt", built.seconds, "s"),
        *beside_frames(home, folder, sizes["runs"]),
    ]


def beside_frames(home: Home, folder: Path, runs: int) -> Iterator[Figure]:
    """Figures of a built home: each way as fast as it was in its fastest run, its marts compared."""
    # Each way imports this package; only here does DuckDB belong to it.
    from warehouse.bench.frames.equal import require_equal

    missing = [name for name in ("pandas", "polars") if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(
            f"this part needs {' and '.join(missing)}: uv sync installs what is missing."
        )
    fastest = {}
    for way, module in WAYS.items():
        tried = [_run(module, home, folder / way / str(number)) for number in range(runs)]
        fastest[way] = min(tried, key=lambda one: one.total)
    for mart, key in MARTS.items():
        for way in ("pandas", "Polars"):
            rows = require_equal(home.database, mart, key, folder / way / "0" / f"{mart}.parquet")
        yield Figure(f"{mart}: rows", rows, "")
        yield from _compared(mart, {way: one.seconds[mart] for way, one in fastest.items()})
    yield from _compared("all five", {way: one.total for way, one in fastest.items()})
    for way, one in fastest.items():
        yield Figure(f"all five: {way}, peak memory", one.process.peak_gigabytes, "GB")


def _run(module: str, home: Home, out: Path) -> Run:
    out.mkdir(parents=True)
    threads = os.environ.get("WAREHOUSE_THREADS", str(os.cpu_count() or 1))
    # Arrow, which reads for pandas, goes by OpenMP's.
    names = ("WAREHOUSE_THREADS", "POLARS_MAX_THREADS", "OMP_NUM_THREADS")
    command = [sys.executable, "-m", f"{__name__}.{module}", str(home.root), str(out)]
    process = measure(command, dict.fromkeys(names, threads))
    return Run(json.loads(process.output.splitlines()[-1]), process)


def _compared(what: str, seconds: Mapping[str, float]) -> Iterator[Figure]:
    for way, spent in seconds.items():
        yield Figure(f"{what}: {way}", spent, "s")
    for way in ("pandas", "Polars"):
        yield Figure(f"{what}: {way}, times SQL", seconds[way] / seconds["SQL"], "")


PART = Part(
    name="frames",
    description="five marts in SQL beside the same in pandas and in Polars, from raw files to written marts",
    run=run,
    sizes={"scale": 10, "runs": 3},
)
