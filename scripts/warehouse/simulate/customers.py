"""The life of one customer: contracts, their changes, and the invoices that follow from them."""

import datetime as dt
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .calendar import FIRST_DAY, LAST_DAY, MONTHS, day, month_day, month_end, month_of, month_start
from .catalog import (
    CURRENCIES,
    FEATURE,
    FEATURES,
    PLANS,
    PRICE_FACTOR,
    PRODUCT,
    PRODUCTS,
    SEGMENTS,
    add_on_price,
    list_price,
)
from .parameters import (
    CHURN_PER_ENGAGEMENT,
    EXPANSION_ADOPTION_RATE,
    EXPANSION_FACTOR,
    EXPANSION_FEATURE,
    EXPANSION_PER_ENGAGEMENT,
    PRICE_RISE_CHURN_FACTOR,
    PRICE_RISE_DAY,
    PRICE_RISE_PRODUCT,
)
from .sink import round_half_up, stream

BLOCK = 400  # customers simulated together; one block is the company at scale 1
INSTALLED = 172  # of them, customers before the first month

_YEARLY_CHURN = (0.24, 0.11, 0.05)  # by segment
_EXPANSION = (0.010, 0.019, 0.028)  # a month
_CROSS_SELL = (0.0015, 0.007, 0.012)
_ADD_ON = (0.002, 0.006, 0.012)
_SEATS = ((17.0, 0.6, 3, 70), (74.0, 0.55, 25, 280), (295.0, 0.55, 110, 1100))
_INTERVALS = (((1, 0.6), (12, 0.4)), ((1, 0.15), (3, 0.3), (12, 0.55)), ((3, 0.1), (6, 0.1), (12, 0.7), (24, 0.1)))  # fmt: skip
_REGIONS = {"USD": ("Americas",), "EUR": ("Europe",), "GBP": ("Europe",), "JPY": ("Asia Pacific",)}
_INDUSTRIES = (
    "Retail",
    "Manufacturing",
    "Financial services",
    "Healthcare",
    "Software",
    "Logistics",
)
_TAX = {"USD": 0.06, "EUR": 0.0, "GBP": 0.2, "JPY": 0.1}  # self-service customers only
_PAY_DAYS = (0, 30, 45)
_PRICE_RISE_DAY = day(PRICE_RISE_DAY)
_SUNSET_DAY = day("2025-01-01")
_MOVE_DAY = day("2025-05-12")
_USAGE_INCLUDED = {"P3": 110.0, "P6": 45.0}  # events per seat and month


@dataclass
class Term:
    """An interval of unchanged terms of a subscription."""

    subscription: str
    valid_from: int
    product: str
    plan: str
    quantity: int
    price: int  # hundredths per seat and month
    discount: int  # ten-thousandths
    interval: int
    valid_to: int = 0


@dataclass
class Line:
    """An invoice line; money in hundredths."""

    subscription: str
    product: str
    plan: str
    charge: str
    quantity: float
    unit_price: float
    amount: int
    invoiced: int
    start: int
    end: int
    invoice: str = ""
    number: int = 0
    tax: int = 0
    due: int = 0
    unit: int = 1  # the currency's smallest unit in hundredths

    def recognised_to(self, last: int) -> int:
        """What is earned up to and including a day, rounded to the currency's smallest unit."""
        if last < self.start or (self.charge == "one_time" and last < self.end):
            return 0  # one-time work is earned when it is delivered
        if last >= self.end:
            return self.amount
        elapsed = last - self.start + 1
        return self.unit * round_half_up(
            self.amount // self.unit * elapsed, self.end - self.start + 1
        )


@dataclass
class Payment:
    """Money received for an invoice, in hundredths."""

    invoice: str
    paid: int
    amount: int
    fee: int


@dataclass
class Deal:
    """A won opportunity: the first contract or a further product."""

    on: int
    product: str
    value: int
    is_new: bool


@dataclass
class Subscription:
    """A subscription in force."""

    identifier: str
    term: Term
    start: int  # billing anchor
    plan_index: int
    promo: bool
    feature: str = ""  # the add-on, if it is one
    paid_to: int = 0
    open_lines: list[Line] = field(default_factory=list)
    paused_to: int = 0
    pending_end: bool = False


class Customer:
    """One customer. Amounts in yen are kept in hundredths of a yen that are always whole yen."""

    def __init__(self, seed: int, number: int, acquired: int) -> None:
        self.number = number
        self.acquired = acquired
        self._rng = stream(seed, "customer", number)
        rng = self._rng
        self.segment = int(rng.choice(3, p=(0.44, 0.39, 0.17)))
        self.currency = CURRENCIES[int(rng.choice(4, p=(0.54, 0.26, 0.12, 0.08)))]
        self.region = _REGIONS[self.currency][0]
        self.industry = _INDUSTRIES[int(rng.integers(len(_INDUSTRIES)))]
        mean, spread, least, most = _SEATS[self.segment]
        self._seats = int(min(most, max(least, mean * math.exp(spread * rng.standard_normal()))))
        self.engagement = self._engagement()
        self.adopted = {
            f.feature_id: bool(rng.random() < _adoption(f.feature_id)) for f in FEATURES
        }
        self.adoption_delay = int(rng.integers(0, 4))
        self.terms: list[Term] = []
        self.lines: list[Line] = []
        self.payments: list[Payment] = []
        self.deals: list[Deal] = []
        self.ended: list[int] = []
        self._subscriptions: list[Subscription] = []
        self._count = 0
        self._return_month = -1

    def _engagement(self) -> np.ndarray:
        level = 0.6 * self._rng.standard_normal()
        path = np.empty(MONTHS)
        for month, shock in enumerate(self._rng.standard_normal(MONTHS)):
            level = 0.9 * level + 0.28 * shock
            path[month] = level
        return path

    # --- contracts ---

    def live(self) -> None:
        """Go through the months from the first contract to the last day known."""
        first = max(0, month_of(self.acquired))
        self._first_contract()
        for month in range(first, MONTHS):
            for subscription in list(self._subscriptions):
                self._month(subscription, month)
            if self._subscriptions:
                self._further_products(month)
            elif month == self._return_month:
                on = month_day(month, 1 + int(self._rng.integers(20)))
                if on <= LAST_DAY:
                    self._subscribe(on, self._first_product, round(self._seats * 0.8), is_new=False)

    def _first_contract(self) -> None:
        rng = self._rng
        shares = [
            (p.share_after if self.acquired >= _SUNSET_DAY else p.share_before)
            * (day(p.launched) <= self.acquired)
            for p in PRODUCTS
        ]
        shares[0] += 1 - sum(shares)
        self._first_product = PRODUCTS[int(rng.choice(len(PRODUCTS), p=shares))].product_id
        start = self.acquired
        if self.segment == 0 and self.acquired >= FIRST_DAY and rng.random() < 0.3:
            start = self._trial(start)
        if start > LAST_DAY:
            return
        self._subscribe(start, self._first_product, self._seats, is_new=True)
        second = (0.0, 0.15, 0.4)[self.segment]
        owned = {self._first_product}
        if self.acquired < FIRST_DAY and rng.random() < second:
            other = ("P2", "P3", "P5")[int(rng.integers(3))]
            if other not in owned and day(PRODUCT[other].launched) < FIRST_DAY:
                late = max(self.acquired, day(PRODUCT[other].launched))
                on = late + int(rng.integers(1, max(2, FIRST_DAY - late)))
                self._subscribe(min(on, FIRST_DAY - 1), other, max(2, round(self._seats * 0.7)))

    def _trial(self, start: int) -> int:
        plan = self.segment
        product = self._first_product
        self._count += 1
        price = list_price(product, plan, self.currency, start)
        self._trial_id = self._new_id()
        ends = start + 14
        self.terms.append(
            Term(self._trial_id, start, product, f"{product}-{PLANS[plan]}", self._seats, price,
                 10_000, 1, ends if ends <= LAST_DAY else 0)
        )  # fmt: skip
        return ends

    def _new_id(self) -> str:
        return f"S{self.number:05d}-{self._count:02d}"

    def _anchor(self, on: int) -> int:
        date = dt.date.fromordinal(on)
        return on if date.day <= 28 else on - (date.day - 28)

    def _subscribe(
        self, on: int, product: str, seats: int, is_new: bool = False, feature: str = ""
    ) -> None:
        rng = self._rng
        on = self._anchor(on)
        if on < FIRST_DAY <= self.acquired:
            on = FIRST_DAY
        if is_new and self.terms and self.terms[-1].valid_to:
            on = self.terms[-1].valid_to  # straight after the trial
            on = on if dt.date.fromordinal(on).day <= 28 else self._after_28(on)
            identifier = self._trial_id
        else:
            self._count += 1
            identifier = self._new_id()
        choices = _INTERVALS[self.segment]
        interval = choices[int(rng.choice(len(choices), p=[p for _, p in choices]))][0]
        if feature:
            price, plan = add_on_price(feature, self.currency, min(on, LAST_DAY)), feature
        else:
            price = list_price(product, self.segment, self.currency, on)
            plan = f"{product}-{PLANS[self.segment]}"
        promo = bool(self.segment == 0 and rng.random() < 0.2)
        discount = 2000 if promo else self._discount()
        term = Term(identifier, on, product, plan, max(1, seats), price, discount, interval)
        self.terms.append(term)
        subscription = Subscription(identifier, term, on, self.segment, promo, feature)
        self._subscriptions.append(subscription)
        value = round(self._monthly(term) * 12)
        if not feature:
            self.deals.append(Deal(on, product, self._round(value), is_new))
        if on >= FIRST_DAY:
            self._bill(subscription, on)
            if not feature and self.segment and rng.random() < 0.5:
                self._onboarding(subscription, on)
        else:
            self._opening_bill(subscription)

    def _after_28(self, on: int) -> int:
        """Lengthen the trial so that billing starts on the first of the next month."""
        start = month_start(month_of(on) + 1)
        self.terms[-1].valid_to = start
        return start

    def _discount(self) -> int:
        if self.segment == 0:
            return 0
        steps = 7 if self.segment == 1 else 11
        return 250 * int(self._rng.integers(0 if self.segment == 1 else 4, steps))

    def _monthly(self, term: Term) -> float:
        return term.quantity * term.price * (1 - term.discount / 10_000)

    def _change(self, subscription: Subscription, on: int, **changes: Any) -> None:
        """End the terms in force and begin new ones."""
        old = subscription.term
        new = Term(**{**old.__dict__, "valid_from": on, "valid_to": 0, **changes})
        if (new.product, new.plan, new.quantity, new.price, new.discount) == (
            old.product, old.plan, old.quantity, old.price, old.discount,
        ):  # fmt: skip
            return
        if old.valid_from == on:
            old.__dict__.update(new.__dict__)
            return
        old.valid_to = on
        self.terms.append(new)
        subscription.term = new

    def _end(self, subscription: Subscription, on: int) -> None:
        subscription.term.valid_to = on
        self._subscriptions.remove(subscription)
        if not subscription.feature:
            for other in self._subscriptions:
                if other.feature and other.term.product == subscription.term.product:
                    other.pending_end = True
        if not self._subscriptions:
            self.ended.append(on)
            if self._rng.random() < 0.18:
                self._return_month = month_of(on) + int(self._rng.integers(3, 9))

    # --- a month of a subscription ---

    def _month(self, sub: Subscription, month: int) -> None:
        rng = self._rng
        on = month_start(month) + dt.date.fromordinal(sub.start).day - 1
        months = month - month_of(sub.start)
        if months <= 0 or on > LAST_DAY or on < FIRST_DAY:
            return
        if sub.paused_to:
            if on < sub.paused_to:
                return
            self._resume(sub, on)
            self._bill(sub, on)
            return
        engagement = float(self.engagement[month])
        boundary = on > sub.paid_to
        if boundary:
            if sub.pending_end or rng.random() < self._churn(sub, on, months, engagement):
                self._end(sub, on)
                return
            if sub.term.interval == 1 and not sub.feature and rng.random() < 0.004:
                self._pause(sub, on, month)
                return
            self._renegotiate(sub, on, months, engagement)
        elif not sub.feature and rng.random() < 0.0008:
            self._terminate_early(sub, on)
            return
        grows = rng.random() < self._expansion(sub, month, engagement)
        share = rng.uniform(0.05, 0.25)
        if grows and not sub.feature:
            extra = max(1, round(sub.term.quantity * share))
            if not boundary:
                self._bill_extra(sub, on, extra)
            self._change(sub, on, quantity=sub.term.quantity + extra)
        if boundary:
            self._bill(sub, on)
            if rng.random() < 0.004:
                self._goodwill(sub, on)

    def _churn(self, sub: Subscription, on: int, months: int, engagement: float) -> float:
        yearly = _YEARLY_CHURN[self.segment] * (1.2 if sub.feature else 1.0)
        rate = 1 - (1 - yearly) ** (sub.term.interval / 12)
        odds = rate / (1 - rate) * math.exp(CHURN_PER_ENGAGEMENT * engagement)
        renewal = months % 12 < sub.term.interval
        after_rise = _PRICE_RISE_DAY <= on < _PRICE_RISE_DAY + 365
        if sub.term.product == PRICE_RISE_PRODUCT and renewal and after_rise:
            odds *= PRICE_RISE_CHURN_FACTOR
        if sub.term.product == "P4" and on >= _SUNSET_DAY:
            odds *= 1.5
        return float(odds / (1 + odds))

    def _expansion(self, sub: Subscription, month: int, engagement: float) -> float:
        rate = _EXPANSION[self.segment]
        odds = rate / (1 - rate) * math.exp(EXPANSION_PER_ENGAGEMENT * engagement)
        if sub.term.product == FEATURE[EXPANSION_FEATURE].product_id and self.uses(
            EXPANSION_FEATURE, month
        ):
            odds *= EXPANSION_FACTOR
        return float(odds / (1 + odds))

    def uses(self, feature_id: str, month: int) -> bool:
        """True when the customer has taken the feature up by the month (if it owns the product)."""
        feature = FEATURE[feature_id]
        if not feature.released or not self.adopted[feature_id]:
            return False
        released = month_of(day(feature.released))
        delay = self.adoption_delay if released > 0 else 0
        gone = feature.retired and month > month_of(day(feature.retired))
        return month >= released + delay and not gone

    def _renegotiate(self, sub: Subscription, on: int, months: int, engagement: float) -> None:
        rng = self._rng
        term = sub.term
        rolls = rng.random(4)
        if sub.promo and months >= 3:
            sub.promo = False
            self._change(sub, on, discount=0)
        if months % 12 < term.interval:  # the yearly renewal brings the list price of the day
            if sub.feature:
                price = add_on_price(sub.feature, self.currency, on)
            else:
                price = list_price(sub.term.product, sub.plan_index, self.currency, on)
            self._change(sub, on, price=price)
        if sub.feature:
            return
        shrink = (0.01 * term.interval) * math.exp(-0.6 * engagement)
        if rolls[0] < min(0.4, shrink) and sub.term.quantity > 4:
            cut = rng.uniform(0.08, 0.3)
            self._change(sub, on, quantity=max(1, round(sub.term.quantity * (1 - cut))))
        elif sub.plan_index == 0 and rolls[1] < 0.006 * term.interval:
            self._change_plan(sub, on, 1)
        elif sub.plan_index == 1 and self.segment == 0 and rolls[1] < 0.01 * term.interval:
            self._change_plan(sub, on, 0)
        if term.product == "P4" and on >= _MOVE_DAY and rolls[2] < 0.05 * term.interval:
            price = list_price("P3", sub.plan_index, self.currency, on)
            self._change(sub, on, product="P3", plan=f"P3-{PLANS[sub.plan_index]}", price=price)

    def _change_plan(self, sub: Subscription, on: int, plan: int) -> None:
        sub.plan_index = plan
        price = list_price(sub.term.product, plan, self.currency, on)
        self._change(sub, on, plan=f"{sub.term.product}-{PLANS[plan]}", price=price)

    def _pause(self, sub: Subscription, on: int, month: int) -> None:
        sub.term.valid_to = on
        sub.paused_to = month_start(month + 1 + int(self._rng.integers(1, 3)))

    def _resume(self, sub: Subscription, on: int) -> None:
        sub.paused_to = 0
        sub.term = Term(**{**sub.term.__dict__, "valid_from": on, "valid_to": 0})
        self.terms.append(sub.term)

    def _further_products(self, month: int) -> None:
        rng = self._rng
        rolls = rng.random(2)
        on = month_day(month, 1 + int(rng.integers(28)))
        pick = rng.random()
        if on > LAST_DAY or on < FIRST_DAY or on <= self.acquired + 30:
            return
        main = [s for s in self._subscriptions if not s.feature and not s.paused_to]
        owned = {s.term.product for s in main}
        engagement = float(self.engagement[month])
        if main and rolls[0] < _CROSS_SELL[self.segment] * math.exp(0.3 * engagement):
            offer = [
                p.product_id
                for p in PRODUCTS
                if p.product_id not in owned and p.product_id != "P4" and day(p.launched) <= on
            ]
            if offer:
                seats = max(2, round(main[0].term.quantity * 0.6))
                self._subscribe(on, offer[int(pick * len(offer))], seats)
        elif main and rolls[1] < _ADD_ON[self.segment]:
            have = {s.feature for s in self._subscriptions}
            add_ons = [
                (f.feature_id, s)
                for s in main
                for f in FEATURES
                if f.add_on_price and f.product_id == s.term.product and f.feature_id not in have
                and f.released and day(f.released) <= on
            ]  # fmt: skip
            if add_ons:
                feature_id, parent = add_ons[int(pick * len(add_ons))]
                self._subscribe(on, parent.term.product, parent.term.quantity, feature=feature_id)

    # --- invoices ---

    def _round(self, hundredths: float) -> int:
        if self.currency == "JPY":
            return 100 * math.floor(hundredths / 100 + 0.5)
        return math.floor(hundredths + 0.5)

    def _bill(self, sub: Subscription, on: int) -> None:
        term = sub.term
        end = _add_months(on, term.interval) - 1
        unit = term.price * term.interval * (1 - term.discount / 10_000) / 100
        self._line(sub, "recurring", term.quantity, unit, on, end)

    def _opening_bill(self, sub: Subscription) -> None:
        """What was prepaid before the first month, taken over on its first day."""
        term = sub.term
        months = 0
        while _add_months(sub.start, months) <= FIRST_DAY:
            months += term.interval
        end = _add_months(sub.start, months) - 1
        begun = _add_months(sub.start, months - term.interval)
        share = (end - FIRST_DAY + 1) / (end - begun + 1)
        unit = term.price * term.interval * (1 - term.discount / 10_000) / 100 * share
        self._line(sub, "recurring", term.quantity, unit, FIRST_DAY, end)

    def _bill_extra(self, sub: Subscription, on: int, extra: int) -> None:
        term = sub.term
        share = (sub.paid_to - on + 1) / (_add_months(on, term.interval) - on)
        unit = term.price * term.interval * (1 - term.discount / 10_000) / 100 * share
        self._line(sub, "recurring", extra, unit, on, sub.paid_to)

    def _line(
        self, sub: Subscription, charge: str, quantity: float, unit: float, on: int, end: int
    ) -> None:
        unit = round(unit, 6)
        amount = self._round(quantity * unit * 100)
        term = sub.term
        line = self._add_line(
            sub.identifier, term.product, term.plan, charge, quantity, unit, amount, on, on, end
        )
        if charge == "recurring":
            if end > sub.paid_to:
                sub.open_lines = []
            sub.open_lines.append(line)
            sub.paid_to = max(sub.paid_to, end)

    def _add_line(
        self,
        subscription: str,
        product: str,
        plan: str,
        charge: str,
        quantity: float,
        unit_price: float,
        amount: int,
        invoiced: int,
        start: int,
        end: int,
    ) -> Line:
        line = Line(
            subscription, product, plan, charge, quantity, unit_price, amount, invoiced, start, end
        )
        line.unit = 100 if self.currency == "JPY" else 1
        self.lines.append(line)
        return line

    def _onboarding(self, sub: Subscription, on: int) -> None:
        usd = (0, self._rng.integers(12, 40) * 100, self._rng.integers(8, 26) * 1000)[self.segment]
        amount = self._round(float(usd) * PRICE_FACTOR[self.currency] * 100)
        self._add_line(
            "", sub.term.product, "onboarding", "one_time", 1, amount / 100, amount, on, on, on + 59
        )

    def _goodwill(self, sub: Subscription, on: int) -> None:
        later = on + int(self._rng.integers(10, 26))
        if later > LAST_DAY:
            return
        amount = -self._round(self._monthly(sub.term) * self._rng.uniform(0.05, 0.3))
        charge = "refund" if self.segment == 0 else "credit"
        if amount:
            term = sub.term
            self._add_line(
                sub.identifier,
                term.product,
                term.plan,
                charge,
                1,
                amount / 100,
                amount,
                later,
                later,
                later,
            )

    def _terminate_early(self, sub: Subscription, on: int) -> None:
        """The customer leaves within a paid term; what is not yet earned is credited."""
        for line in sub.open_lines:
            left = line.amount - line.recognised_to(on - 1)
            if left:
                self._add_line(
                    sub.identifier,
                    line.product,
                    line.plan,
                    "credit",
                    1,
                    -left / 100,
                    -left,
                    on,
                    on,
                    line.end,
                )
        self._end(sub, on)

    def add_usage_lines(self, events: dict[str, np.ndarray], seats: dict[str, np.ndarray]) -> None:
        """Bill events above the included ones on the last day of the month they happened in."""
        if self.segment == 0:
            return
        for product, included in _USAGE_INCLUDED.items():
            if product not in events:
                continue
            unit = round(PRODUCT[product].usage_price * PRICE_FACTOR[self.currency], 6)
            for month in range(MONTHS - 1):
                over = float(events[product][month]) - included * float(seats[product][month])
                thousands = round(over / 1000, 3)
                amount = self._round(thousands * unit * 100)
                if seats[product][month] > 0 and thousands >= 0.5 and amount > 0:
                    first, last = month_start(month), month_end(month)
                    self._add_line(
                        "",
                        product,
                        f"{product}-usage",
                        "usage",
                        thousands,
                        unit,
                        amount,
                        last,
                        first,
                        last,
                    )

    def settle(self) -> None:
        """Number the invoices, add tax and terms of payment, and let the customer pay."""
        rng = self._rng
        tax_rate = _TAX[self.currency] if self.segment == 0 else 0.0
        self.lines.sort(
            key=lambda line: (line.invoiced, line.amount < 0, line.charge != "recurring")
        )
        sequence = 0
        previous: tuple[int, bool] | None = None
        for line in self.lines:
            group = (line.invoiced, line.amount < 0)
            if group != previous:
                sequence += 1
                number = 0
                previous = group
            number += 1
            line.invoice = f"N{self.number:05d}-{sequence:03d}"
            line.number = number
            line.tax = self._round(line.amount * tax_rate) if tax_rate else 0
            line.due = line.invoiced + (_PAY_DAYS[self.segment] if line.amount > 0 else 0)
        totals: dict[str, int] = {}
        for line in self.lines:
            totals[line.invoice] = totals.get(line.invoice, 0) + line.amount + line.tax
        fee_rate = (0.029, 0.008, 0.001)[self.segment]
        invoice_lines = {line.invoice: line for line in self.lines}
        for invoice, total in totals.items():
            line = invoice_lines[invoice]
            roll, wait = rng.random(2)
            if line.invoiced == FIRST_DAY and self.acquired < FIRST_DAY and line.amount > 0:
                self._pay(invoice, FIRST_DAY, total, 0)  # prepaid before
                continue
            if self.segment == 0 and roll < 0.004 and total > 0:
                continue  # never paid
            late = int(45 * wait) if roll < 0.08 else int(14 * wait) - 8
            paid = max(line.invoiced, line.due + (late if self.segment else int(3 * wait)))
            if total > 0 and self.segment == 2 and roll > 0.97:
                half = self._round(total / 2)
                self._pay(invoice, paid, half, self._round(half * fee_rate))
                self._pay(invoice, paid + 30, total - half, self._round((total - half) * fee_rate))
            else:
                self._pay(invoice, paid, total, self._round(max(0, total) * fee_rate))

    def _pay(self, invoice: str, paid: int, amount: int, fee: int) -> None:
        if paid <= LAST_DAY:
            self.payments.append(Payment(invoice, paid, amount, fee))

    def seats_by_month(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Seats of each product and add-on, and the share of the month it was in force."""
        seats: dict[str, np.ndarray] = {}
        active: dict[str, np.ndarray] = {}
        for term in self.terms:
            product = term.plan if term.plan in FEATURE else term.product
            if product not in seats:
                seats[product] = np.zeros(MONTHS)
                active[product] = np.zeros(MONTHS)
            begin = max(term.valid_from, FIRST_DAY)
            end = min(term.valid_to or LAST_DAY + 1, LAST_DAY + 1)
            for month in range(month_of(begin), month_of(end - 1) + 1 if end > begin else 0):
                first, last = month_start(month), min(month_end(month), LAST_DAY)
                days = min(end, last + 1) - max(begin, first)
                share = days / (last - first + 1)
                seats[product][month] += term.quantity * share
                active[product][month] += share
        return seats, active

    @property
    def segment_name(self) -> str:
        """Segment as the extract writes it."""
        return SEGMENTS[self.segment]


def _adoption(feature_id: str) -> float:
    if feature_id == EXPANSION_FEATURE:
        return EXPANSION_ADOPTION_RATE
    feature = FEATURE[feature_id]
    return 0.0 if feature.add_on_price else feature.adoption


def _add_months(on: int, months: int) -> int:
    date = dt.date.fromordinal(on)
    return month_start(month_of(on) + months) + date.day - 1


def acquisition_days(seed: int, block: int) -> list[int]:
    """When the customers of a block came, in order; growth is a little faster each year."""
    rng = stream(seed, "acquisition", block)
    before = day("2021-01-04")
    old = np.sort(before + ((FIRST_DAY - 3 - before) * np.sqrt(rng.random(INSTALLED))).astype(int))
    reach = LAST_DAY - 4 - FIRST_DAY
    new = np.sort(FIRST_DAY + (reach * rng.random(BLOCK - INSTALLED) ** 0.85).astype(int))
    return [int(d) for d in np.concatenate([old, new])]


def company_block(seed: int, block: int) -> list[Customer]:
    """The customers of one block, with all that happened to them."""
    customers = []
    for index, acquired in enumerate(acquisition_days(seed, block)):
        customer = Customer(seed, block * BLOCK + index + 1, acquired)
        customer.live()
        customers.append(customer)
    return customers
