"""What docs/connect.md promises beyond recipes that run, which test_docs_run sees to."""

import re
import subprocess
import sys
from pathlib import Path

import duckdb

from warehouse.home import PROJECT

TEXT = (PROJECT / "docs" / "connect.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)


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
