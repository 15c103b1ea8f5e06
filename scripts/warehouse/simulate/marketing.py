"""Journeys to a purchase: touches, decided opportunities, and what the channels cost."""

import math
from collections import defaultdict

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
from .catalog import PRODUCT, PRODUCT_IDS
from .customers import Customer
from .parameters import (
    CHANNEL_EFFECT,
    MISSING_MONTH,
    UNRATED_AMOUNT,
    UNRATED_CURRENCY,
    UNRATED_DAY,
)
from .sink import Row, money, stream

CHANNELS = tuple(CHANNEL_EFFECT)
# Mean touches, how strongly intent draws them, and where in the journey they fall (0 early, 1 late).
_REACH = {
    "paid_search": (0.6, 0.6, 0.75),
    "organic_search": (0.6, 0.4, 0.5),
    "paid_social": (0.55, 0.1, 0.25),
    "organic_social": (0.3, 0.1, 0.3),
    "email": (0.6, 0.25, 0.6),
    "webinar": (0.3, 0.1, 0.55),
    "partner": (0.18, 0.0, 0.4),
    "outbound": (0.4, 0.0, 0.35),
    "display": (0.7, 0.0, 0.2),
    "direct": (0.4, 0.7, 0.95),
}
_PAID = {"paid_search", "paid_social", "webinar", "partner", "display"}
_JOURNEY_DAYS = 75
# Weekly spend in USD at scale 1 in the first month, by paid channel; it grows with the company.
_SPEND = {
    "paid_search": 7600,
    "paid_social": 4300,
    "webinar": 3100,
    "partner": 3400,
    "display": 2500,
}
_SPEND_GROWTH = 0.012  # a month
_REGION = (("us", "USD", 0.62), ("eu", "EUR", 0.35))


class Journeys:
    """Touches and conversions of a block; sums up the true effect of each channel."""

    def __init__(self, seed: int, prospects_per_win: int) -> None:
        self._seed = seed
        self._prospects = prospects_per_win
        self.conversions_true: dict[str, float] = dict.fromkeys(CHANNELS, 0.0)
        self.value_true: dict[str, float] = dict.fromkeys(CHANNELS, 0.0)
        self.wins = 0

    def block(
        self,
        block: int,
        customers: list[Customer],
        rates: dict[tuple[str, int], tuple[float, float]],
    ) -> tuple[list[Row], list[Row]]:
        """Touchpoint and conversion rows of the customers of a block and of prospects who did not buy."""
        rng = stream(self._seed, "journeys", block)
        touches: list[tuple[int, str, str, int]] = []  # day, customer, channel, minute
        decisions: list[tuple[int, str, str, bool, int, str]] = []
        wins: dict[int, list[tuple[int, Customer, str, int]]] = defaultdict(list)
        for customer in customers:
            for deal in customer.deals:
                if deal.on < FIRST_DAY:
                    continue
                if deal.is_new:
                    wins[month_of(deal.on)].append((deal.on, customer, deal.product, deal.value))
                else:
                    self._expansion(
                        rng, customer, deal.on, deal.product, deal.value, touches, decisions
                    )
        lost = 0
        for month in range(MONTHS):
            won = wins[month]
            count = max(len(won), 2) * self._prospects
            _intent, reach, utility = self._draw(rng, count)
            chosen = np.argsort(-(utility + rng.gumbel(size=count)), kind="stable")[: len(won)]
            self._score(utility, reach, won, rates, month)
            taken = {int(index): entry for index, entry in zip(chosen, won, strict=True)}
            for index in range(count):
                if index in taken:
                    on, customer, product, value = taken[index]
                    name, currency, is_won = f"C{customer.number:05d}", customer.currency, True
                else:
                    lost += 1
                    name, currency, is_won, value = f"L{block:03d}{lost:05d}", "USD", False, 0
                    on = int(rng.integers(month_start(month), min(month_end(month), LAST_DAY) + 1))
                    product = PRODUCT_IDS[int(rng.integers(len(PRODUCT_IDS)))]
                    if day(PRODUCT[product].launched) > on or product == "P4":
                        product = "P1"
                decisions.append((on, name, product, is_won, value, currency))
                self._touch(rng, on, name, reach[index], touches)
        return self._rows(block, touches, decisions, rng)

    def _draw(
        self, rng: np.random.Generator, count: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        intent = rng.standard_normal(count)
        reach = np.zeros((count, len(CHANNELS)), dtype=np.int64)
        utility = 1.0 * intent
        for position, channel in enumerate(CHANNELS):
            mean, pull, _ = _REACH[channel]
            reach[:, position] = rng.poisson(mean * np.exp(pull * intent))
            utility = utility + CHANNEL_EFFECT[channel] * (reach[:, position] > 0)
        reach[reach.sum(axis=1) == 0, CHANNELS.index("direct")] = 1
        return intent, reach, utility

    def _score(
        self,
        utility: np.ndarray,
        reach: np.ndarray,
        won: list[tuple[int, Customer, str, int]],
        rates: dict[tuple[str, int], tuple[float, float]],
        month: int,
    ) -> None:
        """The true effect: what the same prospects would have bought without the channel."""
        self.wins += len(won)
        if not won:
            return
        low, high = -30.0, 30.0
        for _ in range(60):
            bar = (low + high) / 2
            if (1 - np.exp(-np.exp(utility - bar))).sum() > len(won):
                low = bar
            else:
                high = bar
        value = sum(v / 100 * rates[c.currency, month][0] for _, c, _, v in won) / len(won)
        with_all = (1 - np.exp(-np.exp(utility - bar))).sum()
        for position, channel in enumerate(CHANNELS):
            without = utility - CHANNEL_EFFECT[channel] * (reach[:, position] > 0)
            gained = float(with_all - (1 - np.exp(-np.exp(without - bar))).sum())
            self.conversions_true[channel] += gained
            self.value_true[channel] += gained * value

    def _touch(
        self,
        rng: np.random.Generator,
        on: int,
        name: str,
        reach: np.ndarray,
        touches: list[tuple[int, str, str, int]],
    ) -> None:
        for position in np.flatnonzero(reach):
            channel = CHANNELS[int(position)]
            late = _REACH[channel][2]
            for place in rng.beta(1 + 4 * late, 1 + 4 * (1 - late), int(reach[position])):
                when = on - math.ceil((1 - place) * _JOURNEY_DAYS)
                touches.append((when, name, channel, int(rng.integers(6 * 60, 22 * 60))))

    def _expansion(
        self,
        rng: np.random.Generator,
        customer: Customer,
        on: int,
        product: str,
        value: int,
        touches: list[tuple[int, str, str, int]],
        decisions: list[tuple[int, str, str, bool, int, str]],
    ) -> None:
        """Buying a further product, and an equal number of tries that came to nothing."""
        name = f"C{customer.number:05d}"
        decisions.append((on, name, product, True, value, customer.currency))
        tries = [on]
        other = on - int(rng.integers(60, 200))
        if other > max(FIRST_DAY, customer.acquired):
            decisions.append((other, name, product, False, 0, customer.currency))
            tries.append(other)
        for end in tries:
            for channel in ("email", "webinar", "direct", "outbound"):
                if rng.random() < 0.45:
                    when = end - int(rng.integers(1, 50))
                    touches.append((when, name, channel, int(rng.integers(6 * 60, 22 * 60))))

    def _rows(
        self,
        block: int,
        touches: list[tuple[int, str, str, int]],
        decisions: list[tuple[int, str, str, bool, int, str]],
        rng: np.random.Generator,
    ) -> tuple[list[Row], list[Row]]:
        touches.sort(key=lambda t: (t[0], t[3], t[1], t[2]))
        decisions.sort(key=lambda d: (d[0], d[1], d[2], d[3]))
        regions = rng.random(len(touches))
        touch_rows = []
        for number, (on, name, channel, minute) in enumerate(touches, 1):
            if on > LAST_DAY:
                continue
            paid = channel in _PAID
            campaign = f"{channel}-{'us' if regions[number - 1] < 0.62 else 'eu'}" if paid else ""
            touch_rows.append(
                [f"H{block:03d}{number:06d}", name, f"{iso(on)} {minute // 60:02d}:{minute % 60:02d}:00",
                 channel, campaign, "true" if paid else "false", iso(min(on + 1, LAST_DAY))]
            )  # fmt: skip
        conversion_rows = [
            [f"V{block:03d}{number:06d}", name, product, f"{iso(on)} 23:30:00",
             "true" if won else "false", money(value), currency, iso(min(on + 1, LAST_DAY))]
            for number, (on, name, product, won, value, currency) in enumerate(decisions, 1)
        ]  # fmt: skip
        return touch_rows, conversion_rows


def spend(seed: int, scale: int) -> tuple[list[Row], dict[tuple[int, str, str], int]]:
    """Weekly media spend, and its monthly sums by channel and currency for the ledger."""
    rng = stream(seed, "spend")
    rows: list[Row] = []
    ledger: dict[tuple[int, str, str], int] = defaultdict(int)
    for on in range(FIRST_DAY, LAST_DAY + 1):
        if weekday(on) != 0:
            continue
        month = month_of(on)
        missing = iso(on).startswith(MISSING_MONTH)
        for channel, weekly in _SPEND.items():
            for region, currency, share in _REGION:
                season = 1.25 if month % 12 in (0, 5, 11) else 0.95  # Oct, Mar, Sep
                level = weekly * share * (1 + _SPEND_GROWTH) ** month * season * scale
                amount = round(level * rng.uniform(0.8, 1.2)) * 100
                ledger[month, channel, currency] += amount
                if not missing:
                    rows.append(
                        [iso(on), channel, f"{channel}-{region}", money(amount), currency,
                         iso(min(on + 7, LAST_DAY))]
                    )  # fmt: skip
    on = day(UNRATED_DAY)
    ledger[month_of(on), "webinar", UNRATED_CURRENCY] += UNRATED_AMOUNT
    rows.append(
        [iso(on), "webinar", "zurich-summit", money(UNRATED_AMOUNT), UNRATED_CURRENCY, iso(on + 7)]
    )
    return rows, dict(ledger)
