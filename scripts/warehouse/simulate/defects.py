"""Spoils a known share of rows on their way out, and keeps a list of what was spoilt."""

import numpy as np

from .parameters import (
    BAD_DATE_COLUMN,
    BAD_DATE_RATE,
    BAD_DATES,
    DUPLICATE_RATE,
    UNKNOWN_PRODUCT,
    UNKNOWN_PRODUCT_RATE,
)
from .sink import Row, Sink, stream

# How many leading columns make the key in the list of defects.
_KEY = {
    "feature_usage": 3,
    "invoice_lines": 2,
    "payments": 1,
    "timesheets": 1,
    "touchpoints": 1,
    "support_tickets": 1,
    "survey_responses": 1,
}
Defect = tuple[str, str, str, str]


class Spoiler:
    """Adds duplicates, unreadable dates and unknown products at their stated rates."""

    def __init__(self, seed: int, sink: Sink, typed: bool) -> None:
        self._seed = seed
        self._sink = sink
        self._typed = typed  # typed files cannot hold an unreadable date
        self._calls: dict[str, int] = {}
        self.defects: list[Defect] = []

    def add(self, extract: str, rows: list[Row]) -> None:
        """Write rows, some of them spoilt; a row has at most one defect."""
        call = self._calls.get(extract, 0)
        self._calls[extract] = call + 1
        rng = stream(self._seed, "defects", extract, call)
        columns = self._sink.columns(extract)
        rolls = rng.random(len(rows))
        bad = 0.0 if self._typed else BAD_DATE_RATE.get(extract, 0.0)
        unknown = bad + UNKNOWN_PRODUCT_RATE.get(extract, 0.0)
        twice = unknown + DUPLICATE_RATE.get(extract, 0.0)
        written: list[Row] = []
        for index in range(len(rows)):
            row = rows[index]
            if rolls[index] >= twice:
                written.append(row)
                continue
            key = "/".join(row[: _KEY[extract]])
            if rolls[index] < bad:
                written.append(self._bad_date(rng, extract, key, row, columns))
            elif rolls[index] < unknown:
                written.append(self._unknown_product(extract, key, row, columns))
            else:
                written += [row, row]
                self.defects.append(("duplicate_row", extract, key, ""))
        self._sink.add(extract, written)

    def _bad_date(
        self, rng: np.random.Generator, extract: str, key: str, row: Row, columns: list[str]
    ) -> Row:
        at = columns.index(BAD_DATE_COLUMN[extract])
        text = BAD_DATES[int(rng.integers(len(BAD_DATES)))]
        self.defects.append(("unreadable_date", extract, key, f"{text} for {row[at]}"))
        return [*row[:at], text, *row[at + 1 :]]

    def _unknown_product(self, extract: str, key: str, row: Row, columns: list[str]) -> Row:
        at = columns.index("product_id")
        if not row[at]:
            return row
        self.defects.append(("unknown_product", extract, key, f"{UNKNOWN_PRODUCT} for {row[at]}"))
        return [*row[:at], UNKNOWN_PRODUCT, *row[at + 1 :]]
