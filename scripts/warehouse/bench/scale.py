"""The whole way of simulated companies, from extracts to published marts, beside what the machine must do at least.

That least is what nobody gets round: DuckDB reads every column of every raw file once and writes every
mart once, on the same machine in the same run.
"""

import json
import math
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

import duckdb

from warehouse.bench import Figure, Part, measure, warehouse
from warehouse.errors import BuildFailedError
from warehouse.home import Home
from warehouse.sql import literal

PHASES = ("ingest", "dbt", "audit", "publish")
SLOWEST = 12

# What comes in a day, the one case after the other.
DAYS = {
    "a day of feature use": ["product/feature_usage"],
    "a day of use, ledger and touches": [
        "product/feature_usage",
        "cost/gl_entries",
        "revenue/touchpoints",
    ],
}
# Date of each, a day to add to it, and a text of its key that the date is not part of.
DATED = {
    "product/feature_usage": ("usage_date", "1", ""),
    "cost/gl_entries": ("posted_on", "1", "journal_id"),
    "revenue/touchpoints": ("occurred_at", "interval 1 day", "touch_id"),
}

_LEAST = """
import json, sys, time
from pathlib import Path
import duckdb
from warehouse.sql import identifier, literal
home, target, threads = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
connection = duckdb.connect(config={"threads": threads})
started = time.perf_counter()
rows = 0
for extract in sorted((home / "raw").glob("*/*")):
    files = literal(str(extract / "*.parquet"))
    found = connection.execute(
        f"select count(*), any_value(columns(*)) from read_parquet({files}, union_by_name = true)"
    ).fetchall()
    rows += found[0][0]
read = time.perf_counter() - started
connection.execute(f"attach {literal(str(home / 'warehouse.duckdb'))} as built (read_only)")
connection.execute(f"attach {literal(target)} as written")
marts = connection.execute(
    "select table_name from duckdb_tables() where database_name = 'built' and schema_name = 'marts'"
).fetchall()
started = time.perf_counter()
for (mart,) in marts:
    connection.execute(
        f"create table written.{identifier(mart)} as from built.marts.{identifier(mart)}"
    )
connection.execute("checkpoint written")
print(json.dumps([rows, read, time.perf_counter() - started]))
"""


def run(folder: Path, sizes: Mapping[str, int]) -> list[Figure]:
    """Measure companies of 1, 10, ... times 400 customers, up to the largest; then how cost grows."""
    figures: list[Figure] = []
    models: dict[int, float] = {}
    scale = sizes["smallest"]
    while scale <= sizes["largest"]:
        place = folder / str(scale)
        place.mkdir()
        measured = [*_company(place, scale, sizes["memory_limit_gigabytes"])]
        figures += [Figure(f"scale {scale}: {one.name}", one.value, one.unit) for one in measured]
        models[scale] = next(one.value for one in measured if one.name == "all models")
        scale *= 10
    for smaller, larger in zip(models, [*models][1:], strict=False):
        exponent = math.log(models[larger] / models[smaller]) / math.log(larger / smaller)
        figures.append(
            Figure(f"growth of models from {smaller} to {larger}, exponent", exponent, "")
        )
    return figures


def _company(folder: Path, scale: int, memory_gigabytes: int) -> Iterator[Figure]:
    extracts, home = folder / "extracts", Home(folder / "home")
    threads = os.environ.get("WAREHOUSE_THREADS", str(os.cpu_count() or 1))
    environment = {
        "WAREHOUSE_HOME": str(home.root),
        "WAREHOUSE_THREADS": threads,
        "WAREHOUSE_MEMORY_LIMIT": f"{memory_gigabytes}GB",
    }
    simulated = warehouse(["simulate", "--out", str(extracts), "--scale", str(scale)], environment)
    yield Figure("simulate", simulated.seconds, "s")
    built = warehouse(["build", "--landing", str(extracts)], environment)
    for phase in PHASES:
        yield Figure(phase, _seconds(built.output, phase), "s")
    yield Figure("build", built.seconds, "s")
    whole = _seconds(built.output, "dbt")
    yield Figure("build, processor", built.processor_seconds, "s")
    yield Figure("build, peak memory", built.peak_gigabytes, "GB")
    yield Figure("working database", home.database.stat().st_size / 1e9, "GB")
    seconds = _seconds_by_node(home)
    kinds = {kind: _of_kind(seconds, kind) for kind in ("model", "test")}
    yield Figure("number of models", len(kinds["model"]), "")
    yield Figure("number of data tests", len(kinds["test"]), "")
    models = _elapsed(home, "model")
    yield Figure("all models", models, "s")
    yield Figure("all models, each by itself", sum(kinds["model"]), "s")
    yield Figure("all data tests", sum(kinds["test"]), "s")
    for name in sorted(seconds, key=seconds.__getitem__, reverse=True)[:SLOWEST]:
        yield Figure(name.split(".")[2], seconds[name], "s")
    least = measure(
        [sys.executable, "-c", _LEAST, str(home.root), str(folder / "marts.duckdb"), threads], {}
    )
    rows, read, written = json.loads(least.output.splitlines()[-1])
    yield Figure("rows of the extracts", rows, "")
    yield Figure("the least: every raw column read once", read, "s")
    yield Figure("the least: every mart written once", written, "s")
    yield Figure("all models, times the least", models / (read + written), "")
    again = warehouse(["build", "--landing", str(extracts)], environment)
    yield Figure("build again with nothing new", again.seconds, "s")
    for name, extracts_of_day in DAYS.items():
        for extract in extracts_of_day:
            _deliver_a_day(home, extracts, extract)
        daily = warehouse(["build", "--landing", str(extracts)], environment)
        yield Figure(f"build with {name}", daily.seconds, "s")
        spent = _seconds(daily.output, "dbt")
        yield Figure(f"models and data tests with {name}", spent, "s")
        yield Figure(f"models and data tests with {name}, of all", spent / whole, "")


def _deliver_a_day(home: Home, landing: Path, extract: str) -> None:
    """The last day's rows of an extract once more, a day later and under keys of their own."""
    dated, day, key = DATED[extract]
    files = literal(str(home.raw / extract / "*.parquet"))
    rows = f"(select columns('^[^_]') from read_parquet({files}, union_by_name = true))"
    later = f"{dated} + {day} as {dated}"
    renamed = f", {key} || '-later' as {key}" if key else ""
    target = literal(str(landing / f"{extract}.later{time.time_ns()}.parquet"))
    with duckdb.connect() as connection:
        connection.execute(f"""
            copy (
                select * replace ({later}{renamed}) from {rows}
                where cast({dated} as date) = (select max(cast({dated} as date)) from {rows})
            ) to {target}
        """)


def _seconds(output: str, phase: str) -> float:
    found = re.search(rf"\] {phase} .*\((\d+\.\d) s\)$", output, re.MULTILINE)
    if found is None:
        raise BuildFailedError(f"the build did not end its phase {phase}:\n{output}")
    return float(found[1])


def _seconds_by_node(home: Home) -> dict[str, float]:
    path = home.root / "target" / "run_results.json"
    results = json.loads(path.read_text(encoding="utf-8"))["results"]
    return {item["unique_id"]: float(item["execution_time"]) for item in results}


def _elapsed(home: Home, kind: str) -> float:
    """Seconds in which at least one node of a kind was at work: models wait for each other's cores."""
    path = home.root / "target" / "run_results.json"
    results = json.loads(path.read_text(encoding="utf-8"))["results"]
    spans = sorted(
        (datetime.fromisoformat(span["started_at"]), datetime.fromisoformat(span["completed_at"]))
        for item in results
        if item["unique_id"].startswith(f"{kind}.")
        for span in item["timing"]
        if span["name"] == "execute"
    )
    seconds, until = 0.0, spans[0][0]
    for start, end in spans:
        seconds += max(0.0, (end - max(start, until)).total_seconds())
        until = max(until, end)
    return seconds


def _of_kind(seconds: Mapping[str, float], kind: str) -> list[float]:
    return [spent for name, spent in seconds.items() if name.startswith(f"{kind}.")]


PART = Part(
    "scale",
    "whole builds of companies ten times the size, beside the least the machine must do",
    run,
    {"smallest": 1, "largest": 10, "memory_limit_gigabytes": 4},
)
