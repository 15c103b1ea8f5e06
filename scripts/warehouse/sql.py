"""Names, texts and single values in DuckDB SQL."""

from collections.abc import Sequence
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


def scalar(
    connection: "duckdb.DuckDBPyConnection", query: str, parameters: Sequence[Any] = ()
) -> Any:
    """The single value a query selects."""
    ((value,),) = connection.execute(query, list(parameters)).fetchall()
    return value
