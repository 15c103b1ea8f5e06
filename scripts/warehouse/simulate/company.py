"""Rows of customers, contracts, invoices and payments as the extracts have them."""

from .calendar import FIRST_DAY, LAST_DAY, iso
from .customers import Customer, Term
from .sink import Row, money

_WORDS = ("Amber", "Birch", "Cedar", "Delta", "Ember", "Fjord", "Grove", "Harbor", "Iris", "Juniper", "Kestrel", "Linden",
          "Maple", "North", "Onyx", "Prairie", "Quarry", "Ridge", "Summit", "Tidal")  # fmt: skip
_KINDS = (
    "Foods",
    "Logistics",
    "Health",
    "Bank",
    "Works",
    "Retail",
    "Systems",
    "Mills",
    "Energy",
    "Media",
    "Labs",
)


def customer_rows(customers: list[Customer]) -> list[Row]:
    """Customers, known from their first contract."""
    rows: list[Row] = []
    for customer in customers:
        number = customer.number
        name = f"{_WORDS[number * 7 % 20]} {_KINDS[number * 5 % 11]} {number}"
        known = max(FIRST_DAY, customer.acquired)
        rows.append(
            [f"C{number:05d}", name, f"accounts@c{number:05d}.example", customer.segment_name, customer.region,
             customer.industry, iso(customer.acquired), iso(known)]
        )  # fmt: skip
    return rows


def subscription_rows(customers: list[Customer]) -> list[Row]:
    """Terms, once as agreed and once more when they ended."""
    found: list[tuple[int, str, int, Row]] = []
    for customer in customers:
        for term in customer.terms:
            known = max(FIRST_DAY, term.valid_from)
            found.append((known, term.subscription, 0, _term(customer, term, 0, known)))
            if term.valid_to:
                known = max(known, term.valid_to)
                found.append(
                    (known, term.subscription, 1, _term(customer, term, term.valid_to, known))
                )
    found.sort(key=lambda item: (item[0], item[1], -item[2]))
    return [row for *_, row in found]


def _term(customer: Customer, term: Term, valid_to: int, known: int) -> Row:
    return [
        term.subscription, iso(term.valid_from), f"C{customer.number:05d}", term.product, term.plan,
        str(term.quantity), money(term.price), _rate(term.discount), str(term.interval), customer.currency,
        iso(valid_to) if valid_to else "", iso(known),
    ]  # fmt: skip


def _rate(ten_thousandths: int) -> str:
    return f"{ten_thousandths / 10_000:.4f}".rstrip("0").rstrip(".")


def invoice_rows(customers: list[Customer]) -> list[Row]:
    """Invoice lines in order of invoice date."""
    found = [
        (line.invoiced, line.invoice, line.number, c, line) for c in customers for line in c.lines
    ]
    found.sort(key=lambda item: item[:3])
    return [
        [line.invoice, str(line.number), f"C{c.number:05d}", line.subscription, line.product, line.plan, line.charge,
         f"{line.quantity:g}" if line.quantity < 1e5 else f"{line.quantity:.3f}", f"{line.unit_price:.6f}".rstrip("0").rstrip("."),
         money(line.amount), money(line.tax), c.currency, iso(line.invoiced), iso(line.due), iso(line.start),
         iso(line.end), iso(line.invoiced)]
        for _, _, _, c, line in found
    ]  # fmt: skip


def payment_rows(customers: list[Customer]) -> list[Row]:
    """Payments in order of day."""
    found = [
        (p.paid, p.invoice, n, c.currency, p)
        for c in customers
        for n, p in enumerate(c.payments, 1)
    ]
    found.sort(key=lambda item: item[:3])
    return [
        [f"Y{p.invoice[1:]}-{number}", p.invoice, iso(p.paid), money(p.amount), money(p.fee), currency,
         iso(min(p.paid + 1, LAST_DAY))]
        for _, _, number, currency, p in found
    ]  # fmt: skip
