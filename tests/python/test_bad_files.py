"""Hundreds of bad files in one run: taken with every row accounted for, or refused with the fix."""

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from bad_files import REFUSED, TAKEN, BadFile, bad_files
from gate import GOOD, HEADER, PAYMENTS, land, quarantined, run
from shared import DATA
from warehouse import contract
from warehouse.home import Home
from warehouse.ingest import FileResult, describe

# What a message tells people to do.
ADVICE = re.compile(
    r"\b(add|check|copy|correct|deliver|did you mean|export|give|keep|known are|like|must|name|needs?"
    r"|put|rename|save|say|take|write)\b"
)


def test_bad_files_are_taken_row_by_row_or_refused_with_the_fix(empty_home: Home) -> None:
    files = {file.name: file for file in bad_files()}
    assert len(files) >= 300
    for file in files.values():
        land(empty_home, file.name, file.content)
        if file.mapping is not None:
            empty_home.mappings.mkdir(exist_ok=True)
            path = empty_home.mappings / f"{Path(file.name).parts[0]}.yml"
            path.write_text(file.mapping, encoding="utf-8")
    real = [path for path in DATA.rglob("*") if path.suffix in {".csv", ".json"}]
    for at, path in enumerate(real):
        land(empty_home, f"revenue/payments-real-{at}{path.suffix}", path.read_bytes())
    land(empty_home, PAYMENTS, HEADER + GOOD)
    results = {result.file: result for result in run(empty_home).files}
    assert len(results) == len(files) + len(real) + 1
    accepted = accepted_rows(empty_home)
    wrong = [
        f"{file.shown!r}: {fault}; {results[file.shown]}"
        for name, file in files.items()
        for fault in faults(file, results[file.shown], accepted.get(name, {}))
    ]
    assert wrong == [], "\n".join(wrong)
    assert results[PAYMENTS].rows_accepted == 1


def accepted_rows(home: Home) -> dict[str, dict[int, dict[str, Any]]]:
    """What stands in raw/: by file and by the place among the file's accepted rows."""
    found: dict[str, dict[int, dict[str, Any]]] = {}
    with duckdb.connect() as connection:
        for extract in contract.load().extracts:
            if extract.is_internal:
                continue
            paths = str(home.raw / extract.id / "*.parquet")
            query = "from read_parquet(?, union_by_name = true) order by _file, _row"
            result = connection.execute(query, [paths])
            names = [column[0] for column in result.description or ()]
            for row in result.fetchall():
                values = dict(zip(names, row, strict=True))
                rows = found.setdefault(values["_file"], {})
                rows[len(rows)] = values
    return found


def faults(file: BadFile, result: FileResult, rows: dict[int, dict[str, Any]]) -> list[str]:
    """What became of a file that must not."""
    if result.outcome == "refused":
        return list(faults_of_refusal(file, result, rows))
    if file.fate == REFUSED or result.outcome != "loaded":
        return ["is not refused"]
    return list(faults_of_loading(file, result, rows))


def faults_of_refusal(
    file: BadFile, result: FileResult, rows: dict[int, dict[str, Any]]
) -> Iterator[str]:
    line = describe(result)
    if file.fate == TAKEN:
        yield "is refused"
    if rows:
        yield "is refused, and yet rows of it are in raw/"
    if not line.startswith(f"{file.shown}: refused, because "):
        yield "the message does not begin with the file"
    if not ADVICE.search(result.message):
        yield "the message does not say what to do"
    if len(line) > 3000 or "Traceback" in line:
        yield "the message is not for people"


def faults_of_loading(
    file: BadFile, result: FileResult, rows: dict[int, dict[str, Any]]
) -> Iterator[str]:
    parts = (result.rows_accepted, result.rows_quarantined, result.rows_set_aside)
    if result.rows_read != sum(parts) + result.rows_blank:
        yield "rows are lost"
    if len(rows) != result.rows_accepted:
        yield f"{len(rows)} rows are in raw/"
    if file.quarantined is not None:
        if (len(rows), result.rows_quarantined) != (len(file.accepted), file.quarantined):
            yield f"{len(file.accepted)} should be accepted and {file.quarantined} quarantined"
        found = list(rows.values())
    else:
        found = list(rows.values())[: len(file.accepted)]
    for (number, texts), values in zip(file.accepted.items(), found, strict=False):
        for name, text in texts.items():
            if name in values and not is_same(text, values[name]):
                yield f"{name} of row {number} is {values[name]!r} and not {text!r}"
    if result.rows_quarantined:
        told = quarantined(result)
        if len({row for row, *_ in told}) != result.rows_quarantined:
            yield "the quarantine names other rows"
        if not all(reason for *_, reason in told):
            yield "the quarantine lacks a reason"


def is_same(text: str, value: Any) -> bool:
    """Whether a value is what its text says, by Python's reading."""
    match value:
        case None:
            return text == ""
        case Decimal() | int():
            return Decimal(text) == value
        case dt.date():
            return str(value).startswith(text)
        case _:
            return bool(text == value)
