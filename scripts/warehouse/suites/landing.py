"""What delivered rows must look like, beyond what the contract says of columns, types and keys.

A row that breaks a rule is quarantined with the rule's message; the rest of its file is taken.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from warehouse.contract import Extract

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation


@dataclass(frozen=True)
class Between:
    """Values of a column lie in a range, bounds included; an open end is None."""

    column: str
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True)
class OneOf:
    """Values of a column are among these."""

    column: str
    values: tuple[str | int, ...]


@dataclass(frozen=True)
class Never:
    """No row satisfies this SQL condition; `message` says what must hold instead."""

    rule: str
    column: str
    condition: str
    message: str


Rule = Between | OneOf | Never


def _ordered(earlier: str, later: str, message: str) -> Never:
    return Never(f"{later}_not_before_{earlier}", later, f"{later} < {earlier}", message)


def _first_of_month(column: str = "period_month") -> Never:
    return Never(
        f"{column}_is_first_of_month",
        column,
        f"day({column}) <> 1",
        "a month is given by its first day, like 2026-03-01",
    )


# What no company sells or spends in a row; the models' decimal(18,2) holds a thousand times as much.
MAX_PRODUCT = 10**13


def _bounded(*factors: str) -> Never:
    product = " * ".join(f"cast({factor} as double)" for factor in factors)
    return Never(
        f"{'_times_'.join(factors)}_in_range",
        factors[0],
        f"abs({product}) > {MAX_PRODUCT}",
        f"{' times '.join(factors)} is at most {MAX_PRODUCT:,}",
    )


_FISCAL_PERIOD = Never(
    "fiscal_period_is_named_by_year_and_number",
    "fiscal_period",
    "not regexp_full_match(fiscal_period, '[0-9][0-9][0-9][0-9]-P(0[1-9]|1[0-4])')",
    "a fiscal period is written like 2026-P03",
)

RULES: Mapping[str, Sequence[Rule]] = {
    "product/products": [
        OneOf("lifecycle_stage", ("idea", "build", "growth", "mature", "sunset")),
        _ordered("launched_on", "retired_on", "a product is not retired before it is launched"),
    ],
    "product/features": [
        Between("list_weight", 0),
        _ordered("released_on", "retired_on", "a feature is not retired before it is released"),
    ],
    "product/initiatives": [
        OneOf(
            "initiative_type",
            ("growth", "retention", "efficiency", "platform", "compliance", "new_product"),
        ),
        OneOf("status", ("proposed", "approved", "in_progress", "live", "abandoned", "rejected")),
        Between("discount_rate", 0, 1),
        Between("useful_life_months", 1, 240),
        _ordered("planned_start_on", "planned_end_on", "a plan ends after it starts"),
        _ordered("started_on", "ready_for_use_on", "work is ready for use after it starts"),
    ],
    "product/milestones": [Between("budget_weight", 0, 1)],
    "product/business_cases": [_first_of_month(), OneOf("flow_type", ("cost", "benefit"))],
    "product/benefits": [
        _first_of_month(),
        Between("attribution_share", 0, 1),
        OneOf("cashable_class", (1, 2, 3)),
        OneOf("evidence_grade", ("A", "B", "C", "D", "E")),
    ],
    "product/feature_usage": [Between("event_count", 0), Between("active_users", 0)],
    "product/experiments": [OneOf("variant", ("control", "treatment"))],
    "product/support_tickets": [
        Between("handling_hours", 0),
        _ordered("opened_at", "resolved_at", "a ticket is not resolved before it is opened"),
    ],
    "product/survey_responses": [Between("score", 0, 10)],
    "cost/gl_entries": [Between("line_number", 1)],
    "cost/cloud_costs": [
        OneOf("ChargeCategory", ("Usage", "Purchase", "Tax", "Credit", "Adjustment")),
        OneOf("ChargeClass", ("Correction",)),
        OneOf("CommitmentDiscountStatus", ("Used", "Unused")),
        Never(
            "ChargePeriodEnd_after_ChargePeriodStart",
            "ChargePeriodEnd",
            '"ChargePeriodEnd" <= "ChargePeriodStart"',
            "a charge period ends after it starts; its end is exclusive",
        ),
        Never(
            "Tags_is_json",
            "Tags",
            'not json_valid("Tags") or json_type("Tags") <> \'OBJECT\'',
            'tags are a JSON object, like {"product": "P1"}',
        ),
    ],
    "cost/payroll": [
        _first_of_month(),
        Between("base_pay", 0),
        Between("contracted_hours", 0, 744),
        Between("leave_hours", 0, 744),
        Between("meeting_hours", 0, 744),
        Never(
            "absent_hours_within_contracted",
            "leave_hours",
            "leave_hours + coalesce(meeting_hours, 0) > contracted_hours",
            "leave and meetings take no more hours than are contracted",
        ),
    ],
    "cost/timesheets": [Between("hours", 0, 168)],
    "cost/purchase_orders": [
        OneOf("status", ("open", "closed", "cancelled")),
        _ordered("ordered_on", "closed_on", "an order is not closed before it is placed"),
    ],
    "cost/usage_drivers": [_first_of_month(), Between("quantity", 0)],
    "budget/budget_lines": [_FISCAL_PERIOD],
    "budget/revenue_budgets": [
        _first_of_month(),
        Between("quantity", 0),
        _bounded("quantity", "unit_price"),
    ],
    "budget/labour_standards": [
        _first_of_month(),
        Between("budget_hours", 0),
        Between("standard_hours_per_unit", 0),
        Between("standard_rate", 0),
        Between("output_units", 0),
        _bounded("budget_hours", "standard_rate"),
        _bounded("output_units", "standard_hours_per_unit", "standard_rate"),
    ],
    "budget/variance_explanations": [_FISCAL_PERIOD],
    "budget/period_closes": [_FISCAL_PERIOD],
    "revenue/subscriptions": [
        Between("quantity", 0),
        Between("unit_price", 0),
        _bounded("quantity", "unit_price"),
        Between("discount_rate", 0, 1),
        Between("billing_interval_months", 1, 120),
        Never(
            "valid_to_after_valid_from",
            "valid_to",
            "valid_to <= valid_from",
            "terms end after they start; valid_to is the first day after them",
        ),
    ],
    "revenue/invoice_lines": [
        Between("line_number", 1),
        _bounded("quantity", "unit_price"),
        OneOf("charge_type", ("recurring", "usage", "one_time", "credit", "refund")),
        _ordered("service_start_on", "service_end_on", "service does not end before it starts"),
        Never(
            "credit_is_negative",
            "amount",
            "charge_type in ('credit', 'refund') and amount > 0",
            "credits and refunds are negative",
        ),
    ],
    "revenue/conversions": [Between("revenue_amount", 0)],
    "revenue/marketing_spend": [Between("amount", 0)],
}


def expectations(extract: Extract) -> "list[Expectation]":
    """The landing suite of one extract."""
    return [_expectation(rule) for rule in [*RULES.get(extract.id, ()), *_currencies(extract)]]


def _currencies(extract: Extract) -> list[Rule]:
    names = [c.name for c in extract.columns if c.name in {"currency", "BillingCurrency"}]
    return [
        Never(
            f"{name}_is_iso_code",
            name,
            f"not regexp_full_match(\"{name}\", '[A-Z][A-Z][A-Z]')",
            "a currency is its ISO 4217 code, like USD",
        )
        for name in names
    ]


def _expectation(rule: Rule) -> "Expectation":
    import great_expectations.expectations as gxe

    match rule:
        case Between(column, least, most):
            ends = [f"at least {least}"] if least is not None else []
            ends += [f"at most {most}"] if most is not None else []
            return gxe.ExpectColumnValuesToBeBetween(
                column=column,
                min_value=least,
                max_value=most,
                description=f"{column} is {' and '.join(ends)}",
                meta={"rule": f"{column}_in_range"},
            )
        case OneOf(column, values):
            known = ", ".join(str(value) for value in values)
            return gxe.ExpectColumnValuesToBeInSet(
                column=column,
                value_set=list(values),
                description=f"{column} is one of {known}",
                meta={"rule": f"{column}_is_known"},
            )
        case Never(name, column, condition, message):
            return gxe.UnexpectedRowsExpectation(
                unexpected_rows_query=f"select _id from {{batch}} where {condition}",
                description=message,
                meta={"rule": name, "column": column},
            )
