"""Initiatives: their plans, milestones, business cases and the benefits they turned out to have."""

from collections import defaultdict
from dataclasses import dataclass

from .calendar import (
    CLOSED_MONTHS,
    FIRST_DAY,
    LAST_DAY,
    MONTHS,
    day,
    iso,
    month_end,
    month_of,
    month_rates,
    month_start,
)
from .catalog import FEATURES, INITIATIVES, PRODUCTS, Initiative
from .ledger import useful_life_months
from .people import Labour
from .procurement import SupplierInvoice
from .sink import Row, money, stream

_MONTHLY_COST = 12_600  # USD of one full-time person on an initiative, as planners reckon
_NOISE = {"A": 0.06, "B": 0.1, "C": 0.08, "D": 0.3, "E": 0.5}
_BENEFIT_MONTHS = 36
_SPONSORS = {"OBJ1": "Chief revenue officer", "OBJ2": "Chief customer officer", "OBJ3": "Chief product officer",
             "OBJ4": "Chief product officer", "OBJ5": "Chief financial officer"}  # fmt: skip
_OWNERS = {"": "Head of platform", **{p.product_id: p.owner for p in PRODUCTS}}
_WEIGHTS = (
    (0.15, "Design agreed"),
    (0.35, "First users"),
    (0.3, "Feature complete"),
    (0.2, "Ready for use"),
)


@dataclass(frozen=True)
class TrueInvestment:
    """What an initiative truly cost and brought, in USD by month."""

    cost: dict[int, float]
    benefit: dict[int, float]


def products_and_features() -> tuple[list[Row], list[Row]]:
    """Rows of products and features; a change of stage or a release is a later row of the same key."""
    products: list[Row] = []
    for product in PRODUCTS:
        for when, stage in product.stages:
            known = max(FIRST_DAY, day(when))
            launched = product.launched if day(product.launched) <= known else ""
            products.append(
                [
                    product.product_id,
                    product.name,
                    product.line,
                    stage,
                    launched,
                    "",
                    product.owner,
                    iso(known),
                ]
            )
    features: list[Row] = []
    for feature in FEATURES:
        common = [feature.feature_id, feature.product_id, feature.name,
                  "true" if feature.add_on_price else "false", f"{feature.weight:.4f}"]  # fmt: skip
        released = feature.released
        if not released:
            features.append([*common, "", "", "2026-03-02"])
            continue
        features.append([*common, released, "", iso(max(FIRST_DAY, day(released)))])
        if feature.retired:
            features.append([*common, released, feature.retired, feature.retired])
    products.sort(key=lambda row: (row[-1], row[0]))
    features.sort(key=lambda row: (row[-1], row[0]))
    return products, features


def initiative_rows() -> tuple[list[Row], list[Row]]:
    """Initiatives as they went through their states, and their milestones."""
    rows: list[Row] = []
    milestones: list[Row] = []
    for item in INITIATIVES:
        planned = day(item.planned_start)
        approved = planned - 21 if item.status not in ("proposed", "rejected") else 0
        proposed = max(FIRST_DAY - 10, min(planned - 75, day("2026-09-15")))
        rate = 0.12 if item.kind == "new_product" else 0.08 if item.kind == "compliance" else 0.10

        def row(status: str, known: int, started: str = "", ready: str = "", item: Initiative = item,
                approved: int = approved, rate: float = rate) -> Row:  # fmt: skip
            shown = approved if approved and known >= approved else 0
            return [
                item.initiative_id, item.product_id, item.feature_id, item.name, item.kind, item.objective, status,
                _SPONSORS[item.objective], _OWNERS[item.product_id], "Investment board" if shown else "",
                iso(shown) if shown else "", item.planned_start, item.planned_end, started, ready, f"{rate:.6f}",
                str(useful_life_months(item.initiative_id)), item.depends, item.exclusive,
                "true" if item.mandatory else "false", iso(max(known, FIRST_DAY)),
            ]  # fmt: skip

        rows.append(row("proposed", proposed))
        if approved:
            rows.append(row("approved", max(approved, proposed + 1, FIRST_DAY + 1)))
        if item.started:
            rows.append(row("in_progress", max(day(item.started), FIRST_DAY + 2), item.started))
        if item.status == "live":
            rows.append(row("live", day(item.ready), item.started, item.ready))
        elif item.status == "abandoned":
            rows.append(row("abandoned", day(item.end), item.started))
        if item.started:
            milestones += _milestones(item)
    rows.sort(key=lambda r: (r[-1], r[0]))
    milestones.sort(key=lambda r: (r[-1], r[0]))
    return rows, milestones


def _milestones(item: Initiative) -> list[Row]:
    rows: list[Row] = []
    start, end = day(item.planned_start), day(item.planned_end)
    begun = day(item.started)
    actual_end = day(item.ready) if item.ready else begun + round((end - start) * item.overrun)
    place = 0.0
    for number, (weight, name) in enumerate(_WEIGHTS, 1):
        place += weight
        planned = start + round((end - start) * place)
        accepted = begun + round((actual_end - begun) * place)
        common = [
            f"{item.initiative_id}-M{number}",
            item.initiative_id,
            name,
            f"{weight:.6f}",
            iso(planned),
        ]
        rows.append([*common, "", iso(max(FIRST_DAY, start - 20))])
        stopped = item.status == "abandoned" and accepted >= day(item.end)
        if accepted <= LAST_DAY and not stopped and not (not item.ready and number == 4):
            rows.append([*common, iso(accepted), iso(accepted)])
    return rows


class Investments:
    """Business cases, the benefits ledger, and the truth behind them."""

    def __init__(self, seed: int, scale: int, labour: Labour, invoices: list[SupplierInvoice],
                 saved: dict[tuple[str, int], float]) -> None:  # fmt: skip
        self._scale = scale
        self._rng = stream(seed, "investment")
        self._rates = month_rates()
        self._saved = saved
        self.true: dict[str, TrueInvestment] = {}
        self.defects: list[tuple[str, str, str, str]] = []
        costs: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
        for (month, initiative, currency), value in labour.initiative_cost.items():
            costs[initiative][month] += value / 100 * self._rates[currency, month][0]
        for invoice in invoices:
            if invoice.initiative:
                month = month_of(invoice.on)
                costs[invoice.initiative][month] += (
                    invoice.amount / 100 * self._rates[invoice.currency, month][0]
                )
        for item in INITIATIVES:
            self.true[item.initiative_id] = TrueInvestment(
                dict(costs[item.initiative_id]), self._benefit(item)
            )

    def _benefit(self, item: Initiative) -> dict[int, float]:
        if not item.ready:
            return {}
        first = month_of(day(item.ready)) + 1
        measured = {
            m: v for (i, m), v in self._saved.items() if i == item.initiative_id and m >= first
        }
        if measured:
            return dict(sorted(measured.items()))
        monthly = item.value / 12 * self._scale
        return {m: monthly * _ramp(m - first) for m in range(first, MONTHS)}

    def _yearly(self, item: Initiative) -> float:
        """True yearly benefit at full effect; of cloud savings, what they come to."""
        saved = [v for (i, _), v in self._saved.items() if i == item.initiative_id]
        if saved:
            return 12 * sum(saved) / len(saved)
        return float(item.value * self._scale)

    def case_rows(self) -> list[Row]:
        """Planned monthly flows of every initiative and case version, in USD."""
        rows: list[Row] = []
        for item in INITIATIVES:
            proposed = item.status in ("proposed", "approved")
            rows += self._case(
                item, "original", 1.0, 0, item.optimism, proposed and item.status == "proposed"
            )
            if item.initiative_id in ("I07", "I15", "I21"):
                slip = 5 if item.initiative_id == "I07" else 2
                rows += self._case(
                    item, "revised_1", item.overrun * 0.9, slip, item.optimism * 0.85, False
                )
        rows.sort(key=lambda r: (r[-1], r[0], r[1], r[2], r[3]))
        return rows

    def _case(
        self, item: Initiative, version: str, dearer: float, slip: int, optimism: float, draft: bool
    ) -> list[Row]:
        start = month_of(day(item.planned_start))
        end = month_of(day(item.planned_end)) + slip
        months = end - start + 1
        spent = sum(self.true[item.initiative_id].cost.values())
        contractors = item.contractors * self._scale * months
        if spent and item.ready:
            labour = (
                max(0.2 * spent, spent / item.overrun - item.contractors * self._scale * months)
                * dearer
            )
        else:
            labour = item.team * _MONTHLY_COST * self._scale * months * 1.05 * dearer
        locked = day(item.planned_start) - 21 if version == "original" else month_end(start + 5)
        known = max(FIRST_DAY, min(locked, day("2026-09-15"))) if not draft else day("2026-09-15")
        lock = f"{iso(max(locked, FIRST_DAY - 30))} 17:00:00" if not draft else ""
        approver = "Investment board" if not draft else ""
        benefit = (
            "cost_saving"
            if item.kind == "efficiency" or item.cashable_class != 1
            else "revenue_margin"
        )
        # The abandoned one was promised like the others.
        yearly = self._yearly(item) * optimism if item.value else 310_000 * self._scale
        flows: list[tuple[int, str, str, float]] = []
        for month in range(start, end + 1):
            place = (month - start + 0.5) / months
            shape = 0.6 + 0.8 * (1 - abs(2 * place - 1))
            flows.append((month, "build_labour", "cost", labour / months * shape))
            if contractors:
                flows.append((month, "vendor", "cost", contractors / months))
        total = labour + contractors
        for ahead in range(_BENEFIT_MONTHS):
            month = end + 1 + ahead
            flows.append((month, benefit, "benefit", yearly / 12 * _ramp(ahead)))
            if ahead % 3 == 0:
                flows.append((month, "run_cost", "cost", total * 0.08 / 4))
        return [
            [item.initiative_id, version, iso(month_start(month)), name, kind, money(round(amount) * 100), "USD",
             lock, approver, iso(known)]
            for month, name, kind, amount in flows
        ]  # fmt: skip

    def benefit_rows(self) -> list[Row]:
        """The benefits ledger: planned when the case is locked, realised when finance confirms."""
        combinations: dict[tuple[str, str], int] = defaultdict(int)
        segments = ("enterprise", "mid_market", "self_serve")
        segment_of: dict[str, str] = {}
        used: dict[str, int] = defaultdict(int)
        for item in INITIATIVES:
            if item.ready:
                segment = (
                    "all"
                    if item.kind in ("efficiency", "compliance")
                    else segments[used[item.kpi] % 3]
                )
                used[item.kpi] += 1
                segment_of[item.initiative_id] = segment
                combinations[item.kpi, segment] += 1
        rows: list[Row] = []
        for item in INITIATIVES:
            if not item.ready:
                continue
            segment = segment_of[item.initiative_id]
            share = round(0.9 / combinations[item.kpi, segment], 2)
            planned_first = month_of(day(item.planned_end)) + 1
            yearly = self._yearly(item) * item.optimism
            end = iso(month_end(month_of(day(item.ready)) + (24 if item.grade in "DE" else 36)))
            owner = _OWNERS[item.product_id]
            bias = 1 + 0.4 * _NOISE[item.grade] * float(self._rng.standard_normal())
            for month in range(planned_first, CLOSED_MONTHS):
                planned = money(round(yearly / 12 * _ramp(month - planned_first) / share) * 100)
                lock = max(FIRST_DAY, day(item.planned_start) - 21)
                common = [
                    f"{item.initiative_id}-B1",
                    iso(month_start(month)),
                    item.initiative_id,
                    item.kpi,
                    segment,
                    planned,
                ]
                tail = ["USD", f"{share:.6f}", str(item.cashable_class), item.grade, owner]
                rows.append([*common, "", *tail, "", "", end, iso(lock)])
                true = self.true[item.initiative_id].benefit.get(month)
                if true is None:
                    continue
                measured = (
                    true * bias * (1 + _NOISE[item.grade] * float(self._rng.standard_normal()))
                )
                confirmed = month_end(month) + 12
                if item.grade == "D" and self._rng.random() < 0.3:
                    self.defects.append(("unconfirmed_benefit", "benefits", "/".join(common[:2]), "claimed, but not confirmed by finance"))  # fmt: skip
                    rows.append([*common, money(round(measured / share * 100)), *tail, "", "", end, iso(min(confirmed, LAST_DAY))])  # fmt: skip
                else:
                    rows.append([*common, money(round(measured / share * 100)), *tail, "Finance partner",
                                 f"{iso(confirmed)} 10:00:00", end, iso(min(confirmed, LAST_DAY))])  # fmt: skip
        rows.sort(key=lambda r: (r[-1], r[0], r[1]))
        return rows


def _ramp(ahead: int) -> float:
    """How much of a benefit has set in after some months; it fades by one percent a month."""
    return min(1.0, (ahead + 1) / 6) * 0.99 ** max(0, ahead)
