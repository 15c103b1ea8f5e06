"""A Great Expectations execution engine on a DuckDB connection.

Great Expectations knows no DuckDB, and with a SQLAlchemy dialect it does not know it closes the
connection before it reads the result. Here everything runs on the one connection it is given, which
also shows it that connection's temporary tables.
"""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")

import duckdb
import great_expectations
import sqlalchemy
from great_expectations.core.batch import Batch
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.execution_engine.sqlalchemy_batch_data import SqlAlchemyBatchData
from great_expectations.execution_engine.sqlalchemy_execution_engine import (
    SqlAlchemyExecutionEngine,
)
from great_expectations.validator.validator import Validator
from sqlalchemy.dialects.postgresql.base import PGDialect


def validator(connection: duckdb.DuckDBPyConnection, table: str) -> Validator:
    """What runs expectations on a table or view (`name` or `schema.name`) of the connection."""
    engine = sqlalchemy.create_engine(
        "duckdb://", creator=lambda: _Connection(connection), poolclass=sqlalchemy.StaticPool
    )
    execution_engine = DuckDBExecutionEngine(engine=engine)
    schema, _, name = table.rpartition(".")
    # The declared signatures forbid naming the source of a plain table, which its columns need.
    data = SqlAlchemyBatchData(  # type: ignore[call-overload]
        execution_engine,
        table_name=name,
        schema_name=schema or None,
        source_table_name=sqlalchemy.quoted_name(name, quote=True),
        source_schema_name=schema or None,
        use_quoted_name=True,
    )
    return Validator(
        execution_engine=execution_engine, batches=[Batch(data=data)], data_context=_context()
    )


@cache
def _context() -> Any:
    """A context that keeps nothing on disk and draws no progress bars."""
    # A rule that cannot be evaluated is reported in its result, not as a traceback in the log.
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
    # This one sets a level of its own, to announce a folder nobody asked for.
    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.CRITICAL)
    context = great_expectations.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context


class DuckDBExecutionEngine(SqlAlchemyExecutionEngine):
    """Keeps its connection open, and asks DuckDB itself for a table's columns."""

    @contextmanager
    def get_connection(self) -> Iterator[sqlalchemy.Connection]:
        if self._connection is None:
            self._connection = self.engine.connect()
        yield self._connection

    def get_inspector(self) -> Any:
        return _Inspector(self.engine)


class _Inspector:
    """What Great Expectations asks about a table; `describe` knows views and temporary ones too."""

    def __init__(self, engine: sqlalchemy.Engine) -> None:
        self._engine = engine
        self.dialect = engine.dialect

    def get_columns(self, table_name: str, schema: str | None = None) -> list[dict[str, Any]]:
        quote = self.dialect.identifier_preparer.quote_identifier
        table = ".".join(quote(part) for part in (schema, table_name) if part)
        with self._engine.connect() as connection:
            described = connection.execute(sqlalchemy.text(f"describe {table}")).fetchall()
        return [{"name": row[0], "type": sqlalchemy.types.NullType()} for row in described]

    def get_pk_constraint(self, **_: Any) -> dict[str, Any]:
        return {}


class DuckDBDialect(PGDialect):
    """DuckDB speaks PostgreSQL's SQL, but has none of its catalog queries and session settings."""

    name = "duckdb"
    driver = "duckdb"
    supports_statement_cache = True
    default_paramstyle = "qmark"

    @classmethod
    def import_dbapi(cls) -> Any:
        return _DBAPI

    def initialize(self, connection: sqlalchemy.Connection) -> None: ...


class _DBAPI:
    paramstyle = "qmark"
    Error = duckdb.Error


class _Connection:
    """The caller's connection: SQLAlchemy may neither close it nor begin or end transactions."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def cursor(self) -> "_Cursor":
        return _Cursor(self._connection)

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def close(self) -> None: ...


class _Cursor:
    """The connection itself, because DuckDB's own cursors do not see its temporary tables."""

    rowcount = -1
    lastrowid = None

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self.fetchone = connection.fetchone
        self.fetchmany = connection.fetchmany
        self.fetchall = connection.fetchall

    @property
    def description(self) -> Any:
        return self._connection.description

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        self._connection.execute(statement, list(parameters))

    def close(self) -> None:
        self._connection.abort()


sqlalchemy.dialects.registry.register("duckdb", __name__, "DuckDBDialect")
