"""Amortisation: every asset is charged to the cent, whatever its cost, life and changes of life."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from warehouse.compiled import CompiledProject

BEFORE = "2024-P01"


def schedule(
    project: CompiledProject,
    assets: dict[str, dict[str, Any]],
    changes: list[dict[str, Any]] | None = None,
) -> dict[str, list[tuple[str, Decimal, Decimal, bool]]]:
    """Period, charge, closing amount and impairment flag of each asset."""
    connection = project.run(
        ["fct_capitalised_software"],
        given={
            "int_development_costs": [
                {
                    "initiative_id": asset,
                    "fiscal_period": BEFORE,
                    "capitalised_amount": values["cost"],
                }
                for asset, values in assets.items()
            ],
            "dim_initiative": [
                {
                    "initiative_id": asset,
                    "status": values.get("status", "live"),
                    "ready_for_use_on": values["ready"],
                    "useful_life_months": values["life"],
                }
                for asset, values in assets.items()
            ],
            "useful_life_changes": changes or [],
            "capitalisation_decisions": [
                {"initiative_id": asset, "valid_from": values["stopped"], "is_capitalisable": False}
                for asset, values in assets.items()
                if "stopped" in values
            ],
            "fct_cost_entries": [],
            "int_reporting_date": [{"reporting_on": date(2026, 10, 20)}],
        },
    )
    with connection:
        found: dict[str, list[tuple[str, Decimal, Decimal, bool]]] = {}
        for asset, *row in connection.execute(
            """
            select initiative_id, fiscal_period, amortisation_amount, closing_carrying_amount, is_impairment_flagged
            from marts.fct_capitalised_software
            order by initiative_id, fiscal_period
            """
        ).fetchall():
            found.setdefault(asset, []).append((row[0], row[1], row[2], row[3]))
    return found


def test_three_years_are_37_charges(project: CompiledProject) -> None:
    """480,000 ready on 2025-03-16 for three years, 1,096 days."""
    asset = {"cost": Decimal(480_000), "ready": date(2025, 3, 16), "life": 36}
    rows = schedule(project, {"I1": asset})["I1"]
    charges = {period: charge for period, charge, _, _ in rows if charge}
    assert len(charges) == 37
    assert sum(charges.values()) == 480_000
    assert charges["2025-P03"] == Decimal("7007.30")
    assert charges["2025-P04"] == Decimal("13138.69")
    assert charges["2028-P03"] == Decimal("6569.34")


def test_charges_make_the_cost_on_random_assets(project: CompiledProject) -> None:
    source = random.Random(7)
    assets = {}
    changes = []
    for number in range(300):
        asset = f"I{number:03}"
        ready = date(2024, 2, 1) + timedelta(days=source.randrange(900))
        life = source.randint(1, 72)
        assets[asset] = {
            "cost": Decimal(source.randint(1, 10**10)) / 100,
            "ready": ready,
            "life": life,
        }
        changes += [
            {
                "initiative_id": asset,
                "effective_on": ready + timedelta(days=source.randrange(1, 30 * life + 1)),
                "useful_life_months": source.randint(1, 72),
            }
            for _ in range(source.choice([0, 0, 1, 2]))
        ]
    unique = {(change["initiative_id"], change["effective_on"]): change for change in changes}
    found = schedule(project, assets, list(unique.values()))
    assert set(found) == set(assets)
    for asset, rows in found.items():
        assert sum(charge for _, charge, _, _ in rows) == assets[asset]["cost"]
        assert all(charge >= 0 for _, charge, _, _ in rows)
        assert all(closing >= 0 for _, _, closing, _ in rows)
        assert rows[-1][2] == 0


@pytest.mark.parametrize(
    ("ready", "left"), [(None, 1000), (date(2025, 1, 1), 1000 - round(1000 * 181 / 365, 2))]
)
def test_an_abandoned_asset_stops_and_is_flagged(
    project: CompiledProject, ready: date | None, left: float
) -> None:
    asset = {
        "cost": Decimal(1000),
        "ready": ready,
        "life": 12,
        "status": "abandoned",
        "stopped": date(2025, 7, 1),
    }
    rows = schedule(project, {"I1": asset})["I1"]
    assert float(rows[-1][2]) == pytest.approx(left)
    assert rows[-1][3]
    assert all(charge == 0 for period, charge, _, _ in rows if period >= "2025-P07")
