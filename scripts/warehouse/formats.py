"""Ways finance writes numbers and dates, turned into the one way the gate reads: SQL over texts.

Each format is an SQL expression that is NULL for a text not written that way. Which format a column
uses is never decided row by row: a mapping says it, or the whole column does.
"""

import re
from collections.abc import Callable
from functools import partial

from warehouse.sql import literal

PLAIN = "plain"
ISO = "iso"

# Currency signs and codes say nothing about the amount.
_CURRENCY = "[$€£¥]|^ *[A-Z]{3} | [A-Z]{3} *$"
_SPACES = "\u00a0\u202f\u2009"


def _number(text: str, thousands: str, decimal: str) -> str:
    """1,234.50 with currency signs, in accounting style (1,234.50) or 1,234.50- where negative."""
    usual = f"translate({text}, '{_SPACES}\u2212', '{' ' * len(_SPACES)}-')"
    bare = f"trim(regexp_replace({usual}, '{_CURRENCY}', '', 'g'))"
    digits = (
        f"([0-9]{{1,3}}([{thousands}][0-9]{{3}})+|[0-9]+)([{decimal}][0-9]*)?|[{decimal}][0-9]+"
    )
    written = f"[+-]? ?({digits})|({digits})-|[(]({digits})[)]"
    sign = f"case when regexp_matches({bare}, '^[(]|-$') then '-' else '' end"
    core = f"regexp_replace({bare}, '[{thousands} ()]|-$', '', 'g')"
    return (
        f"case when regexp_full_match({bare}, '{written}') "
        f"then {sign} || replace({core}, '{decimal}', '.') end"
    )


NUMBERS: dict[str, Callable[[str], str]] = {
    PLAIN: lambda text: text,
    "us": lambda text: _number(text, ",'' ", "."),
    "european": lambda text: _number(text, ". ", ","),
}

_DAYS = {
    "dmy": ("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y"),
    "mdy": ("%m/%d/%Y", "%m.%d.%Y", "%m-%d-%Y"),
    "ymd": ("%Y/%m/%d", "%Y.%m.%d"),
    "compact": ("%Y%m%d",),
    "named": ("%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y"),
}
_TIMES = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")
# What a count of these since 1970 is to be divided by to get seconds.
_UNIX = {"unix": 1, "unix_ms": 1000, "unix_us": 1_000_000}


def _moment(text: str, patterns: tuple[str, ...]) -> str:
    written = ", ".join(literal(pattern + time) for pattern in patterns for time in _TIMES)
    return f"strftime(try_strptime({text}, [{written}]), '%Y-%m-%dT%H:%M:%S.%f')"


def _serial(text: str) -> str:
    """A day as spreadsheets count: 1 is 1900-01-01, 45321.5 is noon of 2024-01-30."""
    days = f"cast(case when regexp_full_match({text}, '[0-9]{{1,5}}([.][0-9]+)?') then {text} end as double)"
    return (
        f"strftime(timestamp '1899-12-30' + to_microseconds(cast(round({days} * 86400000000) as bigint)),"
        " '%Y-%m-%dT%H:%M:%S.%f')"
    )


def _unix(text: str, per_second: int) -> str:
    count = f"cast(case when regexp_full_match({text}, '[0-9]{{1,17}}') then {text} end as bigint)"
    return f"strftime(make_timestamp({count} * {1_000_000 // per_second}), '%Y-%m-%dT%H:%M:%S.%f')"


DATES: dict[str, Callable[[str], str]] = {
    ISO: lambda text: text,
    **{name: partial(_moment, patterns=days) for name, days in _DAYS.items()},
    "excel": _serial,
    **{name: partial(_unix, per_second=count) for name, count in _UNIX.items()},
}

# A strptime pattern DuckDB knows.
PATTERN = re.compile("([^%]|%-?[aAbBcdfgGHIjmMnpSuUVwWxXyYzZ%])+")

# What a column of numbers or dates is tried as when it is not written the plain way.
GUESSED_NUMBERS = ("us", "european")
GUESSED_DATES = (*_DAYS, "excel")


def of_date(name: str) -> Callable[[str], str]:
    """A named date format, or one given as a strptime pattern like %d.%m.%y."""
    return DATES.get(name, partial(_moment, patterns=(name,)))
