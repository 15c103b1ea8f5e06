"""The sample company, built the whole way."""

import csv
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from homes import current
from warehouse import build, catalog
from warehouse.compiled import CompiledProject
from warehouse.home import PROJECT, Home
from warehouse.publish import Shelf
from warehouse.transform import Transformation


def test_every_mart_has_something_to_show(sample: Home) -> None:
    version = Shelf(sample.published).current()
    assert version is not None
    manifest = catalog.read_manifest(Transformation(PROJECT, sample.root).manifest_path)
    expected = {
        mart.name for mart in catalog.marts(manifest) if mart.meta.get("may_be_empty") is not True
    }
    assert {name for name, rows in version.rows.items() if rows} >= expected


# dbt leaves its log of one run open when the next begins.
@pytest.mark.filterwarnings("default::ResourceWarning")
def test_a_day_in_the_past_is_published_as_well(tmp_path: Path) -> None:
    """May is over and not closed, product P6 four months old, and nobody asks for money."""
    home, day = Home(tmp_path / "home"), "2025-06-04"
    for path in (PROJECT / "sample").rglob("*.csv"):
        target = home.root / "landing" / path.parent.name / path.name
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            # Files named after a later day leave the column empty.
            rows = [row for row in reader if "" < row["recorded_at"] < f"{day}z"]
        if rows:
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, reader.fieldnames or [])
                writer.writeheader()
                writer.writerows(rows)
    build.run(home, build.Progress(lambda _: None))
    with duckdb.connect(current(home).path / "marts.duckdb", read_only=True) as connection:

        def found(query: str) -> list[Any]:
            return connection.execute(query).fetchall()

        assert found("select max(fiscal_period) from rpt_budget_outlook") == [("2025-P04",)]
        assert found("select count(*) from rpt_capital_allocation") == [(0,)]
        assert found(
            "select measure from fct_forecasts where member_id = 'company' group by 1 order by 1"
        ) == [("cost",), ("mrr",), ("revenue",)]
        assert found(
            "select max(month_date) < '2025-05-01' from fct_initiative_cash_flows where version_role = 'realised'"
        ) == [(True,)]
        assert found(
            "select max(month_date) < '2025-05-01' from fct_kpi_values where kpi_id = 'benefit_realisation_rate'"
        ) == [(True,)]


def test_the_formulas_hold(sample: Home, tmp_path: Path) -> None:
    """dbt's unit tests: worked numbers against every formula."""
    # They read columns only; dbt would shut other readers of the database out.
    shutil.copyfile(sample.database, tmp_path / "warehouse.duckdb")
    results = Transformation(PROJECT, tmp_path).unit_test()
    assert len(results) > 20
    failed = [f"{result.name}: {result.message}" for result in results if result.status != "pass"]
    assert not failed, "\n".join(failed)


@pytest.mark.parametrize(
    "question", sorted(path.stem for path in (PROJECT / "analyses").rglob("*.sql"))
)
def test_the_published_marts_answer(project: CompiledProject, sample: Home, question: str) -> None:
    query = project.manifest["nodes"][f"analysis.product_finance.{question}"]["compiled_code"]
    query = query.replace('"warehouse"."marts".', "")
    assert "warehouse" not in query
    with duckdb.connect(current(sample).path / "marts.duckdb", read_only=True) as connection:
        assert connection.execute(query).fetchall()


def test_no_model_reads_the_truth() -> None:
    truth = {path.name for path in (PROJECT / "sample-truth").iterdir()}
    assert truth
    for folder in ("models", "macros", "seeds", "scripts/warehouse"):
        for path in (PROJECT / folder).rglob("*"):
            if path.suffix in {".sql", ".yml", ".py", ".csv"} and "simulate" not in path.parts:
                assert "sample-truth" not in path.read_text(encoding="utf-8"), path
