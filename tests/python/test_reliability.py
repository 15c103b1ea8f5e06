"""Kills, faults of disk and clock, readers: the code of `warehouse bench` at a small size, and more."""

import errno
import os
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest

from homes import current
from warehouse import backup, build, cli, ingest, publish, store, verify
from warehouse.bench import full_disk, kills, readers
from warehouse.errors import HomeBusyError, TamperedError
from warehouse.home import PROJECT, Home
from warehouse.transform import NodeResult, Transformation


@pytest.fixture(scope="module")
def killer() -> kills.Kills:
    return kills.Kills(seed=random.randrange(10**6))


def test_killed_ingests_lose_and_double_nothing(killer: kills.Kills, tmp_path: Path) -> None:
    kills.ingests(killer, 3, tmp_path)
    assert killer.killed["ingest"] == 3, f"seed {killer.seed}"


def test_killed_backups_and_restores_are_completed(
    killer: kills.Kills, home: Home, tmp_path: Path
) -> None:
    kills.backups(killer, 3, home, tmp_path / "backups")
    kills.restores(killer, 2, home, tmp_path / "restores")
    assert (killer.killed["backup"], killer.killed["restore"]) == (3, 2), f"seed {killer.seed}"


def test_readers_meet_one_whole_version_each(tmp_path: Path) -> None:
    sizes = {"readers": 6, "versions": 8, "pause_milliseconds": 200, "longest_hold_seconds": 1}
    found = {figure.name: figure.value for figure in readers.run(tmp_path, sizes)}
    assert found["versions read"] > 2
    assert found["reads"] > 50


def test_a_disk_that_is_full_is_named_and_harms_nothing(tmp_path: Path) -> None:
    figures = {one.name: one.value for one in full_disk.run(tmp_path, {"points": 2})}
    assert figures["runs for which there was no room"] >= 1


@pytest.mark.parametrize(
    ("place", "number"),
    [
        ("contract.parquet", errno.EROFS),
        ("raw/revenue/customers/.2", errno.EACCES),
        ("ledger.jsonl", errno.EIO),
    ],
)
def test_a_folder_that_cannot_be_written_to_is_named_and_harms_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    place: str,
    number: int,
) -> None:
    home = Home(tmp_path / "home")
    kills.deliver(home.landing, 0)
    monkeypatch.setenv("WAREHOUSE_HOME", str(home.root))
    work = os.fsync

    def fail(descriptor: int) -> None:
        path = str(Path(f"/proc/self/fd/{descriptor}").readlink())
        if place in path:
            raise OSError(number, os.strerror(number), path)
        work(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        assert cli.main(["ingest"]) == 1
    said = capsys.readouterr().err
    assert "a folder cannot be written to" in said
    assert os.strerror(number) in said
    assert place in said
    assert cli.main(["ingest"]) == 0
    kills.check_complete(home)
    kills.check_rows(home, home.landing, range(1))


@pytest.mark.parametrize("place", ["raw/revenue/customers", "ledger/ledger.jsonl"])
def test_permission_that_is_lost_is_named_and_harms_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    home = Home(tmp_path / "home")
    monkeypatch.setenv("WAREHOUSE_HOME", str(home.root))
    kills.deliver(home.landing, 0)
    assert cli.main(["ingest"]) == 0
    kills.deliver(home.landing, 1)
    closed = home.root / place
    permissions = closed.stat().st_mode
    closed.chmod(0o555)
    # Also root must keep to permissions without this right.
    barred = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"]
    done = subprocess.run(
        [*(barred if os.geteuid() == 0 else []), sys.executable, "-m", "warehouse", "ingest"],
        check=False,
        capture_output=True,
        text=True,
    )
    closed.chmod(permissions)
    assert done.returncode == 1, done.stderr
    assert "Permission denied" in done.stderr
    assert str(closed) in done.stderr
    assert "Traceback" not in done.stderr
    assert cli.main(["ingest"]) == 0
    kills.check_complete(home)
    kills.check_rows(home, home.landing, range(2))


def test_a_clock_put_back_changes_no_order(
    tmp_path: Path, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = backup.back_up(home, tmp_path / "backup")
    before = current(home)
    loaded = [entry["loaded_at"] for entry in home.open_ledger().loads]
    monkeypatch.setattr(store, "now", lambda: datetime.now(UTC) - timedelta(days=400))
    second, _ = backup.back_up(home, tmp_path / "backup")
    assert backup.choose(tmp_path / "backup").id == second.id > first.id
    shelf = publish.Shelf(home.published)
    later = shelf.put(shelf.start(), "0" * 64, {"marts": {}})
    assert shelf.versions()[-1].id == later.id > before.id
    kills.deliver(home.landing, 0)
    ingest.ingest(home, home.landing)
    times = [entry["loaded_at"] for entry in home.open_ledger().loads]
    assert times == sorted({*times})
    assert len(times) == len(loaded) + 2


def test_a_raw_file_that_is_damaged_is_named_with_its_place_in_a_backup(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = home.open_ledger().loads[0]
    raw = home.root / entry["raw"]
    raw.write_bytes(raw.read_bytes()[:-20])
    broken = NodeResult("model.x", "stg_x", "model", "error", 0, "corrupt Parquet file", 0.1)
    monkeypatch.setattr(Transformation, "build", lambda _: [broken])
    with pytest.raises(TamperedError) as error:
        build.rebuild(home, build.Progress(lambda _: None))
    assert str(raw) in str(error.value)
    assert f"objects/{entry['raw_sha256'][:2]}/{entry['raw_sha256']}" in str(error.value)
    assert home.database.exists(), "the working database is not to blame"


def test_what_derives_from_the_ledger_is_written_anew_where_it_is_damaged(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    kills.deliver(home.landing, 0)
    ingest.ingest(home, home.landing)
    damaged = [
        home.raw / "revenue" / "customers" / "contract.parquet",
        home.raw / "gate" / "load_totals" / "load_totals.parquet",
    ]
    before = [path.read_bytes() for path in damaged]
    for path in damaged:
        path.write_bytes(b"PAR1")
    ingest.ingest(home, home.landing)
    assert [path.read_bytes() for path in damaged] == before
    assert list(verify.problems(home)) == []


def test_a_database_is_called_damaged_only_when_it_is(tmp_path: Path) -> None:
    working = Transformation(PROJECT, tmp_path)
    chance = random.Random(37)
    with duckdb.connect(working.database) as connection:
        for number in range(12):
            connection.execute(
                f"create table t{number} as select n, hash(n) as h from range(40000) as r (n)"
            )
    assert working.discard_if_damaged() is None
    whole = working.database.read_bytes()
    sizes = []
    for _ in range(12):
        rows = chance.choice([1, 40_000, 100_000])
        with duckdb.connect(working.database) as connection:
            connection.execute(
                f"create or replace table t{chance.randrange(12)} as "
                f"select n, hash(n) as h from range({rows}) as r (n)"
            )
        assert working.discard_if_damaged() is None
        sizes.append(working.database.stat().st_size)
    assert any(after < before for before, after in pairwise(sizes))
    for size in (100, 12_288, len(whole) // 2, len(whole) - 1):
        working.database.write_bytes(whole[:size])
        assert working.discard_if_damaged() is not None, size
        assert not working.database.exists()


def test_a_program_that_holds_the_working_database_is_named(tmp_path: Path) -> None:
    working = Transformation(PROJECT, tmp_path)
    duckdb.connect(working.database).close()
    hold = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1], read_only=True); "
        "print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(working.database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(HomeBusyError, match=rf"PID {holder.pid}\b"):
            working.discard_if_damaged()
    assert working.discard_if_damaged() is None
