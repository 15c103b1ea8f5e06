"""Rows that pass the contract and make no sense: the build goes on, and says what no period holds."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import duckdb

from homes import current
from warehouse import build, contract, origin
from warehouse.contract import Column, Extract
from warehouse.home import Home
from warehouse.sql import identifier, literal

# Each kind of nonsense, as what becomes of a column that is not the row's own key; {0} is the column, {1} its type.
FUTURE = {"date": "{0} + interval 40 year", "timestamp": "{0} + interval 40 year"}
PAST = {"date": "{0} - interval 40 year", "timestamp": "{0} - interval 40 year"}
UNKNOWN = {"string": "'nobody knows'"}
HUGE = {"decimal": "if('{1}' like '%2)', 9e7, 900)", "bigint": "9e5", "integer": "9e5"}
NEGATIVE = {"decimal": "-abs({0})", "bigint": "-abs({0})", "integer": "-abs({0})"}
NOTHING = {"decimal": "0", "bigint": "0", "integer": "0"}
EMPTY = dict.fromkeys(("string", "date", "timestamp", "decimal", "bigint", "integer"), "null")
ODD: Mapping[str, Mapping[str, str]] = {
    "future": FUTURE,
    "past": PAST,
    "unknown": UNKNOWN,
    "huge": HUGE,
    "negative": NEGATIVE,
    "nothing": NOTHING,
    "empty": EMPTY,
}

# Extracts whose rows belong to a period by their date.
DATED = {
    "gl_entries",
    "payroll",
    "timesheets",
    "cloud_costs",
    "usage_drivers",
    "invoice_lines",
    "marketing_spend",
}


def odd_rows(extract: Extract, raw: Path) -> str:
    """Two rows of each kind, made from rows of the sample, each under a key of its own."""
    rows = f"read_parquet({literal(str(raw / extract.id / '*.parquet'))}, union_by_name = true)"
    own = next(
        (one for one in extract.columns if one.name in extract.key and one.data_type == "string"),
        None,
    )

    def value(column: Column, kind: str, change: Mapping[str, str]) -> str:
        name = identifier(column.name)
        if column == own:
            return f"{name} || '-{kind}' as {name}"
        is_kept = column.name in extract.key or (kind == "empty" and column.required)
        changed = change.get(column.data_type.partition("(")[0])
        if is_kept and not (kind in {"future", "past"} and changed):
            return name
        written = (changed or "{0}").format(name, column.data_type)
        return f"cast({written} as {column.data_type}) as {name}"

    return " union all ".join(
        f"(select {', '.join(value(column, kind, change) for column in extract.columns)}"
        f" from {rows} where not coalesce(_is_deleted, false) order by _row limit 2)"
        for kind, change in ODD.items()
    )


def test_rows_without_sense_stop_no_build(sample: Home, tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    shutil.copytree(origin.SAMPLE, landing)
    with duckdb.connect() as connection:
        for extract in contract.load().extracts:
            if not extract.is_internal:
                target = literal(str(landing / f"{extract.id}.2026-11-01.csv"))
                connection.execute(f"copy ({odd_rows(extract, sample.raw)}) to {target} (header)")
    home = Home(tmp_path / "home")
    said: list[str] = []
    build.run(home, build.Progress(said.append), landing=landing)
    assert any("rpt_rule_violations" in line for line in said)
    version = current(home)
    assert all(version.rows[mart] for mart, rows in current(sample).rows.items() if rows)
    with duckdb.connect(version.path / "marts.duckdb", read_only=True) as connection:
        # Recognised revenue of a line depends on no other line, and each row that no period holds is named.
        before = literal(str(current(sample).path / "marts" / "fct_revenue.parquet"))
        gone = f"select count(*) from (from {before} except all from fct_revenue)"
        assert connection.execute(gone).fetchall() == [(0,)]
        named = connection.execute(
            """
            select distinct extract_name from rpt_rule_violations
            where rule_id = 'unplaced_posting' and source_file like '%.2026-11-01.csv'"""
        ).fetchall()
        # Whose pay a row is stays in the row.
        person = "select count(*) from rpt_rule_violations where record_key like '%person_id=%'"
        assert connection.execute(person).fetchall() == [(0,)]
    assert {name for (name,) in named} >= DATED
