"""Pay is hidden in groups and still ties, on any roster."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.compiled import CompiledProject

MONTH = date(2026, 3, 1)
CENTERS = ["CC100", "CC110", "CC120", "CC130", "CC200", "CC300", "CC400", "CC410"]
MINIMUM_GROUP = 5


def person(name: str, cost_center: str, role: str = "engineer", **columns: Any) -> dict[str, Any]:
    return {
        "person_id": name,
        "period_month": MONTH,
        "cost_center_id": cost_center,
        "role": role,
        "base_pay": Decimal(8000),
        "bonus": Decimal(0),
        "employer_taxes": Decimal(0),
        "benefits_cost": Decimal(0),
        "tools_cost": Decimal(0),
        "space_cost": Decimal(0),
        "contracted_hours": Decimal(160),
        "leave_hours": Decimal(0),
        "meeting_hours": Decimal(0),
        "currency": "USD",
    } | columns


def entry(name: str, who: str, hours: float, **columns: Any) -> dict[str, Any]:
    return {
        "entry_id": name,
        "person_id": who,
        "work_date": date(2026, 3, 13),
        "product_id": "P1",
        "initiative_id": None,
        "activity_type": "development",
        "hours": Decimal(str(hours)),
    } | columns


def test_rates_and_unused_capacity(project: CompiledProject) -> None:
    """Five people, 1,000 practical hours of 1,100 at work; pay 44,000, tools and space 6,000; 900 used."""
    people = [
        person(
            f"E{number}",
            "CC100",
            base_pay=Decimal(7000),
            bonus=Decimal(800),
            employer_taxes=Decimal(600),
            benefits_cost=Decimal(400),
            tools_cost=Decimal(500),
            space_cost=Decimal(700),
            contracted_hours=Decimal(240),
            leave_hours=Decimal(20),
            meeting_hours=Decimal(20),
        )
        for number in range(5)
    ]
    entries = [entry(f"W{number}", f"E{number}", 180) for number in range(5)]
    entries.append(entry("W9", "E0", 20, activity_type="meetings"))
    with project.run(
        ["fct_labour_costs"],
        given={
            "stg_cost__payroll": people,
            "stg_cost__timesheets": entries,
            "stg_product__products": [{"product_id": "P1"}],
        },
    ) as connection:
        lines = connection.execute(
            """
            select line_type, is_productive, sum(hours), sum(fully_loaded_amount), sum(payroll_amount),
                sum(capitalisable_amount), max(fully_loaded_rate), max(payroll_rate), max(capitalisable_rate)
            from marts.fct_labour_costs
            group by all
            order by all
            """
        ).fetchall()
    assert [(kind, productive, *map(float, rest)) for kind, productive, *rest in lines] == [
        ("timesheet", False, 20, 0, 0, 0, 50, 44, 40),
        ("timesheet", True, 900, 45_000, 39_600, 36_000, 50, 44, 40),
        ("unused_capacity", False, 100, 5_000, 4_400, 0, 50, 44, 40),
    ]


@st.composite
def rosters(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    source = random.Random(draw(st.integers(0, 2**32)))
    people = [
        person(
            f"{center}-{number}",
            center,
            source.choice(["engineer", "designer", "lead"]),
            base_pay=Decimal(source.randint(100_000, 1_500_000)) / 100,
            space_cost=Decimal(source.randint(0, 50_000)) / 100,
            leave_hours=Decimal(source.choice([0, 8, 160])),
            meeting_hours=Decimal(source.choice([0, 10])),
            currency=source.choice(["USD", "EUR"]),
        )
        for center in source.sample(CENTERS, source.randint(1, 4))
        for number in range(source.randint(1, 14))
    ]
    entries = [
        entry(f"W{number}", source.choice(people)["person_id"], source.randint(1, 700) / 4)
        for number in range(source.randint(0, 20))
    ]
    return people, entries


@settings(max_examples=15, deadline=None)
@given(rosters())
def test_no_group_is_small_and_no_cent_is_lost(
    project: CompiledProject, roster: tuple[list[dict[str, Any]], list[dict[str, Any]]]
) -> None:
    people, entries = roster
    with project.run(
        ["fct_labour_costs"],
        given={
            "stg_cost__payroll": people,
            "stg_cost__timesheets": entries,
            "stg_product__products": [{"product_id": "P1"}],
        },
    ) as connection:
        groups = dict(
            connection.execute(
                "select person_id, rate_group_id from intermediate.int_payroll_people"
            ).fetchall()
        )
        paid = dict(
            connection.execute(
                """
                select rate_group_id, sum(payroll_amount + tools_amount + space_amount)
                from intermediate.int_payroll_people
                group by all
                """
            ).fetchall()
        )
        shown = dict(
            connection.execute(
                """
                select rate_group_id, sum(fully_loaded_amount)
                from marts.fct_labour_costs
                where rate_group_id is not null
                group by all
                """
            ).fetchall()
        )
    sizes = Counter(group for group in groups.values() if group)
    assert all(size >= MINIMUM_GROUP for size in sizes.values())
    assert sum(1 for group in groups.values() if not group) < MINIMUM_GROUP
    # A group in which nobody had an hour to work has no rate to show.
    for group, amount in shown.items():
        if amount is not None:
            assert amount == pytest.approx(paid[group], abs=0)
