"""Targets, quality scores, risks, reviews and the programme's own value, on rows made by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from warehouse.compiled import CompiledProject, Rows

P = {month: f"2026-P{month:02}" for month in range(1, 13)}


def rows_of(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    connection.execute(query)
    names = [column for column, *_ in connection.description or ()]
    return [dict(zip(names, row, strict=True)) for row in connection.fetchall()]


def item(
    target: str, month: int, amount: str | None, passed: str | None, ok: bool
) -> dict[str, Any]:
    return {
        "target_id": target,
        "fiscal_period": P[month],
        "month_date": date(2026, month, 1),
        "item_type": "account",
        "item_id": f"{month}/{amount}/{passed}",
        "amount": amount and Decimal(amount),
        "passed_amount": passed and Decimal(passed),
        "is_passed": ok,
        "failed_conditions": None if ok else "not_reconciled",
    }


def target(name: str, value: str, months: int = 3) -> dict[str, Any]:
    return {
        "target_id": name,
        "target_name": name,
        "definition": name,
        "numerator_definition": "n",
        "denominator_definition": "d",
        "unit": "amount" if name == "T6" else "rate",
        "target_value": Decimal(value),
        "months_required": months,
        "owner": "someone",
        "frozen_on": date(2025, 12, 15),
    }


# --- targets ---


@pytest.mark.parametrize(
    ("passed", "items", "lower", "upper"),
    [
        # Newcombe (1998), Two-sided confidence intervals for the single proportion, Table I.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_is_wilsons(
    project: CompiledProject, passed: int, items: int, lower: float, upper: float
) -> None:
    given = [item("T3", 1, None, None, ok=at < passed) for at in range(items)]
    warehouse = project.run(
        ["rpt_programme_target_months"],
        given={
            "int_target_items": given,
            "programme_targets": [target("T3", "0.85")],
            "stg_governance__target_scores": [],
        },
    )
    (month,) = rows_of(warehouse, "from marts.rpt_programme_target_months")
    assert month["headline_rate"] == pytest.approx(passed / items)
    assert month["lower_bound"] == pytest.approx(lower, abs=5e-5)
    assert month["upper_bound"] == pytest.approx(upper, abs=5e-5)
    assert month["amount_rate_reason"] == "no_money"


MONTHS = [
    item("T1", 1, "100", "96", ok=True),
    item("T1", 2, "100", "94.99", ok=True),
    item("T1", 3, "100", "95", ok=True),
    item("T1", 4, "60", "60", ok=True),
    item("T1", 4, "40", "40", ok=True),
    item("T1", 5, "100", "99", ok=True),
]


def test_money_and_items_are_measured_and_the_lower_counts(project: CompiledProject) -> None:
    given = [*MONTHS, item("T2", 1, "99", "99", ok=True), item("T2", 1, "1", "0", ok=False)]
    warehouse = project.run(
        ["rpt_programme_target_months"],
        given={
            "int_target_items": given,
            "programme_targets": [target("T1", "0.95"), target("T2", "0.90")],
            "stg_governance__target_scores": [],
        },
    )
    months = rows_of(
        warehouse, "from marts.rpt_programme_target_months order by target_id, month_date"
    )
    found = [(one["headline_basis"], one["consecutive_months"]) for one in months]
    assert found == [
        ("amount", 1),
        ("amount", 0),
        ("amount", 1),
        ("items", 2),
        ("amount", 3),
        ("items", 0),
    ]
    assert months[-1]["headline_rate"] == 0.5
    assert months[-1]["amount_rate"] == pytest.approx(0.99)


def judged(project: CompiledProject, tolerance: str) -> dict[str, tuple[object, ...]]:
    """Items of one month: what was posted, planned, built, and what was registered alone."""
    period = {"fiscal_period": P[1], "month_date": date(2026, 1, 1)}

    def control(target_id: str, item_id: str, expected: int | None) -> dict[str, Any]:
        more = {"item_type": "item", "fiscal_year": 2026, "is_latest": True}
        return {
            "target_id": target_id,
            "item_id": item_id,
            "expected_amount": expected and Decimal(expected),
            **period,
            **more,
        }

    def arrived(target_id: str, control_id: str, failed: str) -> dict[str, Any]:
        return {
            "target_id": target_id,
            **period,
            "item_type": "item",
            "control_id": control_id,
            "item_id": control_id,
            "amount": Decimal(7),
            "passed_amount": Decimal(0 if failed else 7),
            "failed_conditions": failed,
        }

    def posted(product: str, amount: int, row: int) -> dict[str, Any]:
        return {
            "account_type": "revenue",
            "account_id": "4000",
            "product_id": product,
            "posted_on": date(2026, 1, 10),
            "reporting_amount": Decimal(amount),
            "source_file": "gl.csv",
            "source_row": row,
        }

    warehouse = project.run(
        ["int_target_items"],
        given={
            "int_target_controls": [
                control("T1", "4000", 900),
                control("T1", "6000", 900),
                control("T1", "6100", 300),
                control("T2", "CC1", 50),
                control("T2", "CC2", 60),
                control("T3", "mrr", None),
            ],
            "programme_targets": [
                {**target("T1", "0.95"), "tolerance_share": Decimal(tolerance)},
            ],
            "dim_date": [{"date_day": date(2026, 1, 10), "fiscal_period": P[1]}],
            "dim_product": [
                {"product_id": "P1"},
                {"product_id": "P2", "launched_on": date(2026, 1, 11)},
            ],
            "int_gl_entries_converted": [
                posted("P1", -100, 1),
                posted("P2", -40, 2),
                posted("P1", -5, 3),
            ],
            "fct_cost_entries": [
                {
                    "reporting_fiscal_period": P[1],
                    "account_id": "6000",
                    "cost_class": "support",
                    "entry_type": "ledger",
                    "posted_on": date(2026, 1, 10),
                    "reporting_amount": Decimal(1000),
                },
                {
                    "reporting_fiscal_period": P[1],
                    "account_id": "6000",
                    "cost_class": "prepaid_cloud",
                    "entry_type": "cloud_prepayment",
                    "posted_on": date(2026, 1, 10),
                    "reporting_amount": Decimal(-200),
                },
            ],
            "rpt_product_cost": [
                {
                    "fiscal_period": P[1],
                    "cost_class": "support",
                    "allocated_amount": Decimal("1999.00"),
                    "unallocated_amount": Decimal("1.00"),
                    "unallocated_reason": "no_driver",
                }
            ],
            "rpt_reconciliation": [],
            "rpt_rule_violations": [
                {
                    "severity": "error",
                    "is_excepted": excepted,
                    "rule_id": "x",
                    "source_file": "gl.csv",
                    "source_row": row,
                }
                for row, excepted in ((3, False), (1, True))
            ],
            "int_target_items__budget": [arrived("T2", "CC1", "no_owner")],
            "int_target_items__outputs": [arrived("T3", "mrr", "")],
        },
    )
    return {
        one["item_id"]: (one["amount"], one["passed_amount"], one["failed_conditions"])
        for one in rows_of(warehouse, "from intermediate.int_target_items")
    }


def test_items_fail_with_their_conditions_and_what_did_not_arrive_fails_too(
    project: CompiledProject,
) -> None:
    assert judged(project, "0.001") == {
        # The row that breaks a rule counts for nothing; the exception of another one holds.
        "4000/P1": (105, 100, "breaks_rule"),
        "4000/P2": (40, 0, "product_unknown_or_inactive"),
        # Half a unit in a thousand stays with no product: money is counted, the item passes. What was paid ahead, 200,
        # is nobody's to map.
        "6000/shared": (1200, Decimal("1199.50"), None),
        "6100": (300, 0, "missing"),
        "CC1": (7, 0, "no_owner"),
        "CC2": (60, 0, "missing"),
        "mrr": (7, 7, None),
    }
    assert judged(project, "0.0004")["6000/shared"][2] == "not_mapped_to_product"


def targets(project: CompiledProject, **given: Rows) -> dict[str, dict[str, Any]]:
    values = {"T1": "0.95", "T4": "0.40", "T5": "0.35", "T6": "1100000"}
    base: dict[str, Rows] = {
        "programme_targets": [target(name, value) for name, value in values.items()],
        "int_target_items": MONTHS,
        "stg_governance__target_scores": [],
        "study_results": [],
        "rpt_integration_value": [],
        "stg_governance__home_events": [],
    }
    warehouse = project.run(["rpt_programme_targets"], given=base | given)
    return {one["target_id"]: one for one in rows_of(warehouse, "from marts.rpt_programme_targets")}


def test_three_months_in_a_row_meet_a_target(project: CompiledProject) -> None:
    met = targets(project)["T1"]
    assert (met["state"], met["consecutive_months"], met["value"]) == ("met", 3, Decimal("0.99"))
    assert targets(project, int_target_items=MONTHS[:-1])["T1"]["state"] == "not_met"
    # Two months, both at the target: too few to say so, and no miss.
    assert targets(project, int_target_items=MONTHS[2:5])["T1"]["state"] == "not_measurable"


def test_months_known_as_of_a_build_alone_are_remembered(project: CompiledProject) -> None:
    def score(build: int, month: int, passed: int) -> dict[str, Any]:
        return {
            "build_number": build,
            "target_id": "T3",
            "fiscal_period": P[month],
            "month_date": date(2026, month, 1),
            "item_count": 10,
            "passed_item_count": passed,
        }

    def months(scores: list[dict[str, Any]]) -> list[tuple[bool, int, int]]:
        warehouse = project.run(
            ["rpt_programme_target_months"],
            given={
                "int_target_items": [item("T3", 5, None, None, ok=True)],
                "programme_targets": [target("T3", "0.85")],
                "stg_governance__target_scores": scores,
            },
        )
        found = rows_of(warehouse, "from marts.rpt_programme_target_months order by month_date")
        return [
            (one["is_current"], one["passed_item_count"], one["consecutive_months"])
            for one in found
        ]

    # Of two builds in April the later counts; what was said of May before is measured anew.
    scores = [score(1, 3, 9), score(2, 4, 2), score(3, 4, 10), score(4, 5, 1)]
    assert months(scores) == [(False, 9, 1), (False, 10, 2), (True, 1, 3)]
    # A month nobody measured breaks the run.
    assert months([score(1, 3, 9)]) == [(False, 9, 1), (True, 1, 1)]


def test_without_a_study_accuracy_is_not_measurable(project: CompiledProject) -> None:
    for name in ("T4", "T5", "T6"):
        found = targets(project)[name]
        assert (found["state"], found["value"], found["value_reason"]) == (
            "not_measurable",
            None,
            "no_data",
        )


def test_a_study_only_ever_simulates(project: CompiledProject) -> None:
    """E18: an error of 0.20 that becomes 0.12 is a 40 % reduction; both errors are shown."""
    study = {
        "worlds": 200,
        "study_seed": 1,
        "worse_share": 0.1,
        "state": "simulated_only",
        "lower_bound": 0.35,
        "upper_bound": 0.45,
    }
    found = targets(
        project,
        study_results=[
            {**study, "target_id": "T4", "baseline_error": 0.2, "integrated_error": 0.12, "error_reduction": 0.4},
            {**study, "target_id": "T5", "baseline_error": 0.005, "integrated_error": 0.004,
             "error_reduction": None, "lower_bound": None, "upper_bound": None},
        ],
    )  # fmt: skip
    assert found["T4"]["state"] == found["T5"]["state"] == "simulated_only"
    assert found["T4"]["evidence_basis"] == "simulated"
    facts = [found["T4"][name] for name in ("numerator", "denominator", "value")]
    assert facts == [Decimal("0.12"), Decimal("0.2"), Decimal("0.4")]
    assert found["T5"]["value_reason"] == "baseline_already_accurate"


def test_figures_of_the_sample_company_are_illustrative(project: CompiledProject) -> None:
    origin = {"event_number": 1, "event_type": "origin", "subject": "sample"}
    found = targets(project, stg_governance__home_events=[origin])
    assert {one["evidence_basis"] for one in found.values()} == {"illustrative"}


# --- value of the programme ---


def benefit(month: int, **facts: Any) -> dict[str, Any]:
    base = {
        "benefit_id": "B1",
        "month_date": date(2026, month, 1),
        "initiative_id": "I1",
        "benefit_source": "ledger",
        "evidence_grade": "C",
        "cashable_class": 1,
        "is_counted": True,
        "is_verified": True,
        "reporting_realised_amount": Decimal(1000),
        "credited_amount": Decimal(1000),
    }
    return base | facts


def test_only_confirmed_cash_of_good_evidence_counts_at_its_lower_bound(
    project: CompiledProject,
) -> None:
    measured = {"evidence_grade": "A", "initiative_id": "I2", "benefit_id": "B2"}
    warehouse = project.run(
        ["rpt_integration_value"],
        given={
            "fct_benefits": [
                benefit(1),
                benefit(1, benefit_id="time", cashable_class=3),
                benefit(1, benefit_id="model", evidence_grade="D", is_verified=False),
                benefit(1, benefit_id="claim", is_counted=False, not_counted_reason="unconfirmed"),
                benefit(1, benefit_id="other", initiative_id="I9"),
                benefit(2, **measured),
                benefit(2, **measured | {"benefit_source": "experiment", "credited_amount": Decimal(600)}),
                benefit(3, **measured),
            ],
            "integration_benefits": [
                {"initiative_id": name, "integration_share": Decimal("0.5"),
                 "valid_from": date(2025, 1, 1), "owner": "o", "basis": "b"}
                for name in ("I1", "I2")
            ],
            "integration_costs": [
                {"cost_id": "build", "cost_type": "build_amortisation", "amount": Decimal(100),
                 "currency": "USD", "starts_on": date(2026, 1, 1), "ends_on": date(2026, 3, 31), "owner": "o"}
            ],
            "stg_governance__home_events": [],
            "int_fx_rates": [
                {"from_currency": "USD", "rate_month": date(2026, month, 1), "average_rate": Decimal(1)}
                for month in (1, 2, 3)
            ],
            "dim_date": [{"date_day": date(2026, month, 1)} for month in (1, 2, 3)],
            "dim_fiscal_period": [
                {"is_reporting_entity": True, "is_closed": month < 3, "end_on": date(2026, month, 28)}
                for month in (1, 2, 3)
            ],
        },
    )  # fmt: skip
    rows = rows_of(warehouse, "from marts.rpt_integration_value")
    counted = {
        (one["component_id"], one["month_date"].month): one["counted_amount"]
        for one in rows
        if one["component_group"] == "benefit"
    }
    assert counted == {
        ("B1", 1): Decimal(500),
        ("time", 1): 0,
        ("model", 1): 0,
        ("claim", 1): 0,
        ("B2", 2): Decimal(300),
        ("B2", 3): Decimal(500),
    }
    reasons = {one["component_id"]: one["not_counted_reason"] for one in rows}
    assert reasons["time"] == "time_released"
    assert reasons["model"] == "grade_below_c"
    assert reasons["claim"] == "unconfirmed"
    costs = [one["counted_amount"] for one in rows if one["component_group"] == "cost"]
    assert sorted(costs) == [Decimal("-33.34"), Decimal("-33.33"), Decimal("-33.33")]
    assert {one["month_date"].month for one in rows if one["is_in_target_window"]} == {1, 2}


# --- quality ---


def rule(dimension: str, failed_share: float, **facts: Any) -> dict[str, Any]:
    base = {
        "build_number": 2,
        "dataset_type": "extract",
        "dataset": "gl_entries",
        "dimension": dimension,
        "rule_id": f"{dimension}_{failed_share}",
        "is_critical": False,
        "is_failed": failed_share > 0,
        "checked_rows": 100,
        "failed_rows": round(failed_share * 100),
        "failed_share": failed_share,
        "loaded_at": date(2026, 1, 1),
    }
    return base | facts


def scores(project: CompiledProject, rules: Rows, earlier: Rows = ()) -> dict[str, dict[str, Any]]:
    names = (
        "completeness",
        "uniqueness",
        "validity",
        "consistency",
        "timeliness",
        "accuracy",
        "all",
    )
    weights = {"validity": 2.0, "all": 0.0}
    warehouse = project.run(
        ["rpt_data_quality"],
        given={
            "int_quality_rules": rules,
            "quality_dimensions": [
                {"dimension": name, "weight": weights.get(name, 1.0), "amber_below": 0.99, "red_below": 0.9}
                for name in names
            ],
            "stg_governance__quality_scores": earlier,
        },
    )  # fmt: skip
    rows = rows_of(warehouse, "from marts.rpt_data_quality where is_current")
    return {one["dimension"]: one for one in rows}


def test_the_score_is_the_weighted_mean_of_the_dimensions_that_have_one(
    project: CompiledProject,
) -> None:
    found = scores(
        project,
        [
            rule("completeness", 0.1),
            rule("completeness", 0.0),
            rule("validity", 0.01),
            rule("validity", 0.03),
        ],
    )
    assert found["completeness"]["score"] == pytest.approx(0.95)
    assert found["validity"]["score"] == pytest.approx(0.96)
    assert found["all"]["score"] == pytest.approx((0.95 + 2 * 0.96) / 3)
    assert found["all"]["quality_status"] == "amber"
    assert found["accuracy"]["score_reason"] == "no_authority"
    assert found["uniqueness"]["score_reason"] == "no_rule"


def test_a_failed_critical_rule_makes_a_dataset_red_whatever_its_score(
    project: CompiledProject,
) -> None:
    found = scores(project, [rule("validity", 0.0001, is_critical=True), rule("uniqueness", 0.0)])
    assert found["all"]["score"] > 0.9999
    assert found["all"]["quality_status"] == found["validity"]["quality_status"] == "red"
    assert found["uniqueness"]["quality_status"] == "green"


def test_consistency_is_weighed_by_money_where_the_rule_states_it(project: CompiledProject) -> None:
    def broken(rule_id: str, amount: int | None) -> dict[str, Any]:
        key = f"{rule_id}={amount}"
        facts = {"extract_name": "gl_entries", "record_key": key, "is_excepted": False}
        return facts | {"rule_id": rule_id, "amount": None if amount is None else Decimal(amount)}

    rules = ("unbalanced_journal", "unplaced_posting", "self_approval")
    read = ("rpt_reconciliation", "rpt_control_totals", "rpt_freshness", "fct_budget_lines")
    warehouse = project.run(
        ["int_quality_rules"],
        given={
            "rpt_rule_violations": [
                broken("unbalanced_journal", -30),
                broken("unbalanced_journal", 20),
                # One of two without an amount: there is no money to weigh by.
                broken("unplaced_posting", None),
                broken("unplaced_posting", 500),
                broken("self_approval", 500),
            ],
            "governance_rules": [
                {
                    "rule_id": name,
                    "dimension": "validity" if name == "self_approval" else "consistency",
                    "is_critical": True,
                    "extracts": "gl_entries",
                }
                for name in rules
            ],
            "stg_governance__rule_results": [
                {
                    "build_number": 1,
                    "dataset_type": "extract",
                    "dataset": "gl_entries",
                    "rule_id": "readable_values",
                    "dimension": "validity",
                    "state": "passed",
                    "checked_rows": 8,
                    "failed_rows": 0,
                }
            ],
            "int_gl_entries_converted": [
                {"reporting_amount": Decimal(600)},
                {"reporting_amount": Decimal(-400)},
            ],
            **dict.fromkeys((*read, "fct_benefits"), ()),
        },
    )
    found = rows_of(warehouse, "select rule_id, failed_share from intermediate.int_quality_rules")
    shares = {one["rule_id"]: one["failed_share"] for one in found}
    # 50 of 1,000 in money; 2 and 1 of 8 rows.
    assert {name: shares[name] for name in rules} == {
        "unbalanced_journal": 0.05,
        "unplaced_posting": 0.25,
        "self_approval": 0.125,
    }


def test_a_refused_version_is_in_the_history_of_quality(project: CompiledProject) -> None:
    events = [
        {"event_number": 4, "build_number": 1, "event_type": "audit_failed", "details": "a.x"},
        {"event_number": 6, "build_number": 1, "event_type": "audit_failed", "details": "a.x, b.y"},
        {"event_number": 9, "build_number": 2, "event_type": "backed_up", "details": None},
    ]
    warehouse = project.run(
        ["rpt_data_quality"],
        given={
            "stg_governance__home_events": [
                one | {"occurred_at": f"2026-01-0{one['event_number']} 08:00:00"} for one in events
            ]
        },
    )
    found = rows_of(warehouse, "from marts.rpt_data_quality")
    assert [
        (one["build_number"], one["dataset_type"], one["quality_status"], one["is_current"])
        for one in found
    ] == [(1, "version", "red", False)]
    assert (found[0]["rules_failed"], found[0]["failed_rules"]) == (2, "a.x, b.y")
    assert f"{found[0]['loaded_at']:%Y-%m-%d %H}" == "2026-01-06 08"


def test_an_exception_that_has_run_out_no_longer_excuses(project: CompiledProject) -> None:
    broken = [
        {
            "rule_id": "duplicate_row",
            "severity": "warning",
            "extract_name": "payments",
            "record_key": key,
            "source_file": "revenue/payments.csv",
            "source_row": 2,
            "amount": Decimal(1),
            "message": "twice",
        }
        for key in ("payment_id=Y1", "payment_id=Y2", "payment_id=Y3")
    ]
    facts = {"rule_id": "duplicate_row", "extract_name": "payments", "reason": "r", "owner": "o"}
    warehouse = project.run(
        ["rpt_rule_violations"],
        given={
            "int_violations__duplicate_row": broken,
            "int_reporting_date": [{"reporting_on": date(2026, 10, 20)}],
            "rule_exceptions": [
                {**facts, "record_key": "payment_id=Y1", "granted_on": date(2026, 1, 1), "expires_on": date(2026, 10, 20)},
                {**facts, "record_key": "payment_id=Y2", "granted_on": date(2026, 1, 1), "expires_on": date(2026, 10, 19)},
            ],
        },
    )  # fmt: skip
    found = rows_of(
        warehouse,
        "select record_key, is_excepted from marts.rpt_rule_violations "
        "where rule_id = 'duplicate_row' order by record_key",
    )
    assert [one["is_excepted"] for one in found] == [True, False, False]


# --- risks and reviews ---


def test_a_risk_is_triggered_by_what_the_warehouse_measures(project: CompiledProject) -> None:
    risk = {
        "category": "value",
        "risk_name": "r",
        "inherent_probability": Decimal("0.5"),
        "inherent_impact_amount": Decimal(1000),
        "residual_probability": Decimal("0.25"),
        "residual_impact_amount": Decimal(400),
        "threshold": Decimal("0.8"),
        "control": "c",
        "contingency": "c",
        "owner": "o",
    }
    measured = {"indicator_id": "rate", "month_date": date(2026, 1, 1), "indicator_value": 0.9}
    warehouse = project.run(
        ["rpt_risk_register"],
        given={
            "risk_register": [
                {**risk, "risk_id": "above", "indicator_id": "rate", "comparison": "above"},
                {**risk, "risk_id": "below", "indicator_id": "rate", "comparison": "below"},
                {**risk, "risk_id": "blind", "indicator_id": "nothing", "comparison": "below"},
            ],
            "int_governance_indicators": [
                measured,
                {**measured, "month_date": date(2026, 2, 1), "indicator_value": 0.7},
            ],
        },
    )
    found = {one["risk_id"]: one for one in rows_of(warehouse, "from marts.rpt_risk_register")}
    assert {name: one["risk_status"] for name, one in found.items()} == {
        "above": "not_triggered",
        "below": "triggered",
        "blind": "not_measured",
    }
    assert found["above"]["inherent_exposure_amount"] == 500
    assert found["above"]["residual_exposure_amount"] == 100


def test_risks_fall_due_and_forecasts_hold_as_their_seeds_say(project: CompiledProject) -> None:
    accuracy = {"is_selected": True, "coverage_95_rate": 0.95}
    others = (
        "dim_fiscal_period", "rpt_reconciliation", "rpt_restatements", "rpt_budget_variance",
        "rpt_budget_control", "rpt_product_cost", "rpt_mrr_waterfall", "rpt_data_quality",
        "stg_governance__rule_results", "rpt_rule_violations", "rule_exceptions",
        "rpt_benefit_realisation", "rpt_attribution_comparison", "stg_governance__home_events",
        "rpt_programme_targets", "fct_kpi_values", "rpt_channel_attribution", "control_registry",
    )  # fmt: skip
    warehouse = project.run(
        ["int_governance_indicators", "int_target_items__outputs"],
        given={name: [] for name in others}
        | {
            "int_reporting_date": [{"reporting_on": date(2026, 2, 10)}],
            # Ten days since the review: overdue after nine, not after ten; never reviewed is overdue.
            "risk_register": [
                {"risk_id": "9", "reviewed_on": date(2026, 1, 31), "review_interval_days": 9},
                {"risk_id": "10", "reviewed_on": date(2026, 1, 31), "review_interval_days": 10},
                {"risk_id": "never", "review_interval_days": 10},
            ],
            "programme_targets": [{**target("T3", "0.85"), "tolerance_share": Decimal("0.05")}],
            "rpt_forecast_accuracy": [
                accuracy | {"series_id": "a", "coverage_80_rate": 0.85},
                accuracy | {"series_id": "b", "coverage_80_rate": 0.74},
            ],
            "int_target_controls": [
                {"target_id": "T3", "item_type": "forecast", "item_id": name,
                 "fiscal_period": P[1], "month_date": date(2026, 1, 1), "is_latest": True}
                for name in ("a", "b")
            ],
        },
    )  # fmt: skip
    indicators = {
        one["indicator_id"]: one["indicator_value"]
        for one in rows_of(warehouse, "from intermediate.int_governance_indicators")
    }
    assert indicators["stale_risks"] == 2
    assert indicators["forecast_coverage_share"] == 0.5
    assert {
        one["item_id"]
        for one in rows_of(warehouse, "from intermediate.int_target_items__outputs")
        if "coverage_outside_tolerance" in one["failed_conditions"]
    } == {"b"}


def test_what_entities_do_counts_in_its_month_whatever_they_call_it(
    project: CompiledProject,
) -> None:
    period = {"fiscal_year": 2026, "fiscal_quarter": 1, "is_closed": True}
    others = (
        "rpt_reconciliation", "rpt_budget_variance", "rpt_product_cost", "rpt_mrr_waterfall",
        "rpt_data_quality", "stg_governance__rule_results", "rpt_rule_violations", "rule_exceptions",
        "risk_register", "rpt_forecast_accuracy", "rpt_benefit_realisation",
        "rpt_attribution_comparison", "programme_targets", "stg_governance__home_events",
        "rpt_programme_targets",
    )  # fmt: skip
    warehouse = project.run(
        ["int_governance_indicators"],
        given={name: [] for name in others}
        | {
            "int_reporting_date": [{"reporting_on": date(2026, 3, 10)}],
            # The first period of B is the second month of A's year.
            "dim_fiscal_period": [
                {**period, "entity_id": entity, "is_reporting_entity": entity == "A",
                 "fiscal_period": P[number], "end_on": end_on}
                for entity, number, end_on in (
                    ("A", 1, date(2026, 1, 31)),
                    ("A", 2, date(2026, 2, 28)),
                    ("B", 1, date(2026, 2, 28)),
                )
            ],
            "rpt_restatements": [
                {"entity_id": "B", "fiscal_period": P[1], "is_restated": True,
                 "restatement_amount": Decimal(5), "authorised_amount": Decimal(0)}
            ],
            "rpt_budget_control": [
                {"entity_id": entity, "fiscal_period": P[1], "is_breach": True}
                for entity in ("A", "B")
            ],
        },
    )  # fmt: skip
    found = {
        (one["indicator_id"], one["month_date"].month): one["indicator_value"]
        for one in rows_of(warehouse, "from intermediate.int_governance_indicators")
        if one["indicator_id"] in ("unauthorised_restatements", "budget_breaches")
    }
    assert found == {
        ("unauthorised_restatements", 1): 0,
        ("unauthorised_restatements", 2): 1,
        ("budget_breaches", 1): 1,
        ("budget_breaches", 2): 1,
    }


def test_reviews_are_computed_and_signed_by_people(project: CompiledProject) -> None:
    check = {"review_cycle": "monthly", "item_name": "i", "owner": "o", "threshold": Decimal(1)}
    warehouse = project.run(
        ["rpt_review_cycle"],
        given={
            "review_items": [
                {**check, "item_id": "M1", "indicator_id": "count", "comparison": "at_most"},
                {**check, "item_id": "M2", "indicator_id": "now", "comparison": "at_least"},
            ],
            "review_signoffs": [
                {"review_cycle": "monthly", "review_period": P[1], "signed_by": "a",
                 "prepared_by": "b", "signed_on": date(2026, 2, 9)}
            ],
            "int_governance_indicators": [
                {"indicator_id": "count", "month_date": date(2026, 1, 1), "indicator_value": 2.0},
                {"indicator_id": "count", "month_date": date(2026, 2, 1), "indicator_value": 1.0},
                {"indicator_id": "now", "month_date": None, "indicator_value": 1.0},
            ],
            "rpt_risk_register": [],
            "dim_fiscal_period": [
                {"is_reporting_entity": True, "fiscal_period": P[month], "fiscal_year": 2026,
                 "fiscal_quarter": 1, "is_closed": month < 3, "end_on": date(2026, month, 28)}
                for month in (1, 2, 3)
            ],
        },
    )  # fmt: skip
    found = {
        (one["review_period"], one["item_id"]): (one["item_status"], one["is_signed"])
        for one in rows_of(warehouse, "from marts.rpt_review_cycle")
    }
    assert found == {
        (P[1], "M1"): ("failed", True),
        (P[1], "M2"): ("not_measured", True),
        (P[2], "M1"): ("passed", False),
        (P[2], "M2"): ("passed", False),
    }
