"""What the gate counted, as data that dbt reads: control totals of every file in force.

The ledger is the truth; this is derived from it, and written anew whenever it says something new.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import duckdb

from warehouse.contract import Contract
from warehouse.home import Home
from warehouse.ledger import Entry, Ledger
from warehouse.sql import literal
from warehouse.store import replacing

# The source of what the gate itself keeps under raw/, and its one extract.
SOURCE, EXTRACT = "gate", "load_totals"

# Parts that the rows and the amounts of a file fall into.
PARTS = ("read", "accepted", "quarantined", "set_aside", "blank")


def write(home: Home, contract: Contract, ledger: Ledger) -> None:
    """One row per file in force and measure: its rows, and each decimal column of its extract."""
    columns = contract.get(SOURCE, EXTRACT).columns
    types = {column.name: column.data_type.replace("string", "varchar") for column in columns}
    rows = [row for entry in ledger.loads for row in _rows(entry)]
    path = home.raw / SOURCE / EXTRACT / f"{EXTRACT}.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            "create table totals as select unnest(from_json(?, ?), recursive := true)",
            [json.dumps(rows), json.dumps([types])],
        )
        wanted = "from totals order by all"
        if path.exists() and _are_equal(
            connection, wanted, f"from {literal(str(path))} order by all"
        ):
            return
        with replacing(path) as unfinished:
            connection.execute(f"copy ({wanted}) to {literal(str(unfinished))} (format parquet)")


def _are_equal(connection: duckdb.DuckDBPyConnection, one: str, other: str) -> bool:
    try:
        return connection.execute(one).fetchall() == connection.execute(other).fetchall()
    except duckdb.Error:
        return False  # Damaged: written anew.


def _rows(entry: Entry) -> Iterator[dict[str, Any]]:
    facts = {
        "source_name": entry["source"],
        "extract_name": entry["extract"],
        "file": entry["file"],
        "sha256": entry["sha256"],
        "mapping": entry.get("mapping"),
        "loaded_at": entry["loaded_at"],
    }
    counts = {part: entry.get(f"rows_{part}", 0) for part in PARTS}
    yield {**facts, "measure": "rows", **{f"{part}_total": str(counts[part]) for part in PARTS}}
    for column, sums in entry["totals"].items():
        # Entries of earlier releases do not say what was read in all.
        read = str(sum(Decimal(sums[part]) for part in ("accepted", "quarantined")))
        parts = {"read": read, **sums}
        yield {
            **facts,
            "measure": column,
            **{f"{part}_total": parts.get(part, "0") for part in PARTS},
        }
