"""The sample company, built the whole way."""

import shutil
from pathlib import Path

import duckdb
import pytest

from homes import current
from warehouse import catalog
from warehouse.compiled import CompiledProject
from warehouse.home import PROJECT, Home
from warehouse.publish import Shelf
from warehouse.transform import Transformation


def test_every_mart_has_something_to_show(sample: Home) -> None:
    version = Shelf(sample.published).current()
    assert version is not None
    manifest = catalog.read_manifest(Transformation(PROJECT, sample.root).manifest_path)
    expected = {mart.name for mart in catalog.marts(manifest) if not mart.meta.get("may_be_empty")}
    assert {name for name, rows in version.rows.items() if rows} >= expected


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
