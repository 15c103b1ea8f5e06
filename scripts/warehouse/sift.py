"""Tell the rows to accept from the rows to reject, inside one DuckDB connection.

Tables and views made here: `parsed` (every row DuckDB could split into values), `numbered` (with
the number of its record in the file), `candidates` (rows whose values could all be read), `faults`
(everything that is wrong, one line a fault) and `accepted`.
"""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from warehouse import quality, values
from warehouse.contract import RECORDED_AT, Column, Extract
from warehouse.errors import FileRefusedError
from warehouse.prepare import Prepared
from warehouse.scan import Scan
from warehouse.sql import identifier, literal, scalar
from warehouse.store import replacing
from warehouse.suites import landing as suites

_NUL_FAULT = "holds a NUL byte"


def parse(
    connection: duckdb.DuckDBPyConnection, prepared: Prepared, scan: Scan, extract: Extract
) -> None:
    """Read the file, once: fills `parsed`, `numbered`, `candidates` and `faults`."""
    _parse(connection, prepared, scan, extract)
    _number(connection, prepared, scan)
    _find_faults(connection, prepared, scan)
    names = ", ".join(identifier(column.name) for column in extract.columns)
    connection.execute(f"""
        create view candidates as
        select _row, {names}, {RECORDED_AT}, _extra from numbered where _record is null
    """)


def judge(connection: duckdb.DuckDBPyConnection, extract: Extract) -> list[quality.RuleResult]:
    """Run the landing suite; rows that break a rule are added to `faults`."""
    results = quality.check(
        connection, "candidates", extract.id, suites.expectations(extract), row_id="_row"
    )
    for result in results:
        if not result.success:
            _add_faults_of(connection, result, extract)
    return results


def _parse(
    connection: duckdb.DuckDBPyConnection, prepared: Prepared, scan: Scan, extract: Extract
) -> None:
    """Every row, typed; `_record` holds its values as delivered where it is at fault, else NULL."""
    delivered, typed, is_sound = [], [], ["_fault is null"] if scan.fault else []
    for at, field in enumerate(scan.fields):
        column, text = field.column, f"d{at}"
        delivered.append(f"{field.delivered} as {text}")
        value = (
            values.checked(column, text) if field.is_typed else values.kind_of(column, text).value
        )
        if prepared.has_nul and not field.is_typed:
            value = f"case when not contains({text}, chr(0)) then {value} end"
        typed.append(f"{value} as v{at}")
        if column.required:
            is_sound.append(f"v{at} is not null")
        elif value != text:
            is_sound.append(f"(v{at} is not null or {text} is null)")
    present = {field.column.name: at for at, field in enumerate(scan.fields)}
    named = [
        f"v{present[column.name]} as {identifier(column.name)}"
        if column.name in present
        else f"cast(null as {column.data_type}) as {identifier(column.name)}"
        for column in (*extract.columns, Column(RECORDED_AT, "timestamp"))
    ]
    record = ", ".join(f"cast(d{at} as varchar)" for at in range(len(scan.fields)))
    connection.execute(f"""
        create table parsed as
        select
            {", ".join(named)},
            _extra,
            _fault,
            case when not ({" and ".join(is_sound) or "true"})
                then cast(to_json([{record}]) as varchar)
            end as _record
        from (
            select *, {", ".join(typed)}
            from (
                select {", ".join(delivered)}, {scan.extra} as _extra, {scan.fault or "null"} as _fault
                from {scan.relation}
            )
        )
    """)


def _number(connection: duckdb.DuckDBPyConnection, prepared: Prepared, scan: Scan) -> None:
    """Give every row the number of its record in the file.

    DuckDB keeps the file's order but leaves out the records its CSV reader rejects; `rejects` holds
    those, and each one shifts what follows it.
    """
    connection.execute("create table rejects (line bigint, error varchar, record varchar)")
    if prepared.format == "csv":
        connection.execute("""
            insert into rejects
            select line, min(cast(error_type as varchar)), any_value(csv_line)
            from reject_errors
            group by line
        """)
    number = f"parsed.rowid + {scan.first_row}"
    if scalar(connection, "select count(*) from rejects") == 0:
        connection.execute(f"create view numbered as select {number} as _row, * from parsed")
        return
    connection.execute(f"""
        create table shifts as
        select line + 1 - shift as first_row, max(shift) as shift
        from (select line, row_number() over (order by line) as shift from rejects)
        group by first_row;
        create table numbered as
        select {number} + coalesce(shifts.shift, 0) as _row, parsed.*
        from parsed
        asof left join shifts on {number} >= shifts.first_row
        order by _row
    """)


def _find_faults(connection: duckdb.DuckDBPyConnection, prepared: Prepared, scan: Scan) -> None:
    """What the CSV reader rejected, and every value that could not be read."""
    connection.execute("""
        create table faults
            (_row bigint, column_name varchar, value varchar, reason varchar, record varchar);
        insert into faults
        select
            line,
            null,
            record,
            case error
                when 'MISSING COLUMNS' then 'the record has fewer values than the header has names'
                when 'TOO MANY COLUMNS' then 'the record has more values than the header has names'
                when 'UNQUOTED VALUE' then 'a quote is not closed, or text stands next to quotes'
                when 'LINE SIZE OVER MAXIMUM' then 'the record is longer than 2 MiB'
                when 'INVALID ENCODING' then 'the record holds bytes that are not valid UTF-8'
                else 'the record cannot be read'
            end,
            null
        from rejects
    """)
    if scalar(connection, "select count(_record) from numbered") == 0:
        return
    cells = ["{'name': null, 'value': null, 'reason': _fault}"]
    members = []
    for at, field in enumerate(scan.fields):
        column, text = field.column, f"_values[{at + 1}]"
        kind = values.kind_of(column, text)
        missing = "'is required but empty'" if column.required else "null"
        nul = f"when contains({text}, chr(0)) then '{_NUL_FAULT}' " if prepared.has_nul else ""
        reason = (
            f"case when {text} is null then {missing} {nul}"
            f"when ({kind.value}) is null then {literal(kind.fault)} end"
        )
        name = literal(column.name)
        cells.append(f"{{'name': {name}, 'value': {text}, 'reason': {reason}}}")
        members.append(f"{name}, {text}")
    connection.execute(f"""
        insert into faults
        select _row, cell.name, cell.value, cell.reason, record
        from (
            select
                _row,
                _fault,
                unnest([{", ".join(cells)}]) as cell,
                cast(json_merge_patch('{{}}', json_object({", ".join(members)})) as varchar) as record
            from (
                select _row, _fault, cast(cast(_record as json) as varchar[]) as _values
                from numbered
                where _record is not null
            )
        )
        where cell.reason is not null and (cell.name is null or _fault is null)
    """)


def _add_faults_of(
    connection: duckdb.DuckDBPyConnection, result: quality.RuleResult, extract: Extract
) -> None:
    if not result.failing_rows_query or not result.unexpected_rows:
        raise FileRefusedError(result.message)
    names = [column.name for column in extract.columns]
    members = ", ".join(f"{literal(n)}, cast({identifier(n)} as varchar)" for n in names)
    value = f"cast({identifier(result.column)} as varchar)" if result.column else "null"
    connection.execute(
        f"""
        insert into faults
        select
            _row,
            ?,
            {value},
            ?,
            cast(json_merge_patch('{{}}', json_object({members})) as varchar)
        from candidates
        where _row in (select _row from ({result.failing_rows_query}))
        """,
        [result.column, result.message],
    )


def count(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Rows read, accepted and quarantined."""
    ((parsed, rejected, faulty),) = connection.execute("""
        select
            (select count(*) from parsed),
            (select count(*) from rejects),
            (select count(distinct _row) from faults)
    """).fetchall()
    read = parsed + rejected
    return {"read": read, "accepted": read - faulty, "quarantined": faulty}


def total(connection: duckdb.DuckDBPyConnection, extract: Extract) -> dict[str, dict[str, str]]:
    """Per amount column, the sum of the accepted rows and of what could be read of the others."""
    columns = [c.name for c in extract.columns if c.data_type.lower().startswith("decimal")]
    if not columns:
        return {}
    is_accepted = "(_record is null and _row not in (select _row from faults))"
    sums = ", ".join(
        f"coalesce(sum({identifier(name)}) filter ({is_not} {is_accepted}), 0)"
        for name in columns
        for is_not in ("", "not")
    ).replace("filter (", "filter (where ")
    values = connection.execute(f"select {sums} from numbered").fetchall()[0]
    return {
        name: {"accepted": str(values[2 * at]), "quarantined": str(values[2 * at + 1])}
        for at, name in enumerate(columns)
    }


def summarise_faults(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """How many rows each reason concerns, the most frequent first."""
    rows = connection.execute("""
        select column_name, reason, count(distinct _row) as rows, min(_row)
        from faults
        group by column_name, reason
        order by rows desc, column_name, reason
    """).fetchall()
    return [dict(zip(("column", "reason", "rows", "first_row"), row, strict=True)) for row in rows]


def write_quarantine(connection: duckdb.DuckDBPyConnection, path: Path, file: str) -> None:
    """The rejected rows as CSV, one line a fault, safe to open in a spreadsheet."""
    with replacing(path) as unfinished:
        connection.execute(f"""
            copy (
                select
                    {literal(file)} as file,
                    _row as row,
                    column_name as column,
                    {_neutral("value")} as value,
                    reason,
                    {_neutral("record")} as record
                from faults
                order by _row, column_name, reason
            ) to {literal(str(unfinished))} (format csv, header true)
        """)


def _neutral(text: str) -> str:
    """A text that a spreadsheet would take for a formula gets an apostrophe in front."""
    return (
        f"case when regexp_matches({text}, '^[\\s]*[=+@\\-]') and try_cast({text} as double) is null "
        f"then '''' || {text} else {text} end"
    )


def write_raw(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    extract: Extract,
    file: str,
    loaded_at: datetime,
    stamp: date | None,
) -> None:
    """The accepted rows as typed Parquet, in the order of the file."""
    names = ", ".join(identifier(column.name) for column in extract.columns)
    loaded = f"timestamp '{loaded_at:%Y-%m-%d %H:%M:%S.%f}'"
    known = f"timestamp '{stamp} 00:00:00'" if stamp else loaded
    has_faults = scalar(connection, "select count(*) from faults") > 0
    accepted = "where _row not in (select _row from faults)" if has_faults else ""
    with replacing(path) as unfinished:
        connection.execute(f"""
            copy (
                select
                    {names},
                    {literal(file)} as _file,
                    _row,
                    {loaded} as _loaded_at,
                    coalesce({RECORDED_AT}, {known}) as _known_at,
                    _extra
                from candidates
                {accepted}
            ) to {literal(str(unfinished))} (format parquet, dictionary_size_limit 5000)
        """)
