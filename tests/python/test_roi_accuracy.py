"""Two estimates of a return against its review, on a case that can be reckoned by hand."""

import datetime as dt
from typing import Any

import pytest

from warehouse.compiled import CompiledProject


def month(year: int, number: int) -> dt.date:
    return dt.date(year, number, 1)


# July 2024 to June 2025: the months after an initiative ready in June 2024, to its last review.
AFTER = [month(2024, n) for n in range(7, 13)] + [month(2025, n) for n in range(1, 7)]


def given(count: int, **policy: Any) -> dict[str, list[dict[str, Any]]]:
    """Initiatives that cost 1,000 in May 2024 and bring 100 a month, promised 120 from the month after May."""
    names = [f"I{number:02d}" for number in range(count)]
    rows: dict[str, list[dict[str, Any]]] = {
        "dim_initiative": [
            {"initiative_id": name, "product_id": "P1", "ready_for_use_on": dt.date(2024, 6, 15)}
            for name in names
        ],
        "int_investment_policy": [
            {
                "benefit_cutoff_month": month(2025, 9),
                "first_review_months": 6,
                "last_review_months": 12,
                "credibility_months": 12,
                "review_threshold_amount": 500,
                "minimum_reviews": 20,
                **policy,
            }
        ],
        "rpt_benefit_realisation": [
            {"initiative_id": name, "review_state": "held", "reviewed_on": dt.date(2025, 1, 5)}
            for name in names
        ],
        "int_labour_capacity": [
            {
                "period_month": month(2024, 5),
                "payroll_amount": 3_000,
                "loading_amount": 1_000,
                "contracted_hours": 100,
            }
        ],
        # Six months before at 200, the months after at 320.
        "rpt_product_contribution": [
            {"product_id": "P1", "month_date": when, "cm1_amount": 200}
            for when in [month(2023, 12), *(month(2024, n) for n in range(1, 6))]
        ]
        + [{"product_id": "P1", "month_date": when, "cm1_amount": 320} for when in AFTER],
    }
    for name in names:
        realised = [(month(2024, 5), 1_000, 0)] + [(when, 0, 100) for when in AFTER]
        rows.setdefault("fct_initiative_cash_flows", []).extend(
            {
                "initiative_id": name,
                "version_role": "realised",
                "month_date": when,
                "cost_amount": cost,
                "build_cost_amount": cost,
                "run_cost_amount": 0,
                "benefit_amount": benefit,
            }
            for when, cost, benefit in realised
        )
        # Finance confirms on the fifth of the next month: at the end of December five months are known.
        rows.setdefault("fct_benefits", []).extend(
            {
                "initiative_id": name,
                "month_date": when,
                "cash_amount": 100,
                "is_counted": True,
                "confirmed_at": dt.datetime.combine(when, dt.time()) + dt.timedelta(days=35),
            }
            for when in AFTER
        )
        case = [(month(2024, 5), 1_000, 0)] + [(when, 0, 120) for when in [month(2024, 6), *AFTER]]
        rows.setdefault("int_initiative_case_flows", []).extend(
            {
                "initiative_id": name,
                "case_version": "original",
                "month_date": when,
                "locked_at": dt.datetime.combine(dt.date(2024, 1, 10), dt.time()),
                "build_cost_amount": cost,
                "run_cost_amount": 0,
                "benefit_amount": benefit,
            }
            for when, cost, benefit in case
        )
        rows.setdefault("fct_labour_costs", []).append(
            {
                "initiative_id": name,
                "line_type": "timesheet",
                "period_month": month(2024, 5),
                "hours": 20,
            }
        )
        rows.setdefault("fct_cost_entries", []).append(
            {
                "initiative_id": name,
                "entry_type": "ledger",
                "is_cash_cost": True,
                "posted_on": dt.date(2024, 5, 20),
                "reporting_amount": 100,
            }
        )
    return rows


def accuracy(
    project: CompiledProject, rows: dict[str, list[dict[str, Any]]]
) -> dict[str, dict[str, Any]]:
    found = project.run(["rpt_roi_accuracy"], rows).execute("from marts.rpt_roi_accuracy").df()
    return {row["initiative_id"]: row for row in found.to_dict("records")}


def test_estimates_use_what_was_known_and_errors_are_weighted(project: CompiledProject) -> None:
    found = accuracy(project, given(20))
    one = found["I00"]
    assert one["reviewed_roi_rate"] == pytest.approx(1_200 / 1_000 - 1)
    # 20 hours at 4,000 / 100, and a bill of 100; (320 - 200) x 12 months.
    assert one["baseline_roi_rate"] == pytest.approx(1_440 / 900 - 1)
    # 500 known; 7 of the 12 months still planned at 120, borne out by 5 months at 500 / 600.
    rest = 7 * 120 * (12 + 5 * 500 / 600) / 17
    assert one["integrated_roi_rate"] == pytest.approx((500 + rest) / 1_000 - 1)
    total = found["all"]
    assert total["review_count"] == 20
    assert total["baseline_error_rate"] == pytest.approx(0.4)
    assert total["integrated_error_rate"] == pytest.approx((500 + rest) / 1_000 - 1.2)
    assert total["error_reduction_rate"] == pytest.approx(1 - total["integrated_error_rate"] / 0.4)
    # Twenty of the same say nothing about spread.
    assert total["lower_bound"] == pytest.approx(total["error_reduction_rate"])


def test_fewer_than_twenty_reviews_are_not_measurable(project: CompiledProject) -> None:
    total = accuracy(project, given(19))["all"]
    assert total["error_reduction_rate_reason"] == "not_measurable"
    assert total["error_reduction_rate"] != total["error_reduction_rate"]  # empty
    assert total["baseline_error_rate"] == pytest.approx(0.4)


def test_a_missing_estimate_is_a_return_of_zero_and_small_investments_are_left_out(
    project: CompiledProject,
) -> None:
    rows = given(20)
    rows["dim_initiative"][0]["product_id"] = None
    found = accuracy(project, rows)
    assert found["I00"]["baseline_roi_rate_reason"] == "no_product_or_cost"
    assert found["I00"]["baseline_error_rate"] == pytest.approx(0.2)
    assert set(accuracy(project, given(3, review_threshold_amount=2_000))) == {"all"}


def test_an_accurate_baseline_gives_no_ratio(project: CompiledProject) -> None:
    rows = given(20)
    for row in rows["rpt_product_contribution"]:
        if row["cm1_amount"] == 320:
            row["cm1_amount"] = 290  # 90 x 12 / 900 - 1 = 0.2
    total = accuracy(project, rows)["all"]
    assert total["error_reduction_rate_reason"] == "baseline_already_accurate"
