"""Run the project's own compiled SQL on given rows, in a DuckDB in memory.

What is tested or studied this way is what ships: the SQL comes from `dbt compile`, only the rows
differ.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import duckdb
import pandas as pd

from warehouse import contract, ingest
from warehouse.home import PROJECT, Home

Rows: TypeAlias = Sequence[Mapping[str, Any]] | pd.DataFrame


@dataclass(frozen=True)
class Node:
    """A seed or model of the manifest, as far as running it needs."""

    name: str
    kind: str
    relation: str
    schema: str
    sql: str
    path: Path
    parents: tuple[str, ...]
    types: Mapping[str, str]


class CompiledProject:
    """The compiled project; `run` executes chosen models and what they stand on."""

    def __init__(self, manifest: Mapping[str, Any], home: Path) -> None:
        self.home = home
        self.manifest = manifest
        self._nodes = {
            node["name"]: Node(
                name=node["name"],
                kind=node["resource_type"],
                relation=node["relation_name"],
                schema=node["schema"],
                sql=node.get("compiled_code") or "",
                path=PROJECT / node["original_file_path"],
                parents=tuple(
                    manifest["nodes"][parent]["name"]
                    for parent in node.get("depends_on", {}).get("nodes", [])
                    if parent in manifest["nodes"]
                ),
                types=node["config"].get("column_types")
                or {
                    name: column["data_type"]
                    for name, column in node["columns"].items()
                    if column.get("data_type")
                },
            )
            for node in manifest["nodes"].values()
            if node["resource_type"] in {"model", "seed"}
        }

    @classmethod
    def compile(cls, home: Path, variables: Mapping[str, Any] | None = None) -> CompiledProject:
        """Compile the project against an empty home in `home`, a folder the caller owns."""
        from dbt.cli.main import dbtRunner

        write_empty_extracts(home)
        arguments = ["--quiet", "compile", "--project-dir", str(PROJECT)]
        arguments += ["--select", "resource_type:model", "resource_type:analysis"]
        arguments += ["--profiles-dir", str(PROJECT / "profiles")]
        arguments += ["--target-path", str(home / "target"), "--log-path", str(home / "logs")]
        arguments += ["--vars", json.dumps(dict(variables or {}))]
        with _environment("WAREHOUSE_HOME", str(home)):
            result = dbtRunner().invoke(arguments)
        if not result.success:
            raise RuntimeError(f"dbt compile failed: {result.exception or result.result}")
        return cls(json.loads((home / "target" / "manifest.json").read_text()), home)

    def run(
        self,
        targets: Iterable[str],
        given: Mapping[str, Rows] | None = None,
        connection: duckdb.DuckDBPyConnection | None = None,
        *,
        from_raw: Path | None = None,
    ) -> duckdb.DuckDBPyConnection:
        """Build `targets` and their ancestors; `given` models and seeds hold just these rows.

        Staging models that are not given are empty, or hold what the raw files of the home
        `from_raw` do; seeds that are not given are the project's. Columns
        left out of given rows are NULL where the types are known (staging, seeds, models with a
        contract); elsewhere the given columns are the table. Query the result as `marts.<name>`, `intermediate.<name>` and so on.
        """
        given = dict(given or {})
        connection = connection or connect()
        for name in self._ordered(targets, set(given)):
            node = self._nodes[name]
            connection.execute(f'create schema if not exists "{node.schema}"')
            if name in given:
                self._create_given(connection, node, given[name])
            elif node.kind == "seed":
                self._create_seed(connection, node)
            elif node.schema == "staging" and from_raw is None:
                connection.execute(f"create table {node.relation} as from ({node.sql}) limit 0")
            else:
                sql = node.sql.replace(str(self.home), str(from_raw or self.home))
                connection.execute(f"create table {node.relation} as ({sql}\n)")
        return connection

    def code(self, targets: Iterable[str]) -> str:
        """The SQL and seed rows that `targets` stand on, as one text."""
        parts = []
        for name in self._ordered(targets, set()):
            node = self._nodes[name]
            rows = node.path.read_text(encoding="utf-8") if node.kind == "seed" else ""
            parts.append(f"{name}\n{node.sql.replace(str(self.home), '')}{rows}")
        return "\n".join(parts)

    def _ordered(self, targets: Iterable[str], given: set[str]) -> list[str]:
        ordered: list[str] = []

        def visit(name: str) -> None:
            if name in ordered:
                return
            if name not in given:
                for parent in self._nodes[name].parents:
                    visit(parent)
            ordered.append(name)

        for target in targets:
            visit(target)
        for name in sorted(given - set(ordered)):
            raise KeyError(f"{name} is given but no target stands on it")
        return ordered

    def _create_given(self, connection: duckdb.DuckDBPyConnection, node: Node, rows: Rows) -> None:
        frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows), dtype=object)
        if len(frame.columns):
            connection.register("given_rows", frame)
        if node.kind == "seed":
            self._create_seed(connection, node, ending="limit 0")
        elif node.schema == "staging":
            connection.execute(f"create table {node.relation} as from ({node.sql}) limit 0")
        elif node.types:
            columns = ", ".join(f'"{name}" {kind}' for name, kind in node.types.items())
            connection.execute(f"create table {node.relation} ({columns})")
        else:
            connection.execute(f"create table {node.relation} as from given_rows limit 0")
        if len(frame):
            connection.execute(f"insert into {node.relation} by name select * from given_rows")
        if len(frame.columns):
            connection.unregister("given_rows")

    def _create_seed(
        self, connection: duckdb.DuckDBPyConnection, node: Node, ending: str = ""
    ) -> None:
        entries = ", ".join(f"'{name}': '{kind}'" for name, kind in node.types.items())
        types = f", types = {{{entries}}}" if entries else ""
        connection.execute(
            f"create table {node.relation} as "
            f"select * from read_csv('{node.path}', header = true, hive_partitioning = false{types}) {ending}"
        )


def connect(threads: int = 2) -> duckdb.DuckDBPyConnection:
    """A database in memory, under the name the compiled relations carry."""
    connection = duckdb.connect(config={"threads": threads})
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("attach ':memory:' as warehouse")
    connection.execute("use warehouse")
    return connection


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def write_empty_extracts(home: Path) -> None:
    """Give every extract of the contract a Parquet file without rows."""
    ingest.write_contracts(Home(home), contract.load())
