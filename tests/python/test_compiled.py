"""Running compiled SQL on given rows."""

from __future__ import annotations

import datetime as dt

import pytest

from warehouse.compiled import CompiledProject


def test_given_rows_reach_a_model_and_what_is_not_given_is_empty(project: CompiledProject) -> None:
    subscription = {"subscription_id": "S1", "valid_from": dt.date(2026, 1, 1), "quantity": 2}
    warehouse = project.run(
        ["stg_revenue__subscriptions", "stg_cost__payroll"],
        given={"stg_revenue__subscriptions": [subscription]},
    )
    rows = warehouse.execute(
        "select subscription_id, quantity, currency from staging.stg_revenue__subscriptions"
    ).fetchall()
    assert rows == [("S1", 2, None)]
    payroll = warehouse.execute("select count(*) from staging.stg_cost__payroll").fetchall()
    assert payroll == [(0,)]


def test_seeds_are_the_projects_own(project: CompiledProject) -> None:
    warehouse = project.run(["chart_of_accounts"])
    rows = warehouse.execute(
        "select polarity from reference.chart_of_accounts where account_name = 'Revenue'"
    ).fetchall()
    assert rows == [(1,)]


def test_a_given_model_no_target_needs_is_an_error(project: CompiledProject) -> None:
    with pytest.raises(KeyError, match="stg_cost__payroll"):
        project.run(["chart_of_accounts"], given={"stg_cost__payroll": []})
