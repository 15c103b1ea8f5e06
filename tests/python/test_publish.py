"""Versions on the shelf: complete, immutable, switched in one step, readable by older clients."""

import json
import os
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from warehouse import publish
from warehouse.catalog import Column, Mart
from warehouse.errors import TamperedError, UsageError
from warehouse.ledger import Ledger
from warehouse.store import fingerprint

MART = Mart(
    name="rpt_sales",
    domain="revenue",
    schema="marts",
    description="One row per month. What was sold?",
    columns=(
        Column("month_date", "date", "First day of the month.", pii=False),
        Column("amount", "decimal(18,2)", "Sold, in USD.", pii=False),
    ),
    extracts=frozenset(),
    owner="finance",
    tests=1,
    meta={},
)


def write_working_database(path: Path, order: str = "asc") -> None:
    with duckdb.connect(path) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.rpt_sales as "
            "select date '2026-01-01' + cast(number as int) as month_date, "
            "cast(number * 1.1 as decimal(18, 2)) as amount "
            f"from range(1000) as numbers(number) order by number {order}"
        )


def put(shelf: publish.Shelf, content: str) -> publish.Version:
    folder = shelf.start()
    (folder / "marts").mkdir()
    (folder / "marts" / "rpt_sales.parquet").write_text(content, encoding="utf-8")
    version = shelf.put(folder, publish.content_digest([], content, []), {"marts": {}})
    shelf.switch(version)
    shelf.drop_old()
    return version


@pytest.fixture
def shelf(tmp_path: Path) -> publish.Shelf:
    return publish.Shelf(tmp_path / "published")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "warehouse.duckdb"
    write_working_database(path)
    return path


def test_the_last_five_versions_stay(shelf: publish.Shelf) -> None:
    put_in_order = [put(shelf, f"content {number}") for number in range(7)]
    assert [version.id for version in shelf.versions()] == [v.id for v in put_in_order[-5:]]
    current = shelf.current()
    assert current is not None
    assert current.id == put_in_order[-1].id


def test_the_current_version_is_never_dropped(shelf: publish.Shelf) -> None:
    first = put(shelf, "first")
    for number in range(3):
        put(shelf, f"content {number}")
    shelf.switch(first)
    shelf.drop_old(kept=1)
    assert next(version.id for version in shelf.versions()) == first.id


def test_files_are_read_only_and_hashed(shelf: publish.Shelf) -> None:
    version = put(shelf, "content")
    for path in version.path.rglob("*"):
        if path.is_file():
            assert path.stat().st_mode & 0o777 == 0o444
    assert list(version.manifest["files"]) == ["marts/rpt_sales.parquet"]
    assert version.is_intact()


def test_a_changed_file_is_named_and_its_version_not_reused(shelf: publish.Shelf) -> None:
    version = put(shelf, "content")
    digest = version.manifest["content_digest"]
    assert shelf.find(digest) == version
    path = version.path / "marts" / "rpt_sales.parquet"
    path.chmod(0o644)
    path.write_text("kontent", encoding="utf-8")
    assert version.damaged_files() == ["marts/rpt_sales.parquet"]
    assert shelf.find(digest) is None


def test_what_an_interrupted_run_left_is_removed(shelf: publish.Shelf, tmp_path: Path) -> None:
    version = put(shelf, "content")
    for name in (".next-999999", ".old-20200101"):
        shutil.copytree(version.path, version.path.parent / name)
    folder = shelf.start()
    names = {path.name for path in (tmp_path / "published" / "versions").iterdir()}
    assert names == {version.id, folder.name}
    assert shelf.versions() == [version]


def test_equal_rows_make_equal_bytes_in_any_order(database: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.duckdb"
    write_working_database(other, order="desc")
    folders = [tmp_path / "one", tmp_path / "two"]
    for path, folder in zip([database, other], folders, strict=True):
        folder.mkdir()
        publish.export_marts(path, [MART], folder)
    one, two = [(folder / "marts" / "rpt_sales.parquet").read_bytes() for folder in folders]
    assert one == two


def test_control_totals_keep_every_digit(database: Path, tmp_path: Path) -> None:
    (mart,) = publish.export_marts(database, [MART], tmp_path)
    assert mart.rows == 1000
    assert mart.control_totals == {"amount": "549450.00"}


def test_only_marts_that_say_something_else_are_written_again(
    tmp_path: Path, shelf: publish.Shelf
) -> None:
    database = tmp_path / "warehouse.duckdb"
    write_working_database(database)
    folder = shelf.start()
    marts = publish.export_marts(database, [MART], folder)
    publish.write_database(folder, "marts.duckdb", [MART], folder / "marts")
    version = shelf.put(folder, "digest", {"marts": publish.describe(marts)})
    built_anew = publish.Base(version, frozenset({MART.name}))

    def written(name: str) -> tuple[frozenset[str], Decimal]:
        folder = tmp_path / name
        folder.mkdir()
        base = built_anew.narrowed(publish.export_marts(database, [MART], folder, built_anew))
        publish.write_database(folder, "marts.duckdb", [MART], folder / "marts", base)
        with duckdb.connect(folder / "marts.duckdb", read_only=True) as connection:
            ((total,),) = connection.execute("select sum(amount) from rpt_sales").fetchall()
        return base.changed, total

    database.unlink()
    write_working_database(database, order="desc")
    assert written("the_same") == (frozenset(), Decimal("549450.00"))
    with duckdb.connect(database) as connection:
        connection.execute("update marts.rpt_sales set amount = 0.50 where amount = 0")
    assert written("other") == (frozenset({MART.name}), Decimal("549450.50"))


def test_the_database_carries_definitions_as_comments(database: Path, tmp_path: Path) -> None:
    publish.export_marts(database, [MART], tmp_path)
    publish.write_database(tmp_path, "marts.duckdb", [MART], tmp_path / "marts")
    with duckdb.connect(tmp_path / "marts.duckdb", read_only=True) as connection:
        assert connection.execute("select count(*) from rpt_sales").fetchall() == [(1000,)]
        comments = connection.execute("select comment from duckdb_tables()").fetchall()
        assert comments == [(MART.description,)]
        comments = connection.execute("select comment from duckdb_columns()").fetchall()
        assert ("Sold, in USD.",) in comments


@pytest.mark.parametrize("client", ["1.1.3", "1.4.4"])
def test_clients_on_duckdb_1_read_the_database(client: str, database: Path, tmp_path: Path) -> None:
    publish.export_marts(database, [MART], tmp_path)
    publish.write_database(tmp_path, "marts.duckdb", [MART], tmp_path / "marts")
    script = (
        "import duckdb; "
        f"rows = duckdb.connect({str(tmp_path / 'marts.duckdb')!r}, read_only=True)"
        ".execute('select count(*), sum(amount) from rpt_sales').fetchall(); "
        "print(duckdb.__version__, *rows[0])"
    )
    command = [os.environ.get("UV", "uv"), "run", "--no-project", "--isolated", "--quiet"]
    command += ["--with", f"duckdb=={client}", "python", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.split() == [client, "1000", "549450.00"], done.stderr


def write_as_first_published(versions: Path, database: Path) -> str:
    """A version as the first release wrote them: by DuckDB 1, with what a manifest then held."""
    name = "20250101T000000000000Z-0123abcd"
    folder = versions / name
    (folder / "marts").mkdir(parents=True)
    client = Path(sys.executable).with_name("duckdb")
    assert subprocess.check_output([client, "--version"], text=True).startswith("v1.")
    with duckdb.connect(database, read_only=True) as connection:
        connection.execute(
            f"copy marts.rpt_sales to '{folder / 'marts' / 'rpt_sales.parquet'}' (format parquet)"
        )
    # Without saying so, DuckDB 1 writes storage 1.0.
    create = f"create table rpt_sales as from '{folder / 'marts' / 'rpt_sales.parquet'}'"
    subprocess.run([client, folder / "marts.duckdb", create], check=True)
    manifest = {
        "version": name,
        "created_at": "2025-01-01T00:00:00+00:00",
        "content_digest": "0123abcd" * 8,
        "git": {"commit": None, "is_dirty": False},
        "code_digest": "old",
        "origin": "sample",
        "inputs": ["revenue/invoice_lines/0123.parquet"],
        "audit": {"rules": 7, "accepted": []},
        "versions": {"duckdb": "1.4.4"},
        "marts": {"rpt_sales": {"domain": "revenue", "grain": "", "rows": 1000}},
        "files": {
            path.relative_to(folder).as_posix(): {"sha256": fingerprint(path)}
            for path in folder.rglob("*")
            if path.is_file()
        },
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return name


def test_a_version_of_the_first_release_can_be_read_and_rolled_back_to(
    shelf: publish.Shelf, database: Path, tmp_path: Path
) -> None:
    name = write_as_first_published(tmp_path / "published" / "versions", database)
    newer = put(shelf, "newer")
    old, _ = shelf.versions()
    assert (old.id, old.rows, old.damaged_files()) == (name, {"rpt_sales": 1000}, [])
    assert publish.roll_back(shelf, Ledger(tmp_path / "ledger.jsonl")) == old == shelf.current()
    assert is_withdrawn(shelf, newer)
    path = tmp_path / "published" / "current" / "marts.duckdb"
    with duckdb.connect(path, read_only=True) as connection:
        found = connection.execute("select count(*), sum(amount) from rpt_sales").fetchall()
        tags = connection.execute("select tags from duckdb_databases() where not internal")
        assert "v1.0" in str(tags.fetchall())
    assert found == [(1000, Decimal("549450.00"))]


def test_rolling_back_withdraws_what_came_after(shelf: publish.Shelf, tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    first, second, third = put(shelf, "one"), put(shelf, "two"), put(shelf, "three")
    assert publish.roll_back(shelf, ledger) == second == shelf.current()
    assert publish.roll_back(shelf, ledger, first.id[:-4]) == first == shelf.current()
    withdrawn = [one for one in (first, second, third) if is_withdrawn(shelf, one)]
    assert withdrawn == [second, third]
    publish.roll_back(shelf, ledger, third.id)
    assert not is_withdrawn(shelf, third)
    left = [(entry["event"], entry["version"], entry["left"]) for entry in ledger.entries]
    assert left[0] == ("rolled_back", second.id, third.id)


def is_withdrawn(shelf: publish.Shelf, version: publish.Version) -> bool:
    return shelf.is_withdrawn(version.manifest["content_digest"])


def test_rolling_back_to_what_is_not_there_or_damaged_is_refused(
    shelf: publish.Shelf, tmp_path: Path
) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    first = put(shelf, "one")
    with pytest.raises(UsageError, match="no earlier version"):
        publish.roll_back(shelf, ledger)
    with pytest.raises(UsageError, match=first.id):
        publish.roll_back(shelf, ledger, "1999")
    put(shelf, "two")
    (first.path / "marts" / "rpt_sales.parquet").unlink()
    with pytest.raises(TamperedError, match=r"rpt_sales\.parquet"):
        publish.roll_back(shelf, ledger)


def test_what_tools_leave_in_the_checkout_is_no_code(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    for name in ("dbt_project.yml", "uv.lock", "profiles/profiles.yml"):
        (tmp_path / name).touch()
    before = publish.code_digest(tmp_path, tmp_path / "seeds")
    (tmp_path / "profiles" / ".user.yml").write_text("id: 1", encoding="utf-8")
    assert publish.code_digest(tmp_path, tmp_path / "seeds") == before
    (tmp_path / "profiles" / "profiles.yml").write_text("x: 1", encoding="utf-8")
    assert publish.code_digest(tmp_path, tmp_path / "seeds") != before


def test_the_digest_tells_code_inputs_and_rows_apart() -> None:
    mart = publish.PublishedMart("rpt_sales", "revenue", "", "", 1, {}, "aa")
    changed = publish.PublishedMart("rpt_sales", "revenue", "", "", 1, {}, "bb")
    digests = {
        publish.content_digest([mart], "code", ["a.parquet"]),
        publish.content_digest([changed], "code", ["a.parquet"]),
        publish.content_digest([mart], "edoc", ["a.parquet"]),
        publish.content_digest([mart], "code", ["b.parquet"]),
    }
    assert len(digests) == 4
