"""Revenue as known at a date, rebuilt from the raw files of the sample company alone."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from warehouse import ingest
from warehouse.compiled import CompiledProject, write_empty_extracts
from warehouse.home import PROJECT, Home

# dbt leaves its log of one run open when the next begins.
pytestmark = pytest.mark.filterwarnings("default::ResourceWarning")

AS_OF = "2026-03-31"
EXTRACTS = ("customers", "subscriptions", "invoice_lines", "payments")
MARTS = (
    "fct_revenue",
    "fct_deferred_revenue",
    "fct_mrr_movements",
    "rpt_mrr_waterfall",
    "rpt_retention",
    "rpt_cohorts",
    "rpt_unit_economics",
    "rpt_product_contribution",
)


def built(project: CompiledProject, home: Path) -> duckdb.DuckDBPyConnection:
    # One thread, as in a build: several add floating-point numbers in another order each time.
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("attach ':memory:' as warehouse")
    connection.execute("use warehouse")
    return project.run(MARTS, connection=connection, from_raw=home)


@pytest.fixture
def present(empty_home: Home) -> Path:
    """A home of all that was ever delivered."""
    landing = empty_home.landing / "revenue"
    landing.mkdir(parents=True)
    for name in EXTRACTS:
        shutil.copy(PROJECT / "sample" / "revenue" / f"{name}.csv", landing)
    ingest.ingest(empty_home, empty_home.landing)
    return empty_home.root


@pytest.fixture
def past(present: Path, tmp_path: Path) -> Path:
    """A home of what had been delivered by that day."""
    home = tmp_path / "past"
    write_empty_extracts(home)
    source, target = present / "raw" / "revenue", home / "raw" / "revenue"
    for path in source.rglob("*.parquet"):
        duckdb.execute(
            f"copy (from '{path}' where _known_at < date '{AS_OF}' + 1) "
            f"to '{target / path.relative_to(source)}' (format parquet)"
        )
    return home


def test_the_past_is_rebuilt_as_it_was_known(
    project: CompiledProject, in_march: CompiledProject, present: Path, past: Path
) -> None:
    def rows(connection: duckdb.DuckDBPyConnection, mart: str) -> list[tuple[Any, ...]]:
        return connection.execute(f"from marts.{mart} order by all").fetchall()

    rebuilt, known_then = built(in_march, present), built(project, past)
    for mart in MARTS:
        found = rows(rebuilt, mart)
        assert found, mart
        assert found == rows(known_then, mart), mart
    # Files loaded later than that day are accounted for too: what they hold was known, or is not known yet.
    totals = in_march.run(["rpt_control_totals"], from_raw=present)
    complete = totals.execute(
        "select count(*) > 0, count_if(not is_complete) from marts.rpt_control_totals"
    )
    assert complete.fetchone() == (True, 0)
    last_month = rebuilt.execute("select max(month_date) from marts.rpt_mrr_waterfall").fetchone()
    assert str(last_month) == "(datetime.date(2026, 3, 1),)"
