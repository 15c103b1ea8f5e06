"""Budgets of the sample company: what was planted is found, and what the documents say is so."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator

import duckdb
import pytest

from warehouse.compiled import CompiledProject
from warehouse.home import PROJECT, Home


@pytest.fixture(scope="module")
def published(sample: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(sample.published / "current" / "marts.duckdb", read_only=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def planted() -> dict[str, set[str]]:
    """Keys of the planted defects by rule."""
    keys = defaultdict(set)
    with (PROJECT / "sample-truth" / "defects.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            keys[row["rule"]].add(row["key"])
    return keys


def test_variances_unexplained_and_explained_late_are_those_planted(
    published: duckdb.DuckDBPyConnection, planted: dict[str, set[str]]
) -> None:
    found = published.execute(
        """
        select
            concat_ws('/', fiscal_period, cost_center_id, account_id, coalesce(product_id, '')),
            explained_at is null
        from rpt_budget_variance
        where version_type = 'original' and is_explanation_overdue
        """
    ).fetchall()
    assert {key for key, is_missing in found if is_missing} == planted["variance_unexplained"]
    assert {key for key, is_missing in found if not is_missing} == planted[
        "variance_explained_late"
    ]


def test_revenue_and_cost_wait_for_a_word(
    published: duckdb.DuckDBPyConnection, project: CompiledProject
) -> None:
    question = "analysis.product_finance.which_variances_wait_for_a_word"
    query = project.manifest["nodes"][question]["compiled_code"].replace('"warehouse"."marts".', "")
    late = published.execute(
        "select account_id from rpt_budget_variance where is_explanation_overdue and is_in_force"
    ).fetchall()
    assert len(published.execute(query).fetchall()) == len(late) > 0


def test_restatements_name_the_late_corrections_and_nothing_else(
    published: duckdb.DuckDBPyConnection, planted: dict[str, set[str]]
) -> None:
    found = published.execute(
        """
        select changed_journals, changed_by_files, restatement_amount = authorised_amount
        from rpt_restatements where is_restated
        """
    ).fetchall()
    unauthorised = {journal for names, _, is_allowed in found if not is_allowed
                    for journal in names.split(", ")}  # fmt: skip
    assert unauthorised == planted["late_correction"]
    assert {file for _, file, is_allowed in found if not is_allowed} == {
        "cost/gl_entries.2026-03-20.csv",
        "cost/gl_entries.2026-07-15.csv",
    }


def test_locked_lines_keep_their_amount(
    published: duckdb.DuckDBPyConnection, planted: dict[str, set[str]]
) -> None:
    found = published.execute(
        """
        select concat_ws(
            '/', budget_version, fiscal_period, cost_center_id, account_id,
            coalesce(product_id, ''), coalesce(initiative_id, '')
        )
        from fct_budget_lines where is_locked and known_at > locked_at + interval '7 days'
        """
    ).fetchall()
    assert found == []
    assert len(planted["budget_changed_after_lock"]) == 3
    changed = published.execute(
        "select count(*) from rpt_rule_violations where rule_id = 'changed_after_lock'"
    ).fetchone()
    assert changed == (3,)


def test_the_outlook_beats_the_pace_so_far_as_documented(
    published: duckdb.DuckDBPyConnection,
) -> None:
    found = published.execute(
        """
        select account_type, plan_id, round(100 * wape_rate, 1)
        from rpt_budget_accuracy
        where plan_type = 'outlook' and fiscal_year = 2025 and owner = 'all' and horizon is null
        """
    ).fetchall()
    errors = {(account_type, plan): error for account_type, plan, error in found}
    text = (PROJECT / "docs" / "budget.md").read_text(encoding="utf-8")
    for account_type, name in (("expense", "cost"), ("revenue", "revenue")):
        baseline, selected = (errors[account_type, plan] for plan in ("straight_line", "selected"))
        assert f"from {baseline} % to {selected} % for {name}" in text


def test_the_two_budgets_of_revenue_differ_as_documented(
    published: duckdb.DuckDBPyConnection, sample: Home
) -> None:
    """Both are in USD, the reporting currency."""
    [(gap,)] = published.execute(
        """
        select -sum(variance_amount)
        from rpt_variance_drivers
        where driver = 'budget_difference' and budget_version = 'FY2025_original'
        """
    ).fetchall()
    [(ledger,)] = published.execute(
        """
        select sum(reporting_budget_amount)
        from fct_budget_lines where budget_version = 'FY2025_original' and account_id = '4010'
        """
    ).fetchall()
    with duckdb.connect(sample.database, read_only=True) as warehouse:
        [(units,)] = warehouse.execute(
            """
            select sum(round(quantity * unit_price, 2))
            from staging.stg_budget__revenue_budgets where budget_version = 'FY2025_original'
            """
        ).fetchall()
    assert gap == ledger - units
    text = (PROJECT / "docs" / "budget.md").read_text(encoding="utf-8")
    assert f"the units plan {gap:,.0f} less" in text
    assert f"in 2025, {100 * gap / ledger:.1f} % of it" in text


def test_a_fiscal_period_is_one_month_for_every_entity(
    published: duckdb.DuckDBPyConnection,
) -> None:
    """Periods of weeks hang over the ends of months: 2026-P09 of the US ends on 3 October."""
    ends = published.execute(
        """select count(distinct date_trunc('month', end_on)), count(distinct entity_id)
        from dim_fiscal_period where fiscal_period = '2026-P09'"""
    ).fetchone()
    assert ends == (2, 2)
    for mart in ("rpt_budget_variance", "rpt_budget_outlook", "rpt_rolling_forecast"):
        months = published.execute(
            f"""select distinct month_date = make_date(fiscal_year, period_number, 1)
            from (select distinct fiscal_period, month_date from {mart})
            join dim_fiscal_period using (fiscal_period)"""
        ).fetchall()
        assert months == [(True,)], mart
