"""A world of 48 budget lines: what is posted, budgeted and ordered over up to four years, and known when.

The last year is judged, month by month, against what it came to.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from warehouse.study import ranges

PERIODS = 12
JUDGED_YEAR = 2025
CENTERS = ("CC110", "CC130", "CC310", "CC410")
ACCOUNTS = ("5010", "5030", "5040", "6100", "6110", "6200", "6210", "6220", "6300", "6310", "6320", "6330")  # fmt: skip
LINES = tuple((center, account) for center in CENTERS for account in ACCOUNTS)
CLOSE_DAY = 8


@dataclass(frozen=True)
class World:
    """What an observer sees, and apart from it what the judged year truly came to, per line."""

    kind: str
    parameters: dict[str, float]
    extracts: dict[str, pd.DataFrame]
    true_final: np.ndarray


def generate(seed: int, number: int) -> World:
    """World `number` of a study."""
    kind = ranges.kind_of(number)
    rng = np.random.default_rng([seed, number, 2])
    p = ranges.draw(ranges.BUDGET, ranges.BUDGET_FIXED[kind], rng)
    years = int(p["history_years"]) + 1
    count, months = len(LINES), years * PERIODS
    foreseeable, ordered = _paths(p, rng, years)
    deviation = np.repeat(np.exp(rng.normal(0.0, p["deviation"], (count, years))), PERIODS, axis=1)
    noise = np.exp(rng.normal(0.0, p["noise"], (count, months)))
    unforeseen = _steps(p["stepping"] * (1 - p["foreseen"]), rng, years)
    actual = (foreseeable * unforeseen * deviation * noise).round(2)
    budget = _budget(kind, p, rng, foreseeable, years)
    first_year = JUDGED_YEAR - years + 1
    starts = pd.date_range(f"{first_year}-01-01", periods=months, freq="MS")
    extracts = {
        **_postings(p, rng, actual, starts),
        **_budgets(budget, starts),
        **_orders(kind, rng, actual, ordered, starts),
        "stg_budget__period_closes": _closes(starts),
    }
    return World(kind, p, extracts, actual[:, -PERIODS:].sum(axis=1))


def _paths(
    p: dict[str, float], rng: np.random.Generator, years: int
) -> tuple[np.ndarray, np.ndarray]:
    """What planners could know of each line and month, and which lines are spent by orders."""
    count, months = len(LINES), years * PERIODS
    level = np.exp(rng.normal(9.5, 1.0, count))[:, None]
    month = np.arange(months)[None, :]
    amplitude = p["season"] * rng.uniform(0.3, 1.0, (count, 1))
    season = 1 + amplitude * np.sin(2 * np.pi * (month + rng.uniform(0, 12, (count, 1))) / 12)
    trend = (1 + p["trend"] * rng.uniform(0.5, 1.5, (count, 1))) ** (month / 12)
    steps = _steps(p["stepping"] * p["foreseen"], rng, years)
    path = level * season * trend * steps
    drawn = rng.random(count)
    lumpy = drawn < p["lumpy"]
    ordered = (drawn >= p["lumpy"]) & (drawn < p["lumpy"] + p["ordered"])
    for line in np.flatnonzero(lumpy):
        # A yearly or half-yearly payment, in the same months of every year.
        due = (int(rng.integers(PERIODS)) + np.array([0, 6][: int(rng.integers(1, 3))])) % PERIODS
        yearly = path[line].reshape(years, PERIODS).sum(axis=1)
        path[line] = np.where(
            np.isin(np.arange(months) % PERIODS, due), np.repeat(yearly, PERIODS) / len(due), 0.0
        )
    for line in np.flatnonzero(ordered):
        # Ordered in spring, delivered and paid over a few months of the second half.
        for year in range(years):
            span = slice(year * PERIODS, (year + 1) * PERIODS)
            weights = np.zeros(PERIODS)
            begin = int(rng.integers(5, 9))
            weights[begin : begin + 4] = rng.dirichlet(
                np.full(len(weights[begin : begin + 4]), 2.0)
            )
            path[line, span] = path[line, span].sum() * weights
    return path, ordered


def _steps(share: float, rng: np.random.Generator, years: int) -> np.ndarray:
    """Factors of lines whose level changes for good in some month of a year."""
    count, months = len(LINES), years * PERIODS
    factors = np.ones((count, months))
    for year in range(years):
        for line in np.flatnonzero(rng.random(count) < share):
            begin = year * PERIODS + int(rng.integers(1, PERIODS))
            factors[line, begin:] *= float(rng.uniform(0.5, 1.8))
    return factors


def _budget(
    kind: str, p: dict[str, float], rng: np.random.Generator, path: np.ndarray, years: int
) -> np.ndarray:
    """Monthly budgets: the year planners foresaw, by the shape they knew."""
    count = len(LINES)
    yearly = path.reshape(count, years, PERIODS).sum(axis=2)
    planned = (
        yearly * (1 + p["budget_bias"]) * np.exp(rng.normal(0.0, p["budget_noise"], yearly.shape))
    )
    shape = path.reshape(count, years, PERIODS) / yearly[:, :, None]
    if kind == "noise":
        shape = rng.dirichlet(np.ones(PERIODS), (count, years))
    mixed = p["phasing"] * shape + (1 - p["phasing"]) / PERIODS
    return np.asarray((planned[:, :, None] * mixed).reshape(count, years * PERIODS).round(2))


def _line_frame(lines: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "cost_center_id": [LINES[i][0] for i in lines],
            "account_id": [LINES[i][1] for i in lines],
        }
    )


def _postings(
    p: dict[str, float], rng: np.random.Generator, actual: np.ndarray, starts: pd.DatetimeIndex
) -> dict[str, pd.DataFrame]:
    """One posting per line and month; of late ones a part is known only when the next month is over."""
    count, months = actual.shape
    late = rng.random((count, months)) < p["late"]
    part = rng.uniform(0.1, 0.6, (count, months)) * late
    part[:, -1] = 0.0  # the last month waits for nobody
    frames = []
    for name, share, delay in (("A", 1 - part, 1), ("B", part, 40)):
        lines, cells = np.nonzero((share > 0) & (actual != 0))
        frame = _line_frame(lines)
        frame["journal_id"] = [
            f"{name}{line:02d}-{cell:02d}" for line, cell in zip(lines, cells, strict=True)
        ]
        frame["posted_on"] = starts[cells] + pd.Timedelta(days=24)
        first = (actual * (1 - part)).round(2)
        amount = first if name == "A" else actual - first
        frame["amount"] = amount[lines, cells].round(2)
        frame["known_at"] = frame["posted_on"] + pd.Timedelta(days=delay)
        frames.append(frame)
    ledger = pd.concat(frames, ignore_index=True)
    ledger["line_number"] = 1
    ledger["currency"] = "USD"
    return {"stg_cost__gl_entry_versions": ledger}


def _budgets(budget: np.ndarray, starts: pd.DatetimeIndex) -> dict[str, pd.DataFrame]:
    count, months = budget.shape
    lines, cells = np.divmod(np.arange(count * months), months)
    frame = _line_frame(lines)
    locked = [pd.Timestamp(f"{starts[cell].year - 1}-12-15") for cell in cells]
    frame["budget_version"] = [f"FY{starts[cell].year}_original" for cell in cells]
    frame["fiscal_period"] = [f"{starts[cell].year}-P{starts[cell].month:02d}" for cell in cells]
    frame["amount"] = budget.reshape(-1)
    frame["currency"] = "USD"
    frame["locked_at"] = locked
    frame["known_at"] = locked
    frame["is_deleted"] = False
    return {"stg_budget__budget_line_versions": frame}


def _orders(
    kind: str,
    rng: np.random.Generator,
    actual: np.ndarray,
    ordered: np.ndarray,
    starts: pd.DatetimeIndex,
) -> dict[str, pd.DataFrame]:
    """Orders of a year's deliveries, placed in spring; in the noise control orders nobody will fill."""
    orders, invoices = [], []
    chosen = np.flatnonzero(ordered)
    if kind == "noise":
        chosen = np.flatnonzero(rng.random(len(LINES)) < 0.3)
    for line in chosen:
        for year in range(len(starts) // PERIODS):
            begin = year * PERIODS
            name = f"PO{line:02d}-{year}"
            # What was ordered and what it came to differ by prices.
            price = float(np.exp(rng.normal(0.0, 0.08)))
            total = round(float(actual[line, begin : begin + PERIODS].sum()) * price, 2)
            end = starts[begin] + pd.Timedelta(days=360)
            orders.append(
                (
                    name,
                    line,
                    starts[begin] + pd.Timedelta(days=int(rng.integers(20, 110))),
                    total,
                    end,
                )
            )
            if kind == "noise":
                continue
            for month in range(PERIODS):
                amount = float(actual[line, begin + month])
                if amount:
                    invoices.append(
                        (
                            f"{name}-{month}",
                            name,
                            starts[begin + month] + pd.Timedelta(days=24),
                            round(amount * price, 2),
                            amount,
                        )
                    )
    frame = _line_frame(np.array([row[1] for row in orders], dtype=int))
    frame["po_id"] = [row[0] for row in orders]
    frame["line_number"] = 1
    frame["ordered_on"] = [row[2] for row in orders]
    frame["amount"] = [row[3] for row in orders]
    frame["currency"] = "USD"
    frame["status"] = "closed"
    frame["closed_on"] = [row[4] for row in orders]
    bills = pd.DataFrame(
        {
            "invoice_id": [row[0] for row in invoices],
            "po_id": [row[1] for row in invoices],
            "line_number": 1,
            "invoiced_on": [row[2] for row in invoices],
            "po_share_amount": [row[3] for row in invoices],
            "invoice_amount": [row[4] for row in invoices],
            "currency": "USD",
        }
    )
    return {"stg_cost__purchase_orders": frame, "stg_cost__po_invoices": bills}


def _closes(starts: pd.DatetimeIndex) -> pd.DataFrame:
    closed = [start + pd.DateOffset(months=1, days=CLOSE_DAY - 1) for start in starts]
    return pd.DataFrame(
        {
            "entity_id": "EU01",
            "fiscal_period": [f"{start.year}-P{start.month:02d}" for start in starts],
            "closed_at": closed,
            "known_at": closed,
        }
    )


def known_actuals(world: World, periods: int) -> tuple[np.ndarray, np.ndarray]:
    """Actuals per line and period of the judged year and the one before, as known at a report's close."""
    report = pd.Timestamp(f"{JUDGED_YEAR}-{periods:02d}-01") + pd.DateOffset(
        months=1, days=CLOSE_DAY - 1
    )
    ledger = world.extracts["stg_cost__gl_entry_versions"]
    ledger = ledger[ledger["known_at"] <= report]
    place = {line: number for number, line in enumerate(LINES)}
    rows = np.array(
        [place[line] for line in zip(ledger["cost_center_id"], ledger["account_id"], strict=True)]
    )
    years = ledger["posted_on"].dt.year.to_numpy()
    cells = ledger["posted_on"].dt.month.to_numpy() - 1
    found = []
    for year in (JUDGED_YEAR, JUDGED_YEAR - 1):
        table = np.zeros((len(LINES), PERIODS))
        chosen = years == year
        np.add.at(table, (rows[chosen], cells[chosen]), ledger["amount"].to_numpy()[chosen])
        found.append(table)
    return found[0], found[1]
