"""The recipes of docs/connect.md work as they stand, on the published sample."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from warehouse.home import PROJECT, Home

TEXT = (PROJECT / "docs" / "connect.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)


@pytest.fixture
def workplace(sample: Home, tmp_path: Path) -> Path:
    """A folder in which `data/` is the sample's home."""
    (tmp_path / "data").symlink_to(sample.root)
    return tmp_path


@pytest.mark.parametrize("recipe", BLOCKS, ids=lambda text: text.split()[1])
def test_a_python_recipe_runs(workplace: Path, recipe: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", recipe], cwd=workplace, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_command_line_of_an_older_duckdb_reads_the_published_file(workplace: Path) -> None:
    (recipe,) = re.findall(r"```sh\n(.*?)```", TEXT, flags=re.DOTALL)
    client = shutil.which("duckdb", path=str(Path(sys.executable).parent))
    assert client, "the development dependency duckdb-cli is not installed"
    version = subprocess.run([client, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout.startswith("v1.")
    done = subprocess.run(
        ["bash", "-c", recipe],
        cwd=workplace,
        env={"PATH": f"{Path(client).parent}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") >= 3


def test_spreadsheets_get_text_and_not_formulas(tmp_path: Path) -> None:
    published = tmp_path / "data" / "published" / "current"
    published.mkdir(parents=True)
    with duckdb.connect(published / "marts.duckdb") as connection:
        connection.execute(
            "create table rpt_unit_economics as select * from (values "
            "(date '2026-01-01', '=1+1', -5.00), (date '2026-02-01', 'Acme', 7.00)"
            ") as t(month_date, segment, arpa_amount)"
        )
    (recipe,) = [block for block in BLOCKS if "utf-8-sig" in block]
    subprocess.run([sys.executable, "-c", recipe], cwd=tmp_path, check=True)
    assert (tmp_path / "unit_economics.csv").read_bytes().decode() == (
        "\ufeffmonth_date,segment,arpa_amount\r\n2026-01-01,'=1+1,-5.00\r\n2026-02-01,Acme,7.00\r\n"
    )


def test_every_tool_is_an_exposure() -> None:
    exposures = (PROJECT / "models" / "marts" / "_exposures.yml").read_text(encoding="utf-8")
    for name in ("report_site", "duckdb_clients", "parquet_notebooks", "spreadsheets", "superset"):
        assert f"- name: {name}\n" in exposures
