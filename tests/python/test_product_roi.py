"""What a product returns, on windows and with cost treatments that a reader can add up."""

import datetime as dt
import math
import re

import pytest

from warehouse.compiled import CompiledProject


def month(number: int, product: str = "P1", **amounts: float) -> dict[str, object]:
    row: dict[str, object] = {
        "product_id": product,
        "month_date": dt.date(2025 + (number - 1) // 12, (number - 1) % 12 + 1, 1),
        "first_month": dt.date(2025, 1, 1),
        "is_closed": True,
    }
    names = (
        "revenue",
        "direct_cost",
        "allocated_cost",
        "capitalised",
        "amortisation",
        "prepaid_cloud",
    )
    row |= {f"{name}_amount": amounts.get(name, 0.0) for name in names}
    row["pnl_cost_amount"] = (
        amounts.get("direct_cost", 0.0)
        + amounts.get("allocated_cost", 0.0)
        - amounts.get("capitalised", 0.0)
        + amounts.get("amortisation", 0.0)
        - amounts.get("prepaid_cloud", 0.0)
    )
    return row


def launched(product: str, year: int) -> dict[str, object]:
    return {"product_id": product, "launched_on": dt.date(year, 3, 1)}


def test_three_returns_and_why_one_is_missing(project: CompiledProject) -> None:
    rows = [month(1, direct_cost=600.0, capitalised=300.0)]
    rows += [month(number, revenue=150.0, allocated_cost=20.0) for number in range(2, 13)]
    rows += [month(13, revenue=150.0, allocated_cost=20.0, amortisation=100.0)]
    rows += [month(12, "P2", revenue=10.0)]
    warehouse = project.run(
        ["rpt_product_roi"],
        {"int_product_flow_months": rows, "dim_product": [launched("P1", 2025)]},
    )
    found = {
        (row[0], row[1].month + 12 * (row[1].year - 2025)): row[2:]
        for row in warehouse.execute(
            "select product_id, month_date, ttm_direct_roi_rate, ttm_roi_rate, ttm_pnl_roi_rate,"
            " ttm_roi_rate_reason, lifetime_roi_rate, irr_status from marts.rpt_product_roi"
        ).fetchall()
    }
    assert found["P1", 11][3] == "less_than_12_months"
    assert found["P1", 12][0] == pytest.approx(1650 / 600 - 1)
    assert found["P1", 12][1] == pytest.approx(1650 / 820 - 1)
    assert found["P1", 12][2] == pytest.approx(1650 / 520 - 1)
    assert found["P1", 13][:4] == (
        None,
        pytest.approx(1800 / 240 - 1),
        pytest.approx(1800 / 340 - 1),
        None,
    )
    assert found["P1", 13][4] == pytest.approx(1800 / 840 - 1)
    assert found["P1", 13][5] == "unique"
    assert found["P2", 12][4] is None
    assert not math.isnan(found["P1", 12][1])


def test_a_life_is_measured_only_where_the_data_hold_what_built_the_product(
    project: CompiledProject,
) -> None:
    rows = [
        row
        for product in ("new", "old", "unallocated")
        for row in (
            month(1, product, direct_cost=600.0),
            *(month(number, product, revenue=150.0) for number in range(2, 14)),
        )
    ]
    warehouse = project.run(
        ["rpt_product_roi"],
        {
            "int_product_flow_months": rows,
            "dim_product": [launched("new", 2025), launched("old", 2024)],
        },
    )
    measures = (
        *("lifetime_direct_roi_rate", "lifetime_roi_rate", "lifetime_pnl_roi_rate"),
        *("mirr_annual_rate", "payback_months", "profitability_index", "moic_ratio"),
    )
    found = {
        row[0]: row[1:]
        for row in warehouse.execute(
            f"select product_id, npv_amount, irr_status, irr_annual_rate, {', '.join(measures)},"
            f" {', '.join(f'{name}_reason' for name in measures)} from marts.rpt_product_roi"
            " where month_date = '2026-01-01'"
        ).fetchall()
    }
    npv, status, irr, *rest = found["new"]
    assert npv > 0
    assert status == "unique"
    assert irr > 0
    assert rest[:3] == [2.0, 2.0, 2.0]
    assert rest[4] == 4.0
    assert rest[6] == 3.0
    assert rest[7:] == [None] * 7
    missing = (None,) * 8
    assert found["old"] == (npv, "history_incomplete", *missing, *["history_incomplete"] * 7)
    assert found["unallocated"] == (
        None,
        "no_sign_change",
        *missing,
        *["history_incomplete"] * 3,
        *["no_flows"] * 4,
    )


@pytest.mark.parametrize("figure", ["direct_cost_amount", "allocated_cost_amount"])
def test_a_trail_finds_the_period_of_a_month_in_weeks_of_4_4_5(
    project: CompiledProject, figure: str
) -> None:
    """2026-P03 ends on 4 April, and is March."""
    calendar = {
        "entity_id": "US01",
        "is_reporting": True,
        "pattern": "4-4-5",
        "start_month": 1,
        "year_end_weekday": "saturday",
        "anchor_rule": "nearest",
        "week53_period": 12,
        "label_rule": "start",
        "first_fiscal_year": 2026,
        "last_fiscal_year": 2026,
    }
    model = project.manifest["nodes"]["model.product_finance.rpt_product_roi"]
    where = model["config"]["meta"]["trail"][figure]["parts"][0]["where"]
    [query] = re.findall(r"\((select .*)\)$", where)
    with project.run(["dim_fiscal_period"], {"fiscal_calendars": [calendar]}) as warehouse:
        for month in range(1, 13):
            found = warehouse.execute(query.replace("$month_date", f"date '2026-{month:02}-01'"))
            assert found.fetchall() == [(f"2026-P{month:02}",)]
