"""Any sequence of increments leaves the same rows as building everything."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from warehouse import catalog
from warehouse.home import PROJECT, Home
from warehouse.sql import literal
from warehouse.transform import AFTER_AUDIT, Increment, Transformation

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
# Another extract, without a date in its key: lines once more, on a day by which an exception to a rule
# about payroll has run out.
LEDGER_LINES = """
    select * replace (amount + 1 as amount, date '2027-03-01' as posted_on,
        timestamp '2027-03-05' as _known_at)
    from u where journal_id = (select min(journal_id) from u)"""

# Tables that are added to, with their schemas.
MODELS = {
    "int_feature_usage_months": "intermediate",
    "fct_feature_revenue": "marts",
    "stg_governance__superseded_rows": "staging",
    "stg_governance__delivered_totals": "staging",
    "rpt_rule_violations": "marts",
    "int_association_correlations": "intermediate",
}
# What is built of each extract: views too, since those in a copy still name the sample's files.
USE, LEDGER = "product/feature_usage", "cost/gl_entries"
NODES = {
    USE: ["stg_product__feature_usage_versions", "int_association_series", *MODELS],
    LEDGER: [
        "stg_cost__gl_entry_versions",
        "int_gl_entry_versions",
        "int_reporting_date",
        "stg_governance__superseded_rows",
        "stg_governance__delivered_totals",
        "rpt_rule_violations",
    ],
}
Rows = dict[str, list[tuple[Any, ...]]]
Build = Callable[..., Rows]
# Place of `is_excepted` in rpt_rule_violations.
IS_EXCEPTED = 9


@pytest.fixture
def built(sample: Home, tmp_path: Path) -> Build:
    """Builds the tables in a copy of the sample's home; returns their rows.

    Whole, or as an increment of an extract whose new rows were loaded after a moment.
    """
    home = tmp_path / "home"
    home.mkdir()
    shutil.copytree(sample.raw, home / "raw")
    shutil.copyfile(sample.database, home / "warehouse.duckdb")
    manifest = catalog.read_manifest(Transformation(PROJECT, sample.root).manifest_path)

    def build(extract: str, increment: bool = False, moment: str | None = None) -> Rows:
        loaded_after = {extract: moment}
        added_to = catalog.increments(manifest, MODELS, loaded_after)
        reached = sorted(catalog.downstream(manifest, loaded_after, AFTER_AUDIT).models)
        results = Transformation(PROJECT, home).build(
            NODES[extract], Increment(added_to, loaded_after, reached) if increment else None
        )
        states = [result.status for result in results if result.kind == "model"]
        assert states == ["success"] * len(NODES[extract])
        with duckdb.connect(home / "warehouse.duckdb", read_only=True) as connection:
            return {
                name: connection.execute(f"from {schema}.{name} order by all").fetchall()
                for name, schema in MODELS.items()
            }

    return build


def deliver(home: Path, extract: str, day: int, rows: str) -> None:
    """A file of rows loaded on a day of 2099, after all that is there."""
    folder = home / "raw" / extract
    with duckdb.connect() as connection:
        files = literal(str(folder / "*.parquet"))
        connection.execute(f"create table u as from read_parquet({files}, union_by_name = true)")
        connection.execute(
            f"copy (select * replace ('day {day}' as _file, make_timestamp(2099, 1, {day}, 0, 0, 0) "
            f"as _loaded_at) from ({rows})) to {literal(str(folder / f'{day}.parquet'))} (format parquet)"
        )


def test_increments_leave_what_building_everything_leaves(built: Build, tmp_path: Path) -> None:
    at_first = built(USE)
    assert built(USE, True, "2000-01-01") == at_first, "every month built again"
    assert built(USE, True, "2099-01-01") == at_first, "nothing new"
    before, changed = at_first, set[str]()
    for day, rows in enumerate([CORRECTION, DELETION, WHOLE_SCOPE, SCOPE_AGAIN], start=2):
        deliver(tmp_path / "home", USE, day, rows)
        increment = built(USE, True, f"2099-01-{day - 1:02} 12:00:00")
        assert increment == built(USE), rows
        changed |= {name for name in MODELS if increment[name] != before[name]}
        before = increment
    assert changed == {*MODELS}, "the deliveries must change every table"


def excused(rows: Rows) -> set[Any]:
    """Rules with a record that an exception excuses."""
    return {row[0] for row in rows["rpt_rule_violations"] if row[IS_EXCEPTED]}


def test_what_changed_of_another_extract_is_made_anew(built: Build, tmp_path: Path) -> None:
    at_first = built(LEDGER)
    deliver(tmp_path / "home", LEDGER, 2, LEDGER_LINES)
    increment = built(LEDGER, True, "2099-01-01")
    assert increment == built(LEDGER)
    assert excused(at_first) == {"small_payroll_account"}
    assert excused(increment) == set()
    # Where others went, what stood on them is gone too.
    (tmp_path / "home" / "raw" / LEDGER / "2.parquet").unlink()
    assert built(LEDGER, True, None) == at_first
