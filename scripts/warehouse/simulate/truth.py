"""Writes what is true about the company, for tests and simulations only; no model may read it."""

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from .calendar import iso, month_start
from .cloud import CloudBill
from .defects import Defect
from .drivers import Drivers
from .investment import Investments
from .marketing import Journeys
from .parameters import CHANNEL_EFFECT, all_parameters


class Truth:
    """The truth folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def _write(self, name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        with (self._folder / name).open("w", encoding="utf-8", newline="") as lines:
            writer = csv.writer(lines, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(rows)

    def parameters(self, seed: int, scale: int) -> None:
        """Every planted constant by name."""
        found = {"SEED": seed, "SCALE": scale, **all_parameters()}
        text = json.dumps(found, indent=2, sort_keys=True)
        (self._folder / "parameters.json").write_text(text + "\n", encoding="utf-8")

    def defects(self, defects: list[Defect]) -> None:
        """Which rule is broken in which file at which key."""
        self._write("defects.csv", ("rule", "file", "key", "detail"), sorted(defects))

    def channels(self, journeys: Journeys) -> None:
        """What would not have been bought without a channel."""
        self._write(
            "channel_effects.csv",
            ("channel", "log_odds", "incremental_conversions", "incremental_share", "incremental_value_usd"),
            [
                (c, effect, f"{journeys.conversions_true[c]:.4f}",
                 f"{journeys.conversions_true[c] / max(1, journeys.wins):.6f}", f"{journeys.value_true[c]:.2f}")
                for c, effect in CHANNEL_EFFECT.items()
            ],
        )  # fmt: skip

    def investments(self, investments: Investments) -> None:
        """True cost and benefit of every initiative by month."""
        rows = []
        for initiative, true in investments.true.items():
            for month in sorted({*true.cost, *true.benefit}):
                cost, benefit = true.cost.get(month, 0.0), true.benefit.get(month, 0.0)
                rows.append((initiative, iso(month_start(month)), f"{cost:.2f}", f"{benefit:.2f}"))
        self._write(
            "initiatives.csv", ("initiative_id", "period_month", "cost_usd", "benefit_usd"), rows
        )

    def costs(self, drivers: Drivers, bill: CloudBill) -> None:
        """What each product truly consumed, the leak, and the anomalies."""
        self._write(
            "product_costs.csv",
            ("period_month", "product_id", "pool", "cost_usd"),
            [(iso(month_start(m)), p, pool, f"{v:.2f}") for m, p, pool, v in drivers.true_cost],
        )
        anomalies = [
            (day, account, service, f"{extra:.2f}")
            for day, account, service, extra in bill.anomalies
        ]
        self._write(
            "cost_anomalies.csv", ("charge_date", "account", "service", "excess_usd"), anomalies
        )
        leak = [(iso(month_start(m)), f"{v:.2f}") for m, v in sorted(bill.leak.items())]
        self._write("cost_leak.csv", ("period_month", "excess_usd"), leak)
