"""Recurring revenue against a plain-Python reading of the same contracts, month by month."""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import Any

import duckdb
import pytest

from warehouse.compiled import CompiledProject
from warehouse.home import PROJECT

HISTORIES = 500
PENNY = Decimal("0.01")
Key = tuple[str, str, date]


def rounded(amount: Decimal, unit: Decimal = PENNY) -> Decimal:
    return amount.quantize(unit, ROUND_HALF_UP)


def month_of(day: date, months: int = 0) -> date:
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def random_contracts(seed: int, customers: int) -> list[dict[str, Any]]:
    """Histories with upgrades, pauses, overlaps, same-day ends, leap days, currencies and trials."""
    rng = random.Random(seed)
    days = [date(2023, 1, 1) + timedelta(days=offset) for offset in range(1200)]
    edges = [
        date(2024, 2, 29),
        date(2023, 12, 31),
        date(2024, 1, 1),
        date(2025, 2, 28),
        date(2024, 2, 1),
    ]
    rows: list[dict[str, Any]] = []
    for number in range(customers):
        customer = f"C{number:04d}"
        currencies = rng.choices(["USD", "EUR", "GBP", "JPY"], [5, 3, 1, 1])
        if rng.random() < 0.05:
            currencies.append("EUR")
        for contract in range(rng.choice([1, 1, 1, 2, 2, 3])):
            subscription = f"{customer}-{contract}"
            starts = sorted(
                {
                    rng.choice(edges if rng.random() < 0.1 else days)
                    for _ in range(rng.randint(1, 6))
                }
            )
            product = rng.choice(["P1", "P2", "P3"])
            for index, start in enumerate(starts):
                following = starts[index + 1] if index + 1 < len(starts) else None
                choice = rng.random()
                end: date | None
                if following and choice < 0.5:
                    end = following
                elif choice < 0.65:
                    end = start + timedelta(days=rng.choice([0, 1, 27, 30, 31, 59, 90, 365, 366]))
                elif choice < 0.75:
                    end = month_of(start, rng.randint(1, 12))
                else:
                    end = None
                if rng.random() < 0.05:
                    product = rng.choice(["P1", "P2", "P3"])
                rows.append(
                    {
                        "subscription_id": subscription,
                        "valid_from": start,
                        "customer_id": customer,
                        "product_id": product,
                        "plan_id": rng.choice(["basic", "pro"]),
                        "quantity": Decimal(rng.choice([0, 1, 1, 2, 5, 10, 25])),
                        "unit_price": Decimal(
                            rng.choice(["0", "9.99", "19.5", "49.333333", "100", "100"])
                        ),
                        "discount_rate": rng.choice(
                            [None, Decimal(0), Decimal("0.1"), Decimal("0.333333"), Decimal(1)]
                        ),
                        "billing_interval_months": rng.choice([1, 3, 6, 12]),
                        "currency": rng.choice(currencies),
                        "valid_to": end,
                    }
                )
    return rows


@dataclass
class Month:
    """What one customer and product (or one customer) opens and closes a month with."""

    opening: Decimal = Decimal(0)
    closing: Decimal = Decimal(0)
    constant_opening: Decimal = Decimal(0)
    constant_closing: Decimal = Decimal(0)
    quantity_change: Decimal = Decimal(0)
    currency: str = ""
    movement: str | None = None
    parts: dict[str, tuple[Decimal, Decimal, Decimal, Decimal, str]] = field(default_factory=dict)


@dataclass
class Rates:
    monthly: dict[tuple[str, date], Decimal]
    constant: dict[str, Decimal]

    def between(self, source: str, target: str, month: date) -> Decimal:
        return self.monthly[source, month] / self.monthly[target, month]


def read_rates(cutoff: date) -> Rates:
    monthly = {}
    with (PROJECT / "seeds" / "core" / "fx_rates.csv").open() as file:
        for row in csv.DictReader(file):
            assert row["to_currency"] == "USD"
            monthly[row["from_currency"], date.fromisoformat(row["rate_month"])] = Decimal(
                row["average_rate"]
            )
    monthly |= {("USD", month): Decimal(1) for _, month in list(monthly)}
    constant = {}
    for (currency, month), rate in sorted(monthly.items()):
        if month <= cutoff:
            constant[currency] = rate
    return Rates(monthly, constant)


def classify(opening: Decimal, closing: Decimal, has_paid: bool) -> str | None:
    if closing == opening:
        return None
    if opening <= 0 < closing:
        return "reactivation" if has_paid else "new"
    if closing <= 0 < opening:
        return "churn"
    return "expansion" if closing > opening else "contraction"


def active_on(rows: Iterable[dict[str, Any]], day: date) -> list[tuple[dict[str, Any], Decimal]]:
    """The terms in force on a day and their MRR: the latest started of each subscription, unless ended."""
    latest: dict[str, dict[str, Any]] = {}
    for row in rows:
        is_void = row["valid_to"] is not None and row["valid_to"] <= row["valid_from"]
        if row["valid_from"] <= day and not is_void:
            current = latest.get(row["subscription_id"])
            if current is None or row["valid_from"] > current["valid_from"]:
                latest[row["subscription_id"]] = row
    active = []
    for row in latest.values():
        net_price = rounded(
            row["unit_price"] * (1 - (row["discount_rate"] or 0)), Decimal("0.000001")
        )
        mrr = rounded(row["quantity"] * net_price)
        if mrr and (row["valid_to"] is None or row["valid_to"] > day):
            active.append((row, mrr))
    return active


def quantity_effect(parts: Iterable[tuple[Decimal, Decimal, Decimal, Decimal, str]]) -> Decimal:
    """Quantity at the old price: going subscriptions one by one, ended against begun ones together."""
    pool = [Decimal(0)] * 4
    effect = Decimal(0)

    def of(
        opening_quantity: Decimal, opening: Decimal, closing_quantity: Decimal, closing: Decimal
    ) -> Decimal:
        if not opening or not closing or not opening_quantity:
            return closing - opening
        return rounded(
            rounded(
                (closing_quantity - opening_quantity) * opening / opening_quantity,
                Decimal("0.000001"),
            )
        )

    for opening_quantity, opening, closing_quantity, closing, _ in parts:
        amounts = (opening_quantity, opening, closing_quantity, closing)
        if opening and closing:
            effect += of(*amounts)
        else:
            pool = [total + amount for total, amount in zip(pool, amounts, strict=True)]
    return effect + of(*pool)


def history(
    rows: list[dict[str, Any]], months: list[tuple[date, date]], rates: Rates
) -> Iterator[tuple[Key, Month]]:
    """Every month of one customer, by product and (product '') in all."""
    previous: list[tuple[dict[str, Any], Decimal]] = []
    has_paid: set[str] = set()
    for month, snapshot in months:
        current = active_on(rows, snapshot)
        sides: dict[str, list[tuple[str, str, int, Decimal, Decimal]]] = defaultdict(list)
        for side, terms in enumerate((previous, current)):
            for row, mrr in terms:
                sides[row["product_id"]].append(
                    (row["subscription_id"], row["currency"], side, row["quantity"], mrr)
                )
        whole = Month()
        for product, entries in sorted(sides.items()):
            by_currency: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
            for _, currency, side, _, mrr in entries:
                by_currency[currency][1 - side] += mrr * rates.constant[currency]
            main = min(
                by_currency, key=lambda name: (-by_currency[name][0], -by_currency[name][1], name)
            )
            result = Month(currency=main)
            paired: dict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 4)
            for subscription, currency, side, quantity, mrr in entries:
                pair = paired[subscription, currency]
                pair[2 * side] += quantity
                pair[2 * side + 1] += mrr
                if side:
                    result.constant_closing += mrr * rates.constant[currency]
                else:
                    result.constant_opening += mrr * rates.constant[currency]
            parts = []
            for (_, currency), (oq, om, cq, cm) in paired.items():
                if currency != main:
                    rate = rates.between(currency, main, month)
                    om, cm = rounded(om * rate), rounded(cm * rate)
                parts.append((oq, om, cq, cm, currency))
                result.opening += om
                result.closing += cm
            # Ended and begun terms of one subscription in two currencies belong to the pool.
            result.quantity_change = quantity_effect(parts)
            result.movement = classify(result.opening, result.closing, product in has_paid)
            whole.constant_opening += result.constant_opening
            whole.constant_closing += result.constant_closing
            result.constant_opening = rounded(result.constant_opening)
            result.constant_closing = rounded(result.constant_closing)
            yield (rows[0]["customer_id"], product, month), result
        whole.opening = whole.constant_opening = rounded(whole.constant_opening)
        whole.closing = whole.constant_closing = rounded(whole.constant_closing)
        whole.movement = classify(whole.opening, whole.closing, "" in has_paid)
        if sides:
            yield (rows[0]["customer_id"], "", month), whole
        has_paid |= {row["product_id"] for row, _ in current}
        if current:
            has_paid.add("")
        previous = current


@dataclass
class Comparison:
    connection: duckdb.DuckDBPyConnection
    months: list[tuple[date, date]]
    products: dict[Key, Month]
    customers: dict[tuple[str, date], Month]


@pytest.fixture(scope="module")
def comparison(project: CompiledProject) -> Comparison:
    contracts = random_contracts(7, HISTORIES)
    cutoff = max(
        day
        for row in contracts
        for day in (row["valid_from"], row["valid_to"])
        if day and day <= date(2026, 6, 15)
    )
    first = month_of(min(row["valid_from"] for row in contracts))
    months = []
    while first <= cutoff:
        months.append((first, min(month_of(first, 1) - timedelta(days=1), cutoff)))
        first = month_of(first, 1)
    rates = read_rates(cutoff)
    products: dict[Key, Month] = {}
    customers: dict[tuple[str, date], Month] = {}
    by_customer: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in contracts:
        by_customer[row["customer_id"]].append(row)
    for rows in by_customer.values():
        for (customer, product, month), result in history(rows, months, rates):
            if product:
                products[customer, product, month] = result
            else:
                customers[customer, month] = result
    connection = project.run(
        ["fct_mrr_movements", "rpt_mrr_waterfall", "rpt_retention", "rpt_cohorts"],
        {
            "stg_revenue__subscriptions": [
                row | {"known_at": date(2026, 6, 15)} for row in contracts
            ]
        },
    )
    return Comparison(connection, months, products, customers)


def test_every_movement_of_500_histories(comparison: Comparison) -> None:
    found = comparison.connection.execute("""
        select customer_id, product_id, month_date, movement_type, customer_movement_type, opening_mrr_amount,
            closing_mrr_amount, quantity_change_amount, price_change_amount, currency,
            constant_opening_mrr_amount, constant_closing_mrr_amount
        from marts.fct_mrr_movements order by all
    """).fetchall()
    expected = sorted(
        (
            customer,
            product,
            month,
            result.movement,
            comparison.customers[customer, month].movement,
            result.opening,
            result.closing,
            result.quantity_change,
            result.closing - result.opening - result.quantity_change,
            result.currency,
            result.constant_opening,
            result.constant_closing,
        )
        for (customer, product, month), result in comparison.products.items()
        if result.opening != result.closing
    )
    assert len(expected) > 2000
    assert {row[3] for row in expected} == {
        "new",
        "expansion",
        "contraction",
        "churn",
        "reactivation",
    }
    assert found == expected


def test_the_waterfall_sums_the_customers(comparison: Comparison) -> None:
    found = comparison.connection.execute("""
        select month_date, opening_mrr_amount, new_amount, expansion_amount, contraction_amount, churn_amount,
            reactivation_amount, closing_mrr_amount, churned_customers
        from marts.rpt_mrr_waterfall order by month_date
    """).fetchall()
    expected = []
    for month, _ in comparison.months:
        customers = [result for (_, at), result in comparison.customers.items() if at == month]
        changes = {
            movement: sum(
                (c.closing - c.opening for c in customers if c.movement == movement),
                start=Decimal(0),
            )
            for movement in ("new", "expansion", "contraction", "churn", "reactivation")
        }
        expected.append(
            (
                month,
                sum((c.opening for c in customers), start=Decimal(0)),
                *changes.values(),
                sum((c.closing for c in customers), start=Decimal(0)),
                sum(c.movement == "churn" for c in customers),
            )
        )
    assert found == expected
    assert all(sum(row[1:7]) == row[7] for row in found)
    assert all(before[7] == after[1] for before, after in pairwise(found))


def test_retention_follows_the_closed_cohort(comparison: Comparison) -> None:
    found = comparison.connection.execute("""
        select month_date, nrr_rate, grr_rate, logo_churn_rate, movement_nrr_rate
        from marts.rpt_retention order by month_date
    """).fetchall()
    assert [row[0] for row in found] == [month for month, _ in comparison.months]
    for month, *rates in found:
        cohort = {
            customer: result.closing
            for (customer, at), result in comparison.customers.items()
            if at == month_of(month, -12) and result.closing > 0
        }
        if not cohort:
            assert rates == [None] * 4
            continue
        opening = sum(cohort.values())
        ending = {
            customer: comparison.customers[customer, month].closing
            if (customer, month) in comparison.customers
            else Decimal(0)
            for customer in cohort
        }
        moved = sum(
            result.closing - result.opening
            for (_, at), result in comparison.customers.items()
            if month_of(month, -12) < at <= month and result.movement not in (None, "new")
        )
        assert rates == pytest.approx(
            [
                float(sum(ending.values()) / opening),
                float(
                    sum(min(ending[customer], was) for customer, was in cohort.items()) / opening
                ),
                sum(amount == 0 for amount in ending.values()) / len(cohort),
                float((opening + moved) / opening),
            ]
        )


def test_cohorts_keep_their_customers_and_money(comparison: Comparison) -> None:
    firsts: dict[tuple[str, str], date] = {}
    for (customer, product, month), result in sorted(
        comparison.products.items(), key=lambda item: item[0][2]
    ):
        if result.closing > 0:
            firsts.setdefault((customer, product), month)
    expected: dict[tuple[str, date, date], list[Any]] = defaultdict(lambda: [0, Decimal(0)])
    for (customer, product, month), result in comparison.products.items():
        if result.closing > 0:
            entry = expected[product, firsts[customer, product], month]
            entry[0] += 1
            entry[1] += result.constant_closing
    found = comparison.connection.execute("""
        select cohort_value, cohort_month, month_date, active_customers, closing_mrr_amount
        from marts.rpt_cohorts where cohort_type = 'product' and active_customers > 0 order by all
    """).fetchall()
    assert found == sorted((*key, *entry) for key, entry in expected.items())
    spans = comparison.connection.execute("""
        select bool_and(months = months_since_last + 1) from (
            select count(*) as months, max(months_since) as months_since_last
            from marts.rpt_cohorts group by cohort_type, cohort_value, cohort_month
        )
    """).fetchone()
    assert spans == (True,)


def test_a_later_price_moves_no_earlier_month(
    project: CompiledProject, comparison: Comparison
) -> None:
    """What a contract cost then is in the contract; new prices are new terms."""
    contracts = random_contracts(7, HISTORIES)
    raised = date(2025, 12, 1)
    later = [
        row | {"valid_from": raised, "valid_to": None, "unit_price": row["unit_price"] * 2}
        for row in contracts
        if row["valid_from"] < raised
    ]
    latest = {row["subscription_id"]: row for row in later}
    connection = project.run(
        ["fct_mrr_movements"],
        {
            "stg_revenue__subscriptions": [
                row | {"known_at": date(2026, 6, 15)} for row in (*contracts, *latest.values())
            ]
        },
    )
    before = """
        select customer_id, product_id, month_date, movement_type, opening_mrr_amount, closing_mrr_amount
        from marts.fct_mrr_movements where month_date < ? order by all
    """
    assert (
        connection.execute(before, [raised]).fetchall()
        == comparison.connection.execute(before, [raised]).fetchall()
    )


def test_subscriptions_alone_make_what_they_can(project: CompiledProject) -> None:
    marts = (
        "fct_mrr_movements",
        "rpt_mrr_waterfall",
        "rpt_retention",
        "rpt_cohorts",
        "rpt_unit_economics",
        "fct_revenue",
        "fct_deferred_revenue",
        "rpt_product_contribution",
        "rpt_reconciliation",
    )
    contract = {
        "subscription_id": "S",
        "customer_id": "C",
        "product_id": "P",
        "plan_id": "basic",
        "quantity": Decimal(5),
        "unit_price": Decimal(20),
        "billing_interval_months": 1,
        "currency": "USD",
        "known_at": date(2026, 3, 31),
    }
    connection = project.run(
        marts,
        {
            "stg_revenue__subscriptions": [
                contract | {"valid_from": date(2025, 1, 15), "valid_to": date(2026, 3, 1)}
            ]
        },
    )
    counts = [connection.execute(f"select count(*) from marts.{mart}").fetchall() for mart in marts]
    assert [count for ((count,),) in counts] == [2, 15, 15, 45, 30, 0, 0, 0, 0]
    assert connection.execute("""
        select month_date, nrr_rate, logo_churn_rate from marts.rpt_retention where nrr_rate is not null
    """).fetchall() == [
        (date(2026, 1, 1), 1.0, 0.0),
        (date(2026, 2, 1), 1.0, 0.0),
        (date(2026, 3, 1), 0.0, 1.0),
    ]
    assert connection.execute("""
        select distinct segment, cac_amount_reason, gross_margin_rate_reason, ltv_amount_reason
        from marts.rpt_unit_economics where month_date = date '2026-02-01' order by all
    """).fetchall() == [
        ("all", "no_spend_data", "no_cost_data", "no_losses_on_record"),
        ("unknown", "no_spend_data", "no_cost_data", "no_losses_on_record"),
    ]
