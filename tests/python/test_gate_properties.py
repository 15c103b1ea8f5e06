"""Random tables in random dialects, encodings and states of damage: nothing is lost or changed."""

import datetime as dt
import json
import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gate import load, quarantined, raw
from warehouse import store
from warehouse.home import Home

NAMES = ("payment_id", "invoice_id", "paid_on", "amount", "fee_amount", "currency")


@dataclass(frozen=True)
class Row:
    """One written row, and what is wrong with it."""

    invoice_id: str
    paid_on: dt.date
    amount: Decimal
    fee_amount: Decimal | None
    note: str | None
    damage: str | None


@dataclass(frozen=True)
class Dialect:
    """How a table is written."""

    delimiter: str
    line_end: str
    encoding: str
    quote_all: bool
    dates: str
    numbers: str
    order: tuple[int, ...]


DATES: dict[str, Callable[[dt.date], str]] = {
    "iso": lambda day: day.isoformat(),
    "dmy": lambda day: f"{day:%d/%m/%Y}",
    "mdy": lambda day: f"{day:%m/%d/%Y}",
    "compact": lambda day: f"{day:%Y%m%d}",
    "named": lambda day: f"{day:%d %b %Y}",
}


def _accounting(value: Decimal) -> str:
    return f"({-value:,})" if value < 0 else f"{value:,}"


NUMBERS: dict[str, Callable[[Decimal], str]] = {
    "plain": str,
    "us": lambda value: f"{value:,}",
    "accounting": lambda value: f"${_accounting(value)}",
    "european": lambda value: f"{value:,}".translate(str.maketrans(",.", ".,")),
}

# What a row can suffer that must be seen, and that concerns no other row.
DAMAGE = ("short", "long", "no day", "no number", "no key", "stray quote", "NUL")

cents = st.integers(-(10**11), 10**11).map(lambda value: Decimal(value) / 100)
money = cents.map(lambda value: value.quantize(Decimal("0.01")))


def texts(encoding: str) -> st.SearchStrategy[str]:
    if encoding == "cp1252":
        # A page of few letters cannot be told from another; these few are what it is known by.
        return st.text("aZ0 ,;|\t\"'\n=éü€", min_size=1, max_size=6)
    alphabet = st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff")
    return st.text(alphabet, min_size=1, max_size=12)


@st.composite
def tables(draw: st.DrawFn) -> tuple[Dialect, list[Row]]:
    dialect = Dialect(
        delimiter=draw(st.sampled_from(",;\t|")),
        line_end=draw(st.sampled_from(["\n", "\r\n", "\r"])),
        encoding=draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"])),
        quote_all=draw(st.booleans()),
        dates=draw(st.sampled_from(sorted(DATES))),
        numbers=draw(st.sampled_from(sorted(NUMBERS))),
        order=tuple(draw(st.permutations(range(len(NAMES))))),
    )
    text = texts(dialect.encoding)
    rows = draw(
        st.lists(
            st.builds(
                Row,
                text,
                st.dates(dt.date(1990, 1, 1), dt.date(2100, 1, 1)),
                money,
                st.none() | money,
                st.none() | text,
                st.none() | st.none() | st.sampled_from(DAMAGE),
            ),
            max_size=10,
        )
    )
    # One row that leaves no doubt how days and numbers are written.
    clear = Row("i", dt.date(2026, 3, 31), Decimal("1234567.89"), Decimal("-1.50"), None, None)
    return dialect, [clear, *rows]


def quoted(text: str, dialect: Dialect) -> str:
    if dialect.quote_all or any(letter in text for letter in f'"\n\r{dialect.delimiter}'):
        return '"' + text.replace('"', '""') + '"'
    return text


def values_of(at: int, row: Row, dialect: Dialect) -> list[str]:
    number = NUMBERS[dialect.numbers]
    fee = "" if row.fee_amount is None else number(row.fee_amount)
    paid_on = "someday" if row.damage == "no day" else DATES[dialect.dates](row.paid_on)
    amount = "ten" if row.damage == "no number" else number(row.amount)
    key = "" if row.damage == "no key" else f"p{at}"
    invoice = row.invoice_id + ("\0" if row.damage == "NUL" else "")
    return [key, invoice, paid_on, amount, fee, "USD"]


def line_of(at: int, row: Row, dialect: Dialect) -> str:
    values = values_of(at, row, dialect)
    cells = [quoted(values[place], dialect) for place in dialect.order]
    cells.append(quoted(row.note or "", dialect) if row.note else "")
    if row.damage == "short":
        cells = cells[:-2]
    if row.damage == "long":
        cells += ["more", "still more"]
    if row.damage == "stray quote":
        cells[0] = '"x"y'
    return dialect.delimiter.join(cells) + dialect.line_end


def written(rows: Sequence[Row], dialect: Dialect, blank_after: int) -> bytes:
    names = [NAMES[place].replace("_", " ").title() for place in dialect.order]
    lines = [dialect.delimiter.join([*names, "Note"]) + dialect.line_end]
    for at, row in enumerate(rows):
        lines.append(line_of(at, row, dialect))
        if at == blank_after:
            lines.append(dialect.line_end)
    # A row may hold letters its page lacks only by damage; there are none.
    return "".join(lines).encode(dialect.encoding)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(table=tables(), blank_after=st.integers(0, 12))
def test_every_written_row_is_accepted_unchanged_or_quarantined(
    table: tuple[Dialect, list[Row]], blank_after: int
) -> None:
    dialect, rows = table
    content = written(rows, dialect, blank_after)
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(store, "_sync"):
        home = Home(Path(folder))
        result = load(home, content)
        assert result.outcome == "loaded", result.message
        sound = [(at, row) for at, row in enumerate(rows) if row.damage is None]
        assert result.rows_read - result.rows_blank == len(rows)
        assert result.rows_accepted == len(sound)
        assert result.rows_quarantined == len(rows) - len(sound)
        found = raw(home, "payment_id, invoice_id, paid_on, amount, fee_amount, _extra, _row")
        blanks = [1 if at > blank_after else 0 for at, _ in sound]
        assert found == [
            (
                f"p{at}",
                row.invoice_id,
                row.paid_on,
                row.amount,
                row.fee_amount,
                None
                if row.note is None
                else json.dumps({"Note": row.note}, ensure_ascii=False)
                if json.loads(extra or "{}") != {"Note": row.note}
                else extra,
                at + 2 + blank,
            )
            for (at, row), blank, (*_, extra, _) in zip(sound, blanks, found, strict=True)
        ]
        if result.rows_quarantined:
            faulty = {row for row, *_ in quarantined(result)}
            assert len(faulty) == result.rows_quarantined


@pytest.mark.parametrize("seed", range(25))
def test_a_file_of_noise_is_refused_or_read_but_never_a_crash(empty_home: Home, seed: int) -> None:
    noise = random.Random(seed)
    letters = b"abc,;\t|\"'\n\r\x00\xff\xfe\xc3\xa4{}[]()0123456789=-. "
    content = bytes(noise.choice(letters) for _ in range(noise.randrange(1, 3000)))
    suffix = noise.choice(["csv", "jsonl", "parquet", "xlsx", "csv.gz", "tsv"])
    header = b"payment_id,invoice_id,paid_on,amount,currency\n" * noise.randrange(2)
    result = load(empty_home, header + content, f"revenue/payments.{suffix}")
    parts = (result.rows_accepted, result.rows_quarantined, result.rows_blank)
    assert result.rows_read == sum(parts)
    assert result.outcome in {"loaded", "refused"}
