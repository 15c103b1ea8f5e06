"""What the report is made of: pages of figures. A figure is one select and what to say about it.

Selects may sort, join names and add amounts up; rates and everything else that is computed comes
from a mart. Columns with these names steer the page's filter:

    product_id                  acted on by product and product line
    initiative_id               acted on by the choice of an initiative
    month                       first day of a month; acted on by the period
    scope_type, scope_id        one row per company, product_line or product: the chosen scope's
    holds                       flow, opening or closing: balances are kept at the ends of a period
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal[
    "money", "price", "rate", "ratio", "number", "count", "flag", "month", "date", "text"
]

# Columns that steer and are not shown: the name beside them says the same to people.
HIDDEN = frozenset(
    {"product_id", "product_line", "initiative_id", "scope_type", "scope_id", "holds"}
)

_WORDS = {
    "npv": "NPV",
    "irr": "IRR",
    "mirr": "MIRR",
    "roi": "ROI",
    "mrr": "MRR",
    "arr": "ARR",
    "nrr": "NRR",
    "grr": "GRR",
    "roas": "ROAS",
    "cac": "CAC",
    "ltv": "LTV",
    "kpi": "KPI",
    "arpa": "ARPA",
    "mase": "MASE",
    "wape": "WAPE",
    "cm1": "CM1",
    "cm2": "CM2",
    "cm3": "CM3",
    "ttm": "12-month",
    "ytd": "YTD",
    "gl": "ledger",
    "p": "p",
}
_SUFFIXES = re.compile(r"_(amount|rate|ratio|id|on)$")


@dataclass(frozen=True)
class Total:
    """One number above a figure: a column added up, or its value in the first or last month."""

    label: str
    column: str
    how: Literal["sum", "first", "last"] = "sum"


@dataclass(frozen=True)
class Figure:
    """One chart or table."""

    # The question it answers, or the finding.
    title: str
    # The caption "what this means": how to read it, what not to conclude.
    means: str
    select: str
    # A Vega-Lite specification over data named `rows`; a figure without one is a table.
    chart: Mapping[str, Any] | None = None
    # In words; {currency} is the reporting currency.
    unit: str = "{currency}"
    totals: Sequence[Total] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    # How the period acts on rows with a month: all within it, or only its last one.
    period: Literal["range", "last"] = "range"
    is_wide: bool = True
    # What it says when there is nothing to show.
    empty: str = (
        "Nothing here yet: its extracts are missing, or no period is closed (period_closes)."
    )
    # Drawn by the page's script as cards or as a list instead of a table.
    layout: Literal["table", "cards", "list"] = "table"

    @property
    def marts(self) -> list[str]:
        """The marts its select reads, in order."""
        found = re.findall(r"\b(?:from|join)\s+((?:rpt|fct|dim)_\w+)", self.select)
        return list(dict.fromkeys(found))


@dataclass(frozen=True)
class Page:
    """One page: a question and its figures, each declared by a function named as its id."""

    id: str
    name: str
    question: str
    figures: Sequence[Callable[[], Figure]]
    # Sheets of A4 landscape it may take in print, on the sample.
    sheets: int = 8


def label(column: str) -> str:
    """A column's name for people: `npv_amount` is NPV."""
    words = _SUFFIXES.sub("", column.removeprefix("is_")).split("_")
    text = " ".join(_WORDS.get(word, word) for word in words)
    return text[:1].upper() + text[1:]


def kind(column: str, data_type: str) -> Kind:
    """How a column is written, by the project's naming conventions and its type."""
    by_type: dict[str, Kind] = {"BOOLEAN": "flag", "DATE": "date", "VARCHAR": "text"}
    if column in {"month", "cohort_month", "target_month"}:
        return "month"
    if data_type in by_type:
        return by_type[data_type]
    if data_type.startswith("TIMESTAMP"):
        return "date"
    if column.startswith(("unit_cost", "marginal_cost")):
        return "price"
    if column.endswith("_amount"):
        return "money"
    if column.endswith(("_rate", "_share", "_probability")):
        return "rate"
    if column.endswith(("_ratio", "_index")):
        return "ratio"
    return "count" if "INT" in data_type else "number"
