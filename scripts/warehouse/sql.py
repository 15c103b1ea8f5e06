"""Names, texts and single values in DuckDB SQL."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb


def identifier(name: str) -> str:
    """A quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def qualified(table: str) -> str:
    """A quoted `name` or `schema.name`."""
    return ".".join(identifier(part) for part in table.split("."))


def literal(text: str) -> str:
    """A quoted string, for the few places that take no bound parameter."""
    return "'" + text.replace("'", "''") + "'"


def file_name(path: Path) -> str:
    """A quoted path that DuckDB's readers take for this one file, whatever its name holds."""
    # A character in brackets stands for itself.
    return literal(re.sub(r"([\[*?])", r"[\1]", str(path)))


def parquet_rows(path: Path) -> str:
    """The rows of a Parquet file; a folder named `column=value` above it gives them no column."""
    return f"read_parquet({file_name(path)}, hive_partitioning = false)"


def scalar(
    connection: "duckdb.DuckDBPyConnection", query: str, parameters: Sequence[Any] = ()
) -> Any:
    """The single value a query selects."""
    ((value,),) = connection.execute(query, list(parameters)).fetchall()
    return value
