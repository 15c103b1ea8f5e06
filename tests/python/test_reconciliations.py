"""A reconciliation sees a row that was made up, and one that is gone."""

import shutil
from collections.abc import Iterator
from typing import NamedTuple

import duckdb
import pytest

from warehouse.home import PROJECT, Home

# By test: a mart it guards (or another table, with its schema), the column that names what its rows are about, and which of them are money.
GUARDED = {
    "allocations_conserve_pools": [("fct_cost_allocations", "pool_id", "allocated_amount <> 0")],
    "attribution_conserves_revenue": [
        ("fct_attribution_credits", "conversion_id", "credited_amount <> 0"),
        ("fct_attribution_credits", "attribution_model", "credited_amount <> 0"),
    ],
    "budget_control_ties_to_ledger": [
        ("rpt_budget_control", "fiscal_period", "actual_ytd_amount <> 0")
    ],
    "budget_variance_ties_to_ledger": [
        ("rpt_budget_variance", "fiscal_period", "actual_amount <> 0"),
        ("rpt_budget_variance", "budget_version", "actual_amount <> 0"),
        ("rpt_budget_variance", "fiscal_period", "prior_year_amount <> 0"),
    ],
    "contribution_makes_the_ledgers_result": [
        ("rpt_product_contribution", "fiscal_period", "revenue_amount <> 0")
    ],
    "cost_ties_to_ledger": [
        ("fct_cost_entries", "account_id", "reporting_amount <> 0"),
        ("rpt_product_cost", "fiscal_period", "ledger_amount <> 0"),
    ],
    "development_cost_ties_to_postings": [
        ("rpt_development_cost", "initiative_id", "cash_amount <> 0")
    ],
    "feature_revenue_ties_to_revenue": [
        ("fct_feature_revenue", "customer_id", "revenue_amount <> 0")
    ],
    "forecasts_add_up": [
        ("fct_forecasts", "member_id", "series_level = 'product' and forecast_amount <> 0")
    ],
    "foresight_ties": [
        ("rpt_scenarios", "scope_id", "scenario = 'base'"),
        ("rpt_sensitivity", "subject_id", "subject_type = 'initiative'"),
        ("rpt_insight_drivers", "insight_id", "driver_amount <> 0"),
    ],
    "labour_ties_to_payroll": [("fct_labour_costs", "rate_group_id", "fully_loaded_amount <> 0")],
    "policies_are_one_row": [("reference.cost_policies", "automated_poster", "true")],
    "product_lines_count_customers_once": [
        (
            "fct_kpi_values",
            "scope_id",
            "scope_type = 'product_line' and kpi_id = 'customers' and numerator > 0",
        ),
        (
            "fct_kpi_values",
            "scope_id",
            "scope_type = 'product_line' and kpi_id = 'nrr_rate' and numerator > 0",
        ),
    ],
    "product_roi_makes_the_contribution": [
        ("rpt_product_roi", "product_id", "revenue_amount <> 0")
    ],
    "residual_income_makes_the_net_present_value": [
        ("rpt_value_creation", "initiative_id", "residual_income_amount <> 0"),
        (
            "rpt_initiative_returns",
            "initiative_id",
            "version_role = 'realised' and value_created_amount <> 0",
        ),
    ],
    "revenue_makes_the_invoiced_amount": [("fct_revenue", "invoice_id", "recognised_amount <> 0")],
    "rolling_forecast_ends_at_the_outlook": [
        ("rpt_rolling_forecast", "account_id", "basis = 'outlook' and forecast_amount <> 0")
    ],
    "variance_bridges_are_exact": [
        ("rpt_variance_drivers", "budget_version", "variance_amount <> 0")
    ],
}


class Guard(NamedTuple):
    """A reconciliation, and rows of a table that it must miss or find to be too many."""

    test: str
    table: str
    column: str
    where: str


GUARDS = [
    Guard(test, table if "." in table else f"marts.{table}", column, where)
    for test, tables in GUARDED.items()
    for table, column, where in tables
]
each_guard = pytest.mark.parametrize(
    "guard", GUARDS, ids=[f"{one.test}-{one.table}-{one.column}" for one in GUARDS]
)


@pytest.fixture(scope="module")
def compiled(sample: Home) -> dict[str, str]:
    """The SQL of the reconciliations as the sample's build ran it."""
    return {
        path.stem.removeprefix("assert_"): path.read_text(encoding="utf-8")
        for pattern in ("singular/*.sql", "forecast_intervals_nest_around_the_forecast.sql")
        for path in (sample.root / "target" / "compiled").rglob(pattern)
    }


@pytest.fixture(scope="module")
def copied(
    sample: Home, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    path = tmp_path_factory.mktemp("reconciled") / sample.database.name
    shutil.copy(sample.database, path)
    with duckdb.connect(path) as connection:
        yield connection


@pytest.fixture
def marts(copied: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    copied.execute("begin")
    yield copied
    copied.execute("rollback")


def test_every_reconciliation_is_put_to_the_test() -> None:
    files = {path.stem for path in (PROJECT / "tests" / "dbt" / "singular").glob("*.sql")}
    assert files == {f"assert_{name}" for name in GUARDED}


@each_guard
def test_a_row_that_was_made_up_is_seen(
    marts: duckdb.DuckDBPyConnection, compiled: dict[str, str], guard: Guard
) -> None:
    assert not marts.execute(compiled[guard.test]).fetchall()
    marts.execute(
        f"insert into {guard.table} select * replace ('made up' as {guard.column}) "
        f"from {guard.table} where {guard.where} limit 1"
    )
    assert marts.execute(compiled[guard.test]).fetchall()


@each_guard
def test_a_row_that_is_gone_is_seen(
    marts: duckdb.DuckDBPyConnection, compiled: dict[str, str], guard: Guard
) -> None:
    marts.execute(
        f"delete from {guard.table} "
        f"where rowid = (select min(rowid) from {guard.table} where {guard.where})"
    )
    assert marts.execute(compiled[guard.test]).fetchall()


def test_a_history_too_short_for_an_interval_breaks_no_rule(
    marts: duckdb.DuckDBPyConnection, compiled: dict[str, str]
) -> None:
    nested = compiled["forecast_intervals_nest_around_the_forecast"]
    bounds = "lower_80_amount = null, upper_80_amount = null, lower_95_amount = null, upper_95_amount = null"
    marts.execute(
        f"update marts.fct_forecasts set {bounds}, interval_reason = 'too_little_history' "
        "where horizon = 1"
    )
    assert not marts.execute(nested).fetchall()
    marts.execute("update marts.fct_forecasts set upper_80_amount = lower_80_amount - 1")
    assert marts.execute(nested).fetchall()
