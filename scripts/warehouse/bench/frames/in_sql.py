"""The five marts in SQL: the compiled models they stand on, run by DuckDB without dbt."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import duckdb

from warehouse.bench.frames import MARTS
from warehouse.bench.frames.clock import write_in_turn
from warehouse.home import Home
from warehouse.sql import identifier, literal


def models(home: Home, marts: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """For each mart the statements that make what it stands on, but for what is made by then."""
    target = home.root / "target"
    results = json.loads((target / "run_results.json").read_text(encoding="utf-8"))["results"]
    manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
    ids = {name.rpartition(".")[2]: name for name in manifest["nodes"]}
    made: set[str] = set()
    for mart in marts:
        needed, queue = set[str](), [ids[mart]]
        while queue:
            node = queue.pop()
            if node.startswith("model.") and node not in needed | made:
                needed.add(node)
                queue += manifest["parent_map"][node]
        made |= needed
        # dbt lists models as they ended, so each after those it reads.
        yield (
            mart,
            [
                f"create {_kind(manifest['nodes'][one['unique_id']])} {one['relation_name']} as\n"
                f"{one['compiled_code']}"
                for one in results
                if one["unique_id"] in needed
            ],
        )


def _kind(node: dict[str, dict[str, str]]) -> str:
    return "view" if node["config"]["materialized"] == "view" else "table"


def open_empty(home: Home, path: Path) -> duckdb.DuckDBPyConnection:
    """An empty working database under the name models know, with the seeds of the home's own."""
    connection = duckdb.connect(path, config={"threads": int(os.environ["WAREHOUSE_THREADS"])})
    connection.execute("set TimeZone = 'UTC'")
    connection.execute(f"attach {literal(str(home.database))} as built (read_only)")
    for schema in ("reference", "staging", "intermediate", "marts"):
        connection.execute(f"create schema {schema}")
    seeds = connection.execute(
        """
        select table_name from duckdb_tables()
        where database_name = 'built' and schema_name = 'reference'
        """
    ).fetchall()
    for (seed,) in seeds:
        name = identifier(seed)
        connection.execute(f"create table reference.{name} as from built.reference.{name}")
    return connection


def main(home: Home, out: Path) -> None:
    """Make the marts in a database of its own."""
    plan = [*models(home, MARTS)]
    with open_empty(home, out / home.database.name) as connection:

        def run(statements: Sequence[str], _: Path) -> None:
            for statement in [*statements, "checkpoint"]:
                connection.execute(statement)

        write_in_turn(iter(plan), run, out)


if __name__ == "__main__":
    main(Home(Path(sys.argv[1])), Path(sys.argv[2]))
