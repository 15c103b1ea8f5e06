"""The gate on invoice lines: rows per second beside DuckDB's own copy of the same file, and memory."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import duckdb

from warehouse.bench import Figure, Part, measure
from warehouse.errors import BuildFailedError
from warehouse.home import Home
from warehouse.sql import literal

# Each in a process of its own, so that the memory is its own; imports are no part of the time.
_INGEST = """
import json, sys, time
from pathlib import Path
import warehouse.gx_engine
from warehouse import ingest
from warehouse.home import Home
home = Home(Path(sys.argv[1]))
started = time.perf_counter()
(result,) = ingest.ingest(home, home.landing).files
print(json.dumps([time.perf_counter() - started, result.rows_accepted]))
"""
_COPY = """
import json, sys, time
import duckdb
started = time.perf_counter()
with duckdb.connect() as connection:
    ((rows,),) = connection.execute(
        f"copy (from read_csv('{sys.argv[1]}')) to '{sys.argv[2]}' (format parquet)"
    ).fetchall()
print(json.dumps([time.perf_counter() - started, rows]))
"""
ROUNDS = 3


def run(folder: Path, sizes: Mapping[str, int]) -> list[Figure]:
    """Take one CSV file through the gate and through COPY, the best of some rounds each."""
    rows = sizes["rows"]
    path = folder / "invoice_lines.csv"
    write_invoice_lines(path, rows)
    gate, copied, peak = [], [], 0.0
    for number in range(ROUNDS):
        home = Home(folder / f"home-{number}")
        landed = home.landing / "revenue" / path.name
        landed.parent.mkdir(parents=True)
        landed.hardlink_to(path)
        took = measure([sys.executable, "-c", _INGEST, str(home.root)], {})
        gate.append(_seconds(took.output, rows))
        peak = max(peak, took.peak_gigabytes)
        target = folder / f"copy-{number}.parquet"
        took = measure([sys.executable, "-c", _COPY, str(path), str(target)], {})
        copied.append(_seconds(took.output, rows))
    return [
        Figure("rows", rows, ""),
        Figure("size of the file", path.stat().st_size / 1e6, "MB"),
        Figure("the gate", min(gate), "s"),
        Figure("the gate, throughput", rows / min(gate), "rows/s"),
        Figure("the gate, peak memory", peak, "GB"),
        Figure("DuckDB's COPY to Parquet", min(copied), "s"),
        Figure("the gate, times as long as COPY", min(gate) / min(copied), ""),
    ]


def _seconds(output: str, rows: int) -> float:
    seconds, taken = json.loads(output.splitlines()[-1])
    if taken != rows:
        raise BuildFailedError(f"{taken} rows of {rows} arrived.")
    return float(seconds)


def write_invoice_lines(path: Path, rows: int) -> None:
    """Invoice lines as a billing system exports them, the same on every machine."""
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            copy (
                select
                    'INV-' || n // 5 as invoice_id,
                    1 + n % 5 as line_number,
                    'C' || n % 4001 as customer_id,
                    'S' || n % 7001 as subscription_id,
                    'P' || n % 7 as product_id,
                    'plan-' || n % 11 as plan_id,
                    ['recurring', 'usage', 'one_time'][1 + n % 3] as charge_type,
                    cast(1 + n % 40 as decimal(18, 2)) as quantity,
                    cast(9.99 + n % 300 as decimal(18, 2)) as unit_price,
                    cast((1 + n % 40) * (9.99 + n % 300) as decimal(18, 2)) as amount,
                    cast(n % 300 / 10 as decimal(18, 2)) as tax_amount,
                    ['USD', 'EUR', 'GBP'][1 + n % 3] as currency,
                    date '2024-01-01' + cast(n % 900 as integer) as invoiced_on,
                    date '2024-01-31' + cast(n % 900 as integer) as due_on,
                    date '2024-01-01' + cast(n % 900 as integer) as service_start_on,
                    date '2024-01-31' + cast(n % 900 as integer) as service_end_on
                from range(?) as numbers (n)
            ) to {literal(str(path))} (header)
            """,
            [rows],
        )


PART = Part(
    "ingest", "the gate beside DuckDB's COPY of the same CSV file", run, {"rows": 1_000_000}
)
