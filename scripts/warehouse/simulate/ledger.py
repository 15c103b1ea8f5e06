"""The general ledger: balanced journals for all that happened, and what they add up to."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from .calendar import (
    CLOSED_MONTHS,
    FIRST_DAY,
    LAST_DAY,
    MONTHS,
    day,
    fiscal_calendars,
    iso,
    month_day,
    month_end,
    month_of,
    month_rates,
    month_start,
    read_seed,
)
from .catalog import CURRENCIES, INITIATIVE, PRODUCT, PRODUCT_IDS
from .cloud import CloudBill
from .customers import Customer, Line
from .parameters import (
    CLOUD_DIFFERENCE,
    LATE_CORRECTION_FILES,
    LATE_CORRECTION_RATE,
    REVENUE_DIFFERENCE,
    SELF_APPROVED_JOURNALS,
    UNBALANCED_AMOUNT,
    UNBALANCED_MONTH,
)
from .people import TEAMS, Labour
from .procurement import SupplierInvoice
from .sink import Row, Sink, money, round_half_up, stream

ACCOUNT_OF_CHARGE = {
    "recurring": "4010",
    "usage": "4020",
    "one_time": "4030",
    "credit": "4090",
    "refund": "4090",
}
_REVENUE_CENTER = "CC300"
_COMMISSION = 0.075
_PAYROLL_ACCOUNT = {
    r["cost_center_id"]: r["payroll_account_id"] for r in read_seed("core/cost_centers.csv")
}
ENTITY = {r["cost_center_id"]: r["entity_id"] for r in read_seed("core/cost_centers.csv")}


@dataclass
class Sales:
    """What the customers come to by month, for the ledger and the budget. Money in hundredths."""

    recognised: dict[tuple[int, str, str, str], int] = field(
        default_factory=lambda: defaultdict(int)
    )
    billed: dict[tuple[int, str], list[int]] = field(
        default_factory=lambda: defaultdict(lambda: [0, 0])
    )
    cash: dict[tuple[int, str], int] = field(default_factory=lambda: defaultdict(int))
    fees: dict[tuple[int, str, str], int] = field(default_factory=lambda: defaultdict(int))
    exchange: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    new_value: dict[tuple[int, str], float] = field(default_factory=lambda: defaultdict(float))
    seats: np.ndarray = field(default_factory=lambda: np.zeros((MONTHS, len(PRODUCT_IDS))))
    events: np.ndarray = field(default_factory=lambda: np.zeros((MONTHS, len(PRODUCT_IDS))))
    plan_seats: dict[tuple[int, str, str, str], float] = field(
        default_factory=lambda: defaultdict(float)
    )
    plan_value: dict[tuple[int, str, str, str], float] = field(
        default_factory=lambda: defaultdict(float)
    )


def earn(line: Line) -> list[tuple[int, int]]:
    """Revenue of an invoice line by month, summing to its amount."""
    earned: list[tuple[int, int]] = []
    before = 0
    for month in range(month_of(line.start), month_of(line.end) + 1):
        cumulative = line.recognised_to(month_end(month))
        if cumulative != before:
            earned.append((month, cumulative - before))
        before = cumulative
    return earned


class SalesBook:
    """Takes in customers; with `detail`, writes a journal per invoice, recognition and payment."""

    def __init__(self, sink: Sink, detail: bool) -> None:
        self.sales = Sales()
        self._sink = sink
        self._detail = detail
        self._rates = month_rates()
        self._posting = fiscal_calendars()[ENTITY[_REVENUE_CENTER]]

    def add(self, customer: Customer) -> None:
        """Account for one customer."""
        sales, currency = self.sales, customer.currency
        rows: list[Row] = []
        products = {line.invoice: (line.product, line.invoiced) for line in customer.lines}
        for line in customer.lines:
            account = ACCOUNT_OF_CHARGE[line.charge]
            billed = sales.billed[month_of(line.invoiced), currency]
            billed[0] += line.amount
            billed[1] += line.tax
            earned = earn(line)
            for month, amount in earned:
                sales.recognised[month, currency, line.product, account] += amount
            if self._detail:
                rows += self._line_journals(line, currency, account)
        for payment in customer.payments:
            month = month_of(payment.paid)
            product, invoiced = products[payment.invoice]
            sales.cash[month, currency] += payment.amount
            sales.fees[month, currency, product] += payment.fee
            change = self._rates[currency, month][0] - self._rates[currency, month_of(invoiced)][0]
            sales.exchange[month] += payment.amount * change
        if self._detail:
            for number, payment in enumerate(customer.payments, 1):
                product = products[payment.invoice][0]
                rows += journal(
                    f"CR-{payment.invoice}-{number}", payment.paid, payment.paid, currency, "billing-system",
                    [("1000", "", "", "", "", payment.amount - payment.fee),
                     ("5020", "CC400", product, "", "", payment.fee),
                     ("1100", "", "", "", "", -payment.amount)],
                )  # fmt: skip
            self._sink.add("gl_entries", rows)
        for deal in customer.deals:
            if deal.on >= FIRST_DAY:
                month = month_of(deal.on)
                usd = deal.value * self._rates[currency, month][0]
                sales.new_value[month, deal.product] += usd
        self._plans(customer)

    def _line_journals(self, line: Line, currency: str, account: str) -> list[Row]:
        name = f"{line.invoice}-{line.number}"
        rows = journal(
            f"IN-{name}", line.invoiced, line.invoiced, currency, "billing-system",
            [("1100", "", "", "", "", line.amount + line.tax), ("2400", "", "", "", "", -line.amount),
             ("2200", "", "", "", "", -line.tax)],
        )  # fmt: skip
        for posted, amount in self._steps(line):
            tag = iso(posted)
            rows += journal(
                f"RR-{name}-{tag}",
                posted,
                posted + 2,
                currency,
                "billing-system",
                [
                    ("2400", "", "", "", "", amount),
                    (account, _REVENUE_CENTER, line.product, "", "", -amount),
                ],
            )
        return rows

    def _steps(self, line: Line) -> Iterator[tuple[int, int]]:
        """Days on which a large company posts what is earned: the 8th, 15th, 20th and the month end."""
        before = 0
        for month in range(month_of(line.start), min(month_of(line.end) + 1, CLOSED_MONTHS)):
            first = month_start(month)
            for posted, earned_to in (
                *((first + later, first + later) for later in (7, 14, 19)),
                (self._posting.posting_day(month), month_end(month)),
            ):
                cumulative = line.recognised_to(earned_to)
                if cumulative != before:
                    yield posted, cumulative - before
                before = cumulative

    def _plans(self, customer: Customer) -> None:
        """Seats and monthly value in USD at the end of each month, by plan, for the revenue budget."""
        for term in customer.terms:
            first = max(0, month_of(term.valid_from))
            until = term.valid_to or LAST_DAY + 1
            for month in range(first, MONTHS):
                if not term.valid_from <= month_end(month) < until or term.discount == 10_000:
                    continue
                key = (month, term.product, term.plan, customer.segment_name)
                monthly = term.quantity * term.price * (1 - term.discount / 10_000) / 100
                self.sales.plan_seats[key] += term.quantity
                self.sales.plan_value[key] += monthly * self._rates[customer.currency, month][0]


def journal(
    identifier: str,
    posted: int,
    known: int,
    currency: str,
    poster: str,
    lines: Iterable[tuple[str, str, str, str, str, int]],
    text: str = "",
    approver: str = "controller",
    adjustment: str = "",
) -> list[Row]:
    """Rows of a journal; lines are account, cost center, product, initiative, vendor, amount."""
    rows: list[Row] = []
    for account, cost_center, product, initiative, vendor, amount in lines:
        if amount:
            rows.append(
                [identifier, str(len(rows) + 1), iso(posted), account, cost_center, product, initiative, vendor,
                 text, money(amount), currency, poster, approver, adjustment, iso(min(known, LAST_DAY))]
            )  # fmt: skip
    return rows


class Ledger:
    """Posts everything but single customer invoices, month by month."""

    def __init__(self, seed: int, scale: int, sales: Sales, detail: bool) -> None:
        self._rng = stream(seed, "ledger")
        self._scale = scale
        self._sales = sales
        self._detail = detail
        self._rates = month_rates()
        self._calendars = fiscal_calendars()
        self.late: dict[str, list[Row]] = {stamp: [] for stamp in LATE_CORRECTION_FILES}
        self.defects: list[tuple[str, str, str, str]] = []
        # USD in hundredths, natural sign, by month, cost center, account, product, initiative.
        self.actual: dict[tuple[int, str, str, str, str], float] = defaultdict(float)
        self._payable: dict[tuple[int, str], int] = defaultdict(int)
        self._assets: dict[tuple[str, str], int] = defaultdict(int)
        self._taxes: dict[str, int] = defaultdict(int)

    def post(self, sink: Sink, labour: Labour, bill: CloudBill, spend: dict[tuple[int, str, str], int],
             invoices: list[SupplierInvoice]) -> None:  # fmt: skip
        """Write the ledger of all months."""
        by_month: dict[int, list[SupplierInvoice]] = defaultdict(list)
        for invoice in invoices:
            by_month[month_of(invoice.on)].append(invoice)
        sink.add("gl_entries", self._opening())
        for month in range(MONTHS):
            rows = [*self._customers(month), *self._suppliers(month, by_month[month])]
            rows += self._settle(month)
            if month < CLOSED_MONTHS:
                rows += self._payroll(month, labour)
                rows += self._cloud(month, bill)
                rows += self._marketing(month, spend)
                rows += self._commissions(month)
                rows += self._capitalise(month, labour, by_month[month])
                rows += self._amortise(month)
                rows += self._manual(month)
            sink.add("gl_entries", rows)
        for stamp, late in self.late.items():
            sink.add("gl_entries", late, stamp)

    # --- helpers ---

    def _day(self, cost_center: str, month: int) -> int:
        return self._calendars[ENTITY[cost_center]].posting_day(month)

    def _post(
        self,
        identifier: str,
        posted: int,
        known: int,
        currency: str,
        poster: str,
        lines: list[tuple[str, str, str, str, str, int]],
        text: str = "",
        approver: str = "controller",
        adjustment: str = "",
    ) -> list[Row]:
        rate = self._rates.get((currency, month_of(posted)), (0.0, 0.0))[0]
        for account, cost_center, product, initiative, _, amount in lines:
            if account >= "4":
                natural = -amount if account < "5" else amount
                self.actual[month_of(posted), cost_center, account, product, initiative] += (
                    natural * rate
                )
        return journal(
            identifier, posted, known, currency, poster, lines, text, approver, adjustment
        )

    def _opening(self) -> list[Row]:
        rows: list[Row] = []
        for currency, amount in (("USD", 9_000_000), ("EUR", 2_500_000)):
            cash = amount * self._scale * 100
            lines = [("1000", "", "", "", "", cash), ("3000", "", "", "", "", -cash)]
            name = f"OB-2023-10-{currency}"
            rows += self._post(
                name, FIRST_DAY, FIRST_DAY, currency, "gl.accountant", lines, "Opening balance"
            )
        return rows

    # --- customers ---

    def _customers(self, month: int) -> list[Row]:
        sales = self._sales
        closed = month < CLOSED_MONTHS
        posted = self._day(_REVENUE_CENTER, month) if closed else LAST_DAY
        known = month_end(month) + 2
        tag = iso(month_start(month))[:7]
        rows: list[Row] = []
        for currency in CURRENCIES:
            amount, tax = sales.billed[month, currency]
            self._taxes[currency] += tax
            earned = sorted(
                (account, product, value)
                for (m, c, product, account), value in sales.recognised.items()
                if m == month and c == currency and value
            )
            revenue = [(a, _REVENUE_CENTER, p, "", "", -v) for a, p, v in earned]
            fees = [
                ("5020", "CC400", product, "", "", sales.fees[month, currency, product])
                for product in PRODUCT_IDS
            ]
            cash = sales.cash[month, currency]
            total_fee = sum(line[5] for line in fees)
            if self._detail:  # posted invoice by invoice already; only summed up here
                scratch = [*fees, *revenue] if closed else fees
                self._post("", posted, known, currency, "", scratch)
                continue
            rows += self._post(
                f"IN-{tag}-{currency}", posted, known, currency, "billing-system",
                [("1100", "", "", "", "", amount + tax), ("2400", "", "", "", "", -amount),
                 ("2200", "", "", "", "", -tax)], "Customer invoices",
            )  # fmt: skip
            rows += self._post(
                f"CR-{tag}-{currency}", posted, known, currency, "billing-system",
                [("1000", "", "", "", "", cash - total_fee), *fees, ("1100", "", "", "", "", -cash)],
                "Customer payments",
            )  # fmt: skip
            if closed:
                total = sum(value for _, _, value in earned)
                rows += self._post(
                    f"RR-{tag}-{currency}", posted, known, currency, "billing-system",
                    [("2400", "", "", "", "", total), *revenue], "Revenue recognised",
                )  # fmt: skip
        if closed:
            change = round(sales.exchange[month])
            rows += self._post(
                f"FX-{tag}", self._day("CC400", month), known, "USD", "gl.accountant",
                [("1000", "", "", "", "", change), ("6900", "CC400", "", "", "", -change)],
                "Exchange differences on payments",
            )  # fmt: skip
        if closed and month % 3 == 2:
            for currency in CURRENCIES:
                tax, self._taxes[currency] = self._taxes[currency], 0
                rows += self._post(
                    f"TX-{tag}-{currency}", month_end(month), known, currency, "gl.accountant",
                    [("2200", "", "", "", "", tax), ("1000", "", "", "", "", -tax)], "Sales tax remitted",
                )  # fmt: skip
        return rows

    # --- people ---

    def _payroll(self, month: int, labour: Labour) -> list[Row]:
        rows: list[Row] = []
        tag = iso(month_start(month))[:7]
        for team in TEAMS:
            total = labour.payroll[month, team.cost_center]
            account = _PAYROLL_ACCOUNT[team.cost_center]
            posted = self._day(team.cost_center, month)
            rows += self._post(
                f"PY-{tag}-{team.cost_center}", posted, month_end(month) + 2, team.currency, "payroll-system",
                [(account, team.cost_center, "", "", "", total), ("2100", "", "", "", "", -total)], "Payroll",
            )  # fmt: skip
            rows += self._post(
                f"PP-{tag}-{team.cost_center}", posted, month_end(month) + 2, team.currency, "payroll-system",
                [("2100", "", "", "", "", total), ("1000", "", "", "", "", -total)], "Payroll paid",
            )  # fmt: skip
        return rows

    def _commissions(self, month: int) -> list[Row]:
        tag = iso(month_start(month))[:7]
        lines = []
        for product in PRODUCT_IDS:
            amount = round(self._sales.new_value[month, product] * _COMMISSION)
            lines.append(("6220", _REVENUE_CENTER, product, "", "", amount))
        lines.append(("1000", "", "", "", "", -sum(line[5] for line in lines)))
        posted = self._day(_REVENUE_CENTER, month)
        return self._post(
            f"CM-{tag}",
            posted,
            month_end(month) + 3,
            "USD",
            "payroll-system",
            lines,
            "Sales commissions",
        )

    # --- suppliers ---

    def _cloud(self, month: int, bill: CloudBill) -> list[Row]:
        tag = iso(month_start(month))[:7]
        rows: list[Row] = []
        centers: dict[str, list[tuple[str, str, str, str, str, int]]] = defaultdict(list)
        for product in ("", *PRODUCT_IDS):
            amount = bill.billed.get((month, product), 0) // 100
            if (tag, product) == CLOUD_DIFFERENCE[:2]:
                amount += CLOUD_DIFFERENCE[2] * self._scale
                self.defects.append(
                    ("subledger_difference", "gl_entries", f"CL-{tag}",
                     f"5010 {product} {money(CLOUD_DIFFERENCE[2] * self._scale)} USD against the cloud bill")
                )  # fmt: skip
            center = PRODUCT[product].cost_center if product else "CC120"
            centers[ENTITY[center]].append(("5010", center, product, "", "Axle Cloud", amount))
        for entity, lines in sorted(centers.items()):
            total = sum(line[5] for line in lines)
            self._payable[month, "USD"] += total
            posted = self._calendars[entity].posting_day(month)
            rows += self._post(
                f"CL-{tag}-{entity}", posted, month_end(month) + 3, "USD", "ap-system",
                [*lines, ("2000", "", "", "", "Axle Cloud", -total)], "Cloud bill",
            )  # fmt: skip
        return rows

    def _marketing(self, month: int, spend: dict[tuple[int, str, str], int]) -> list[Row]:
        tag = iso(month_start(month))[:7]
        rows: list[Row] = []
        for currency in sorted({c for m, _, c in spend if m == month}):
            lines = [
                ("6200", "CC310", "", "", channel, amount)
                for (m, channel, c), amount in sorted(spend.items())
                if m == month and c == currency
            ]
            total = sum(line[5] for line in lines)
            self._payable[month, currency] += total
            identifier = f"MK-{tag}-{currency}"
            if currency not in CURRENCIES:
                self.defects.append(
                    (
                        "missing_exchange_rate",
                        "gl_entries",
                        f"{identifier}/1",
                        f"{money(total)} {currency}",
                    )
                )
            rows += self._post(
                identifier, month_end(month), month_end(month) + 3, currency, "ap-system",
                [*lines, ("2000", "", "", "", "", -total)], "Marketing programmes",
            )  # fmt: skip
        return rows

    def _suppliers(self, month: int, invoices: list[SupplierInvoice]) -> list[Row]:
        rows: list[Row] = []
        for item in invoices:
            self._payable[month, item.currency] += item.amount
            posted = self._post(
                f"AP-{item.invoice}", item.on, item.on + 2, item.currency, "ap-clerk",
                [(item.account, item.cost_center, item.product, item.initiative, item.vendor, item.amount),
                 ("2000", "", "", "", item.vendor, -item.amount)], f"{item.po}/{item.line}",
            )  # fmt: skip
            self._restate(posted, item)
            rows += posted
        return rows

    def _restate(self, rows: list[Row], item: SupplierInvoice) -> None:
        """Some supplier invoices are corrected after the period was closed, without an adjustment."""
        roll, size = self._rng.random(2)
        if not rows:
            return
        for stamp in self.late:
            age = day(stamp) - item.on
            if 60 < age < 170 and roll < LATE_CORRECTION_RATE:
                change = round(item.amount * (0.05 + 0.1 * size) / 100) * 100
                for row, sign in zip(rows, (1, -1), strict=True):
                    late = list(row)
                    late[9] = money(sign * (item.amount + change))
                    late[-1] = ""  # known when the file came
                    self.late[stamp].append(late)
                self.defects.append(
                    (
                        "late_correction",
                        f"gl_entries.{stamp}",
                        rows[0][0],
                        f"restated by {money(change)} {item.currency}",
                    )
                )
                return

    def _settle(self, month: int) -> list[Row]:
        """Suppliers are paid in the month after the invoice."""
        rows: list[Row] = []
        paid = month_day(month, 15)
        for currency in sorted({c for m, c in self._payable if m == month - 1}):
            amount = self._payable[month - 1, currency]
            rows += self._post(
                f"PA-{iso(month_start(month))[:7]}-{currency}", paid, paid + 1, currency, "ap-system",
                [("2000", "", "", "", "", amount), ("1000", "", "", "", "", -amount)], "Suppliers paid",
            )  # fmt: skip
        return rows

    # --- capitalised software ---

    def _capitalise(self, month: int, labour: Labour, invoices: list[SupplierInvoice]) -> list[Row]:
        amounts: dict[tuple[str, str], int] = defaultdict(int)
        for (m, initiative, center), value in labour.capitalised.items():
            if m == month:
                amounts[initiative, center] += round(value)
        for item in invoices:
            if item.account == "6110" and item.initiative:
                amounts[item.initiative, item.cost_center] += item.amount
        rows: list[Row] = []
        for (initiative, center), amount in sorted(amounts.items()):
            self._assets[initiative, center] += amount
            product = INITIATIVE[initiative].product_id
            rows += self._post(
                f"CAP-{iso(month_start(month))[:7]}-{initiative}-{center}", self._day(center, month),
                month_end(month) + 4, _currency(center), "gl.accountant",
                [("1500", "", product, initiative, "", amount), ("6120", center, product, initiative, "", -amount)],
                "Development capitalised",
            )  # fmt: skip
        return rows

    def _amortise(self, month: int) -> list[Row]:
        rows: list[Row] = []
        for (initiative, center), cost in sorted(self._assets.items()):
            ready = INITIATIVE[initiative].ready
            if not ready or month_of(day(ready)) > month:
                continue
            first = day(ready)
            life = useful_life_days(initiative)
            last = min(month_end(month) - first + 1, life)
            before = min(max(0, month_end(month - 1) - first + 1), life)
            amount = round_half_up(cost * last, life) - round_half_up(cost * before, life)
            product = INITIATIVE[initiative].product_id
            rows += self._post(
                f"AM-{iso(month_start(month))[:7]}-{initiative}-{center}", self._day(center, month),
                month_end(month) + 4, _currency(center), "gl.accountant",
                [("6130", center, product, initiative, "", amount), ("1590", "", product, initiative, "", -amount)],
                "Amortisation",
            )  # fmt: skip
        return rows

    # --- journals by hand, with the seeded defects among them ---

    def _manual(self, month: int) -> list[Row]:
        tag = iso(month_start(month))[:7]
        posted = self._day("CC400", month)
        known = month_end(month) + 4
        amount = round(float(self._rng.uniform(3_200, 5_600)) * self._scale) * 100
        approver = "controller"
        if month in (14, 27)[:SELF_APPROVED_JOURNALS]:
            approver = "gl.accountant"
            self.defects.append(
                ("self_approval", "gl_entries", f"MJ-{tag}", "posted and approved by gl.accountant")
            )
        lines = [("6310", "CC400", "", "", "", amount), ("1000", "", "", "", "", -amount)]
        if tag == UNBALANCED_MONTH:
            lines[1] = ("1000", "", "", "", "", UNBALANCED_AMOUNT * self._scale - amount)
            self.defects.append(
                (
                    "unbalanced_journal",
                    "gl_entries",
                    f"MJ-{tag}",
                    f"off by {money(UNBALANCED_AMOUNT * self._scale)} USD",
                )
            )
        rows = self._post(
            f"MJ-{tag}",
            posted,
            known,
            "USD",
            "gl.accountant",
            lines,
            "Bank and filing fees",
            approver,
        )
        revenue_month, product, difference = REVENUE_DIFFERENCE
        if tag == revenue_month:
            difference *= self._scale
            rows += self._post(
                f"MR-{tag}", posted, known, "USD", "gl.accountant",
                [("2400", "", "", "", "", difference), ("4010", _REVENUE_CENTER, product, "", "", -difference)],
                "Accrual without an invoice",
            )  # fmt: skip
            self.defects.append(
                (
                    "subledger_difference",
                    "gl_entries",
                    f"MR-{tag}",
                    f"4010 {product} {money(difference)} USD not invoiced",
                )
            )
        if tag in ("2025-12", "2026-06"):  # authorised: posted late into a closed period
            fix = 145_000 * self._scale
            rows += self._post(
                f"MA-{tag}", posted, known + 24, "USD", "gl.accountant",
                [("6310", "CC400", "", "", "", fix), ("1000", "", "", "", "", -fix)],
                "Audit fee true-up", "cfo", f"ADJ-{tag}",
            )  # fmt: skip
        return rows


def useful_life_days(initiative: str) -> int:
    """Days from ready for use to the end of the useful life."""
    ready = day(INITIATIVE[initiative].ready)
    after = month_of(ready) + useful_life_months(initiative)
    offset = ready - month_start(month_of(ready))
    return min(month_start(after) + offset, month_end(after)) - ready


def useful_life_months(initiative: str) -> int:
    """Months over which an initiative's asset is amortised."""
    return 60 if INITIATIVE[initiative].kind in ("platform", "new_product") else 36


def _currency(cost_center: str) -> str:
    return "EUR" if ENTITY[cost_center] == "EU01" else "USD"
