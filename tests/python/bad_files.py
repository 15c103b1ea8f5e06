"""Bad files, made from the sample's good ones: the same each time, and what must become of each."""

import csv
import gzip
import io
import json
import random
import re
import struct
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal
from xml.sax.saxutils import escape

import duckdb

from warehouse import contract
from warehouse.contract import Column
from warehouse.home import PROJECT

ROWS = 6
EXTRACTS = ("revenue/payments", "revenue/customers")

TAKEN, REFUSED, EITHER = "taken", "refused", "taken or refused"


@dataclass(frozen=True)
class BadFile:
    """A file to land, and what must become of it."""

    name: str
    content: bytes
    fate: str
    # The rows as texts, by number from 0: those that must be accepted just so.
    accepted: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    # How many rows must be quarantined; None where nobody can say.
    quarantined: int | None = 0
    # A mapping to put beside it, where its folder is the name of one.
    mapping: str | None = None

    @property
    def shown(self) -> str:
        """Its name as results have it, where it is no text."""
        return self.name.encode(errors="backslashreplace").decode()


@dataclass(frozen=True)
class Table:
    """A good file: the first rows of an extract of the sample."""

    extract: str
    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    columns: Mapping[str, Column]
    required: frozenset[str]

    @property
    def texts(self) -> dict[int, dict[str, str]]:
        """What is to be accepted of it."""
        return {at: dict(zip(self.names, row, strict=True)) for at, row in enumerate(self.rows)}

    def without(self, *gone: int) -> dict[int, dict[str, str]]:
        """What is to be accepted where some rows are damaged."""
        return {at: row for at, row in self.texts.items() if at not in gone}

    def first(self, data_type: str) -> str | None:
        """The first column of a type."""
        return next((n for n, c in self.columns.items() if c.data_type.startswith(data_type)), None)


def good_tables() -> list[Table]:
    """The files all others are made from."""
    extracts = {extract.id: extract for extract in contract.load().extracts}
    return [_good_table(name, {c.name: c for c in extracts[name].columns}) for name in EXTRACTS]


def _good_table(name: str, known: Mapping[str, Column]) -> Table:
    with (PROJECT / "sample" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        names, *rows = (
            tuple(row) for _, row in zip(range(ROWS + 1), csv.reader(file), strict=False)
        )
    columns = {column: known[column] for column in names if column in known}
    required = frozenset(one for one in columns if known[one].required)
    return Table(name, names, tuple(rows), columns, required)


def bad_files() -> Iterator[BadFile]:
    """All of them."""
    payments, customers = good_tables()
    for make in (_written_otherwise, _damaged_rows, _foreign_files, _odd_names, _random_damage):
        yield from make(payments)
    yield from _odd_texts(customers)
    for table in (payments, customers):
        yield from _damaged_headers(table)
        yield from _broken_containers(table)
    yield from _broken_mappings()


def _bad(
    table: Table,
    what: str,
    content: bytes,
    fate: str,
    accepted: Mapping[int, Mapping[str, str]] | None = None,
    quarantined: int | None = 0,
) -> BadFile:
    suffix = "" if "." in what else ".csv"
    name = f"{table.extract}-{what.replace(' ', '_')}{suffix}"
    return BadFile(name, content, fate, accepted or {}, quarantined)


def written(
    table: Table,
    delimiter: str = ",",
    line_end: str = "\n",
    quoting: Literal[0, 1, 2, 3] = csv.QUOTE_MINIMAL,
) -> str:
    """A table as CSV."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, lineterminator=line_end, quoting=quoting)
    writer.writerows([table.names, *table.rows])
    return file.getvalue()


def with_cell(table: Table, row: int, column: str, text: str) -> Table:
    """The table with one value changed."""
    at = table.names.index(column)
    cells = tuple(text if place == at else cell for place, cell in enumerate(table.rows[row]))
    return replace(table, rows=(*table.rows[:row], cells, *table.rows[row + 1 :]))


def _text_column(table: Table) -> str:
    """A column of text that any text may stand in."""
    return {"revenue/payments": "invoice_id", "revenue/customers": "customer_name"}.get(
        table.extract, "consumer_id" if "consumer_id" in table.names else "product_id"
    )


def _written_otherwise(table: Table) -> Iterator[BadFile]:
    """Files that only look bad: everything is accepted unchanged."""
    named = with_cell(table, 0, _text_column(table), "Zoë Müller & Söhne; a|b")
    text = written(named)
    head, _, body = text.partition("\n")
    lines = text.splitlines(keepends=True)
    flipped = replace(named, names=named.names[::-1], rows=tuple(row[::-1] for row in named.rows))
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"):
        yield _bad(table, encoding, text.encode(encoding), TAKEN, accepted=named.texts)
    for what, other in {
        "crlf": written(named, line_end="\r\n"),
        "cr": written(named, line_end="\r"),
        "mixed line ends": "".join(
            line if at % 2 else line[:-1] + "\r\n" for at, line in enumerate(lines)
        ),
        "no last line end": text[:-1],
        "semicolons": written(named, ";"),
        "tabs": written(named, "\t"),
        "bars": written(named, "|"),
        "all quoted": written(named, quoting=csv.QUOTE_ALL),
        "blank lines": text.replace("\n", "\n\n"),
        "blank lines first": "\n\n" + text,
        "rows of empty cells": text + "," * (len(table.names) - 1) + "\n",
        "loud header": f"{head.upper().replace('_', ' ')}\n{body}",
        "reversed columns": written(flipped),
        "nameless column": "".join(line[:-1] + ",\n" for line in lines),
        "hostile column": "".join(
            line[:-1] + (",x\n" if at else ',"\'); drop table parsed; --"\n')
            for at, line in enumerate(lines)
        ),
    }.items():
        yield _bad(table, what, other.encode(), TAKEN, accepted=named.texts)
    packed = gzip.compress(text.encode(), mtime=0)
    halves = [gzip.compress(part.encode(), mtime=0) for part in (f"{head}\n", body)]
    yield _bad(table, "packed.csv.gz", packed, TAKEN, accepted=named.texts)
    yield _bad(table, "packed in parts.csv.gz", b"".join(halves), TAKEN, accepted=named.texts)
    lines_of_json = [json.dumps(row, ensure_ascii=False) for row in named.texts.values()]
    as_json = "\n".join(lines_of_json).encode()
    yield _bad(table, "objects.jsonl", as_json, TAKEN, accepted=named.texts)
    yield _bad(table, "sheet.xlsx", sheet([named.names, *named.rows]), TAKEN, accepted=named.texts)
    yield _bad(table, "texts.parquet", parquet(named), TAKEN, accepted=named.texts)


def sheet(rows: Sequence[Sequence[str | float]], more: str = "") -> bytes:
    """A spreadsheet with one sheet of texts and numbers, as small as can be; `more` is XML of rows."""
    cells = "".join(f"<row>{''.join(map(_cell, row))}</row>" for row in rows) + more
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    relations = "http://schemas.openxmlformats.org/package/2006/relationships"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{relations}"><Relationship Id="r1" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="Rows" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{relations}"><Relationship Id="r1" '
        f'Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>',
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return file.getvalue()


def without_sheets(workbook: bytes) -> bytes:
    """A spreadsheet whose list of sheets is empty."""
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["xl/workbook.xml"] = re.sub(rb"<sheet .*?/>", b"", parts["xl/workbook.xml"])
    return _archive(parts)


def _cell(value: str | float) -> str:
    if isinstance(value, float):
        return f"<c><v>{value!r}</v></c>"
    if value.startswith("#"):
        return f'<c t="e"><v>{escape(value)}</v></c>'
    return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'


def parquet(table: Table) -> bytes:
    """A table as a Parquet file of texts."""
    marks = ", ".join("?" for _ in table.names)
    columns = ", ".join(f"{name} varchar" for name in table.names)
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        connection.execute(f"create table texts ({columns})")
        connection.executemany(f"insert into texts values ({marks})", table.rows)
        connection.execute(f"copy texts to '{folder}/texts.parquet' (format parquet)")
        return Path(folder, "texts.parquet").read_bytes()


# What no column of a type may hold.
WRONG = {
    "decimal": ("ten", "1.2.3", "9" * 40, "0.12345678901234567", "NaN", "-inf", "0x1F", "1_000"),
    "date": ("2026-02-30", "0024-01-01", "20261-01-01", "yesterday", "9999-12-31", "2026-01-01x"),
}


def _damaged_rows(table: Table) -> Iterator[BadFile]:
    """One row in the middle, or the last, is wrong: it is quarantined, and no other."""
    at, key = 2, table.names[0]
    lines = written(table).encode().splitlines(keepends=True)
    column = _text_column(table)

    def around(what: str, line: bytes) -> BadFile:
        content = b"".join([*lines[: at + 1], line, *lines[at + 2 :]])
        return _bad(table, what, content, TAKEN, accepted=table.without(at), quarantined=1)

    row = lines[at + 1]
    yield around("short row", row.rsplit(b",", 2)[0] + b"\n")
    yield around("long row", row[:-1] + b",more,still more\n")
    yield around("stray quote", b'"x"y' + row)
    # One bad byte beside much good UTF-8: else the file would be taken for an old code page.
    named = written(with_cell(table, 0, column, "é" * 20)).encode().splitlines(keepends=True)
    spoilt = b"".join([*named[: at + 1], b"\xff" + row, *named[at + 2 :]])
    accepted = with_cell(table, 0, column, "é" * 20).without(at)
    yield _bad(table, "bytes no text", spoilt, TAKEN, accepted=accepted, quarantined=1)
    yield around("NUL in a row", row.replace(b",", b"\0,", 1))
    yield around("no key", b"," + row.partition(b",")[2])
    yield around("huge value", b"x" * (3 << 20) + row)
    unclosed = b"".join(lines[:-1]) + b'"' + lines[-1]
    accepted = table.without(ROWS - 1)
    yield _bad(table, "unclosed quote", unclosed, TAKEN, accepted=accepted, quarantined=1)
    for data_type, texts in WRONG.items():
        name = table.first(data_type)
        for number, text in enumerate(texts if name else ()):
            damaged = with_cell(table, at, str(name), text)
            what = f"wrong {data_type} {number}"
            content = written(damaged).encode()
            accepted = table.without(at)
            yield _bad(table, what, content, TAKEN, accepted=accepted, quarantined=1)
    records = [json.dumps(one) for one in table.texts.values()]
    for what, line in {"no object": "[1]", "cut object": '{"a": ', "no key object": "{}x"}.items():
        content = "\n".join([*records[:at], line, *records[at + 1 :]]).encode()
        accepted = table.without(at)
        yield _bad(table, f"{what}.jsonl", content, TAKEN, accepted=accepted, quarantined=1)
    missing = [dict(one) for one in table.texts.values()]
    del missing[at][key]
    content = "\n".join(map(json.dumps, missing)).encode()
    accepted = table.without(at)
    yield _bad(table, "object without key.jsonl", content, TAKEN, accepted=accepted, quarantined=1)


ODD_TEXTS = {
    "formula": "=cmd|'/C calc'!A0",
    "formula after space": " @SUM(1)",
    "break": "two\nlines",
    "return": "two\r\nlines",
    "quotes": 'she said ""no"" "twice"',
    "right to left": "\u202egnp.exe",
    "no width": "a\u200bb\ufeffc",
    "emoji": "💸" * 50,
    "sql": "'); drop table parsed; --",
    "markup": "<script>alert(1)</script>",
    "long": "x" * 60_000,
    "template": "{{ env_var('HOME') }}",
    "null word": "NULL",
    "path": "../../../../etc/passwd",
}


def _odd_texts(table: Table) -> Iterator[BadFile]:
    """Texts that mean harm elsewhere: they are kept as they are."""
    for what, text in ODD_TEXTS.items():
        odd = with_cell(table, 1, _text_column(table), text)
        yield _bad(table, f"text {what}", written(odd).encode(), TAKEN, accepted=odd.texts)
    name = table.first("date")
    if name:
        late = with_cell(table, 1, name, "2199-12-01")
        yield _bad(table, "future day", written(late).encode(), TAKEN, accepted=late.texts)


def _damaged_headers(table: Table) -> Iterator[BadFile]:
    """Files whose columns cannot be told: refused."""
    lines = written(table).splitlines(keepends=True)
    head, body = lines[0][:-1], "".join(lines[1:])
    yield _bad(table, "header only", f"{head}\n".encode(), TAKEN)
    yield _bad(table, "no header", body.encode(), REFUSED)
    yield _bad(table, "cut header", head[:8].encode(), REFUSED)
    yield _bad(table, "quoted header", f'"{head}"\n{body}'.encode(), REFUSED)
    yield _bad(table, "unclosed header", f'"{head}\n{body}'.encode(), REFUSED)
    wide = [f"{head},{','.join(f'c{at}' for at in range(2500))}", body]
    yield _bad(table, "many columns", "\n".join(wide).encode(), REFUSED)
    for name in sorted(table.required):
        twice = [
            line[:-1] + ("," + name if not at else ",x") + "\n" for at, line in enumerate(lines)
        ]
        yield _bad(table, f"twice {name}", "".join(twice).encode(), REFUSED)
        alike = twice[0].replace(f",{name}\n", f",{name.upper().replace('_', ' ')}\n")
        yield _bad(table, f"alike {name}", "".join([alike, *twice[1:]]).encode(), REFUSED)
        at = table.names.index(name)
        less = replace(
            table,
            names=table.names[:at] + table.names[at + 1 :],
            rows=tuple(row[:at] + row[at + 1 :] for row in table.rows),
        )
        yield _bad(table, f"without {name}", written(less).encode(), REFUSED)


def _broken_containers(table: Table) -> Iterator[BadFile]:
    """Packed and binary files that are cut off or lie about themselves."""
    text = written(table).encode()
    whole = {
        "csv.gz": gzip.compress(text, mtime=0),
        "xlsx": sheet([table.names, *table.rows]),
        "parquet": parquet(table),
    }
    for suffix, content in whole.items():
        for part in (0, 10, len(content) // 2, len(content) - 5):
            yield _bad(
                table, f"cut at {part}.{suffix}", content[:part] + b"#" * (part > 0), REFUSED
            )
        yield _bad(table, f"a {suffix} inside.csv", content, REFUSED)
        yield _bad(table, f"text.{suffix}", text, REFUSED)
    spoilt = bytearray(whole["csv.gz"])
    spoilt[len(spoilt) // 2] ^= 0xFF
    yield _bad(table, "spoilt.csv.gz", bytes(spoilt), REFUSED)


def _foreign_files(table: Table) -> Iterator[BadFile]:
    """Files of another kind under the name of an extract."""
    text = written(table)
    half = len(text) // 2
    for what, content in {
        "empty": b"",
        "mark only": b"\xef\xbb\xbf",
        "wide mark only": b"\xff\xfe",
        "line ends only": b"\n\r\n\n",
        "spaces": b"   \n  \n",
        "NULs": b"\0" * 5000,
        "picture": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8,
        "program": b"\x7fELF" + bytes(range(256)) * 8,
        "page": b"<!doctype html><html><body>Please log in, dear user</body></html>",
        "error": b'{"error": "session expired", "code": 401}',
        "delimiters": b",,,,\n,,,,\n",
        "quote": b'"',
        "wide text under a mark": b"\xff\xfe" + text.encode("utf-16-le")[:-1],
        "array.jsonl": json.dumps(list(table.texts.values())).encode(),
        "text.jsonl": text.encode(),
        "numbers.jsonl": b"1\n2\n",
        "text.xls": text.encode(),
        "text.ods": text.encode(),
        "hollow.xlsx": _archive({"xl/other.xml": b"<a/>"}),
        "hollow.ods": _archive({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}),
        "bomb.xlsx": _bomb(),
        "sheet of nothing.xlsx": sheet([]),
        "entities.xlsx": _entities(table),
        "no such kind.pdf": b"%PDF-1.7",
        "no kind.": text.encode(),
        "magic.parquet": b"PAR1" + b"\0" * 100 + b"PAR1",
    }.items():
        yield _bad(table, what, content, REFUSED)
    mixed = text[:half].encode() + text[half:].encode("utf-16-le")
    yield _bad(table, "half utf-16", mixed, EITHER, quarantined=None)
    doubtful = text
    for at, row in enumerate(table.rows):
        doubtful = doubtful.replace(row[table.names.index("paid_on")], f"0{at % 3 + 1}/04/2026", 1)
    yield _bad(table, "doubtful days", doubtful.encode(), EITHER, quarantined=None)
    thousands = replace(
        table,
        rows=tuple((*row[:3], f"1.{at}00", "2,50", *row[5:]) for at, row in enumerate(table.rows)),
    )
    yield _bad(table, "doubtful numbers", written(thousands).encode(), REFUSED)


def _archive(parts: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return file.getvalue()


def _bomb() -> bytes:
    """A spreadsheet that says it unpacks to a gigabyte."""
    content = _archive({"xl/worksheets/sheet1.xml": b"0" * 70_001})
    return content.replace(struct.pack("<I", 70_001), struct.pack("<I", 1 << 30))


def _entities(table: Table) -> bytes:
    """A spreadsheet whose text refers to a file and to itself many times over."""
    content = sheet([table.names, *table.rows])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = "xl/worksheets/sheet1.xml"
    declared = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd"><!ENTITY y "&x;&x;&x;">]>'
    parts[name] = declared + parts[name].replace(b"payment_id", b"&y;", 1)
    return _archive(parts)


def _odd_names(table: Table) -> Iterator[BadFile]:
    """Names that lead nowhere, and names that would like to lead elsewhere."""
    content = written(table)
    refused = [
        *("payments.csv", "x/y/payments.csv", "revenue/pay.csv", "Revenue/payments-a.csv"),
        "revenue/payments-caf\udce9.csv",  # As Linux gives a name that is no UTF-8.
        *("revenue/paymentsx.csv", "revenue/payments.2026-13-45.csv", "gate/x.csv"),
    ]
    for number, name in enumerate(refused):
        yield BadFile(name, f"{content}\n{'#' * number}".encode(), REFUSED)
    taken = [
        *("..%2f..%2fx.csv", "a\\b.csv", "-rf.csv", "a\nb.csv", "x" * 200 + ".csv"),
        *("[1].csv", "*.csv", "?.csv", "a=b.csv", "\x1b[31m.csv"),
        *("{{ 1 }}.csv", "$(id).csv", "'; drop table x; --.csv", "\u202evsc.csv", " .CSV"),
    ]
    for number, name in enumerate(taken):
        own = with_cell(table, 0, "invoice_id", f"N{number}")
        yield BadFile(f"revenue/payments.{name}", written(own).encode(), TAKEN, accepted=own.texts)


def _random_damage(table: Table) -> Iterator[BadFile]:
    """Bytes lost, doubled or changed anywhere."""
    text = written(table).encode()
    header = text.index(b"\n") + 1
    ends = [at + 1 for at, byte in enumerate(text) if byte == 10]
    for seed in range(12):
        cut = random.Random(seed).randrange(header, len(text))
        whole = sum(end <= cut for end in ends) - 1
        kept = {at: row for at, row in table.texts.items() if at < whole}
        yield _bad(table, f"lost end {seed}", text[:cut], TAKEN, accepted=kept, quarantined=None)
    for seed in range(20):
        luck, content = random.Random(seed), bytearray(text)
        for _ in range(luck.randrange(1, 6)):
            at = luck.randrange(len(content))
            content[at : at + luck.randrange(3)] = luck.randbytes(luck.randrange(3))
        yield _bad(table, f"changed {seed}", bytes(content), EITHER, quarantined=None)
    binary = {
        "csv.gz": gzip.compress(text, mtime=0),
        "xlsx": sheet([table.names, *table.rows]),
        "parquet": parquet(table),
    }
    for suffix, sound in binary.items():
        for seed in range(25):
            luck, content = random.Random(seed), bytearray(sound)
            for _ in range(3):
                at = luck.randrange(len(content))
                content[at : at + 8] = luck.randbytes(8)
            what = f"changed {seed}.{suffix}"
            yield _bad(table, what, bytes(content), EITHER, quarantined=None)


MAPPING = """\
into: revenue/payments
columns:
  payment_id: payment_id
  invoice_id: invoice_id
  paid_on: paid_on
  amount: amount
  currency: currency
"""
BROKEN_MAPPINGS = {
    "empty": "",
    "no_yaml": "a: [",
    "tabs": "\tinto: x",
    "list": "- a\n",
    "number": "1",
    "no_into": MAPPING.replace("into: revenue/payments", "title: x"),
    "no_columns": "into: revenue/payments\n",
    "unknown_extract": MAPPING.replace("payments\n", "payment\n", 1),
    "unknown_key": f"{MAPPING}colums: x\n",
    "unknown_column": f"{MAPPING}  amuont: amount\n",
    "twice": f"{MAPPING}  amount: amount\n",
    "missing_required": MAPPING.replace("  amount: amount\n", ""),
    "columns_as_text": "into: revenue/payments\ncolumns: all\n",
    "columns_as_list": "into: revenue/payments\ncolumns: [amount]\n",
    "extends_nothing": "extends: nothing\n",
    "extends_itself": "extends: extends_itself\n",
    "extends_list": "extends: [a]\n",
    "bad_dates": f"{MAPPING}dates: whenever\n",
    "bad_pattern": f"{MAPPING}dates: '%Q'\n",
    "bad_numbers": f"{MAPPING}numbers: roman\n",
    "bad_encoding": f"{MAPPING}encoding: klingon\n",
    "no_text_encoding": f"{MAPPING}encoding: base64\n",
    "long_delimiter": f"{MAPPING}delimiter: '<->'\n",
    "odd_delimiter": f'{MAPPING}delimiter: "\\n"\n',
    "header_row_text": f"{MAPPING}header_row: first\n",
    "header_row_zero": f"{MAPPING}header_row: 0\n",
    "header_row_far": f"{MAPPING}header_row: 5000\n",
    "huge_header_row": f"{MAPPING}header_row: {'9' * 5000}\n",
    "bad_state": f"{MAPPING}skip: {{amount: {{is: odd}}}}\n",
    "bad_skip": f"{MAPPING}skip: amount\n",
    "skip_unknown": f"{MAPPING}skip: {{nothing: x}}\n",
    "empty_rule": MAPPING.replace("amount: amount", "amount: {}"),
    "null_rule": MAPPING.replace("amount: amount", "amount:"),
    "bad_case": MAPPING.replace("amount: amount", "amount: {cases: [{when: {a: b}}]}"),
    "bad_part": MAPPING.replace("paid_on: paid_on", "paid_on: {from: paid_on, part: week}"),
    "bad_days": MAPPING.replace("paid_on: paid_on", "paid_on: {from: paid_on, days: many}"),
    "huge_days": MAPPING.replace("paid_on: paid_on", f"paid_on: {{from: paid_on, days: {10**30}}}"),
    "bad_month": MAPPING.replace("paid_on: paid_on", "paid_on: $month"),
    "no_file_date": MAPPING.replace("paid_on: paid_on", "paid_on: $file_date"),
    "bad_months": f"{MAPPING}months: ['%Q %Z %']\n",
    "bad_replaces": f"{MAPPING}replaces: [day]\n",
    "alias": MAPPING.replace("amount: amount", "amount: *gone"),
    "recursive": f"{MAPPING}only: &a {{amount: *a}}\n",
    "key_as_list": f"? [a]\n: b\n{MAPPING}",
    "tagged": f"{MAPPING}title: !!python/object/apply:os.system ['id']\n",
    "times_text": MAPPING.replace("amount: amount", "amount: {from: amount, times: currency}"),
    "sheet": f"{MAPPING}sheet: Rows\n",
}
# These say nothing wrong; what they do to a file is found out row by row.
_SOUND = {"times_text", "sheet"}


def _broken_mappings() -> Iterator[BadFile]:
    payments, *_ = good_tables()
    for at, (name, mapping) in enumerate(BROKEN_MAPPINGS.items()):
        content = written(with_cell(payments, 0, "invoice_id", f"M{at}")).encode()
        fate = EITHER if name in _SOUND else REFUSED
        yield BadFile(f"{name}/payments.csv", content, fate, quarantined=None, mapping=mapping)
