"""The cloud bill in FOCUS columns: monthly charges first, daily ones in the last months."""

import json
from collections import defaultdict
from typing import Any

import numpy as np

from .calendar import (
    CLOSED_MONTHS,
    FIRST_DAY,
    LAST_DAY,
    MONTHS,
    day,
    iso,
    month_end,
    month_of,
    month_start,
    weekday,
)
from .catalog import PRODUCT, PRODUCT_IDS
from .parameters import (
    CLOUD_SAVINGS,
    COST_ANOMALIES,
    LEAK_GROWTH,
    LEAK_MONTH,
    LEAK_PRODUCT,
    LEAK_SERVICE,
    UNTAGGED_RATE,
)
from .sink import Row, Sink, stream

DAILY_FROM = "2026-04-01"  # at scale 1; earlier months hold one charge a month
_DATA = "data"
_CATEGORY = {
    "Virtual Machines": "Compute",
    "Managed Database": "Databases",
    "Object Storage": "Storage",
    "Data Transfer": "Networking",
    "Model Inference": "AI and Machine Learning",
    "Data Warehouse": "Analytics",
    "Monitoring": "Management and Governance",
}
_UNIT = {
    "Virtual Machines": "Hours",
    "Managed Database": "Hours",
    "Object Storage": "GB-Month",
    "Data Transfer": "GB",
    "Model Inference": "1K Tokens",
    "Data Warehouse": "Credits",
    "Monitoring": "Hosts",
}
# Account (a product or shared), service, share of the account's cost.
_MIX = (
    ("P1", "Virtual Machines", 0.52), ("P1", "Managed Database", 0.33), ("P1", "Object Storage", 0.15),
    ("P2", "Virtual Machines", 0.6), ("P2", "Managed Database", 0.4),
    ("P3", "Virtual Machines", 0.62), ("P3", "Object Storage", 0.14), ("P3", "Data Transfer", 0.24),
    ("P4", "Virtual Machines", 1.0),
    ("P5", "Virtual Machines", 1.0),
    ("P6", "Virtual Machines", 0.25), ("P6", "Model Inference", 0.75),
    ("", "Virtual Machines", 0.6), ("", "Monitoring", 0.4),
    (_DATA, "Data Warehouse", 1.0),
)  # fmt: skip
_SHARED_BASE = {"": 9_000, _DATA: 8_500}  # USD a month at scale 1
# Commitments: id, first day, first day after, price in USD at scale 1, paid upfront.
COMMITMENTS = (
    ("cd-2023", "2023-10-01", "2024-10-01", 130_000),
    ("cd-2024", "2024-10-01", "2025-10-01", 170_000),
    ("cd-2025", "2025-10-01", "2026-10-01", 220_000),
    ("cd-2026", "2026-10-01", "2027-10-01", 260_000),
)
_COMMITTED = (("P1", 0.5), ("P3", 0.5))  # whose virtual machines draw on it
_E4 = 10_000  # amounts are integers in ten-thousandths


class CloudBill:
    """Builds the bill from usage and sums it for the ledger."""

    def __init__(self, seed: int, scale: int, events: np.ndarray, daily_from: int) -> None:
        self._rng = stream(seed, "cloud")
        self._scale = scale
        self._events = events  # month x product, in events
        self._daily_from = daily_from
        self.billed: dict[tuple[int, str], int] = defaultdict(int)  # in ten-thousandths
        self.effective: dict[tuple[int, str], int] = defaultdict(int)
        self.true_cost: dict[tuple[int, str, str], float] = defaultdict(float)
        self.anomalies: list[tuple[str, str, str, float]] = []
        self.leak: dict[int, float] = {}
        self.saved: dict[tuple[str, int], float] = defaultdict(float)

    def write(self, sink: Sink) -> None:
        """All charges, in order of billing period."""
        self._columns = sink.columns("cloud_costs")
        for month in range(MONTHS):
            rows = [*self._purchases(month), *self._usage(month), *self._other(month)]
            sink.add("cloud_costs", rows)

    def _level(self, account: str, service: str, month: int) -> float:
        """True cost of a full month in USD, before discounts."""
        if account in _SHARED_BASE:
            cost = _SHARED_BASE[account] * (1 + 0.011 * month)
        else:
            product = PRODUCT[account]
            if account == "P6" and month < 6:
                return 0.0
            known = self._events[month, PRODUCT_IDS.index(account)] / self._scale
            if month == MONTHS - 1:
                known *= 31 / 20
            cost = product.cloud_base * (1 + 0.004 * month) + product.cloud_unit * known / 1000
        share = next(s for a, v, s in _MIX if (a, v) == (account, service))
        level = cost * share * self._scale
        for initiative, saver, services, first, saving in CLOUD_SAVINGS:
            if account == saver and service in services and month >= month_of(day(first)):
                self.saved[initiative, month] += level * saving
                level *= 1 - saving
        if (account, service) == (LEAK_PRODUCT, LEAK_SERVICE):
            leaking = month - month_of(day(LEAK_MONTH + "-01")) + 1
            if leaking > 0:
                extra = level * ((1 + LEAK_GROWTH) ** leaking - 1)
                self.leak[month] = extra
                level += extra
        return float(level)

    def _usage(self, month: int) -> list[Row]:
        rng = self._rng
        rows: list[Row] = []
        last = min(month_end(month), LAST_DAY)
        daily = month_start(month) >= self._daily_from
        spans = (
            [(d, d + 1) for d in range(month_start(month), last + 1)]
            if daily
            else [(month_start(month), last + 1)]
        )
        days = month_end(month) - month_start(month) + 1
        drawn: dict[tuple[int, str], tuple[int, int]] = self._commitment(spans, rows, month)
        for account, service, _ in _MIX:
            level = self._level(account, service, month)
            if not level:
                continue
            self.true_cost[month, account, service] += level
            for start, end in spans:
                value = level * (end - start) / days * float(np.exp(0.05 * rng.standard_normal()))
                if daily:
                    value *= 0.78 if weekday(start) >= 5 else 1.088
                value *= self._anomaly(account, service, start, end, value)
                listed = round(value * _E4)
                contracted = round(listed * 0.92)
                committed, effective = (
                    drawn.get((start, account), (0, 0)) if service == "Virtual Machines" else (0, 0)
                )
                on_demand = max(0, contracted - committed)
                if committed:
                    rows.append(self._row(month, start, end, account, service, 0, effective,
                                          round(committed / 0.92), committed, "Usage",
                                          commitment=self._id(start), status="Used"))  # fmt: skip
                rows.append(self._row(month, start, end, account, service, on_demand, on_demand,
                                      round(on_demand / 0.92), on_demand, "Usage"))  # fmt: skip
        return rows

    def _anomaly(self, account: str, service: str, start: int, end: int, value: float) -> float:
        for first, length, product, named, factor in COST_ANOMALIES:
            if (product, named) == ("" if account == _DATA else account, service):
                inside = max(0, min(end, day(first) + length) - max(start, day(first)))
                if inside:
                    extra = (factor - 1) * inside / (end - start)
                    self.anomalies.append((iso(start), account, service, value * extra))
                    return 1 + extra
        return 1.0

    def _id(self, on: int) -> str:
        return next(c[0] for c in COMMITMENTS if day(c[1]) <= on < day(c[2]))

    def _commitment(
        self, spans: list[tuple[int, int]], rows: list[Row], month: int
    ) -> dict[tuple[int, str], tuple[int, int]]:
        """What committed machines cover at contracted prices, and its amortised cost; the rest is unused."""
        drawn: dict[tuple[int, str], tuple[int, int]] = {}
        for start, end in spans:
            name, first, after, usd = next(c for c in COMMITMENTS if day(c[1]) <= start < day(c[2]))
            price = usd * self._scale * _E4
            term = day(after) - day(first)
            cost = price * (end - day(first)) // term - price * (start - day(first)) // term
            idle = float(self._rng.uniform(0.02, 0.09))
            left = cost
            for account, share in _COMMITTED:
                effective = int(cost * (1 - idle) * share)
                drawn[start, account] = round(effective / 0.75), effective
                left -= effective
            rows.append(self._row(month, start, end, "", "Virtual Machines", 0, left, 0, 0, "Usage",
                                  commitment=name, status="Unused", untagged=True))  # fmt: skip
        return drawn

    def _purchases(self, month: int) -> list[Row]:
        rows = []
        for name, first, after, usd in COMMITMENTS:
            if month_of(day(first)) == month:
                price = usd * self._scale * _E4
                rows.append(self._row(month, day(first), day(after), "", "Virtual Machines", price, 0,
                                      price, price, "Purchase", commitment=name, untagged=True))  # fmt: skip
        return rows

    def _other(self, month: int) -> list[Row]:
        """Tax, credits and corrections; and the bill's last hundredths, so that it ends on whole cents."""
        rows: list[Row] = []
        start, end = month_start(month), min(month_end(month), LAST_DAY) + 1
        if month >= CLOSED_MONTHS:
            return rows
        scale = self._scale
        taxable = sum(v for (m, _), v in self.billed.items() if m == month)
        rows.append(self._row(month, start, end, "", "Monitoring", taxable // 80 // 100 * 100, taxable // 80 // 100 * 100,
                              0, 0, "Tax", untagged=True))  # fmt: skip
        if month % 3 == 2 and month >= 16:
            value = -1_500 * scale * _E4
            rows.append(
                self._row(month, start, end, "P6", "Model Inference", value, value, 0, 0, "Credit")
            )
        if month in (8, 19, 28, 33):
            value = -(240 + 35 * month) * scale * _E4
            rows.append(self._row(month, month_start(month - 1), month_end(month - 1) + 1, "P1", "Managed Database",
                                  value, value, value, value, "Usage", charge_class="Correction"))  # fmt: skip
        for account in ("", *PRODUCT_IDS):
            rest = -self.billed[month, account] % 100
            if rest:
                rows.append(self._row(month, start, end, account, "Virtual Machines", rest, rest, 0, 0, "Adjustment",
                                      untagged=not account))  # fmt: skip
        return rows

    def _row(
        self,
        month: int,
        start: int,
        end: int,
        account: str,
        service: str,
        billed: int,
        effective: int,
        listed: int,
        contracted: int,
        category: str,
        commitment: str = "",
        status: str = "",
        charge_class: str = "",
        untagged: bool = False,
    ) -> Row:
        product = account if account in PRODUCT else ""
        if (
            category == "Usage"
            and not commitment
            and not charge_class
            and self._rng.random() < UNTAGGED_RATE
        ):
            untagged = True
        tags: dict[str, Any] = {}
        if not untagged and product:
            tags = {"product": product, "owner": PRODUCT[product].owner.lower().replace(" ", "-")}
        elif not untagged:
            tags = {"owner": "head-of-data" if account == _DATA else "head-of-platform"}
        key = (month, product if tags.get("product") else "")
        self.billed[key] += billed
        self.effective[key] += effective
        name = account.lower() or "platform"
        quantity = listed * 4 // _E4
        values = {
            "BilledCost": _amount(billed),
            "EffectiveCost": _amount(effective),
            "ListCost": _amount(listed),
            "ContractedCost": _amount(contracted),
            "ChargeCategory": category,
            "ChargeClass": charge_class,
            "ChargeFrequency": "One-Time" if category in ("Purchase", "Credit") else "Usage-Based",
            "ChargePeriodStart": iso(start),
            "ChargePeriodEnd": iso(end),
            "BillingPeriodStart": iso(month_start(month)),
            "BillingPeriodEnd": iso(month_end(month) + 1),
            "BillingCurrency": "USD",
            "InvoiceId": f"AX-{iso(month_start(month))[:7]}",
            "ServiceName": service,
            "ServiceCategory": _CATEGORY[service],
            "SubAccountId": f"acct-{name}",
            "ResourceId": f"{name}-{service.split()[-1].lower()}" if category == "Usage" else "",
            "RegionId": "eu-west" if account in ("P2", "P4", "P5", _DATA) else "us-east",
            "CommitmentDiscountId": commitment,
            "CommitmentDiscountStatus": status,
            "PricingQuantity": str(quantity) if category == "Usage" else "",
            "PricingUnit": _UNIT[service] if category == "Usage" else "",
            "ProviderName": "Axle Cloud",
            "Tags": json.dumps(tags, separators=(",", ":")) if tags else "",
            "recorded_at": iso(
                min(max(start if category == "Purchase" else end, month_start(month)) + 1, LAST_DAY)
            ),
        }
        return [values.get(column, "") for column in self._columns]


def _amount(e4: int) -> str:
    sign = "-" if e4 < 0 else ""
    whole, rest = divmod(abs(e4), _E4)
    text = f"{sign}{whole}.{rest:04d}"
    return text.removesuffix("00")


def first_daily_day(scale: int) -> int:
    """Large companies have daily charges throughout."""
    return FIRST_DAY if scale >= 10 else day(DAILY_FROM)
