"""Allocation drivers as they were measured, and the true consumption behind them."""

from collections import defaultdict

import numpy as np

from .calendar import CLOSED_MONTHS, iso, month_end, month_rates, month_start
from .catalog import PRODUCT_IDS
from .cloud import CloudBill
from .ledger import Sales
from .parameters import DRIVER_NOISE
from .people import TEAM, TEAMS, Labour
from .sink import Row, stream

_REQUESTS = {"P1": 1.0, "P2": 0.8, "P3": 1.6, "P4": 1.2, "P5": 0.7, "P6": 2.5}  # per event
_STORAGE = {"P1": 0.9, "P2": 0.7, "P3": 0.35, "P4": 0.3, "P5": 0.5, "P6": 0.2}
# What service cost centers use of each other, as a share of all products together.
_INTERNAL = {
    "requests": {"CC130": 0.12, "CC400": 0.03, "CC310": 0.02},
    "storage_gb": {"CC120": 0.1, "CC400": 0.04, "CC310": 0.05},
}
# Pool, cost center whose payroll it is, driver it truly follows.
_POOLS = (("platform_people", "CC120", "requests"), ("data_people", "CC130", "storage_gb"))


class Drivers:
    """Monthly driver quantities, and the true cost of every product."""

    def __init__(self, seed: int, sales: Sales, labour: Labour, bill: CloudBill) -> None:
        self._rng = stream(seed, "drivers")
        self._sales = sales
        self._labour = labour
        self._bill = bill
        self._rates = month_rates()
        self.true_cost: list[tuple[int, str, str, float]] = []
        self._stored = np.zeros(len(PRODUCT_IDS))

    def rows(self) -> list[Row]:
        """Measured drivers of all closed months."""
        rows: list[Row] = []
        for month in range(CLOSED_MONTHS):
            true = self._true(month)
            for driver in sorted(true):
                for consumer, quantity in true[driver].items():
                    if quantity <= 0:
                        continue
                    measured = quantity
                    if driver in ("requests", "storage_gb"):
                        measured *= float(np.exp(DRIVER_NOISE * self._rng.standard_normal()))
                    rows.append(
                        [
                            driver,
                            iso(month_start(month)),
                            consumer,
                            f"{round(measured)}",
                            iso(month_end(month) + 3),
                        ]
                    )
            self._cost(month, true)
        return rows

    def _true(self, month: int) -> dict[str, dict[str, float]]:
        events = self._sales.events[month]
        self._stored = (
            self._stored * 0.97 + events * np.array([_STORAGE[p] for p in PRODUCT_IDS]) / 40
        )
        products: dict[str, dict[str, float]] = defaultdict(dict)
        for index, product in enumerate(PRODUCT_IDS):
            products["seats"][product] = float(self._sales.seats[month, index])
            products["requests"][product] = float(events[index] * _REQUESTS[product])
            products["storage_gb"][product] = float(self._stored[index])
        for driver, internal in _INTERNAL.items():
            total = sum(products[driver].values())
            for center, share in internal.items():
                products[driver][center] = total * share
        for team in TEAMS:
            products["headcount"][team.cost_center] = float(
                self._labour.headcount[month, team.cost_center]
            )
        return products

    def _cost(self, month: int, true: dict[str, dict[str, float]]) -> None:
        """True consumption: cloud by account, labour by hours, service pools by true drivers."""
        cost: dict[tuple[str, str], float] = defaultdict(float)
        for (m, account, _), value in self._bill.true_cost.items():
            if m == month and account in PRODUCT_IDS:
                cost[account, "cloud"] += value
        shared = {
            "platform_cloud": (
                sum(v for (m, a, _), v in self._bill.true_cost.items() if m == month and a == ""),
                "requests",
            ),
            "data_cloud": (
                sum(
                    v for (m, a, _), v in self._bill.true_cost.items() if m == month and a == "data"
                ),
                "storage_gb",
            ),
        }
        for pool, center, driver in _POOLS:
            rate = self._rates[TEAM[center].currency, month][0]
            shared[pool] = (self._labour.payroll[month, center] / 100 * rate, driver)
        for pool, (amount, driver) in shared.items():
            weights = {p: true[driver].get(p, 0.0) for p in PRODUCT_IDS}
            total = sum(weights.values())
            for product, weight in weights.items():
                cost[product, pool] += amount * weight / total
        for (m, product, currency), value in self._labour.product_cost.items():
            if m == month and product in PRODUCT_IDS:
                cost[product, "labour"] += value / 100 * self._rates[currency, month][0]
        for (product, pool), amount in sorted(cost.items()):
            if amount:
                self.true_cost.append((month, product, pool, amount))
