"""SQL that turns text into typed values, strictly: what cannot be read exactly is a fault.

Nothing is guessed and nothing is rounded. Every expression is NULL where the text is not a value of
the type, so a row with text but no value is at fault.
"""

import re
from dataclasses import dataclass

from warehouse.contract import Column

# Years a finance extract can plausibly speak of; 0024 and 20024 are typing errors.
FIRST_DAY, LAST_DAY = "1900-01-01", "2199-12-31"

_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")


@dataclass(frozen=True)
class Kind:
    """How values of one type are read, and what to say when they cannot be."""

    value: str
    fault: str


def kind_of(column: Column, text: str) -> Kind:
    """How `text`, an SQL expression, is read as a value of the column."""
    data_type = column.data_type.lower()
    if match := _DECIMAL.fullmatch(data_type):
        return _decimal(text, int(match[1]), int(match[2]))
    return _KINDS[data_type](text)


def checked(column: Column, value: str) -> str:
    """`value`, which has the column's type already, unless it is out of any plausible range."""
    data_type = column.data_type.lower()
    if data_type in {"date", "timestamp"}:
        return f"case when {value} between {_bounds(data_type)} then {value} end"
    if data_type == "double":
        return f"case when isfinite({value}) then {value} end"
    return value


def _bounds(data_type: str) -> str:
    if data_type == "date":
        return f"date '{FIRST_DAY}' and date '{LAST_DAY}'"
    return f"timestamp '{FIRST_DAY}' and timestamp '{LAST_DAY} 23:59:59.999999'"


def _string(text: str) -> Kind:
    return Kind(text, "not text")


def _integer(text: str, data_type: str) -> Kind:
    plain = f"regexp_full_match({text}, '[+-]?[0-9]+([.]0*)?')"
    return Kind(
        f"case when {plain} then try_cast({text} as {data_type}) end",
        f"not a whole number that fits {data_type}: write it like 1250, without separators",
    )


def _decimal(text: str, precision: int, scale: int) -> Kind:
    value = f"try_cast({text} as decimal({precision},{scale}))"
    # DuckDB rounds what does not fit the scale and reads 1_000 and 1e3. This asks, at a fraction of
    # what a regular expression costs: nothing but digits, and no more of them than fit.
    is_short = f"(strpos({text}, '.') = 0 or strlen({text}) - strpos({text}, '.') <= {scale})"
    is_plain = " and ".join(f"not contains({text}, '{letter}')" for letter in "eE_")
    zeros = f"[+-]?([0-9]+[.]?[0-9]{{0,{scale}}}0*|[.][0-9]{{1,{max(scale, 1)}}}0*)"
    # Short enough for a double to tell exactly; 1e-400 would be zero to it.
    exponent = "[+-]?[0-9]*[.]?[0-9]+[eE][+-]?[0-9]{1,2}"
    return Kind(
        f"case when {is_short} and {is_plain} then {value} "
        f"when regexp_full_match({text}, '{zeros}') then {value} "
        # 1.5e-7 is taken where it fits the scale exactly.
        f"when strlen({text}) <= 20 and regexp_full_match({text}, '{exponent}') "
        f"and try_cast({text} as double) = cast({value} as double) then {value} end",
        f"not a number with at most {precision - scale} digits before and {scale} after the "
        "decimal point: write it like -1234.56, without separators or currency signs",
    )


def _double(text: str) -> Kind:
    number = "[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?"
    return Kind(
        f"case when regexp_full_match({text}, '{number}') and isfinite(try_cast({text} as double)) "
        f"then try_cast({text} as double) end",
        "not a number: write it like -1234.56, without separators or currency signs",
    )


def _date(text: str) -> Kind:
    midnight = "[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]00:00(:00([.]0+)?)?Z?"
    day = (
        f"case when length({text}) = 10 and {text} like '____-__-__' then try_cast({text} as date) "
        f"when regexp_full_match({text}, '{midnight}') then try_cast(left({text}, 10) as date) end"
    )
    return Kind(
        f"case when {day} between {_bounds('date')} then {day} end",
        f"not a day from {FIRST_DAY} to {LAST_DAY}: write it like 2026-03-31",
    )


def _timestamp(text: str) -> Kind:
    day, time = "[0-9]{4}-[0-9]{2}-[0-9]{2}", "[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?"
    moment = (
        f"case when regexp_full_match({text}, '{day}([T ]{time}Z?)?') "
        f"then try_cast({text} as timestamp) "
        f"when regexp_full_match({text}, '{day}[T ]{time} ?[+-][0-9]{{2}}(:?[0-9]{{2}})?') "
        # DuckDB reads offsets with a colon only.
        f"then try_cast(regexp_replace({text}, ' ?([+-][0-9]{{2}})([0-9]{{2}})$', '\\1:\\2') "
        "as timestamptz) at time zone 'UTC' end"
    )
    return Kind(
        f"case when {moment} between {_bounds('timestamp')} then {moment} end",
        f"not a moment from {FIRST_DAY} to {LAST_DAY}: write it like 2026-03-31T14:05:00Z",
    )


def _boolean(text: str) -> Kind:
    return Kind(f"try_cast({text} as boolean)", "neither true nor false: write true or false")


_KINDS = {
    "string": _string,
    "integer": lambda text: _integer(text, "integer"),
    "bigint": lambda text: _integer(text, "bigint"),
    "double": _double,
    "date": _date,
    "timestamp": _timestamp,
    "boolean": _boolean,
}
