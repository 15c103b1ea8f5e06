"""Currency rates, first rules and the two thin marts on rows written by hand."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from warehouse.compiled import CompiledProject

DAY = dt.date(2026, 3, 10)


def known(**columns: Any) -> dict[str, Any]:
    """A staging row as the gate would leave it."""
    return {
        "known_at": "2026-03-31",
        "loaded_at": "2026-03-31",
        "source_file": "a.csv",
        "source_row": 2,
        **columns,
    }


def ledger(journal: str, line: int, account: str, amount: str, **columns: Any) -> dict[str, Any]:
    return known(
        journal_id=journal,
        line_number=line,
        account_id=account,
        amount=Decimal(amount),
        **{"currency": "USD", "posted_on": DAY, "source_row": line, **columns},
    )


def violations(project: CompiledProject, rule: str, **given: Any) -> list[tuple[Any, ...]]:
    model = f"int_violations__{rule}"
    warehouse = project.run([model], given)
    return warehouse.execute(
        f"select record_key, amount, message from intermediate.{model} order by all"
    ).fetchall()


def test_rates_are_quoted_else_inverted_else_crossed(project: CompiledProject) -> None:
    month = dt.date(2026, 1, 1)
    rates = [
        {"from_currency": a, "to_currency": b, "average_rate": r, "closing_rate": r}
        for a, b, r in [
            ("GBP", "USD", Decimal("1.3")),
            ("USD", "CHF", Decimal("0.8")),
            ("EUR", "USD", Decimal("1.1")),
            ("SEK", "EUR", Decimal("0.1")),
            ("NOK", "DKK", Decimal("0.6")),
        ]
    ]
    warehouse = project.run(
        ["int_fx_rates"], {"fx_rates": [{"rate_month": month, **rate} for rate in rates]}
    )
    found = warehouse.execute(
        "select from_currency, average_rate from intermediate.int_fx_rates "
        "where rate_month = ? order by 1",
        [month],
    ).fetchall()
    assert found == [
        ("CHF", Decimal("1.25")),
        ("EUR", Decimal("1.1")),
        ("GBP", Decimal("1.3")),
        ("SEK", Decimal("0.11")),
        ("USD", Decimal(1)),
    ]


def test_profit_and_loss_converts_at_the_average_and_balances_at_the_closing_rate(
    project: CompiledProject,
) -> None:
    month = dt.date(2026, 3, 1)
    rate = {"rate_month": month, "from_currency": "EUR", "to_currency": "USD"}
    rate |= {"average_rate": Decimal("1.1"), "closing_rate": Decimal("1.2")}
    rows = [
        ledger("J1", 1, "1100", "100.00", currency="EUR"),
        ledger("J1", 2, "4010", "-100.00", currency="EUR"),
        ledger("J2", 1, "4010", "-7.00", currency="XXX"),
    ]
    warehouse = project.run(
        ["int_gl_entries_converted"], {"stg_cost__gl_entry_versions": rows, "fx_rates": [rate]}
    )
    found = warehouse.execute(
        "select reporting_amount, reporting_natural_amount "
        "from intermediate.int_gl_entries_converted order by journal_id, line_number"
    ).fetchall()
    assert found == [
        (Decimal("120.00"), Decimal("120.00")),
        (Decimal("-110.00"), Decimal("110.00")),
        (None, None),
    ]


def test_a_currency_without_a_rate_is_named(project: CompiledProject) -> None:
    rows = [ledger("J1", 1, "4010", "-7.00", currency="XXX")]
    found = violations(project, "missing_fx_rate", stg_cost__gl_entry_versions=rows)
    assert [row[0] for row in found] == ["journal_id=J1, line_number=1"]
    assert "No rate from XXX to USD for 2026-03" in found[0][2]


def test_an_unbalanced_journal_is_named_with_what_is_missing(project: CompiledProject) -> None:
    rows = [
        ledger("good", 1, "1100", "10.00"),
        ledger("good", 2, "4010", "-10.00"),
        ledger("bad", 1, "1100", "10.00"),
        ledger("bad", 2, "4010", "-9.99"),
    ]
    found = violations(project, "unbalanced_journal", stg_cost__gl_entry_versions=rows)
    assert [row[:2] for row in found] == [("journal_id=bad, currency=USD", Decimal("0.01"))]


def test_late_means_known_after_the_close_in_a_period_known_before_it(
    project: CompiledProject,
) -> None:
    close = {"entity_id": "EU01", "fiscal_period": "2026-P03", "closed_by": "ann"}
    closes = [known(closed_at="2026-04-05", **close)]
    late = "2026-04-09"
    rows = [
        ledger("on time", 1, "6330", "1.00", cost_center_id="CC310"),
        ledger("late", 1, "6330", "2.00", cost_center_id="CC310", known_at=late),
        ledger(
            "allowed", 1, "6330", "3.00", cost_center_id="CC310", known_at=late, adjustment_id="A1"
        ),
    ]
    given = {"stg_budget__period_closes": closes, "stg_cost__gl_entry_versions": rows}
    found = violations(project, "late_posting", **given)
    assert [row[:2] for row in found] == [("journal_id=late, line_number=1", Decimal("2.00"))]

    # The same line alone: the whole period came after its close, as history taken over does.
    found = violations(project, "late_posting", **given | {"stg_cost__gl_entry_versions": rows[1:]})
    assert found == []


def test_a_month_between_others_without_rows_is_named(project: CompiledProject) -> None:
    payroll = [
        known(period_month=dt.date(2026, month, 1), person_id="p", known_at="2026-06-01")
        for month in (1, 2, 4)
    ]
    found = violations(project, "missing_month", stg_cost__payroll=payroll)
    assert [row[0] for row in found] == ["month=2026-03"]


def test_products_are_asked_for_only_where_products_were_sent(project: CompiledProject) -> None:
    rows = [ledger("J1", 1, "4010", "-7.00", product_id="P9")]
    products = [known(product_id="P1", product_name="One")]
    found = violations(
        project, "unknown_product", stg_cost__gl_entry_versions=rows, stg_product__products=products
    )
    assert [row[:2] for row in found] == [("journal_id=J1, line_number=1", Decimal("-7.00"))]
    assert violations(project, "unknown_product", stg_cost__gl_entry_versions=rows) == []


def test_postings_without_a_place_are_named(project: CompiledProject) -> None:
    rows = [
        ledger("account", 1, "9999", "1.00"),
        ledger("center", 1, "6330", "1.00", cost_center_id="CC9"),
        ledger("no center", 1, "6330", "1.00"),
        ledger("date", 1, "1100", "1.00", posted_on=dt.date(2062, 1, 1)),
        ledger("fine", 1, "1100", "1.00"),
        ledger("fine", 2, "4010", "-1.00"),
    ]
    found = violations(project, "unplaced_posting", stg_cost__gl_entry_versions=rows)
    assert {row[0].split(",")[0] for row in found} == {
        "journal_id=account",
        "journal_id=center",
        "journal_id=no center",
        "journal_id=date",
    }


def test_nobody_approves_their_own_posting(project: CompiledProject) -> None:
    rows = [
        ledger("own", 1, "1100", "1.00", posted_by="ann", approved_by="ann"),
        ledger("other", 1, "1100", "1.00", posted_by="ann", approved_by="bob"),
        ledger("open", 1, "1100", "1.00", posted_by="ann"),
    ]
    found = violations(project, "self_approval", stg_cost__gl_entry_versions=rows)
    assert [row[0] for row in found] == ["journal_id=own, line_number=1"]
