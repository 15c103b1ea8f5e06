"""Days, months and fiscal periods of the sample company. Days are ordinals, months count from 2023-10."""

import csv
import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from warehouse.home import PROJECT

FIRST_DAY = dt.date(2023, 10, 1).toordinal()
LAST_DAY = dt.date(2026, 10, 20).toordinal()  # what happened later is not known yet
CLOSED_MONTHS = 36  # 2023-10 .. 2026-09
MONTHS = CLOSED_MONTHS + 1

_ISO_BASE = dt.date(2015, 1, 1).toordinal()
_ISO = [dt.date.fromordinal(_ISO_BASE + n).isoformat() for n in range(366 * 20)]

_EARLIEST = 12 * 12  # months before 2023-10 that are known
_STARTS = [
    dt.date(2023 + (m + 9) // 12, (m + 9) % 12 + 1, 1).toordinal() for m in range(-_EARLIEST, 120)
]


def iso(day: int) -> str:
    """The day as YYYY-MM-DD."""
    return _ISO[day - _ISO_BASE]


def day(text: str) -> int:
    """The ordinal of a day written as YYYY-MM-DD."""
    return dt.date.fromisoformat(text).toordinal()


def month_of(ordinal: int) -> int:
    """The month a day lies in, 0 for 2023-10; negative before."""
    date = dt.date.fromordinal(ordinal)
    return (date.year - 2023) * 12 + date.month - 10


def month_start(month: int) -> int:
    """First day of a month."""
    return _STARTS[month + _EARLIEST]


def month_end(month: int) -> int:
    """Last day of a month."""
    return month_start(month + 1) - 1


def month_day(month: int, day_of_month: int) -> int:
    """A day of a month, at most its last."""
    return min(month_start(month) + day_of_month - 1, month_end(month))


def year_month(month: int) -> tuple[int, int]:
    """Calendar year and month number."""
    years, index = divmod(month + 9, 12)
    return 2023 + years, index + 1


def weekday(ordinal: int) -> int:
    """0 on Monday."""
    return (ordinal + 6) % 7


@dataclass(frozen=True)
class Period:
    """A fiscal period of an entity."""

    name: str
    start: int
    end: int


class FiscalCalendar:
    """The fiscal periods of one entity, as `seeds/core/fiscal_calendars.csv` describes them."""

    def __init__(self, pattern: str) -> None:
        self._periods: dict[str, Period] = {}
        if pattern == "calendar_month":
            for month in range(-24, 60):
                year, number = year_month(month)
                name = f"{year}-P{number:02d}"
                self._periods[name] = Period(name, month_start(month), month_end(month))
        elif pattern == "4-4-5":
            for year in range(2022, 2028):
                start = _nearest_saturday(year - 1) + 1
                end = _nearest_saturday(year)
                weeks = [4, 4, 5] * 4
                weeks[11] += (end - start + 1) // 7 - 52
                for number, length in enumerate(weeks, 1):
                    name = f"{year}-P{number:02d}"
                    self._periods[name] = Period(name, start, start + 7 * length - 1)
                    start += 7 * length
        else:
            raise ValueError(
                f"No fiscal pattern {pattern}; the sample knows calendar_month and 4-4-5."
            )

    def period(self, year: int, number: int) -> Period:
        """A period by fiscal year and number."""
        return self._periods[f"{year}-P{number:02d}"]

    def of_month(self, month: int) -> Period:
        """The period in which a month's bills, payroll and accruals are posted: the one of its 15th."""
        return self.period(*year_month(month))

    def posting_day(self, month: int) -> int:
        """The day month-end entries are posted: in the month and in its fiscal period alike."""
        return min(month_end(month), self.of_month(month).end)


def _nearest_saturday(year: int) -> int:
    new_years_eve = dt.date(year, 12, 31).toordinal()
    after = (5 - weekday(new_years_eve)) % 7
    return new_years_eve + after if after <= 3 else new_years_eve + after - 7


def fiscal_calendars() -> dict[str, FiscalCalendar]:
    """The calendar of every entity."""
    rows = read_seed("core/fiscal_calendars.csv")
    return {row["entity_id"]: FiscalCalendar(row["pattern"]) for row in rows}


def read_seed(name: str) -> list[dict[str, str]]:
    """The rows of a committed reference seed."""
    path: Path = PROJECT / "seeds" / name
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def month_rates() -> dict[tuple[str, int], tuple[float, float]]:
    """Average and closing rate into USD by currency and month; USD itself is 1."""
    rates: dict[tuple[str, int], tuple[float, float]] = {}
    for row in read_seed("core/fx_rates.csv"):
        if row["to_currency"] == "USD":
            key = (row["from_currency"], month_of(day(row["rate_month"])))
            rates[key] = (float(row["average_rate"]), float(row["closing_rate"]))
    for month in range(-12, 48):
        rates["USD", month] = (1.0, 1.0)
    return rates
