"""Recognised and deferred revenue against exact fractions, day by day."""

from __future__ import annotations

import calendar
import random
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import duckdb
import pytest

from warehouse.compiled import CompiledProject

LINES = 500
CUTOFF = date(2026, 10, 20)


def random_lines(seed: int) -> list[dict[str, Any]]:
    """Charges of every type: leap days, arrears, missing and reversed service periods, yen, credits."""
    rng = random.Random(seed)
    rows = []
    for number in range(LINES):
        invoiced = date(2023, 1, 1) + timedelta(days=rng.randrange(1200))
        start: date | None = rng.choice(
            [invoiced, invoiced + timedelta(days=rng.randrange(-60, 60)), None]
        )
        length = rng.choice([1, 28, 30, 31, 90, 181, 365, 366, 730, rng.randrange(1, 800)])
        end = start + timedelta(days=length - 1) if start else rng.choice([None, invoiced])
        if rng.random() < 0.05 and start:
            end = start - timedelta(days=3)
        kind = rng.choices(["recurring", "usage", "one_time", "credit", "refund"], [6, 1, 1, 1, 1])[
            0
        ]
        currency = rng.choice(["USD", "USD", "EUR", "JPY"])
        cents = rng.choice([0, 1, 99, 1_200_000, rng.randrange(10**4), rng.randrange(10**12)])
        is_proration = kind == "recurring" and rng.random() < 0.1
        amount = Decimal(
            cents if currency == "JPY" and rng.random() < 0.9 else cents / Decimal(100)
        )
        rows.append(
            {
                "invoice_id": f"I{number // 3:04d}",
                "line_number": number % 3 + 1,
                "customer_id": f"C{number % 40}",
                "product_id": rng.choice(["P1", "P2"]),
                "charge_type": kind,
                "amount": -amount if is_proration or kind in ("credit", "refund") else amount,
                "currency": currency,
                "invoiced_on": invoiced,
                "service_start_on": start,
                "service_end_on": end,
                "known_at": CUTOFF,
            }
        )
    return rows


def earned_by(row: dict[str, Any], day: date) -> Decimal:
    """What of a line is earned up to and including a day."""
    start, end, invoiced = row["service_start_on"], row["service_end_on"], row["invoiced_on"]
    is_credit = row["amount"] < 0 or row["charge_type"] in ("credit", "refund")
    if is_credit and day < invoiced:
        return Decimal(0)
    if row["charge_type"] == "one_time":
        return row["amount"] if day >= (end or start or invoiced) else Decimal(0)
    if not start or not end or start > end:
        start = end = invoiced
    if day >= end:
        return Decimal(row["amount"])
    if day < start:
        return Decimal(0)
    unit = Decimal(1) if row["currency"] == "JPY" else Decimal("0.01")
    share = Fraction((day - start).days + 1, (end - start).days + 1)
    units = int(abs(row["amount"]) / unit) * share
    rounded = (units + Fraction(1, 2)).__floor__() * unit
    return rounded.copy_sign(row["amount"])


def month_ends(first: date, last: date) -> list[date]:
    days = []
    while first <= last:
        end = first.replace(day=calendar.monthrange(first.year, first.month)[1])
        days.append(end)
        first = end + timedelta(days=1)
    return days


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    return random_lines(11)


@pytest.fixture(scope="module")
def connection(project: CompiledProject, lines: list[dict[str, Any]]) -> duckdb.DuckDBPyConnection:
    return project.run(
        ["fct_revenue", "fct_deferred_revenue"], {"stg_revenue__invoice_lines": lines}
    )


def test_every_line_is_earned_by_day(
    connection: duckdb.DuckDBPyConnection, lines: list[dict[str, Any]]
) -> None:
    expected = []
    for row in lines:
        before = Decimal(0)
        for end in month_ends(date(2022, 1, 1), date(2028, 12, 31)):
            earned = earned_by(row, end)
            if earned != before:
                period = f"{end.year}-P{end.month:02d}"
                scheduled = end.replace(day=1) > max(line["invoiced_on"] for line in lines)
                expected.append(
                    (row["invoice_id"], row["line_number"], period, earned - before, scheduled)
                )
            before = earned
    found = connection.execute("""
        select invoice_id, line_number, fiscal_period, recognised_amount, is_scheduled
        from marts.fct_revenue order by all
    """).fetchall()
    assert len(expected) > 1500
    assert found == sorted(expected)


def test_every_line_is_earned_to_the_penny(
    connection: duckdb.DuckDBPyConnection, lines: list[dict[str, Any]]
) -> None:
    found = connection.execute("""
        select invoice_id, line_number, sum(recognised_amount) from marts.fct_revenue
        group by all order by all
    """).fetchall()
    assert found == sorted(
        (row["invoice_id"], row["line_number"], row["amount"]) for row in lines if row["amount"]
    )


def test_the_liability_is_what_is_billed_and_not_earned(
    connection: duckdb.DuckDBPyConnection, lines: list[dict[str, Any]]
) -> None:
    liability: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    asset: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in lines:
        for end in month_ends(date(2022, 1, 1), date(2028, 12, 31)):
            billed = row["amount"] if row["invoiced_on"] <= end else Decimal(0)
            balance = billed - earned_by(row, end)
            if balance > 0 or row["amount"] < 0 or row["charge_type"] in ("credit", "refund"):
                liability[f"{end.year}-P{end.month:02d}", row["currency"]] += balance
            else:
                asset[f"{end.year}-P{end.month:02d}", row["currency"]] -= balance
    found = connection.execute("""
        select fiscal_period, currency, transaction_closing_amount, closing_amount, fx_amount,
            opening_amount + billed_amount - recognised_amount - credited_amount + unbilled_change_amount + fx_amount,
            transaction_opening_amount, unbilled_amount
        from marts.fct_deferred_revenue order by currency, fiscal_period
    """).fetchall()
    assert len(found) > 150
    previous: dict[str, Decimal] = {}
    for period, currency, closing, reporting, fx, bridge, opening, unbilled in found:
        assert closing == liability[period, currency]
        assert opening == previous.get(currency, 0)
        assert bridge == reporting
        previous[currency] = closing
        if currency == "USD":
            assert (reporting, fx, unbilled) == (closing, 0, asset[period, currency])
    assert set(previous.values()) == {Decimal(0)}
