"""Files are taken as they are dropped, only what stands on them is built, and nothing stops it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import duckdb
import pytest

from homes import current, mart_bytes
from warehouse import build, built, catalog, ingest, lock, watch
from warehouse.errors import AuditFailedError
from warehouse.home import PROJECT, Home
from warehouse.publish import Shelf
from warehouse.suites import publish as suites
from warehouse.transform import AFTER_AUDIT, NodeResult, Transformation
from warehouse.watch import Arrivals

# dbt leaves its log of one run open when the next begins.
pytestmark = pytest.mark.filterwarnings("default::ResourceWarning")

PATIENCE = 600.0


def drop(home: Home, name: str, content: str) -> Path:
    path = home.landing / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def customer(region: str) -> str:
    return f"customer_id,customer_name,region,acquired_on\nC3,Cora,{region},2025-03-01\n"


def test_a_file_is_complete_once_it_stays_as_it_is(tmp_path: Path) -> None:
    arrivals = Arrivals(tmp_path)
    path = tmp_path / "revenue" / "payments.csv"
    path.parent.mkdir()
    path.write_text("a")
    assert arrivals.look() == []
    path.write_text("ab")
    assert arrivals.look() == []
    assert arrivals.look() == [path]
    arrivals.take([path])
    assert arrivals.look() == []
    path.write_text("abc")
    assert arrivals.look() == []
    assert arrivals.look() == [path], "what is written again is new"
    path.unlink()
    assert arrivals.look() == []


def test_a_done_marker_or_an_old_file_is_complete_at_once(tmp_path: Path) -> None:
    for name in ("a.csv", "a.csv.done", "b.csv", "old.csv", "c.csv.part"):
        (tmp_path / name).write_text("x")
    an_hour_ago = time.time() - 3600
    os.utime(tmp_path / "old.csv", (an_hour_ago, an_hour_ago))
    assert Arrivals(tmp_path).look() == [tmp_path / "a.csv", tmp_path / "old.csv"]


def test_no_folder_yet_is_no_error(tmp_path: Path) -> None:
    assert Arrivals(tmp_path / "none").look() == []


@contextmanager
def watching(home: Home) -> Iterator[list[str]]:
    """A watch in this process; what it says."""
    stop, said = Event(), list[str]()
    thread = Thread(target=watch.watch, args=(home, None, stop, said.append, 0.2))
    thread.start()
    try:
        yield said
    finally:
        stop.set()
        thread.join(PATIENCE)
    assert said[-1] == "Stopped."


def wait_for(is_so: Callable[[], bool], said: list[str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        failed = [line for line in said if line.startswith("failed")]
        assert not failed, failed
        assert time.monotonic() < deadline, said
        time.sleep(0.1)


def test_a_dropped_file_is_published_and_equals_a_build_of_everything(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes: list[list[str]] = []
    work = Transformation.build

    def recorded(
        self: Transformation, chosen: Collection[str] = (), *increments: Any
    ) -> list[NodeResult]:
        nodes.append(sorted(chosen))
        return work(self, chosen, *increments)

    monkeypatch.setattr(Transformation, "build", recorded)
    use = "usage_date,customer_id,feature_id,event_count,active_users\n"
    drop(home, "product/feature_usage.2026-03-31.csv", use + "2026-03-01,C1,F1,5,1\n")
    ingest.ingest(home, home.landing)
    with watching(home) as said:
        wait_for(lambda: any("is published" in line for line in said), said)
        assert nodes == [[]], "a copied home is built as a whole: its views name the other one"
        said.clear()
        before = current(home)
        later = use + "2026-03-01,C1,F1,7,1\n2026-04-01,C2,F1,3,2\n"
        drop(home, "product/feature_usage.2026-04-01.csv", later)
        drop(home, "revenue/customers.2026-04-01.csv", customer("EU"))
        drop(home, "revenue/payments.csv", "payment_id\nX1\n")
        wait_for(lambda: current(home).id != before.id, said)
        wait_for(lambda: any("is published" in line for line in said), said)
    assert any("payments.csv: refused" in line for line in said)
    assert any("downstream of product/feature_usage, revenue/customers" in line for line in said)
    # Neither stands on customers, so that months can be added.
    (added,) = [line for line in said if "added to:" in line]
    assert "fct_feature_revenue" in added
    assert "int_feature_usage_months" in added
    _, chosen = nodes
    assert "dim_customer" in chosen
    assert "rpt_control_totals" in chosen
    assert not {"dim_product", "fct_cost_entries", "stg_revenue__customers"} & {*chosen}
    incremental = current(home)
    assert incremental.is_intact()
    with duckdb.connect(incremental.path / "marts.duckdb", read_only=True) as connection:
        found = connection.execute("select count(*) from dim_customer").fetchall()
        tables = {name for (name,) in connection.execute("show tables").fetchall()}
    assert (found, tables) == ([(3,)], set(incremental.rows))
    # A build of everything comes to the same bytes, what judges it included.
    version, is_new = build.rebuild(home, build.Progress(lambda _: None), whole=True)
    assert mart_bytes(version) == mart_bytes(incremental)
    assert (version.id, is_new) == (incremental.id, False)


@pytest.fixture
def without_dbt(monkeypatch: pytest.MonkeyPatch) -> list[NodeResult]:
    """Leave the working database as it is; what dbt is made to report goes into the list."""
    reported: list[NodeResult] = []
    monkeypatch.setattr(Transformation, "build", lambda *_: reported)
    monkeypatch.setattr(Transformation, "build_judgements", lambda _: [])
    return reported


def rebuild(home: Home) -> tuple[str, list[str]]:
    said: list[str] = []
    version, _ = build.rebuild(home, build.Progress(said.append))
    return version.id, said


def test_a_database_someone_else_wrote_to_is_built_anew(
    home: Home, without_dbt: list[NodeResult]
) -> None:
    assert without_dbt == []
    rebuild(home)
    _, said = rebuild(home)
    assert any("nothing has changed" in line for line in said)
    with duckdb.connect(home.database) as connection:
        connection.execute("update marts.dim_customer set region = 'APAC'")
    _, said = rebuild(home)
    assert any("everything is built" in line for line in said)


def test_unchanged_marts_are_taken_over_unless_they_are_damaged(
    home: Home, without_dbt: list[NodeResult]
) -> None:
    assert without_dbt == []
    before = current(home)
    with duckdb.connect(home.database) as connection:
        connection.execute("update marts.dim_customer set region = 'APAC'")
    noted = built.read(home.built, home.database)
    assert noted is None
    # As if the one mart had been built again: whatever else changed in the database goes unseen.
    code = str(before.manifest["code_digest"])
    loads = built.loads(home.open_ledger())
    changed = built.Built(code, loads, version=before.id, marts_since=["dim_customer"])
    built.write(home.built, changed, home.database)
    damaged = before.path / "marts" / "fct_mrr_movements.parquet"
    damaged.chmod(0o644)
    damaged.write_bytes(b"x")
    rebuild(home)
    after = current(home)
    assert after.is_intact()
    differing = {n for n, digest in mart_bytes(after).items() if mart_bytes(before)[n] != digest}
    assert differing == {"dim_customer.parquet", "fct_mrr_movements.parquet"}
    assert (after.path / "docs.html").read_bytes() == (before.path / "docs.html").read_bytes()
    for name in ("marts.duckdb", "roles/auditor.duckdb"):
        with duckdb.connect(after.path / name, read_only=True) as connection:
            query = "select distinct region from dim_customer"
            assert connection.execute(query).fetchall() == [("APAC",)], name
            comments = connection.execute(
                "select count(comment) from duckdb_columns() where table_name = 'dim_customer'"
            ).fetchall()
            assert comments == [(5,)], name
            tags = connection.execute("select tags from duckdb_databases() where not internal")
            assert "v1.0" in str(tags.fetchall()), name


def test_a_failing_rule_is_judged_again_by_the_next_build(
    home: Home, monkeypatch: pytest.MonkeyPatch, without_dbt: list[NodeResult]
) -> None:
    assert without_dbt == []
    drop(home, "revenue/customers.2026-04-01.csv", customer("EU"))
    before = current(home)
    from warehouse import ingest

    ingest.ingest(home, home.landing)
    rule = ("never", "no customer at all", "customer_id is not null")
    with monkeypatch.context() as patch:
        patch.setattr(
            suites, "conditions", lambda mart: [rule] if mart.name == "dim_customer" else []
        )
        for _ in range(2):
            with pytest.raises(AuditFailedError, match="dim_customer: never failed"):
                rebuild(home)
        assert current(home).id == before.id
    assert rebuild(home)[0] != before.id


def test_what_stands_on_an_extract_is_found_through_views(small: Home) -> None:
    manifest = catalog.read_manifest(Transformation(PROJECT, small.root).manifest_path)
    reached = catalog.downstream(manifest, {"revenue/payments"}, AFTER_AUDIT)
    assert "rpt_reconciliation" in reached.nodes & reached.models & reached.marts
    assert "stg_revenue__payments" in reached.models - reached.nodes
    nothing = frozenset[str]()
    assert catalog.downstream(manifest, set(), AFTER_AUDIT) == catalog.Reached(*[nothing] * 3)


@pytest.mark.parametrize(
    ("loaded_after", "is_added_to"),
    [
        ({"product/feature_usage": "2026-01-01"}, True),
        ({"product/feature_usage": None}, False),
        ({"product/feature_usage": "2026-01-01", "revenue/payments": None}, True),
        ({"product/feature_usage": "2026-01-01", "product/features": "2026-01-01"}, False),
        ({"product/features": "2026-01-01"}, False),
    ],
)
def test_months_are_added_where_nothing_else_they_stand_on_has_changed(
    small: Home, loaded_after: dict[str, str | None], is_added_to: bool
) -> None:
    manifest = catalog.read_manifest(Transformation(PROJECT, small.root).manifest_path)
    nodes = catalog.downstream(manifest, loaded_after, AFTER_AUDIT).nodes
    found = catalog.increments(manifest, nodes, loaded_after)
    assert ("int_feature_usage_months" in found) == is_added_to
    # It looks itself at what has changed.
    assert "stg_governance__delivered_totals" in found


def test_killed_or_stopped_a_watch_goes_on_where_it_was(home: Home) -> None:
    environment = os.environ | {"WAREHOUSE_HOME": str(home.root), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "warehouse", "watch", "--interval", "0.2"]
    before = current(home)
    path = drop(home, "revenue/customers.2026-04-01.csv", customer("EU"))
    # Complete at first sight, so that the first build of either run has it.
    path.with_name(path.name + ".done").touch()
    for phase, number in (("dbt", signal.SIGKILL), ("publish", signal.SIGTERM)):
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if f"] {phase}" in line:
                    process.send_signal(number)
                    break
            said = process.stdout.read()
    assert process.returncode == 0, said
    assert "Stopped." in said
    assert current(home).id != before.id
    assert current(home).rows["dim_customer"] == 3
    assert len(Shelf(home.published).versions()) == 2


def test_a_busy_home_is_waited_for(home: Home) -> None:
    stop, said = Event(), list[str]()

    def say(line: str) -> None:
        said.append(line)
        if line.startswith("waiting"):
            stop.set()

    with lock.exclusive(home.lock, "a backup"):
        watch.watch(home, None, stop, say, interval=0.1)
    assert any("a backup" in line for line in said)


def test_what_nobody_foresaw_is_said_and_tried_again(
    empty_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, said, looks = Event(), list[str](), list[object]()

    def fails(*_: object, **given: object) -> None:
        looks.append(given)
        if len(looks) == 3:
            stop.set()
        raise KeyError("unthought of")

    monkeypatch.setattr("warehouse.ingest.ingest", fails)
    drop(empty_home, "revenue/payments.csv", "payment_id\nX1\n")
    watch.watch(empty_home, None, stop, said.append, interval=0.01)
    assert len(looks) == 3, "tried again, though nothing new has arrived"
    log = empty_home.root / "logs" / "watch.log"
    assert said[1:] == [f"failed: KeyError: 'unthought of' (details in {log})"] * 3 + ["Stopped."]
    assert log.read_text(encoding="utf-8").count("in fails") == 3


def test_a_log_that_cannot_be_written_ends_no_watch(
    empty_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop, said, looks = Event(), list[str](), list[object]()
    log = empty_home.root / "logs" / "watch.log"
    log.mkdir(parents=True)

    def fails(*_: object, **given: object) -> None:
        looks.append(given)
        if len(looks) == 2:
            log.rmdir()
            stop.set()
        raise KeyError("unthought of")

    monkeypatch.setattr("warehouse.ingest.ingest", fails)
    drop(empty_home, "revenue/payments.csv", "payment_id\nX1\n")
    watch.watch(empty_home, None, stop, said.append, interval=0.01)
    assert said[1:] == [
        f"failed: KeyError: 'unthought of' (no details, as {log} cannot be written: Is a directory)",
        f"failed: KeyError: 'unthought of' (details in {log})",
        "Stopped.",
    ]


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
def test_who_started_a_watch_can_end_it_at_once(
    empty_home: Home, monkeypatch: pytest.MonkeyPatch, end: type[BaseException]
) -> None:
    def ends(*_: object, **__: object) -> None:
        raise end

    monkeypatch.setattr("warehouse.ingest.ingest", ends)
    empty_home.landing.mkdir(parents=True)
    with pytest.raises(end):
        watch.watch(empty_home, None, Event(), lambda _: None, interval=0.01)
