"""Cost of the sample company: it ties, hides pay, and answers the questions asked of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from warehouse.compiled import CompiledProject
from warehouse.home import Home

ROOT = Path(__file__).resolve().parents[2]
MINIMUM_GROUP = 5


@pytest.fixture(scope="module")
def published(sample: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(sample.published / "current" / "marts.duckdb", read_only=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def working(sample: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """The working database, with what is behind the marts."""
    with duckdb.connect(sample.database, read_only=True) as opened:
        yield opened


def test_the_bridge_from_cash_to_profit_explains_everything(
    project: CompiledProject, published: duckdb.DuckDBPyConnection
) -> None:
    node = project.manifest["nodes"]["analysis.product_finance.what_lies_between_cash_and_profit"]
    query = node["compiled_code"].replace('"warehouse"."marts".', "")
    unexplained = published.execute(f"select unexplained_amount from ({query})").fetchall()
    assert {amount for (amount,) in unexplained} == {0}


def test_every_opportunity_shows_the_rows_behind_it(published: duckdb.DuckDBPyConnection) -> None:
    findings = published.execute(
        "select evidence_mart, evidence_filter from rpt_optimisation_opportunities"
    ).fetchall()
    assert findings
    for mart, condition in findings:
        (count,) = published.execute(f"select count(*) from {mart} where {condition}").fetchall()[0]
        assert count > 0, condition


def test_cost_ties_to_the_ledger_by_account_and_period(
    working: duckdb.DuckDBPyConnection,
) -> None:
    differences = working.execute(
        """
        with both_sides as (
            select account_id, entity_id, fiscal_period, reporting_natural_amount as amount
            from intermediate.int_gl_entries_converted
            where polarity = -1
            union all
            select account_id, entity_id, fiscal_period, -reporting_amount
            from marts.fct_cost_entries
        )
        select account_id, entity_id, fiscal_period, sum(amount)
        from both_sides
        group by all
        having sum(amount) <> 0
        """
    ).fetchall()
    assert differences == []


def test_the_one_planted_difference_is_the_one_unreconciled(
    working: duckdb.DuckDBPyConnection,
) -> None:
    """5010 was posted 1,850.25 below the bill of 2026-02; all else in closed periods is rounding."""
    found = working.execute(
        """
        select entries.account_id, entries.fiscal_period, entries.reporting_amount
        from marts.fct_cost_entries as entries
        inner join marts.dim_fiscal_period as periods using (entity_id, fiscal_period)
        where entries.entry_type = 'unreconciled' and abs(entries.reporting_amount) > 1 and periods.is_closed
        """
    ).fetchall()
    assert [(account, period, round(amount)) for account, period, amount in found] == [
        ("5010", "2026-P02", -1850)
    ]


def test_no_rate_is_of_fewer_people_than_a_group(working: duckdb.DuckDBPyConnection) -> None:
    smallest = working.execute(
        """
        select min(people), min(group_people_count) from (
            select rate_group_id, period_month, count(distinct person_id) as people
            from intermediate.int_payroll_people
            where rate_group_id is not null
            group by all
        ) join marts.fct_labour_costs using (rate_group_id, period_month)
        """
    ).fetchall()
    assert smallest[0][0] >= MINIMUM_GROUP
    assert smallest[0][1] >= MINIMUM_GROUP


def test_what_is_unused_stays_out_of_products(working: duckdb.DuckDBPyConnection) -> None:
    unused, unallocated = working.execute(
        """
        select
            (select sum(reporting_amount) from marts.fct_cost_entries where entry_type = 'unused_capacity'),
            (
                select sum(unallocated_amount) from marts.rpt_product_cost
                where unallocated_reason = 'unused_capacity'
            )
        """
    ).fetchall()[0]
    assert unused == unallocated > 0


def test_products_bear_the_cloud_they_used_and_nobody_what_was_paid_ahead(
    working: duckdb.DuckDBPyConnection,
) -> None:
    """Over the terms of cd-2023 and cd-2024 cash is effective cost for each product; paying ahead is nil."""
    found = working.execute(
        """
        with term as (
            select fiscal_period from marts.dim_fiscal_period
            where is_reporting_entity and start_on >= date '2023-10-01' and end_on <= date '2025-09-30'
        ),
        used as (
            select product_id, sum(reporting_effective_cost) as used_amount
            from intermediate.int_cloud_charges
            where billing_month between date '2023-10-01' and date '2025-09-30' and product_id is not null
            group by product_id
        ),
        driven as (
            select consumer_id as product_id, sum(quantity) as driver_amount
            from intermediate.int_allocation_drivers semi join term using (fiscal_period)
            where driver_id = 'direct_cloud_cost'
            group by consumer_id
        ),
        borne as (
            select
                product_id,
                sum(reporting_amount) filter (entry_type <> 'cloud_prepayment') as cloud_amount,
                sum(reporting_amount) filter (entry_type = 'cloud_prepayment') as prepaid_amount
            from marts.fct_cost_entries
            where detail_source = 'cloud' and reporting_fiscal_period in (from term)
            group by product_id
        )
        select product_id, round(cloud_amount - used_amount), round(driver_amount - used_amount), round(prepaid_amount)
        from borne left join used using (product_id) left join driven using (product_id)
        order by product_id nulls last
        """
    ).fetchall()
    products = [row for row in found if row[0] is not None]
    assert {row[0] for row in products} >= {"P1", "P2", "P3", "P4", "P5"}
    assert {row[1:] for row in products} == {(0, 0, None)}
    assert [row[3] for row in found if row[0] is None] == [0]
    bearers = working.execute(
        "select distinct product_id from marts.rpt_product_cost where cost_class = 'prepaid_cloud'"
    ).fetchall()
    assert bearers == [("unallocated",)]


def test_what_was_capitalised_differs_as_documented(published: duckdb.DuckDBPyConnection) -> None:
    [(ours, booked)] = published.execute(
        "select sum(capitalised_amount), sum(ledger_capitalised_amount) from rpt_development_cost"
    ).fetchall()
    text = (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")
    assert f"{booked / 1_000_000:.2f} M capitalised against {ours / 1_000_000:.2f} M here" in text
