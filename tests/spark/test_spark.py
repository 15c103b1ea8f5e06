"""Spark builds the marts DuckDB builds: seeds and models on two executors, compared value by value."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from homes import current
from warehouse.home import PROJECT, Home

# Two executors of one core and 1 GiB each, in processes of their own, as on a cluster.
MASTER = "local-cluster[2,1,1024]"
# Doubles may differ by the order they are added in; everything else may not.
TOLERANCE = 1e-9


@pytest.fixture(scope="module")
def spark_home(sample: Home, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose models Spark built from the raw files of the sample company."""
    has_java = "JAVA_HOME" in os.environ or shutil.which("java") is not None
    if not has_java:
        pytest.fail(
            "Spark needs Java 17 and finds none: run scripts/test-spark, which installs it, or "
            "point JAVA_HOME at one.",
            pytrace=False,
        )
    home = tmp_path_factory.mktemp("spark")
    shutil.copytree(sample.raw, home / "raw", ignore=_written_after_the_build)
    result = subprocess.run(
        [
            *(Path(sys.executable).with_name("dbt"), "--log-level", "warn", "--no-use-colors"),
            *("build", "--target", "spark", "--exclude-resource-type", "test", "unit_test"),
            *("--target-path", home / "target", "--log-path", home / "logs"),
        ],
        cwd=PROJECT,
        env={
            **os.environ,
            "WAREHOUSE_HOME": str(home),
            "MASTER": MASTER,
            "SPARK_CONF_DIR": str(PROJECT / "profiles" / "spark"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        tail = [line for line in result.stdout.splitlines() if line.strip()][-60:]
        pytest.fail(
            "dbt on Spark failed:\n" + "\n".join(tail) + result.stderr[-2000:], pytrace=False
        )
    return home


def _written_after_the_build(folder: str, names: list[str]) -> list[str]:
    """Scores a build keeps for the builds to come: its own models have not seen them."""
    is_scores = Path(folder).name in {"quality_scores", "target_scores"}
    return [name for name in names if is_scores and name != "contract.parquet"]


def differences(connection: duckdb.DuckDBPyConnection, expected: str, found: str) -> Iterator[str]:
    """What differs between two relations, given as FROM items: columns, rows, or values by column."""
    columns = _columns(connection, expected)
    if list(columns) != list(_columns(connection, found)):
        yield f"columns {list(columns)} are {list(_columns(connection, found))}"
        return
    doubles = [name for name, kind in columns.items() if kind == "DOUBLE"]
    exact = [name for name in columns if name not in doubles]
    order = ", ".join(f'"{name}" nulls first' for name in exact + doubles)
    values = ", ".join(f'"{name}"::{kind} as "{name}"' for name, kind in columns.items())
    for name, relation in (("expected", expected), ("found", found)):
        connection.execute(
            f"create or replace temp table {name} as "
            f"select *, row_number() over (order by {order}) as place from (select {values} from {relation})"
        )
    totals = [connection.table(name).count("*").fetchall()[0][0] for name in ("expected", "found")]
    if totals[0] != totals[1]:
        yield f"{totals[0]} rows are {totals[1]}"
        return
    for name in columns:
        left, right = f'expected."{name}"', f'found."{name}"'
        differs = f"{left} is distinct from {right}"
        if name in doubles:
            bound = f"{TOLERANCE} * greatest(abs({left}), abs({right}))"
            differs += f" and not coalesce(abs({left} - {right}) <= {bound}, false)"
        rows = connection.execute(
            f"select {left}, {right} from expected join found using (place) where {differs}"
        ).fetchall()
        if rows:
            yield f"{name} differs in {len(rows)} of {totals[0]} rows, first {rows[0][0]} is {rows[0][1]}"


def _of_spark(connection: duckdb.DuckDBPyConnection, mart: Path, built: Path) -> str:
    """A mart as Spark wrote it; what it is partitioned by stands in the names of folders, and last."""
    files = f"read_parquet('{built / mart.stem}/**/*.parquet', hive_partitioning = true)"
    ordered = list(_columns(connection, f"'{mart}'"))
    if sorted(ordered) != sorted(_columns(connection, files)):
        return files
    return f"(select {', '.join(ordered)} from {files})"


def _columns(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    rows = connection.execute(f"describe from {relation}").fetchall()
    return {row[0]: row[1] for row in rows}


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


def test_every_mart_is_the_same_on_spark(
    sample: Home, spark_home: Path, connection: duckdb.DuckDBPyConnection
) -> None:
    marts = sorted((current(sample).path / "marts").glob("*.parquet"))
    built = spark_home / "spark" / "warehouse" / "marts.db"
    assert {path.stem for path in marts} == {path.name for path in built.iterdir()}
    found = [
        f"{mart.stem}: {difference}"
        for mart in marts
        for difference in differences(connection, f"'{mart}'", _of_spark(connection, mart, built))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("found", "difference"),
    [
        ("(1, 2.50, 0.1), (2, null, null)", None),
        ("(2, null, null), (1, 2.50, 0.1 + 1e-11)", None),
        ("(1, 2.50, 0.1 + 1e-9), (2, null, null)", "share differs in 1 of 2 rows"),
        ("(1, 2.51, 0.1), (2, null, null)", "amount differs in 1 of 2 rows"),
        ("(1, 2.50, 0.1), (2, 0.00, null)", "amount differs in 1 of 2 rows"),
        ("(1, 2.50, 0.1), (2, null, 0.0)", "share differs in 1 of 2 rows"),
        ("(1, 2.50, 0.1)", "2 rows are 1"),
    ],
)
def test_a_difference_is_found(
    connection: duckdb.DuckDBPyConnection, found: str, difference: str | None
) -> None:
    for name, rows in (("duck", "(1, 2.50, 0.1), (2, null, null)"), ("other", found)):
        connection.execute(f"create table {name} (id integer, amount decimal(18, 2), share double)")
        connection.execute(f"insert into {name} values {rows}")
    said = list(differences(connection, "duck", "other"))
    assert [line.startswith(difference or "") for line in said] == [True] * bool(difference)


def test_other_columns_are_a_difference(connection: duckdb.DuckDBPyConnection) -> None:
    (said,) = differences(connection, "(select 1 as a)", "(select 1 as b)")
    assert said == "columns ['a'] are ['b']"
