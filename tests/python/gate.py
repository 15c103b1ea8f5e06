"""What the tests of the gate share: landing files, running it, reading what came of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from warehouse import ingest
from warehouse.home import Home
from warehouse.ingest import FileResult, Summary

PAYMENTS = "revenue/payments.csv"
HEADER = "payment_id,invoice_id,paid_on,amount,fee_amount,currency\n"
GOOD = "p1,i1,2026-01-05,10.50,0.30,USD\n"


def land(home: Home, name: str, content: str | bytes) -> Path:
    """Put a file into the landing folder."""
    path = home.landing / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def run(home: Home) -> Summary:
    """Take what lies in the landing folder."""
    return ingest.ingest(home, home.landing)


def load(home: Home, content: str | bytes, name: str = PAYMENTS) -> FileResult:
    """Land one file and take it."""
    land(home, name, content)
    return next(file for file in run(home).files if file.file == name)


def raw(home: Home, columns: str, extract: str = "revenue/payments") -> list[tuple[Any, ...]]:
    """Accepted rows of an extract, in the order of their files."""
    files = str(home.raw / extract / "*.parquet")
    query = f"select {columns} from read_parquet(?, union_by_name = true) order by _file, _row"
    with duckdb.connect() as connection:
        return connection.execute(query, [files]).fetchall()


def quarantined(result: FileResult) -> list[tuple[Any, ...]]:
    """Row, column, value and reason of everything wrong with a file's rows."""
    assert result.quarantine is not None
    with duckdb.connect() as connection:
        return connection.execute(
            'select row, "column", value, reason from read_csv(?, header = true, types = '
            "{'row': 'bigint', 'column': 'varchar', 'value': 'varchar', 'reason': 'varchar'})",
            [str(result.quarantine)],
        ).fetchall()


def entries(home: Home) -> Sequence[Any]:
    """The entries of the ledger."""
    return home.open_ledger().entries
