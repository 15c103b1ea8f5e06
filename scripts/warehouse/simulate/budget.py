"""Budgets as they were made beforehand, and the explanations written afterwards."""

from collections import defaultdict

from .calendar import (
    CLOSED_MONTHS,
    LAST_DAY,
    FiscalCalendar,
    day,
    fiscal_calendars,
    iso,
    month_end,
    month_of,
    month_rates,
    month_start,
    read_seed,
    year_month,
)
from .catalog import INITIATIVE, PRODUCT_IDS, PRODUCTS
from .ledger import ENTITY, Sales
from .parameters import LATE_EXPLANATION_RATE, LOCKED_BUDGET_CHANGES, UNEXPLAINED_RATE
from .people import Labour
from .sink import Row, money, stream

Actual = dict[tuple[int, str, str, str, str], float]
LineKey = tuple[str, str, str, str]  # cost center, account, product, initiative

YEARS = (2024, 2025, 2026)
# How far planners were off on average, by account; the rest is noise.
_BIAS = {"4010": 1.05, "4020": 1.12, "4030": 1.0, "4090": 0.6, "5010": 0.9, "5020": 1.0, "5030": 0.98, "5040": 0.97,
         "6100": 1.01, "6110": 0.85, "6120": 0.95, "6130": 0.97, "6200": 1.02, "6210": 1.0, "6220": 1.1,
         "6300": 0.99, "6310": 0.94, "6320": 1.0, "6330": 0.95, "6900": 0.0}  # fmt: skip
_OBJECTIVE = {"4": "OBJ1", "5010": "OBJ3", "5020": "", "5030": "OBJ3", "5040": "OBJ2", "6100": "OBJ4", "6110": "OBJ4",
              "6120": "OBJ4", "6130": "OBJ4", "6200": "OBJ1", "6210": "OBJ1", "6220": "OBJ1", "6300": "OBJ5",
              "6310": "OBJ5", "6320": "", "6330": "OBJ3"}  # fmt: skip
_MATERIALITY = {r["account_type"]: r for r in read_seed("budget/materiality_rules.csv")}
_DAYS_TO_EXPLAIN = max(int(r["sla_days"]) for r in _MATERIALITY.values())
_BUDGET_RATE = {
    int(r["fiscal_year"]): float(r["budget_rate"])
    for r in read_seed("budget/budget_rates.csv")
    if (r["from_currency"], r["to_currency"]) == ("EUR", "USD")
}
_BY_INITIATIVE = {"6110"}


def _lines(actual: Actual, year: int) -> dict[LineKey, list[float]]:
    """Monthly amounts of a year by budget line; months not yet known continue the last quarter."""
    lines: dict[LineKey, list[float]] = defaultdict(lambda: [0.0] * 12)
    first = (year - 2024) * 12 + 3
    for (month, center, account, product, initiative), value in sorted(actual.items()):
        if first <= month < first + 12 and center and month < CLOSED_MONTHS:
            kept = initiative if account in _BY_INITIATIVE else ""
            lines[center, account, product, kept][month - first] += value
    known = min(12, CLOSED_MONTHS - first)
    for values in lines.values():
        for index in range(known, 12):
            values[index] = sum(values[known - 3 : known]) / 3
    return lines


class Budgets:
    """All budget versions of three fiscal years."""

    def __init__(self, seed: int, scale: int, actual: Actual) -> None:
        self._seed = seed
        self._actual = actual
        self._rates = month_rates()
        self._calendars = fiscal_calendars()
        self._floor = 600_000 * scale  # hundredths a year: smaller lines are not planned
        self.amounts: dict[tuple[str, int, LineKey], int] = {}
        self.defects: list[tuple[str, str, str, str]] = []

    def rows(self) -> list[Row]:
        """Budget lines of every version; a change after the lock is a later row of the same key."""
        rows: list[Row] = []
        for year in YEARS:
            rng = stream(self._seed, "budget", year)
            lines = _lines(self._actual, year)
            for key in sorted(lines):
                values = lines[key]
                total = sum(values)
                noise = rng.standard_normal(14)
                if abs(total) < self._floor or key[1] == "6900":
                    continue
                factor = _BIAS.get(key[1], 1.0) * (1 + 0.06 * noise[0])
                if key[3]:
                    factor = (1 + 0.04 * noise[0]) / INITIATIVE[key[3]].overrun
                plain = [
                    0.35 * v + 0.65 * total / 12 * (1 + _growth(key[1]) * (i - 5.5))
                    for i, v in enumerate(values)
                ]
                if key[3]:
                    plain = values
                original = [p * factor for p in plain]
                later = 0.5 * factor + 0.5
                revised = [p * (factor if i < 6 else later) for i, p in enumerate(plain)]
                forecast = [
                    v if i < 6 else v * (1 + 0.04 * noise[2 + i]) for i, v in enumerate(values)
                ]
                rows += self._version(year, "original", key, original, f"{year - 1}-12-15")
                rows += self._version(year, "revised", key, revised, f"{year}-06-30")
                rows += self._version(year, "forecast_06", key, forecast, f"{year}-07-15")
        rows.sort(key=lambda r: (r[-1], r[0], r[2], r[3], r[4], r[5], r[1]))
        return rows + self._changed_after_lock(rows)

    def _version(
        self, year: int, version: str, key: LineKey, values: list[float], locked: str
    ) -> list[Row]:
        center, account, product, initiative = key
        currency = "EUR" if ENTITY[center] == "EU01" else "USD"
        objective = _OBJECTIVE.get(account, "") or ("OBJ1" if account < "5" else "")
        if initiative:
            objective = INITIATIVE[initiative].objective
        elif account == "4010" and product in ("P1", "P2"):
            objective = "OBJ2"
        name = f"FY{year}_{version}"
        rate = self._rates["EUR", month_of(day(locked))][0] if currency == "EUR" else 1.0
        rows = []
        for index, value in enumerate(values):
            amount = round(value / rate / 1000) * 1000  # planners write whole tens
            if not amount:
                continue
            month = (year - 2024) * 12 + 3 + index
            self.amounts[name, month, key] = amount
            rows.append(
                [name, f"{year}-P{index + 1:02d}", center, account, product, initiative, objective, money(amount),
                 currency, _owner(center), "fp.analyst", "cfo", f"{locked} 18:00:00", locked]
            )  # fmt: skip
        return rows

    def _changed_after_lock(self, rows: list[Row]) -> list[Row]:
        rng = stream(self._seed, "budget lock")
        chosen = [
            r
            for r in rows
            if r[0] == "FY2026_original" and r[3] in ("6200", "6310", "6110") and r[1] >= "2026-P04"
        ]
        changed: list[Row] = []
        for index in sorted(
            int(i) for i in rng.choice(len(chosen), LOCKED_BUDGET_CHANGES, replace=False)
        ):
            row = list(chosen[index])
            hundredths = round(float(row[7]) * 100)
            row[7] = money(round(hundredths * 1.25 / 1000) * 1000)
            row[-1] = "2026-05-18"
            changed.append(row)
            self.defects.append(
                (
                    "budget_changed_after_lock",
                    "budget_lines",
                    "/".join(row[:6]),
                    f"{money(hundredths)} to {row[7]}",
                )
            )
        own = list(chosen[len(chosen) // 2])
        own[11] = own[10]  # approved by its preparer
        own[-1] = own[12][:10]
        rows[rows.index(chosen[len(chosen) // 2])] = own
        self.defects.append(
            (
                "self_approval",
                "budget_lines",
                "/".join(own[:6]),
                f"prepared and approved by {own[10]}",
            )
        )
        return changed

    def explanations(self) -> list[Row]:
        """What owners wrote about material variances against the original budget."""
        rng = stream(self._seed, "explanations")
        first = (YEARS[0] - 2024) * 12 + 3
        sums: dict[tuple[int, str, str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
        for (month, center, account, product, _), value in sorted(self._actual.items()):
            if center and first <= month < CLOSED_MONTHS:
                sums[month, center, account, product][0] += value
        for (version, month, (center, account, product, _)), amount in self.amounts.items():
            if version.endswith("_original") and first <= month < CLOSED_MONTHS:
                rate = _BUDGET_RATE[year_month(month)[0]] if ENTITY[center] == "EU01" else 1.0
                sums[month, center, account, product][1] += amount * rate
        rows: list[Row] = []
        for (month, center, account, product), (value, planned) in sorted(sums.items()):
            gap = value - planned
            if not _material(account, value, planned):
                continue
            year, number = year_month(month)
            period = f"{year}-P{number:02d}"
            key = f"{period}/{center}/{account}/{product}"
            rolls = rng.random(3)
            closed = closing_day(self._calendars[ENTITY[center]], month)
            is_due = closed + _DAYS_TO_EXPLAIN < LAST_DAY
            late = rolls[0] < UNEXPLAINED_RATE + LATE_EXPLANATION_RATE
            said = closed + (18 + int(20 * rolls[1]) if late else 1 + int(8 * rolls[1]))
            if rolls[0] < UNEXPLAINED_RATE or said > LAST_DAY:
                if is_due:
                    detail = f"gap {money(round(gap))}"
                    self.defects.append(
                        ("variance_unexplained", "variance_explanations", key, detail)
                    )
                continue
            if late:
                self.defects.append(
                    ("variance_explained_late", "variance_explanations", key, iso(said))
                )
            due = said + 30
            done = due - 12 + int(30 * rolls[2])
            finished = iso(done) if done <= LAST_DAY and rolls[2] < 0.85 else ""
            rows.append(
                [period, center, account, product, _reason(account, gap), _action(account, gap), _owner(center),
                 f"{iso(said)} 15:00:00", iso(due), finished, iso(min(LAST_DAY, done if finished else said))]
            )  # fmt: skip
        rows.sort(key=lambda r: (r[-1], r[0], r[1], r[2], r[3]))
        return rows


def _material(account: str, value: float, planned: float) -> bool:
    """As `seeds/budget/materiality_rules.csv` has it; hundredths of USD at the budget's rate."""
    rule = _MATERIALITY["revenue" if account < "5" else "expense"]
    amount, share = float(rule["threshold_amount"]) * 100, float(rule["threshold_rate"])
    base = max(abs(planned), float(rule["rate_floor_amount"]) * 100)
    override = float(rule["override_amount"]) * 100
    gap = abs(value - planned)
    return gap >= override or (gap >= amount and gap / base >= share) or value * planned < 0


def _growth(account: str) -> float:
    """Monthly growth planners see within a year, by account."""
    if account in ("4010", "4020", "5010", "5020"):
        return 0.014
    return 0.004 if account in ("6100", "5040", "6210", "6200") else 0.0


def _owner(center: str) -> str:
    return {"CC100": "vp.engineering.us", "CC110": "vp.engineering.eu", "CC120": "head.of.platform",
            "CC130": "head.of.data", "CC200": "head.of.support", "CC300": "head.of.sales",
            "CC310": "head.of.marketing", "CC400": "controller", "CC410": "head.of.people"}[center]  # fmt: skip


def _reason(account: str, gap: float) -> str:
    more = gap > 0
    if account < "5":
        return "More seats sold than planned" if more else "New deals closed later than planned"
    if account == "6900":
        return "Exchange rates moved"
    if account == "5010":
        return "Usage above plan" if more else "Commitment discount and lower usage"
    if account in ("6110", "6120", "6130"):
        return "Delivery dates moved"
    if account in ("6100", "5040", "6210", "6300"):
        return "Hired earlier than planned" if more else "Open positions filled later"
    return "Timing of invoices and price" if more else "Programme shifted to a later month"


def _action(account: str, gap: float) -> str:
    helps = (gap > 0) == (account < "5")
    return "None needed; carried into the forecast" if helps else "Review with the budget owner"


def revenue_budget_rows(seed: int, sales: Sales) -> list[Row]:
    """Planned seats and prices by plan and segment, in USD."""
    rows: list[Row] = []
    for version, year, error in (("original", 2024, 0.05), ("original", 2025, 0.04), ("original", 2026, 0.06),
                                 ("revised", 2026, 0.03)):  # fmt: skip
        rng = stream(seed, "revenue budget", version, year)
        first = (year - 2024) * 12 + 3
        base = max(0, first - 2)
        keys = sorted(
            {k[1:] for k in sales.plan_seats if base <= k[0] < first + 12 and k[1] in PRODUCT_IDS}
        )
        for product, plan, segment in keys:
            noise = rng.standard_normal(2)
            for month in range(first, first + 12):
                known = min(month, CLOSED_MONTHS - 1)
                key = (known, product, plan, segment)
                seats = sales.plan_seats.get(key, 0.0)
                if seats < 1:
                    continue
                price = sales.plan_value[key] / seats
                grown = 1 + 0.004 * (month - known)
                quantity = round(seats * (1 + error * noise[0] + 0.02) * grown)
                lock = f"{year - 1}-12-15" if version == "original" else f"{year}-06-30"
                rows.append(
                    [f"FY{year}_{version}", iso(month_start(month)), product, plan, segment, f"{quantity:.0f}",
                     f"{price * (1 + 0.02 * noise[1]):.4f}", "USD", lock]
                )  # fmt: skip
    return rows


def labour_standard_rows(seed: int, labour: Labour) -> list[Row]:
    """Planned hours, standards and output of engineering work by product."""
    rng = stream(seed, "labour standards")
    rows: list[Row] = []
    for month in range(CLOSED_MONTHS):
        for product in PRODUCTS:
            for activity, per_unit in (("development", 9.0), ("maintenance", 5.0)):
                hours = labour.hours.get((month, product.product_id, activity), 0.0)
                noise = rng.standard_normal(2)
                if hours < 8:
                    continue
                units = round(hours / (per_unit * (1 + 0.08 * noise[0])), 1)
                planned = round(hours * (1 + 0.1 * noise[1]))
                rate = (82 if product.cost_center == "CC100" else 62) * 1.035 ** ((month + 9) // 12)
                rows.append(
                    [iso(month_start(month)), product.product_id, activity, f"{planned:.2f}", f"{per_unit:.4f}",
                     f"{rate:.6f}", f"{units:.4f}", "USD", iso(month_end(month) + 3)]
                )  # fmt: skip
    return rows


def closing_day(calendar: FiscalCalendar, month: int) -> int:
    """The day the period of a month is closed: once the month's own bills are in."""
    return max(calendar.of_month(month).end, month_end(month)) + 8


def period_close_rows() -> list[Row]:
    """When the periods of both entities were closed."""
    rows: list[Row] = []
    for entity, calendar in sorted(fiscal_calendars().items()):
        for month in range(CLOSED_MONTHS):
            period = calendar.of_month(month)
            closed = iso(closing_day(calendar, month))
            rows.append(
                [entity, period.name, f"{closed} 18:00:00", "controller", f"{closed} 18:00:00"]
            )
    rows.sort(key=lambda r: (r[-1], r[0]))
    return rows
