"""Whole builds on a company with nothing but customers and subscriptions."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Collection
from pathlib import Path

import duckdb
import pytest

from homes import current, mart_bytes, write_landing, written_files
from warehouse import build, cli, lock, origin, publish
from warehouse.errors import AuditFailedError, UsageError
from warehouse.home import PROJECT, Home
from warehouse.publish import Shelf
from warehouse.suites import publish as suites
from warehouse.transform import NodeResult, Transformation

KILLS = int(os.environ.get("WAREHOUSE_TEST_KILLS", "2"))


@pytest.fixture
def without_dbt(monkeypatch: pytest.MonkeyPatch) -> list[NodeResult]:
    """Leave the working database as it is; what dbt is made to report goes into the list."""
    reported: list[NodeResult] = []
    monkeypatch.setattr(Transformation, "parse", lambda _: None)
    monkeypatch.setattr(Transformation, "build", lambda *_: reported)
    monkeypatch.setattr(Transformation, "build_judgements", lambda _: [])
    return reported


def run(
    home: Home, accepted: Collection[str] = (), *, whole: bool = False
) -> tuple[build.BuildResult, list[str]]:
    said: list[str] = []
    progress = build.Progress(said.append)
    return build.run(home, progress, accepted=accepted, whole=whole), said


def test_extracts_that_are_not_there_leave_their_marts_empty(small: Home) -> None:
    rows = current(small).rows
    assert rows["dim_customer"] == 2
    assert rows["fct_mrr_movements"] > 0
    assert rows["dim_product"] == rows["dim_initiative"] == rows["fct_revenue"] == 0


def test_without_a_ledger_revenue_says_what_day_it_is(small: Home) -> None:
    page = (current(small).path / "index.html").read_text(encoding="utf-8")
    assert "Data as of 2026-02-01." in page


def test_a_version_holds_every_mart_once_and_every_page(small: Home) -> None:
    version = current(small)
    with duckdb.connect(version.path / "marts.duckdb", read_only=True) as connection:
        tables = {name for (name,) in connection.execute("show tables").fetchall()}
    assert (
        tables
        == set(version.rows)
        == {name.removesuffix(".parquet") for name in mart_bytes(version)}
    )
    for page in ("index.html", "quality.html", "docs.html"):
        assert (version.path / page).stat().st_size > 1000
    assert version.manifest["inputs"][0]["file"] == "revenue/customers.2026-03-31.csv"
    assert version.manifest["audit"]["rules"] > len(version.rows)


def test_pages_ask_no_other_host(small: Home) -> None:
    for page in ("index.html", "quality.html"):
        text = (current(small).path / page).read_text(encoding="utf-8")
        assert "http" not in text.replace("http-equiv", "")


def test_a_second_build_changes_nothing_even_after_the_database_was_damaged(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = written_files(home)
    size = home.database.stat().st_size
    os.truncate(home.database, size // 2)
    (home.landing / "revenue" / "payments.csv").write_text("payment_id\nX1\n", encoding="utf-8")
    monkeypatch.setenv("WAREHOUSE_HOME", str(home.root))
    assert cli.main(["build"]) == 3, "a refused file shows in the exit code"
    output = capsys.readouterr()
    assert "damaged" in output.out
    assert "nothing new" in output.out
    assert "payments.csv" in output.out
    assert written_files(home) == before


@pytest.mark.usefixtures("without_dbt")
def test_a_failing_rule_keeps_the_last_version(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    before = current(home)
    rule = ("never", "no customer at all", "customer_id is not null")
    monkeypatch.setattr(
        suites, "conditions", lambda mart: [rule] if mart.name == "dim_customer" else []
    )
    with pytest.raises(AuditFailedError) as failure:
        run(home, whole=True)
    assert "dim_customer: never failed for 2 rows: no customer at all" in str(failure.value)
    assert f"version {before.id} stays" in str(failure.value)
    assert current(home).id == before.id
    assert [version.id for version in Shelf(home.published).versions()] == [before.id]

    result, _ = run(home, whole=True, accepted=["dim_customer.never"])
    assert result.is_new is False, "the rule judges content; it is no content itself"


def test_a_rule_that_is_not_there_is_refused_before_anything_is_built(
    home: Home, without_dbt: list[NodeResult]
) -> None:
    without_dbt.append(NodeResult("model.x", "stg_x", "model", "error", 0, "was run", 0.1))
    for whole in (True, False):
        with pytest.raises(UsageError, match="--accept nope: there is no such rule"):
            run(home, whole=whole, accepted=["nope"])


def test_a_failing_dbt_test_keeps_the_last_version(
    home: Home, without_dbt: list[NodeResult]
) -> None:
    without_dbt.append(
        NodeResult("test.x", "revenue_ties_out", "test", "fail", 7, "Got 7 results", 0.1)
    )
    with pytest.raises(AuditFailedError, match="revenue_ties_out failed for 7 rows"):
        run(home, whole=True)


@pytest.mark.usefixtures("without_dbt")
def test_new_rows_make_a_new_version_and_leave_the_old_one(home: Home) -> None:
    before = current(home)
    marts_before = mart_bytes(before)
    reader = duckdb.connect(before.path / "marts.duckdb", read_only=True)
    with duckdb.connect(home.database) as connection:
        connection.execute("update marts.dim_customer set region = 'APAC' where customer_id = 'C1'")
    result, _ = run(home)
    assert result.is_new
    assert current(home).id == result.version.id != before.id
    assert mart_bytes(before) == marts_before
    changed = {
        name for name, digest in mart_bytes(result.version).items() if marts_before[name] != digest
    }
    assert changed == {"dim_customer.parquet"}
    assert reader.execute("select count(*) from dim_customer").fetchall() == [(2,)]
    reader.close()


@pytest.mark.usefixtures("without_dbt")
def test_a_build_does_not_bring_back_what_was_withdrawn(home: Home) -> None:
    good = current(home)
    with duckdb.connect(home.database) as connection:
        connection.execute("update marts.dim_customer set region = 'APAC'")
    run(home)
    publish.roll_back(Shelf(home.published), home.open_ledger())
    result, _ = run(home)
    assert result.version.id == current(home).id == good.id


@pytest.mark.usefixtures("without_dbt")
def test_every_version_is_in_the_ledger_once(home: Home) -> None:
    entered = [e for e in home.open_ledger().entries if e["event"] == "published"]
    assert [entry["version"] for entry in entered] == [current(home).id]
    assert entered[0]["manifest_sha256"] == current(home).manifest_sha256
    # As if the run had been killed after the version was written and before it was switched to.
    (home.published / "current").unlink()
    result, _ = run(home)
    assert result.version.id == entered[0]["version"]
    assert [e for e in home.open_ledger().entries if e["event"] == "published"] == entered


def test_one_home_holds_one_company(home: Home, tmp_path: Path) -> None:
    ledger = home.open_ledger()
    with pytest.raises(UsageError, match="one home holds one company"):
        origin.choose(home, ledger, origin.SAMPLE)
    assert origin.choose(home, ledger, None).landing == home.landing
    fresh = Home(tmp_path / "fresh")
    assert origin.choose(fresh, fresh.open_ledger(), None).name == "sample"
    write_landing(fresh.root)
    with pytest.raises(UsageError, match="holds the sample company"):
        origin.choose(fresh, fresh.open_ledger(), None)


def test_two_builds_at_once_are_refused(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WAREHOUSE_HOME", str(home.root))
    with lock.exclusive(home.lock, "a build"):
        assert cli.main(["build"]) == 5
    assert f"process {os.getpid()}" in capsys.readouterr().err


def kill_in_phase(command: list[str], home: Home, phase: str, after: float) -> None:
    """Start a build and kill it some seconds into a phase, if it is still there."""
    environment = os.environ | {"WAREHOUSE_HOME": str(home.root)}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if f"] {phase}" in line:
                break
        time.sleep(after)
        process.kill()


def test_killed_at_any_moment_a_build_is_completed_by_the_next(small: Home, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    write_landing(home.root)
    command = [sys.executable, "-m", "warehouse", "build"]
    seed = random.randrange(10**6)
    moments = random.Random(seed)
    for number in range(KILLS):
        phase, seconds = [("dbt", 8.0), ("publish", 2.0), ("ingest", 3.0), ("audit", 0.5)][
            number % 4
        ]
        kill_in_phase(command, home, phase, moments.uniform(0, seconds))
        version = Shelf(home.published).current()
        assert version is None or version.is_intact(), f"seed {seed}"
    environment = os.environ | {"WAREHOUSE_HOME": str(home.root)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"seed {seed}: {done.stdout}{done.stderr}"
    # Homes with the same files differ in when these were loaded, and in what their builds were like.
    differing = {
        name
        for name, digest in mart_bytes(current(home)).items()
        if mart_bytes(current(small))[name] != digest
    }
    assert differing <= {"rpt_freshness.parquet", "rpt_data_quality.parquet"}, f"seed {seed}"
    assert not list(home.published.glob("versions/.*"))


def test_an_interrupted_build_says_so_whatever_dbt_makes_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Runner:
        def __init__(self, **_: object) -> None: ...

        def invoke(self, _: object) -> None:
            with contextlib.suppress(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("dbt.cli.main.dbtRunner", Runner)
    # As in a command; a worker of the tests ignores interrupts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            Transformation(PROJECT, tmp_path).parse()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
