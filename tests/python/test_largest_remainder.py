"""The penny-exact split against exact rational arithmetic."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment

MACRO = Path(__file__).parents[2] / "macros" / "largest_remainder.sql"
MACROS: Any = Environment().from_string(MACRO.read_text()).module
SPLIT = ("total", "weight", "weight_total")
QUERY = f"""
    with weighted as (
        select *, sum(weight) over (partition by split_id) as weight_total
        from (
            select 1 as split_id, cast(? as bigint) as total, line, cast(weights[line] as decimal(21, 9)) as weight
            from (select cast(? as varchar[]) as weights), range(1, len(weights) + 1) as lines(line)
        )
    ),
    floored as (select *, {MACROS.share_floor(*SPLIT)} as whole from weighted),
    remaining as (select *, {MACROS.share_remainder(*SPLIT, "whole")} as remainder from floored)
    select {MACROS.largest_remainder("total", "whole", "remainder", ["split_id"], ["line"])}
    from remaining order by line
"""


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def split(
    connection: duckdb.DuckDBPyConnection, total: int, weights: list[Decimal]
) -> list[int | None]:
    rows = connection.execute(QUERY, [total, [str(weight) for weight in weights]]).fetchall()
    return [share for (share,) in rows]


def reference(total: int, weights: list[Decimal]) -> list[int | None]:
    whole = sum(map(Fraction, weights))
    if whole == 0:
        return [None] * len(weights)
    exact = [abs(total) * Fraction(weight) / whole for weight in weights]
    shares = [int(share) for share in exact]
    by_fraction = sorted(range(len(weights)), key=lambda line: (shares[line] - exact[line], line))
    for line in by_fraction[: abs(total) - sum(shares)]:
        shares[line] += 1
    return [-share if total < 0 else share for share in shares]


@pytest.mark.parametrize(
    ("total", "weights", "expected"),
    [
        (10000, [1, 1, 1], [3334, 3333, 3333]),
        (-10000, [1, 1, 1], [-3334, -3333, -3333]),
        (10000, [1] * 7, [1429] * 4 + [1428] * 3),
        (1000, [1, 2, 3], [167, 333, 500]),
        (1000, [0, 2, 0], [0, 1000, 0]),
        (1000, [0, 0], [None, None]),
        (0, [1, 2], [0, 0]),
        (999_999_999_999_999, [1, 1], [500_000_000_000_000, 499_999_999_999_999]),
    ],
)
def test_worked_numbers(
    connection: duckdb.DuckDBPyConnection,
    total: int,
    weights: list[int],
    expected: list[int | None],
) -> None:
    assert split(connection, total, [Decimal(weight) for weight in weights]) == expected


@settings(max_examples=150, deadline=None)
@given(
    total=st.integers(-(10**14), 10**14),
    weights=st.lists(st.decimals(0, 10**9, places=9), min_size=1, max_size=12),
)
def test_equals_exact_rational_arithmetic(
    connection: duckdb.DuckDBPyConnection, total: int, weights: list[Decimal]
) -> None:
    assert split(connection, total, weights) == reference(total, weights)
