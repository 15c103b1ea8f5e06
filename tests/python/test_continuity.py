"""Backups bring everything back; tampering is named."""

import json
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from homes import current, mart_bytes
from warehouse import backup, build, cli, contract, drill, ingest, publish, record, verify
from warehouse.errors import TamperedError, UsageError
from warehouse.home import LEDGER, Home
from warehouse.store import fingerprint

# What a manifest without marts says.
FACTS = {"marts": {}, "git": {"commit": None}}


def contents(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): fingerprint(path)
        for path in root.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def damage(path: Path) -> None:
    """Change the last byte of a file, whatever its mode says."""
    path.chmod(path.stat().st_mode | stat.S_IWUSR)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("command", ["verify", "versions"])
def test_a_home_that_is_not_there_is_no_sound_one(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
) -> None:
    monkeypatch.setenv("WAREHOUSE_HOME", str(tmp_path / "typo"))
    assert cli.main([command]) == 2
    assert "there is no warehouse in" in capsys.readouterr().err
    assert not (tmp_path / "typo").exists()


@pytest.mark.parametrize("command", ["build", "ingest", "verify", "rollback", "seeds", "report"])
def test_a_file_in_place_of_a_folder_is_said(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
) -> None:
    (tmp_path / "file").touch()
    for place in ("file", "file/home"):
        monkeypatch.setenv("WAREHOUSE_HOME", str(tmp_path / place))
        assert cli.main([command]) == 2
        assert f"{tmp_path / 'file'} is a file; name a folder." in capsys.readouterr().err
    monkeypatch.setenv("WAREHOUSE_HOME", "/proc/home")
    assert cli.main(["rollback"]) == 2
    assert "/proc/home cannot be made" in capsys.readouterr().err
    monkeypatch.setenv("WAREHOUSE_HOME", str(tmp_path / "home"))
    for arguments in (["backup"], ["simulate", "--out"]):
        assert cli.main([*arguments, str(tmp_path / "file")]) == 2
        assert f"{tmp_path / 'file'} is a file; name a folder." in capsys.readouterr().err


def test_an_untouched_home_verifies(small: Home) -> None:
    assert list(verify.problems(small)) == []


@pytest.mark.parametrize(
    "pattern",
    [
        "raw/revenue/customers/2026*.parquet",
        "raw/audit/quality_scores/000001.parquet",
        "raw/audit/target_scores/000001.parquet",
        "published/versions/*/marts.duckdb",
        "published/versions/*/manifest.json",
        "published/versions/*/marts/dim_customer.parquet",
        "published/versions/*/roles/auditor.duckdb",
    ],
)
def test_a_changed_byte_is_named(home: Home, pattern: str) -> None:
    (path,) = home.root.glob(pattern)
    if path.name == "manifest.json":
        path.chmod(0o644)
        path.write_text(path.read_text(encoding="utf-8").replace("sample", "simple") + " ")
    else:
        damage(path)
    (problem,) = verify.problems(home)
    assert path.relative_to(home.root).as_posix() in problem


def test_a_removed_or_added_file_is_named(home: Home) -> None:
    (path,) = home.root.glob("raw/revenue/customers/2026*.parquet")
    path.rename(path.with_name("added.parquet"))
    removed, added = verify.problems(home)
    assert removed == f"{path.relative_to(home.root).as_posix()} is missing"
    assert added == "raw/revenue/customers/added.parquet is not in the ledger"
    (current(home).path / "extra.txt").write_text("hello", encoding="utf-8")
    assert any("extra.txt was added" in problem for problem in verify.problems(home))


def test_rows_in_a_file_that_only_names_columns_are_found_and_taken_out(home: Home) -> None:
    path = home.raw / "revenue" / "payments" / "contract.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"create table payments as from '{path}'")
        connection.execute("insert into payments (payment_id, amount) values ('X1', 1000000)")
        connection.execute(f"copy payments to '{path}' (format parquet)")
    (problem,) = verify.problems(home)
    assert problem.startswith("raw/revenue/payments/contract.parquet does not just name columns")
    ingest.write_contracts(home, contract.load())
    assert list(verify.problems(home)) == []


def lead_to_a_copy(home: Home) -> None:
    shutil.copytree(current(home).path, home.root.parent / "copy")
    (home.published / "current").unlink()
    (home.published / "current").symlink_to(home.root.parent / "copy")


def lead_to_an_older_version(home: Home) -> None:
    shelf = publish.Shelf(home.published)
    before, folder = current(home), shelf.start()
    version = shelf.put(folder, "0" * 64, FACTS)
    build.enter(home.open_ledger(), version)
    shelf.switch(version)
    assert list(verify.problems(home)) == []
    shelf.switch(before)


def link_a_folder_in(home: Home) -> None:
    (current(home).path / "more").symlink_to(home.root)


def link_a_file_in_place(home: Home) -> None:
    path = current(home).path / "index.html"
    path.rename(home.root.parent / "moved.html")
    path.symlink_to(home.root.parent / "moved.html")


def truncate_the_manifest(home: Home) -> None:
    path = current(home).path / "manifest.json"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:100])


TAMPERING: dict[Callable[[Home], object], str] = {
    lead_to_a_copy: "published/current leads to ",
    lead_to_an_older_version: "published/current leads to versions/",
    lambda home: (home.published / "current").unlink(): "published/current leads to nothing",
    lambda home: (home.published / "evil.html").touch(): "published/evil.html belongs to no",
    lambda home: (home.published / "versions" / "Thumbs.db").touch(): "Thumbs.db is no version",
    link_a_folder_in: "/more was added",
    link_a_file_in_place: "/index.html was changed",
    truncate_the_manifest: "/manifest.json was changed or removed",
    lambda home: (current(home).path / "manifest.json").unlink(): "/manifest.json was changed or",
    lambda home: (home.raw / "audit/rule_results/more.parquet").touch(): "more.parquet is not in",
}


@pytest.mark.parametrize("tamper", TAMPERING)
def test_what_readers_could_be_shown_instead_is_named(
    home: Home, tamper: Callable[[Home], object]
) -> None:
    tamper(home)
    (problem,) = verify.problems(home)
    assert TAMPERING[tamper] in problem


def test_a_version_that_comes_into_force_again_is_entered_again(home: Home) -> None:
    """Its marts are what they were before two changes: no new version, and no older one either."""
    shelf, ledger = publish.Shelf(home.published), home.open_ledger()
    first = current(home)
    second = shelf.put(shelf.start(), "0" * 64, FACTS)
    for version in (second, first):
        build.enter(ledger, version)
        shelf.switch(version)
    assert list(verify.problems(home)) == []
    # Whoever changes it meanwhile is still found out.
    truncate_the_manifest(home)
    build.enter(ledger, second)
    build.enter(ledger, first)
    (problem,) = verify.problems(home)
    assert "manifest.json was changed" in problem


def test_a_stray_file_among_the_versions_hinders_nothing(home: Home) -> None:
    (home.published / "versions" / "Thumbs.db").touch()
    shelf = publish.Shelf(home.published)
    assert shelf.versions() == [current(home)]
    shelf.put(shelf.start(), "0" * 64, {"marts": {}})


def test_a_damaged_manifest_is_said_with_exit_code_6(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WAREHOUSE_HOME", str(home.root))
    truncate_the_manifest(home)
    for command in ("versions", "rollback"):
        assert cli.main([command]) == 6
        assert "manifest.json is missing or damaged: delete" in capsys.readouterr().err


def test_a_line_that_is_no_entry_is_said_with_exit_code_6(
    empty_home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WAREHOUSE_HOME", str(empty_home.root))
    empty_home.ledger.mkdir(parents=True)
    for line in ("[1]", '{"a":1}', "7", "nonsense"):
        (empty_home.ledger / LEDGER).write_text(f"{line}\n", encoding="utf-8")
        for command in (["ingest"], ["rollback"], ["backup", str(empty_home.root / "backup")]):
            assert cli.main(command) == 6, line
            assert "line 1 is not a ledger entry" in capsys.readouterr().err
        assert cli.main(["verify"]) == 6, line


def test_the_first_broken_line_of_the_ledger_is_named(home: Home) -> None:
    path = home.ledger / LEDGER
    lines = path.read_text(encoding="utf-8").splitlines()
    loaded = next(at for at, line in enumerate(lines) if '"event":"loaded"' in line)

    path.write_text("\n".join([*lines[:loaded], *lines[loaded + 1 :]]) + "\n", encoding="utf-8")
    assert next(verify.problems(home)).startswith(f"{LEDGER} line {loaded + 1} ")

    entry = json.loads(lines[loaded]) | {"rows_accepted": 1_000_000}
    changed = [*lines[:loaded], json.dumps(entry), *lines[loaded + 1 :]]
    path.write_text("\n".join(changed) + "\n", encoding="utf-8")
    first = next(verify.problems(home))
    assert first.startswith(f"{LEDGER} line {loaded + 1} ")
    assert "was changed" in first

    path.write_text("\n".join([*lines[:2], "nonsense", *lines[2:]]) + "\n", encoding="utf-8")
    assert next(verify.problems(home)) == f"{LEDGER} line 3 is no entry: the chain breaks here"


def test_everything_comes_back_from_a_backup(home: Home, tmp_path: Path) -> None:
    """The drill, with the home really destroyed in between."""
    marts = mart_bytes(current(home))
    rows = current(home).rows
    kept = contents(home.root / "raw") | contents(home.published)
    backup.back_up(home, tmp_path / "backup")
    shutil.rmtree(home.root)

    restored = backup.restore(home, tmp_path / "backup", backup.choose(tmp_path / "backup"))
    assert restored.seeds == []
    assert contents(home.root / "raw") | contents(home.published) == kept
    assert list(verify.problems(home)) == []
    assert [entry["event"] for entry in home.open_ledger().entries][-1] == "restored"
    modes = {path.stat().st_mode & 0o777 for path in home.raw.rglob("*") if path.is_file()}
    assert modes == {0o600}
    published = [path for path in home.published.rglob("*") if not path.is_symlink()]
    assert {path.stat().st_mode & 0o777 for path in published} == {0o444, 0o755}

    version, is_new = build.rebuild(home, build.Progress(lambda _: None))
    assert not is_new
    assert version.rows == rows
    assert mart_bytes(version) == marts
    with duckdb.connect(home.database, read_only=True) as connection:
        (count,) = connection.execute("select count(*) from marts.dim_customer").fetchall()
    assert count == (2,)


def test_a_backup_stores_each_content_once(home: Home, tmp_path: Path) -> None:
    first, copied = backup.back_up(home, tmp_path / "backup")
    assert copied > 0
    second, copied_again = backup.back_up(home, tmp_path / "backup")
    # Only the ledger has grown in between.
    assert copied_again == second.files[f"ledger/{LEDGER}"]["bytes"]
    assert [one.id for one in backup.snapshots(tmp_path / "backup")] == [first.id, second.id]
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "backup" / "objects").rglob("*/*")}
    assert modes == {0o400}


EVIL = {"sha256": "0" * 64, "bytes": 1}


@pytest.mark.parametrize(
    "changed",
    [
        {"files": {"/tmp/x": EVIL}},
        {"files": {"raw/../../../x": EVIL}},
        {"files": {"raw/./x": EVIL}},
        {"files": {"built.json": EVIL}},
        {"files": {"raw": EVIL}},
        {"files": {"published/current/x": EVIL}},
        {"files": {"raw/x": EVIL, "raw/x/y": EVIL}},
        {"files": {"raw/x": {"sha256": "../../x", "bytes": 1}}},
        {"files": {"raw/x": {"sha256": "0" * 64}}},
        {"files": {"raw/x": 1}},
        {"files": []},
        {"links": {"published/current": "/etc"}},
        {"links": {"published/current": "versions/../../.."}},
        {"links": {"../../link": "versions/x"}},
        {"links": 7},
    ],
    ids=str,
)
def test_a_snapshot_that_writes_elsewhere_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    changed: dict[str, object],
) -> None:
    monkeypatch.setenv("WAREHOUSE_HOME", str(tmp_path / "home"))
    path = tmp_path / "backup" / "snapshots" / "20260101T000000000000Z.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"files": {}, "links": {}} | changed), encoding="utf-8")
    for command in ("restore", "drill"):
        assert cli.main([command, str(tmp_path / "backup")]) == 6
        assert f"{path} is not what a backup wrote" in capsys.readouterr().err


def test_a_snapshot_that_is_cut_off_is_refused_and_hinders_no_other(
    tmp_path: Path, empty_home: Home
) -> None:
    empty_home.open_ledger().append("origin", origin="own")
    good, _ = backup.back_up(empty_home, tmp_path / "backup")
    cut = tmp_path / "backup" / "snapshots" / "20990101T000000000000Z.json"
    cut.write_text('{"files": {', encoding="utf-8")
    with pytest.raises(TamperedError, match="is not what a backup wrote"):
        backup.choose(tmp_path / "backup")
    assert backup.choose(tmp_path / "backup", good.id) == good
    assert backup.back_up(empty_home, tmp_path / "backup")[0].id > good.id


def test_no_backup_holds_links(tmp_path: Path, empty_home: Home) -> None:
    empty_home.open_ledger().append("origin", origin="own")
    empty_home.mappings.mkdir()
    (tmp_path / "elsewhere.yml").write_text("x: 1", encoding="utf-8")
    link = empty_home.mappings / "mine.yml"
    link.symlink_to(tmp_path / "elsewhere.yml")
    snapshot, _ = backup.back_up(empty_home, tmp_path / "backup")
    assert "mappings/mine.yml" in snapshot.files
    link.unlink()
    link.symlink_to(tmp_path)
    with pytest.raises(UsageError, match=r"mine\.yml is a link to"):
        backup.back_up(empty_home, tmp_path / "backup")


def test_a_damaged_backup_is_refused_and_nothing_is_restored(home: Home, tmp_path: Path) -> None:
    snapshot, _ = backup.back_up(home, tmp_path / "backup")
    sha256 = snapshot.files["pseudonym.key"]["sha256"]
    damage(tmp_path / "backup" / "objects" / sha256[:2] / sha256)
    fresh = Home(tmp_path / "fresh")
    with pytest.raises(TamperedError, match=r"pseudonym\.key"):
        backup.restore(fresh, tmp_path / "backup", snapshot)
    assert not fresh.root.exists()
    # Backing up again mends it.
    backup.back_up(home, tmp_path / "backup")
    backup.check(tmp_path / "backup", snapshot)


def test_a_restore_never_overwrites_and_completes_an_interrupted_one(
    home: Home, tmp_path: Path
) -> None:
    snapshot, _ = backup.back_up(home, tmp_path / "backup")
    with pytest.raises(UsageError, match="already holds raw"):
        backup.restore(home, tmp_path / "backup", snapshot)
    fresh = Home(tmp_path / "fresh")
    (fresh.root / ".restoring" / "ledger").mkdir(parents=True)
    fresh.raw.mkdir()
    backup.restore(fresh, tmp_path / "backup", snapshot)
    assert list(verify.problems(fresh)) == []


def test_the_drill_measures_and_finds_what_is_not_the_same(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup.back_up(home, tmp_path / "backup")
    restored: list[Home] = []

    def rebuild(given: Home, progress: build.Progress) -> tuple[object, bool]:
        del progress
        restored.append(given)
        version = current(given)
        marts = dict(version.manifest["marts"])
        marts["dim_customer"] = marts["dim_customer"] | {"sha256": "0" * 64}
        return type(version)(version.path, {**version.manifest, "marts": marts}), False

    monkeypatch.setattr(build, "rebuild", rebuild)
    done = drill.run(home, tmp_path / "backup", lambda _: None)
    assert done.differing == ("dim_customer",)
    assert not restored[0].root.exists()
    entry = home.open_ledger().entries[-1]
    assert (entry["event"], entry["differing"]) == ("drilled", ["dim_customer"])


def test_events_an_earlier_release_kept_are_written_anew(empty_home: Home) -> None:
    ledger = empty_home.open_ledger()
    for event in ("audit_failed", "scored", "audit_failed"):
        ledger.append(event, rules=["mart.rule"])
    path = empty_home.raw / "audit" / "home_events" / "events.parquet"
    path.parent.mkdir(parents=True)
    with duckdb.connect() as connection:
        connection.execute(f"copy (select 1 as event_number) to '{path}'")
        record.keep_events(empty_home)
        query = f"select event_number, build_number, details from '{path}' order by all"
        found = connection.execute(query).fetchall()
    assert found == [(1, 1, "mart.rule"), (3, 2, "mart.rule")]
