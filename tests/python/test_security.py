"""What docs/security.md promises and no other test holds."""

import csv
import json
import os
import stat
import subprocess
import tomllib
from pathlib import Path

import duckdb
import pytest
from dbt.cli.flags import Flags
from dbt.cli.main import cli as dbt
from detect_secrets.core.scan import scan_file
from detect_secrets.settings import default_settings
from packaging.version import Version

from gate import land, raw, run
from homes import current
from warehouse import cli, lock, publish
from warehouse.home import PROJECT, Home

ADVISORIES = PROJECT / "docs" / "security" / "advisories.csv"


def _tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "-C", str(PROJECT), "ls-files", "-z"], capture_output=True, text=True, check=True
    ).stdout
    return [PROJECT / name for name in listed.split("\0") if name and (PROJECT / name).is_file()]


def _locked() -> dict[str, set[Version]]:
    lock = tomllib.loads((PROJECT / "uv.lock").read_text(encoding="utf-8"))
    versions: dict[str, set[Version]] = {}
    for package in lock["package"]:
        versions.setdefault(package["name"], set()).add(Version(package["version"]))
    return versions


def test_no_locked_package_has_a_listed_vulnerability() -> None:
    locked = _locked()
    with ADVISORIES.open(encoding="utf-8", newline="") as file:
        advisories = list(csv.DictReader(file))
    assert len(advisories) > 20
    affected = [
        f"{row['package']} {version}: {row['advisory']}, fixed in {row['fixed_in']}"
        for row in advisories
        for version in locked.get(row["package"], ())
        if version < Version(row["fixed_in"])
    ]
    assert affected == []


def test_the_code_scanner_finds_nothing() -> None:
    scan = subprocess.run(
        ["bandit", "-q", "-r", "scripts/warehouse", "-c", "pyproject.toml", "-f", "txt"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert scan.returncode == 0, scan.stdout


def test_no_file_of_the_repository_holds_a_secret() -> None:
    # Data and SQL are left out: they are long and hold no settings; the lock file is made of hashes.
    left_out = {".sql", ".csv", ".lock", ".png", ".svg", ".parquet"}
    files = [path for path in _tracked() if path.suffix not in left_out]
    assert len(files) > 100
    with default_settings():
        found = [
            f"{path.relative_to(PROJECT)}:{secret.line_number} {secret.type}"
            for path in files
            for secret in scan_file(str(path))
        ]
    assert found == []


def test_the_scan_for_secrets_finds_one(tmp_path: Path) -> None:
    planted = tmp_path / "settings.py"
    planted.write_text('AWS = "AKIA' + "IOSFODNN7EXAMPL1" + '"\n', encoding="utf-8")
    with default_settings():
        assert [secret.type for secret in scan_file(str(planted))] == ["AWS Access Key"]


def test_the_bill_of_materials_lists_every_package_that_is_installed_to_run() -> None:
    command = ["uv", "export", "--frozen", "--no-dev", "--format", "cyclonedx1.5", "--offline"]
    made = subprocess.run(
        [*command, "--preview-features", "sbom-export"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    bill = json.loads(made.stdout)
    names = {component["name"] for component in bill["components"]}
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {requirement.split(">")[0].split("=")[0] for requirement in project["dependencies"]}
    assert wanted <= names
    assert all(component.get("purl") for component in bill["components"])


HOSTILE = "x'); drop table parsed; --"


def test_names_and_values_from_files_are_never_run_as_sql(empty_home: Home) -> None:
    header = f'payment_id,invoice_id,paid_on,amount,fee_amount,currency,"{HOSTILE}"\n'
    row = f'"{HOSTILE}",i1,2026-01-05,10.50,0.30,USD,"{HOSTILE}"\n'
    name = "revenue/payments.'\"); drop table x; --.csv"
    land(empty_home, name, header + row)
    (result,) = run(empty_home).files
    assert (result.outcome, result.rows_accepted) == ("loaded", 1)
    ((payment_id, file, extra),) = raw(empty_home, "payment_id, _file, _extra")
    assert (payment_id, file) == (HOSTILE, name)
    assert json.loads(extra) == {HOSTILE: HOSTILE}


def test_dbt_tells_nobody_that_it_ran_from_whatever_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DBT_SEND_ANONYMOUS_USAGE_STATS", raising=False)
    arguments = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT / "profiles")]
    parent = dbt.make_context("dbt", ["parse", *arguments])
    flags = Flags(dbt.commands["parse"].make_context("parse", arguments, parent=parent))
    assert flags.SEND_ANONYMOUS_USAGE_STATS is False


def test_published_files_can_only_be_read_and_the_key_only_by_its_owner(small: Home) -> None:
    version = current(small)
    writable = [
        path
        for path in version.path.rglob("*")
        if path.is_file() and path.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)
    ]
    assert writable == []
    assert stat.S_IMODE(small.pseudonym_key.stat().st_mode) == 0o600


def test_others_on_the_machine_read_what_is_published_and_nothing_else(
    empty_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAREHOUSE_HOME", str(empty_home.root))
    umask = os.umask(0o022)
    try:
        # A home of a release that left it open.
        land(empty_home, "revenue/customers.csv", "customer_id\nC1\nC2,x\n")
        assert cli.main(["seeds"]) == 0
        for path in (empty_home.raw, empty_home.quality, empty_home.ledger):
            path.mkdir()
        empty_home.database.touch()
        assert cli.main(["ingest"]) == 0
        assert os.umask(0o022) == 0o022
        with lock.exclusive(empty_home.lock, "a build"):
            shelf = publish.Shelf(empty_home.published)
            folder = shelf.start()
            (folder / "marts").mkdir()
            (folder / "marts" / "dim_customer.parquet").touch()
            version = shelf.put(folder, "0" * 64, {"marts": {}})
    finally:
        os.umask(umask)
    open_to_others = {
        path.relative_to(empty_home.root).parts[0]
        for path in empty_home.root.iterdir()
        if path.stat().st_mode & 0o077
    }
    assert open_to_others == {"landing", "published"}
    assert empty_home.root.stat().st_mode & 0o777 == 0o755
    for path in empty_home.raw.rglob("*.parquet"):
        assert path.stat().st_mode & 0o077 == 0
    modes = {path: path.stat().st_mode & 0o777 for path in empty_home.published.rglob("*")}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o755}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o444}
    assert modes[version.path] == 0o755


def test_the_published_database_refuses_to_be_written(small: Home) -> None:
    path = current(small).path / "marts.duckdb"
    with (
        duckdb.connect(path, read_only=True) as connection,
        pytest.raises(duckdb.InvalidInputException, match="read-only"),
    ):
        connection.execute("create table t (i int)")
