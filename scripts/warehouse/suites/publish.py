"""Is this version plausible? One suite per mart, run before it is published.

Keys, relations and reconciliations are dbt's; formulas are unit-tested. What is asked here is what
only the finished version can answer: did anything vanish since the last version, did arithmetic
escape, does every figure that is missing say why.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from warehouse.catalog import Mart
from warehouse.sql import identifier

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation

# A mart may lose this share of its rows from one version to the next before someone has to look.
ROWS_LOST = 0.5

ROWS_KEPT = "rows_kept"

# True of marts that list what calls for a look or a decision, which may be nothing at any time; AT_FIRST of those that
# need more history than a young company has.
MAY_BE_EMPTY = "may_be_empty"
AT_FIRST = "at_first"

EARLIEST, LATEST = "1900-01-01", "2199-12-31"


@dataclass(frozen=True)
class Context:
    """What a version is judged against."""

    # Extracts (source, extract) that hold rows.
    filled_extracts: frozenset[tuple[str, str]]
    # Rows per mart in the version that is current now.
    published_rows: Mapping[str, int]


def expectations(mart: Mart, context: Context) -> "list[Expectation]":
    """The publish suite of one mart."""
    import great_expectations.expectations as gxe

    suite: list[Expectation] = []
    least = _least_rows(mart, context)
    if least:
        suite.append(
            gxe.ExpectTableRowCountToBeBetween(
                min_value=least,
                description=f"at least {least} rows, half of what the last version held",
                meta={"rule": ROWS_KEPT},
            )
        )
    for rule, message, condition in conditions(mart):
        suite.append(
            gxe.UnexpectedRowsExpectation(
                unexpected_rows_query=f"select * from {{batch}} where {condition}",
                description=message,
                meta={"rule": rule},
            )
        )
    return suite


def rules(mart: Mart) -> list[str]:
    """Names of the rules a mart may be held to."""
    return [ROWS_KEPT, *(rule for rule, _, _ in conditions(mart))]


def _least_rows(mart: Mart, context: Context) -> int:
    """Half of what the last version had, one where there is none and input; 0 where empty is fine."""
    may_be_empty = mart.meta.get(MAY_BE_EMPTY)
    before = context.published_rows.get(mart.name, 0 if may_be_empty == AT_FIRST else None)
    # Whoever accepted an empty mart once has lost nothing by the next version.
    if may_be_empty is True or before == 0 or not mart.extracts <= context.filled_extracts:
        return 0
    return max(1, round((before or 0) * (1 - ROWS_LOST)))


def conditions(mart: Mart) -> list[tuple[str, str, str]]:
    """What each row must hold: rule, what it says, condition that a row breaking it satisfies."""
    rules = []
    names = {column.name for column in mart.columns}
    if doubles := mart.columns_of("double", "float"):
        rules.append(
            (
                "finite_numbers",
                f"neither infinity nor NaN in {_listed(doubles)}",
                _any(f"isinf({identifier(name)}) or isnan({identifier(name)})" for name in doubles),
            )
        )
    explained = [name for name in sorted(names) if f"{name}_reason" in names]
    if explained:
        rules.append(
            (
                "missing_has_reason",
                f"NULL exactly where a reason is given: {_listed(explained)}",
                _any(
                    f"({identifier(name)} is null) <> ({identifier(name + '_reason')} is not null)"
                    for name in explained
                ),
            )
        )
    if dates := mart.columns_of("date", "timestamp"):
        rules.append(
            (
                "plausible_dates",
                f"between {EARLIEST} and {LATEST}: {_listed(dates)}",
                _any(
                    f"{identifier(name)} < '{EARLIEST}' or {identifier(name)} > '{LATEST}'"
                    for name in dates
                ),
            )
        )
    if shares := mart.columns_ending("_share", "_probability"):
        rules.append(
            (
                "shares_within_bounds",
                f"between 0 and 1: {_listed(shares)}",
                _any(f"{identifier(name)} not between -1e-9 and 1 + 1e-9" for name in shares),
            )
        )
    return rules


def _any(broken: Iterable[str]) -> str:
    return " or ".join(f"({condition})" for condition in broken)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
