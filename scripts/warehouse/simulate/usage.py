"""How customers use what they bought: feature usage, support tickets, surveys and experiments."""

from typing import Any

import numpy as np

from .calendar import (
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
from .catalog import FEATURES, PRODUCT, PRODUCT_IDS
from .customers import Customer
from .parameters import BROKEN_EXPERIMENT, BROKEN_LOSS, EXPERIMENTS
from .sink import Row, Sink, stream

Floats = np.ndarray[Any, np.dtype[np.float64]]

# Months of the last partial month count by the days known.
_KNOWN = np.array(
    [
        min(1.0, (LAST_DAY - month_start(m) + 1) / (month_end(m) - month_start(m) + 1))
        for m in range(MONTHS)
    ]
)


class CustomerUsage:
    """Monthly events of one customer by feature, and by product as usage billing counts them."""

    def __init__(self, seed: int, customer: Customer) -> None:
        rng = stream(seed, "usage", customer.number)
        self.seats, self.active = customer.seats_by_month()
        self.by_product: dict[str, Floats] = {}
        self.features: list[tuple[int, Floats, Floats]] = []  # feature index, events, users
        mood = np.exp(0.8 * customer.engagement) * np.exp(0.12 * rng.standard_normal(MONTHS))
        for index, feature in enumerate(FEATURES):
            key = feature.feature_id if feature.add_on_price else feature.product_id
            if key not in self.seats:
                continue
            if feature.add_on_price:
                used = self.seats[key] > 0
            else:
                used = np.array([customer.uses(feature.feature_id, m) for m in range(MONTHS)])
                used &= self.seats[key] > 0
            if not used.any():
                continue
            expected = np.where(
                used, self.seats[key] * feature.intensity * 0.6 * mood * _KNOWN, 0.0
            )
            events = rng.poisson(expected).astype(float)
            users = np.minimum(np.ceil(self.seats[key] * (1 - np.exp(-0.8 * mood))), events)
            self.features.append((index, events, np.maximum(users, 0)))
            total = self.by_product.setdefault(feature.product_id, np.zeros(MONTHS))
            total += events


def monthly_usage_rows(customers: list[tuple[Customer, CustomerUsage]]) -> list[Row]:
    """Usage by customer, feature and month; known the day after the period."""
    rows: list[tuple[int, int, int, Row]] = []
    for customer, usage in customers:
        name = f"C{customer.number:05d}"
        for index, events, users in usage.features:
            feature_id = FEATURES[index].feature_id
            for month in np.flatnonzero(events):
                on = min(month_end(int(month)), LAST_DAY)
                known = min(on + 1, LAST_DAY)
                row = [
                    iso(on),
                    name,
                    feature_id,
                    str(int(events[month])),
                    str(int(users[month])),
                    iso(known),
                ]
                rows.append((on, customer.number, index, row))
    rows.sort(key=lambda item: item[:3])
    return [row for *_, row in rows]


class DailyUsage:
    """Collects daily usage in compact arrays and writes it in parts, so that memory stays bounded."""

    _PART = 8_000_000

    def __init__(self, seed: int, sink: Sink) -> None:
        self._seed = seed
        self._sink = sink
        self._parts: list[dict[str, np.ndarray[Any, Any]]] = []
        self._count = 0
        days = np.arange(FIRST_DAY, LAST_DAY + 1)
        weight = np.array([0.45 if weekday(int(d)) >= 5 else 1.0 for d in days])
        month = np.array([month_of(int(d)) for d in days])
        total = np.bincount(month, weight, MONTHS)
        self._days = days
        self._month = month
        self._weight = weight / total[month]

    def add(self, block: int, customers: list[tuple[Customer, CustomerUsage]]) -> None:
        """Spread each customer's monthly events over the days."""
        rng = stream(self._seed, "daily usage", block)
        chunks: list[tuple[Any, ...]] = []
        for customer, usage in customers:
            for index, events, users in usage.features:
                expected = events[self._month] * self._weight
                daily = rng.poisson(expected)
                found = np.flatnonzero(daily)
                if not len(found):
                    continue
                people = np.minimum(np.ceil(users[self._month[found]] * 0.6), daily[found])
                chunks.append(
                    (
                        self._days[found].astype(np.int32),
                        np.full(len(found), customer.number, np.int32),
                        np.full(len(found), index, np.int8),
                        daily[found].astype(np.int32),
                        people.astype(np.int32),
                    )
                )
        names = ("on", "customer", "feature", "events", "users")
        part = {name: np.concatenate([c[i] for c in chunks]) for i, name in enumerate(names)}
        self._parts.append(part)
        self._count += len(part["on"])
        if self._count >= self._PART:
            self.flush()

    def flush(self) -> None:
        """Write what is held."""
        if not self._parts:
            return
        arrays = {name: np.concatenate([p[name] for p in self._parts]) for name in self._parts[0]}
        self._parts, self._count = [], 0
        names = ", ".join(f"'{f.feature_id}'" for f in FEATURES)
        self._sink.add_arrays(
            "feature_usage",
            arrays,
            {
                "usage_date": f"date '{iso(FIRST_DAY)}' + (\"on\" - {FIRST_DAY})",
                "customer_id": "'C' || lpad(cast(customer as varchar), 5, '0')",
                "feature_id": f"[{names}][feature + 1]",
                "event_count": "events",
                "active_users": "users",
                "recorded_at": f"date '{iso(FIRST_DAY)}' + (\"on\" - {FIRST_DAY} + 1)",
            },
        )


def tickets_and_surveys(
    seed: int, block: int, customers: list[tuple[Customer, CustomerUsage]]
) -> tuple[list[Row], list[Row], Floats]:
    """Support tickets, survey responses, and handling hours by month and product."""
    rng = stream(seed, "support", block)
    tickets: list[tuple[int, str, list[str]]] = []
    surveys: list[tuple[int, str, list[str]]] = []
    hours_by = np.zeros((MONTHS, len(PRODUCT_IDS)))
    for customer, usage in customers:
        name = f"C{customer.number:05d}"
        for index, product in enumerate(PRODUCT_IDS):
            if product not in usage.seats:
                continue
            seats = usage.seats[product]
            rate = (
                PRODUCT[product].tickets / 100 * seats**0.7 * 4 * np.exp(-0.3 * customer.engagement)
            )
            rate *= (
                np.where(np.arange(MONTHS) >= 29, 0.85, 1.0) * _KNOWN
            )  # self-service from 2026-03
            for month, count in enumerate(rng.poisson(np.where(seats > 0, rate * 0.22, 0))):
                for _ in range(int(count)):
                    last = min(month_end(month), LAST_DAY)
                    on = int(rng.integers(month_start(month), last + 1))
                    minute = int(rng.integers(7 * 60, 19 * 60))
                    hours = round(float(rng.gamma(1.6, 1.9)) + 0.1, 2)
                    resolved = on + int(rng.gamma(1.2, 1.8)) + 1
                    done = (
                        f"{iso(resolved)} 16:{minute % 60:02d}:00" if resolved <= LAST_DAY else ""
                    )
                    known = resolved if done else on
                    clock = f"{minute // 60:02d}:{minute % 60:02d}:00"
                    hours_by[month, index] += hours if done else 0
                    row = [
                        name,
                        product,
                        f"{iso(on)} {clock}",
                        done,
                        f"{hours:.2f}" if done else "",
                        iso(known),
                    ]
                    tickets.append((on, clock + name, row))
            for month in range(2, MONTHS, 6):
                on = month_start(month) + int(rng.integers(20))
                answers = rng.random() < 0.35
                score = round(7.4 + 1.7 * customer.engagement[month] + 1.5 * rng.standard_normal())
                if answers and seats[month] > 0 and on <= LAST_DAY:
                    row = [name, product, iso(on), str(min(10, max(0, score))), iso(on)]
                    surveys.append((on, name + product, row))
    tickets.sort(key=lambda item: item[:2])
    surveys.sort(key=lambda item: item[:2])
    return (
        [[f"T{block:03d}{n:05d}", *row] for n, (_, _, row) in enumerate(tickets, 1)],
        [[f"R{block:03d}{n:05d}", *row] for n, (_, _, row) in enumerate(surveys, 1)],
        hours_by,
    )


def experiment_rows(
    seed: int, block: int, customers: list[tuple[Customer, CustomerUsage]]
) -> list[Row]:
    """Randomised experiments over customers, with the known effect on the treated."""
    rows: list[Row] = []
    for experiment, initiative, effect, treated_share, start in EXPERIMENTS:
        rng = stream(seed, "experiment", experiment, block)
        on = day(start)
        month = month_of(on)
        for customer, usage in customers:
            rolls, noise = rng.random(2), rng.standard_normal(2)
            if not any(share[month] > 0 for share in usage.active.values()):
                continue
            treated = bool(rolls[0] < treated_share)
            if experiment == BROKEN_EXPERIMENT and treated and rolls[1] < BROKEN_LOSS:
                continue
            level = 50 + 12 * float(customer.engagement[month]) + 5 * noise[0]
            outcome = level + 1.5 + 6 * noise[1] + (effect if treated else 0)
            fresh = customer.acquired > on - 28
            rows.append(
                [experiment, f"C{customer.number:05d}", initiative, "treatment" if treated else "control",
                 iso(on), "" if fresh else f"{level:.3f}", f"{outcome:.3f}", iso(on + 56)]
            )  # fmt: skip
    return rows
