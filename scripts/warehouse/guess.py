"""How a column's numbers or dates are written, where they are not written the plain way.

The whole column decides, never a row: the way that reads the most values wins. Where two ways read
them equally well and differently, the file is refused with the choice explained.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from warehouse import formats
from warehouse.errors import FileRefusedError
from warehouse.scan import Field, Scan, in_format, kind_of_format
from warehouse.sql import identifier
from warehouse.values import kind_of

GUESSES = {
    "number": (formats.PLAIN, *formats.GUESSED_NUMBERS),
    "date": (formats.PLAIN, *formats.GUESSED_DATES),
}
# Ways that can read the same text as different values.
_RIVALS = {"number": ("us", "european"), "date": ("dmy", "mdy")}
_ADVICE = {
    "number": "write numbers like 1234.56, or take the file with a mapping that says "
    "`numbers: us` or `numbers: european`",
    "date": "write dates like 2026-03-31, or take the file with a mapping that says "
    "`dates: dmy` or `dates: mdy`",
}


@dataclass(frozen=True)
class _Tally:
    """How many values of one column each way reads."""

    read: Mapping[str, int]
    # Values written as both rivals write, but not the same value, and one of them. Whether that
    # value fits the column is no matter: 1.005 in a column of cents may be a fault or a thousand.
    disputed: int
    example: str | None
    # Values written as only the first rival writes, less those only the second does.
    lead: int
    filled: int


def choose_formats(connection: duckdb.DuckDBPyConnection, scan: Scan) -> dict[str, str]:
    """The way each doubtful column is written, where that is not the plain way."""
    open_fields = [one for one in scan.fields if kind_of_format(one.column) and one.format is None]
    doubtful = _doubtful(connection, scan, open_fields)
    if not doubtful:
        return {}
    tallies = _tally(connection, scan, doubtful)
    chosen = {
        one.column.name: way
        for one, tally in zip(doubtful, tallies, strict=True)
        if (way := _decide(one, tally)) != formats.PLAIN
    }
    if "european" in chosen.values():
        _refuse_doubtful_neighbours(connection, scan, open_fields, chosen)
    return chosen


def _doubtful(
    connection: duckdb.DuckDBPyConnection, scan: Scan, fields: Sequence[Field]
) -> list[Field]:
    """Fields with a value that could not be read the plain way, but perhaps another way."""
    if not fields:
        return []
    places = {id(one): at for at, one in enumerate(scan.fields)}
    tests = []
    for one in fields:
        text = f"_values[{places[id(one)] + 1}]"
        ways = [in_format(one.column, text, way) for way in GUESSES[kind_of_format(one.column)][1:]]
        is_readable = " or ".join(f"{way} is not null" for way in ways) if one.is_direct else "true"
        unread = f"{identifier(one.column.name)} is null and {text} is not null"
        tests.append(f"coalesce(bool_or({unread} and ({is_readable})), false)")
    (found,) = connection.execute(f"""
        select {", ".join(tests)}
        from (
            select *, cast(cast(_record as json) as varchar[]) as _values
            from parsed
            where _record is not null
        )
    """).fetchall()
    return [one for one, is_doubtful in zip(fields, found, strict=True) if is_doubtful]


def _tally(
    connection: duckdb.DuckDBPyConnection, scan: Scan, fields: Sequence[Field]
) -> list[_Tally]:
    texts, values, counts = [], [], []
    for at, one in enumerate(fields):
        ways = GUESSES[kind_of_format(one.column)]
        texts.append(f"{one.delivered} as d{at}")
        for number, way in enumerate(ways):
            texts.append(f"{one.text(way)} as t{at}_{number}")
            values.append(f"{kind_of(one.column, f't{at}_{number}').value} as v{at}_{number}")
        first, second = (f"t{at}_{ways.index(way)}" for way in _RIVALS[kind_of_format(one.column)])
        disputed = f"{first} <> {second}"
        counts += [f"count(v{at}_{number})" for number in range(len(ways))]
        counts += [f"count(*) filter (where {disputed})", f"min(d{at}) filter (where {disputed})"]
        counts += [f"count({first}) - count({second})", f"count(d{at})"]
    kept = f"where not coalesce({scan.set_aside}, false)" if scan.set_aside else ""
    (row,) = connection.execute(f"""
        select {", ".join(counts)}
        from (
            select *, {", ".join(values)}
            from (select {", ".join(texts)} from {scan.relation} {kept})
        )
    """).fetchall()
    tallies, at = [], 0
    for one in fields:
        ways = GUESSES[kind_of_format(one.column)]
        read = dict(zip(ways, row[at : at + len(ways)], strict=True))
        at += len(ways)
        tallies.append(_Tally(read, *row[at : at + 4]))
        at += 4
    return tallies


def _decide(one: Field, tally: _Tally) -> str:
    most = max(tally.read.values())
    if tally.read[formats.PLAIN] == most:
        return formats.PLAIN
    best = next(way for way, count in tally.read.items() if count == most)
    rivals = _RIVALS[kind_of_format(one.column)]
    if best not in rivals or not tally.disputed:
        return best
    if tally.lead == 0:
        raise FileRefusedError(_explain(one, tally, rivals))
    likelier = rivals[0] if tally.lead > 0 else rivals[1]
    return max(formats.PLAIN, likelier, key=lambda way: tally.read[way])


def _explain(one: Field, tally: _Tally, ways: Sequence[str]) -> str:
    readings = {
        "us": "with a point before the decimals",
        "european": "with a comma before the decimals",
        "dmy": "day first",
        "mdy": "month first",
        formats.PLAIN: "with a point before the decimals",
    }
    first, second = (readings[way] for way in ways)
    return (
        f"{one.column.name} can be read in two ways, for example {tally.example}: {first} or "
        f"{second}, and no value of the column tells which: {_ADVICE[kind_of_format(one.column)]}"
    )


def _refuse_doubtful_neighbours(
    connection: duckdb.DuckDBPyConnection,
    scan: Scan,
    fields: Sequence[Field],
    chosen: Mapping[str, str],
) -> None:
    """1.234 beside a column of 1.234,50 may be a thousand; plain reading would make it one."""
    others = [
        one
        for one in fields
        if kind_of_format(one.column) == "number" and one.column.name not in chosen
    ]
    for one, tally in zip(others, _tally(connection, scan, others) if others else (), strict=True):
        is_european = tally.filled and tally.read["european"] == tally.filled
        if is_european and tally.read[formats.PLAIN] and tally.disputed:
            raise FileRefusedError(_explain(one, tally, (formats.PLAIN, "european")))
