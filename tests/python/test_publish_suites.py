"""Every rule of the publish suites passes on good rows and fails on bad ones."""

import duckdb
import pytest

from warehouse import quality
from warehouse.catalog import Column, Mart
from warehouse.suites.publish import Context, expectations

TYPES = {
    "month_date": "date",
    "net_rate": "double",
    "net_rate_reason": "string",
    "cost_share": "double",
}
GOOD = "date '2026-01-01', 0.5, null, 0.25"


def mart(**meta: object) -> Mart:
    return Mart(
        name="rpt_rates",
        domain="revenue",
        schema="marts",
        description="One row per month.",
        columns=tuple(Column(name, kind, "", pii=False) for name, kind in TYPES.items()),
        extracts=frozenset({("revenue", "subscriptions")}),
        owner="",
        tests=0,
        meta=meta,
    )


def failed_rules(rows: list[str], context: Context, judged: Mart | None = None) -> dict[str, int]:
    judged = judged or mart()
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        columns = ", ".join(
            f"{name} {'varchar' if kind == 'string' else kind}" for name, kind in TYPES.items()
        )
        connection.execute(f"create table marts.rpt_rates ({columns})")
        for row in rows:
            connection.execute(f"insert into marts.rpt_rates select {row}")
        results = quality.check(
            connection, "marts.rpt_rates", "rpt_rates", expectations(judged, context)
        )
    return {result.rule: result.unexpected_rows for result in results if not result.success}


FILLED = Context(frozenset({("revenue", "subscriptions")}), {})
EMPTY = Context(frozenset(), {})


def test_good_rows_pass_every_rule() -> None:
    assert failed_rules([GOOD], FILLED) == {}


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ("date '2026-01-01', 'nan', null, 0.25", "finite_numbers"),
        ("date '2026-01-01', '-inf', null, 0.25", "finite_numbers"),
        ("date '2026-01-01', null, null, 0.25", "missing_has_reason"),
        ("date '2026-01-01', 0.5, 'no_base', 0.25", "missing_has_reason"),
        ("date '0026-01-01', 0.5, null, 0.25", "plausible_dates"),
        ("date '2026-01-01', 0.5, null, 1.25", "shares_within_bounds"),
        ("date '2026-01-01', 0.5, null, -0.25", "shares_within_bounds"),
    ],
)
def test_a_bad_row_fails_its_rule_and_is_counted(row: str, rule: str) -> None:
    assert failed_rules([GOOD, row], FILLED) == {rule: 1}


def test_a_missing_value_with_a_reason_passes() -> None:
    assert failed_rules(["date '2026-01-01', null, 'no_base', null"], FILLED) == {}


def test_no_rows_fail_only_where_there_is_input() -> None:
    assert "rows_kept" in failed_rules([], FILLED)
    assert failed_rules([], EMPTY) == {}
    assert failed_rules([], FILLED, mart(may_be_empty=True)) == {}
    assert failed_rules([], FILLED, mart(may_be_empty="at_first")) == {}


def test_losing_more_than_half_the_rows_fails() -> None:
    before = Context(FILLED.filled_extracts, {"rpt_rates": 4})
    assert failed_rules([GOOD, GOOD], before) == {}
    assert "rows_kept" in failed_rules([GOOD], before)
    assert "rows_kept" in failed_rules([], before)
    assert "rows_kept" in failed_rules([GOOD], before, mart(may_be_empty="at_first"))
    assert failed_rules([], before, mart(may_be_empty=True)) == {}


def test_a_mart_that_was_empty_before_has_lost_nothing() -> None:
    assert failed_rules([], Context(FILLED.filled_extracts, {"rpt_rates": 0})) == {}
