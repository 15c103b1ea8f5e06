"""Any sequence of increments leaves the same rows as building everything."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from warehouse.home import PROJECT, Home
from warehouse.sql import literal
from warehouse.transform import Transformation

# What a later file brings, from the rows `u` delivered so far: what it changes, and how it is delivered.
CORRECTION = """
    select * replace (event_count + 7 as event_count, _known_at + interval 1 day as _known_at)
    from u where usage_date between '2025-03-01' and '2025-03-31' and hash(customer_id) % 3 = 0"""
DELETION = """
    select * replace (true as _is_deleted, _known_at + interval 2 day as _known_at)
    from u where usage_date between '2025-06-01' and '2025-06-30' and hash(feature_id) % 2 = 0"""
WHOLE_SCOPE = """
    select * replace ('S1' as _scope, '1' as _delivery, _known_at + interval 3 day as _known_at)
    from u where usage_date between '2025-08-01' and '2025-09-30' and hash(customer_id) % 5 = 0"""
# It replaces the scope with less: what is missing is gone, also in the month it says nothing about.
SCOPE_AGAIN = """
    select * replace (event_count * 2 as event_count, '2' as _delivery,
        _known_at + interval 4 day as _known_at)
    from u where _scope = 'S1' and usage_date < '2025-09-01'"""


# Tables that months are added to, with their schemas.
MODELS = {
    "int_feature_usage_months": "intermediate",
    "fct_feature_revenue": "marts",
}


@pytest.fixture
def usage(sample: Home, tmp_path: Path) -> Callable[[str], list[list[tuple[Any, ...]]]]:
    """Builds the tables in a copy of the sample's home, whole or in increments; returns their rows."""
    home = tmp_path / "home"
    home.mkdir()
    shutil.copytree(sample.raw, home / "raw")
    shutil.copyfile(sample.database, home / "warehouse.duckdb")

    def build(loaded_after: str) -> list[list[tuple[Any, ...]]]:
        # The view in the copy still names the sample's files.
        nodes = ["stg_product__feature_usage_versions", *MODELS]
        results = Transformation(PROJECT, home).build(
            nodes, MODELS if loaded_after else (), loaded_after
        )
        states = [result.status for result in results if result.kind == "model"]
        assert states == ["success"] * len(nodes)
        with duckdb.connect(home / "warehouse.duckdb", read_only=True) as connection:
            return [
                connection.execute(f"from {schema}.{name} order by all").fetchall()
                for name, schema in MODELS.items()
            ]

    return build


def deliver(home: Path, day: int, rows: str) -> None:
    """A file of rows loaded on a day of 2099, after all that is there."""
    folder = home / "raw" / "product" / "feature_usage"
    with duckdb.connect() as connection:
        files = literal(str(folder / "*.parquet"))
        connection.execute(f"create table u as from read_parquet({files}, union_by_name = true)")
        connection.execute(
            f"copy (select * replace ('day {day}' as _file, make_timestamp(2099, 1, {day}, 0, 0, 0) "
            f"as _loaded_at) from ({rows})) to {literal(str(folder / f'{day}.parquet'))} (format parquet)"
        )


def test_increments_leave_what_building_everything_leaves(
    usage: Callable[[str], list[list[tuple[Any, ...]]]], tmp_path: Path
) -> None:
    at_first = usage("")
    assert usage("2000-01-01") == at_first, "every month built again"
    assert usage("2099-01-01") == at_first, "nothing new"
    before = at_first
    for day, rows in enumerate([CORRECTION, DELETION, WHOLE_SCOPE, SCOPE_AGAIN], start=2):
        deliver(tmp_path / "home", day, rows)
        increment = usage(f"2099-01-{day - 1:02} 12:00:00")
        assert increment == usage(""), rows
        assert increment != before, "the delivery must change something"
        before = increment
