"""Is what a data frame wrote the warehouse's mart?"""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from warehouse.errors import BuildFailedError
from warehouse.sql import literal, scalar

# Shares and medians are the only floating-point numbers; libraries differ in a logarithm's last digit.
NEAR = 1e-12


def require_equal(database: Path, mart: str, key: Sequence[str], path: Path) -> int:
    """The rows of a mart, all of which the file holds: every column, amounts as whole last digits."""
    with duckdb.connect() as connection:
        connection.execute(f"attach {literal(str(database))} as built (read_only)")
        columns = connection.execute(
            """
            select column_name, data_type, numeric_scale from duckdb_columns()
            where database_name = 'built' and schema_name = 'marts' and table_name = ?
            """,
            [mart],
        ).fetchall()
        cases = "\n".join(_case(*column) for column in columns if column[0] not in key)
        on = " and ".join(f"mart.{name} is not distinct from frame.{name}" for name in key)
        keys = ", ".join(f"coalesce(mart.{name}, frame.{name})" for name in key)
        difference = connection.execute(
            f"""
            with compared as (
                select
                    concat_ws(' ', {keys}) as row_key,
                    case
                        when frame.is_there is null then 'is missing'
                        when mart.is_there is null then 'is none of the mart''s'
                        {cases}
                    end as difference
                from (select *, true as is_there from built.marts.{mart}) as mart
                full join (select *, true as is_there from read_parquet({literal(str(path))})) as frame
                    on {on}
            )
            select row_key, difference from compared
            where difference is not null
            order by row_key
            limit 1
            """
        ).fetchone()
        rows: int = scalar(connection, f"select count(*) from built.marts.{mart}")
        found = scalar(connection, f"select count(*) from read_parquet({literal(str(path))})")
    if difference:
        raise BuildFailedError(f"{path}: {mart} differs at {difference[0]}: {difference[1]}")
    if rows != found:
        raise BuildFailedError(f"{path}: {mart} has {rows} rows, the file {found}")
    return rows


def _case(name: str, kind: str, digits: int | None) -> str:
    ours, theirs = f"mart.{name}", f"frame.{name}"
    if kind.startswith("DECIMAL"):
        ours = f"cast({ours} * {10 ** (digits or 0)} as hugeint)"
    differs = f"{ours} is distinct from {theirs}"
    if kind == "DOUBLE":
        differs += f" and not coalesce(abs({ours} - {theirs}) <= {NEAR} * abs({ours}), false)"
    return f"when {differs} then concat('{name} is ', {theirs}, ', not ', {ours})"
