"""People: payroll, timesheets, and what their hours cost the initiatives they worked on."""

import math
from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from .calendar import (
    CLOSED_MONTHS,
    LAST_DAY,
    MONTHS,
    day,
    iso,
    month_end,
    month_of,
    month_start,
    weekday,
)
from .catalog import INITIATIVES, PRODUCT, Initiative
from .sink import Row, money, stream


@dataclass(frozen=True)
class Team:
    """People of a cost center; pay in the entity's currency a year."""

    cost_center: str
    currency: str
    first: int
    last: int
    roles: tuple[tuple[str, int], ...]
    tax_rate: float
    benefits: int  # a month
    tools: int
    space: int
    products: tuple[tuple[str, float], ...]  # upkeep; an empty product is shared
    keeps_time: bool


TEAMS = (
    Team("CC100", "USD", 12, 16, (("engineer", 128_000), ("engineer", 139_000), ("designer", 112_000)),
         0.0765, 1_050, 260, 420, (("P1", 0.5), ("P3", 0.4), ("P6", 0.1)), True),
    Team("CC110", "EUR", 11, 15, (("engineer", 70_000), ("engineer", 78_000), ("designer", 64_000)),
         0.205, 210, 230, 380, (("P2", 0.4), ("P5", 0.3), ("P4", 0.3)), True),
    Team("CC120", "USD", 5, 6, (("reliability engineer", 142_000), ("engineer", 134_000)),
         0.0765, 1_050, 300, 420, (("", 1.0),), True),
    Team("CC130", "EUR", 4, 5, (("data engineer", 76_000), ("analyst", 62_000)),
         0.205, 210, 250, 380, (("", 0.6), ("P1", 0.25), ("P2", 0.15)), True),
    Team("CC200", "USD", 13, 19, (("support agent", 58_000), ("support agent", 62_000), ("support lead", 78_000)),
         0.0765, 950, 160, 320, (("P1", 0.33), ("P3", 0.24), ("P4", 0.16), ("P2", 0.15), ("P5", 0.06), ("P6", 0.06)), True),
    Team("CC300", "USD", 11, 15, (("account executive", 104_000), ("account executive", 96_000), ("sales engineer", 118_000)),
         0.0765, 1_000, 240, 320, (), False),
    Team("CC310", "EUR", 5, 7, (("marketer", 61_000), ("growth manager", 72_000)), 0.205, 200, 200, 340, (), False),
    Team("CC400", "USD", 6, 7, (("accountant", 88_000), ("controller", 128_000), ("analyst", 96_000)),
         0.0765, 1_000, 180, 380, (), False),
    Team("CC410", "EUR", 3, 4, (("people partner", 63_000), ("recruiter", 56_000)), 0.205, 200, 150, 340, (), False),
)  # fmt: skip
TEAM = {t.cost_center: t for t in TEAMS}
_BONUS = {"CC300": 0.04}
# Hours of leave as a share of contracted hours by calendar month, holidays included.
_LEAVE = (0.09, 0.07, 0.07, 0.11, 0.11, 0.09, 0.15, 0.2, 0.08, 0.07, 0.1, 0.22)


@dataclass
class Labour:
    """What payroll and timesheets come to, for the ledger, the budget and the truth."""

    payroll: dict[tuple[int, str], int] = field(default_factory=lambda: defaultdict(int))
    headcount: dict[tuple[int, str], int] = field(default_factory=lambda: defaultdict(int))
    capitalised: dict[tuple[int, str, str], float] = field(
        default_factory=lambda: defaultdict(float)
    )
    initiative_cost: dict[tuple[int, str, str], float] = field(
        default_factory=lambda: defaultdict(float)
    )
    product_cost: dict[tuple[int, str, str], float] = field(
        default_factory=lambda: defaultdict(float)
    )
    hours: dict[tuple[int, str, str], float] = field(default_factory=lambda: defaultdict(float))


@dataclass
class Person:
    """One employee."""

    identifier: str
    team: Team
    role: str
    base: float  # a year, at the first month
    hired: int  # month
    left: int  # first month without pay


def employ(seed: int, scale: int) -> list[Person]:
    """Everyone who was ever paid."""
    people: list[Person] = []
    for team in TEAMS:
        rng = stream(seed, "people", team.cost_center)
        current: list[Person] = []
        for month in range(MONTHS):
            if month:
                for index, person in enumerate(current):
                    if rng.random() < 0.005:
                        person.left = month
                        current[index] = _hire(rng, team, len(people), month)
                        people.append(current[index])
            wanted = round((team.first + (team.last - team.first) * month / (MONTHS - 1)) * scale)
            while len(current) < wanted:
                current.append(_hire(rng, team, len(people), month))
                people.append(current[-1])
    return people


def _hire(rng: np.random.Generator, team: Team, number: int, month: int) -> Person:
    role, base = team.roles[int(rng.integers(len(team.roles)))]
    pay = base * float(rng.uniform(0.9, 1.1))
    return Person(f"E{number + 1:05d}", team, role, pay, month, MONTHS + 1)


class Workforce:
    """Runs payroll and time keeping month by month."""

    def __init__(self, seed: int, scale: int) -> None:
        self._seed = seed
        self._scale = scale
        self._people = employ(seed, scale)
        self._entry = 0
        self.labour = Labour()

    def month(self, month: int) -> tuple[list[Row], list[Row]]:
        """Payroll and timesheet rows of a month; the open month has no payroll yet."""
        rng = stream(self._seed, "work", month)
        weeks = _weeks(month)
        workdays = sum(length for _, length in weeks)
        payroll: list[Row] = []
        timesheets: list[Row] = []
        choices = {
            team.cost_center: self._assignments(team, month) for team in TEAMS if team.keeps_time
        }
        calendar_month = (month + 9) % 12
        for person in self._people:
            if not person.hired <= month < person.left:
                continue
            team = person.team
            base = round(person.base / 12 * 1.035 ** ((month + 9) // 12) * 100)
            bonus = round(base * _BONUS.get(team.cost_center, 0.08))
            taxes = round((base + bonus) * team.tax_rate)
            parts = [base, bonus, taxes, team.benefits * 100, team.tools * 100, team.space * 100]
            contracted = workdays * 8.0
            leave = (
                round(
                    min(0.6, _LEAVE[calendar_month] * float(rng.uniform(0.5, 1.5))) * contracted * 2
                )
                / 2
            )
            meetings = round((contracted - leave) * float(rng.uniform(0.08, 0.14)) * 2) / 2
            total = sum(parts)
            hours = contracted - leave - meetings
            training = 0.0
            if team.keeps_time:
                cash_rate = sum(parts[:4]) / (contracted - leave)
                rates = (total / hours, cash_rate)
                entries = self._time(rng, person, weeks, hours, rates, choices[team.cost_center])
                timesheets += entries
                training = sum(
                    float(spent) for *_, activity, spent, _ in entries if activity == "training"
                )
            if month < CLOSED_MONTHS:
                self.labour.payroll[month, team.cost_center] += total
                self.labour.headcount[month, team.cost_center] += 1
                # Training is no time to produce in: payroll counts it with the meetings.
                payroll.append(
                    [person.identifier, iso(month_start(month)), team.cost_center, person.role,
                     *(money(p) for p in parts), f"{contracted:.2f}", f"{leave:.2f}",
                     f"{meetings + training:.2f}", team.currency, iso(month_end(month) + 2)]
                )  # fmt: skip
        return payroll, timesheets

    def _assignments(
        self, team: Team, month: int
    ) -> tuple[np.ndarray, list[tuple[str, Initiative | None]]]:
        """What the team can work on in a month, and how likely it is."""
        options: list[tuple[str, Initiative | None]] = []
        weights: list[float] = []
        people = self.labour.headcount.get((month - 1, team.cost_center), team.first * self._scale)
        for initiative in INITIATIVES:
            own = (
                initiative.product_id
                and PRODUCT[initiative.product_id].cost_center == team.cost_center
            )
            shared = not initiative.product_id and team.cost_center in ("CC120", "CC130")
            if team.cost_center == "CC200" or not initiative.active(month) or not (own or shared):
                continue
            options.append((initiative.product_id, initiative))
            weights.append(initiative.team * self._scale * (0.5 if shared else 1.0))
        upkeep = max(0.3 * people, people - sum(weights))
        later = month >= 20
        for product, share in team.products:
            options.append((product, None))
            grown = 2.0 if product == "P6" and later else 0.4 if product == "P4" and later else 1.0
            if product == "P6" and month < 6:
                grown = 0.0
            weights.append(upkeep * share * grown)
        chances = np.cumsum(np.array(weights) / sum(weights))
        return chances, options

    def _time(
        self,
        rng: np.random.Generator,
        person: Person,
        weeks: list[tuple[int, int]],
        hours: float,
        rates: tuple[float, float],
        choice: tuple[np.ndarray, list[tuple[str, Initiative | None]]],
    ) -> list[Row]:
        chances, options = choice
        rows: list[Row] = []
        workdays = sum(length for _, length in weeks)
        used = hours * float(rng.uniform(0.9, 0.99))
        pick = int(np.searchsorted(chances, rng.random()))
        for last, length in weeks:
            if last > LAST_DAY:
                break
            if rng.random() < 0.35:
                pick = int(np.searchsorted(chances, rng.random()))
            product, initiative = options[min(pick, len(options) - 1)]
            activity = _activity(rng, person, initiative, last)
            spent = math.floor(used * length / workdays * 4) / 4
            if spent <= 0:
                continue
            self._entry += 1
            self._account(person, product, initiative, activity, last, spent, rates)
            rows.append(
                [f"W{self._entry:07d}", person.identifier, iso(last), product,
                 initiative.initiative_id if initiative else "", activity, f"{spent:.2f}",
                 iso(min(last + 3, LAST_DAY))]
            )  # fmt: skip
        return rows

    def _account(
        self,
        person: Person,
        product: str,
        initiative: Initiative | None,
        activity: str,
        on: int,
        hours: float,
        rates: tuple[float, float],
    ) -> None:
        month = month_of(on)
        currency = person.team.currency
        cost = hours * rates[0]
        labour = self.labour
        labour.hours[month, product, activity] += hours
        if initiative:
            labour.initiative_cost[month, initiative.initiative_id, currency] += cost
            if capitalisable(initiative, on) and activity in ("development", "design"):
                key = (month, initiative.initiative_id, person.team.cost_center)
                labour.capitalised[key] += hours * rates[1]
        elif product:
            labour.product_cost[month, product, currency] += cost


def capitalisable(initiative: Initiative, on: int) -> bool:
    """True when work of the day on an initiative may be capitalised: approved and not yet ready."""
    return bool(initiative.started) and (not initiative.end or on < day(initiative.end))


def _activity(
    rng: np.random.Generator, person: Person, initiative: Initiative | None, on: int
) -> str:
    if person.team.cost_center == "CC200":
        return "support"
    if initiative is None:
        return "maintenance" if rng.random() < 0.9 else "research"
    begun = day(initiative.started)
    planned = day(initiative.planned_end) - day(initiative.planned_start)
    place = (on - begun) / max(60, planned)
    roll = rng.random()
    if place < 0.12:
        return "research" if roll < 0.6 else "design"
    if place > 0.92 and roll < 0.25:
        return "training" if roll < 0.08 else "data_conversion"
    return "design" if person.role == "designer" or roll < 0.08 else "development"


def _weeks(month: int) -> list[tuple[int, int]]:
    """Last working day and number of working days of each week of a month."""
    weeks: list[tuple[int, int]] = []
    length = 0
    last = 0
    for on in range(month_start(month), month_end(month) + 1):
        if weekday(on) < 5:
            length += 1
            last = on
        if weekday(on) == 4 or on == month_end(month):
            if length:
                weeks.append((last, length))
            length = 0
    return weeks
