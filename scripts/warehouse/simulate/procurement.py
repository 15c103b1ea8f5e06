"""Purchase orders and what suppliers invoiced on them."""

from dataclasses import dataclass

from .calendar import FIRST_DAY, LAST_DAY, MONTHS, day, iso, month_day, month_of, month_start
from .catalog import INITIATIVES, PRODUCT, Initiative
from .sink import Row, money, stream

EUR_PER_USD = 0.92


@dataclass(frozen=True)
class SupplierInvoice:
    """A supplier invoice on a purchase-order line; money in hundredths."""

    invoice: str
    po: str
    line: int
    on: int
    share: int
    amount: int
    currency: str
    vendor: str
    account: str
    cost_center: str
    product: str
    initiative: str


@dataclass(frozen=True)
class _Standing:
    """A yearly order, invoiced every `every` months; USD (or EUR) a year at scale 1 in 2024."""

    vendor: str
    account: str
    cost_center: str
    product: str
    currency: str
    yearly: int
    every: int


_STANDING = (
    _Standing("Mapwise", "5030", "CC120", "P1", "USD", 42_000, 1),
    _Standing("Statline", "5030", "CC120", "P2", "USD", 21_000, 1),
    _Standing("Queueworks", "5030", "CC120", "P3", "USD", 30_000, 1),
    _Standing("Oldport Systems", "5030", "CC120", "P4", "USD", 38_000, 1),
    _Standing("Lexcheck", "5030", "CC120", "P5", "USD", 31_000, 1),
    _Standing("Langmodel", "5030", "CC120", "P6", "USD", 26_000, 1),
    _Standing("Harbor Audit", "6310", "CC400", "", "USD", 96_000, 3),
    _Standing("Dunmore Legal", "6310", "CC400", "", "USD", 84_000, 1),
    _Standing("Safeguard Insurance", "6310", "CC400", "", "USD", 60_000, 3),
    _Standing("Kanzlei Brandt", "6310", "CC410", "", "EUR", 36_000, 3),
    _Standing("Pier 9 Offices", "6320", "CC400", "", "USD", 108_000, 1),
    _Standing("Hafen Buero", "6320", "CC410", "", "EUR", 66_000, 1),
    _Standing("Ledgerware", "6330", "CC400", "", "USD", 42_000, 1),
    _Standing("Dealdesk CRM", "6330", "CC300", "", "USD", 54_000, 1),
    _Standing("Mailpost", "6330", "CC310", "", "EUR", 30_000, 1),
    _Standing("Codeforge", "6330", "CC120", "", "USD", 48_000, 1),
    _Standing("Notebook Cloud", "6330", "CC130", "", "EUR", 22_000, 1),
    _Standing("Talentpool", "6310", "CC410", "", "EUR", 28_000, 3),
)
_CONTRACTORS = ("Northbeam Studio", "Kite and Loom", "Feldmann Software", "Blue Quay Labs")


class Procurement:
    """All orders with their changes, and all supplier invoices."""

    def __init__(self, seed: int, scale: int) -> None:
        self._rng = stream(seed, "procurement")
        self._scale = scale
        self.orders: list[Row] = []
        self.invoices: list[SupplierInvoice] = []
        self._number = 0
        self._standing()
        for initiative in INITIATIVES:
            if initiative.contractors and initiative.started:
                self._contract(initiative)
        self._never_delivered()
        self.orders.sort(key=lambda row: (row[-1], row[0], row[1]))
        self.invoices.sort(key=lambda i: (i.on, i.invoice))

    def invoice_rows(self) -> list[Row]:
        """Supplier invoices as the extract has them."""
        return [
            [i.invoice, i.po, str(i.line), iso(i.on), money(i.share), money(i.amount), i.currency,
             iso(min(i.on + 2, LAST_DAY))]
            for i in self.invoices
        ]  # fmt: skip

    def _order(
        self,
        item: _Standing,
        initiative: str,
        line: int,
        on: int,
        amount: int,
        closed: int,
        status: str = "closed",
    ) -> None:
        common = [f"PO{self._number:05d}", str(line), iso(on), item.vendor, item.account, item.cost_center,
                  item.product, initiative, money(amount), item.currency]  # fmt: skip
        people = ["department.lead", "procurement.manager"]
        self.orders.append([*common, "open", "", *people, iso(on)])
        if closed <= LAST_DAY:
            self.orders.append([*common, status, iso(closed), *people, iso(closed)])

    def _invoice(
        self,
        item: _Standing,
        initiative: str,
        line: int,
        count: int,
        on: int,
        share: int,
        amount: int,
    ) -> None:
        po = f"PO{self._number:05d}"
        self.invoices.append(
            SupplierInvoice(f"B{po[2:]}-{line}{count:02d}", po, line, on, share, amount, item.currency, item.vendor,
                            item.account, item.cost_center, item.product, initiative)
        )  # fmt: skip

    def _standing(self) -> None:
        for item in _STANDING:
            for year in range(2023, 2027):
                first = max(0, (year - 2024) * 12 + 3)
                months = 3 if year == 2023 else 12
                if item.product == "P6" and year < 2025:
                    continue
                grown = 1.06 ** (year - 2024)
                amount = round(item.yearly * grown * months / 12 * self._scale) * 100
                self._number += 1
                ordered = max(FIRST_DAY, month_start(first) - 16)
                share = amount * item.every // months
                for count, month in enumerate(range(first, first + months, item.every), 1):
                    on = month_day(month, 9 + int(self._rng.integers(12)))
                    roll, drift = self._rng.random(2)
                    price = share if roll < 0.6 else round(share * (0.96 + 0.1 * drift))
                    if on <= LAST_DAY:
                        self._invoice(item, "", 1, count, on, share, price)
                closed = month_start(first + months) + 20
                self._order(item, "", 1, ordered, amount, closed)

    def _contract(self, initiative: Initiative) -> None:
        cost_center = (
            PRODUCT[initiative.product_id].cost_center if initiative.product_id else "CC120"
        )
        currency = "EUR" if cost_center == "CC110" else "USD"
        monthly = initiative.contractors * self._scale * (EUR_PER_USD if currency == "EUR" else 1)
        vendor = _CONTRACTORS[int(self._rng.integers(len(_CONTRACTORS)))]
        item = _Standing(vendor, "6110", cost_center, initiative.product_id, currency, 0, 1)
        started = month_of(day(initiative.started))
        planned = (
            month_of(day(initiative.planned_end)) - month_of(day(initiative.planned_start)) + 1
        )
        last = month_of(day(initiative.end)) if initiative.end else MONTHS - 1
        self._number += 1
        ordered = max(FIRST_DAY, day(initiative.started) - 7)
        first_line = round(monthly * planned) * 100
        extra = max(0, last - started + 1 - planned)
        closed = month_start(last + 1) + 24 if initiative.end else LAST_DAY + 1
        self._order(item, initiative.initiative_id, 1, ordered, first_line, closed)
        if extra:
            more = month_start(started + planned) - 5
            self._order(
                item, initiative.initiative_id, 2, more, round(monthly * extra) * 100, closed
            )
        for count in range(last - started + 1):
            on = month_day(started + count, 10 + int(self._rng.integers(12)))
            worked = float(self._rng.uniform(0.88, 1.12))
            if on > LAST_DAY or (initiative.end and on >= day(initiative.end)) or on < ordered:
                continue
            line = 1 if count < planned else 2
            self._invoice(item, initiative.initiative_id, line, count + 1, on, round(monthly) * 100, round(monthly * worked) * 100)  # fmt: skip

    def _never_delivered(self) -> None:
        """Orders that were cancelled, and some still open without an invoice."""
        plans = (
            ("Trade fair booth", "6200", "CC310", "", "EUR", 18_000, "2024-09-02", "2025-01-20"),
            (
                "Partner gateway certification",
                "6310",
                "CC110",
                "P4",
                "EUR",
                24_000,
                "2024-10-14",
                "2025-02-03",
            ),
            ("Penetration test", "6310", "CC120", "P5", "USD", 38_000, "2026-08-17", ""),
            ("Brand relaunch", "6200", "CC310", "", "EUR", 52_000, "2026-09-07", ""),
        )
        for vendor, account, cost_center, product, currency, amount, on, cancelled in plans:
            self._number += 1
            item = _Standing(vendor, account, cost_center, product, currency, 0, 1)
            closed = day(cancelled) if cancelled else LAST_DAY + 1
            self._order(item, "", 1, day(on), amount * self._scale * 100, closed, "cancelled")
