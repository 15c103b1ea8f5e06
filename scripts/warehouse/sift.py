"""Tell the rows to accept from the rows to reject, inside one DuckDB connection.

Tables and views made here: `parsed` (every row DuckDB could split into values), `numbered` (with
the number of its record in the file), `candidates` (rows whose values could all be read), `faults`
(everything that is wrong, one line a fault) and `accepted`.
"""

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from warehouse import formats, quality
from warehouse.contract import IS_DELETED, OPTIONAL, RECORDED_AT, Column, Extract
from warehouse.errors import FileRefusedError
from warehouse.guess import choose_formats
from warehouse.prepare import Prepared
from warehouse.scan import Field, Scan
from warehouse.sql import identifier, literal, scalar
from warehouse.store import replacing
from warehouse.suites import landing as suites
from warehouse.values import checked, kind_of

_SHEET_ERROR = "#(N/A|NULL!|DIV/0!|VALUE!|REF!|NAME[?]|NUM!|SPILL!|CALC!|FIELD!|BLOCKED!)"


def _unreadable(prepared: Prepared, text: str) -> dict[str, str]:
    """What no value of such a file may be: SQL of the test, and the reason."""
    tests = {}
    if prepared.has_nul:
        tests[f"contains({text}, chr(0))"] = "holds a NUL byte"
    if prepared.is_sheet:
        tests[f"regexp_matches({text}, '{_SHEET_ERROR}')"] = (
            "is an error of the spreadsheet: correct its formula"
        )
    return tests


def parse(
    connection: duckdb.DuckDBPyConnection, prepared: Prepared, scan: Scan, extract: Extract
) -> Scan:
    """Read the file: fills `parsed`, `numbered`, `candidates` and `faults`.

    Numbers and dates are read the plain way first. Where that fails the whole column is looked at,
    and where it is written another way, the file is read once more. Returns how it was read.
    """
    _parse(connection, prepared, scan, extract)
    if chosen := choose_formats(connection, scan):
        scan = replace(scan, formats=chosen)
        _drop(connection)
        _parse(connection, prepared, scan, extract)
    _number(connection, prepared, scan)
    _find_faults(connection, prepared, scan, extract)
    names = ", ".join(identifier(column.name) for column in (*extract.columns, *OPTIONAL))
    connection.execute(f"""
        create view candidates as
        select _id, _row, {names}, _extra, _scope
        from numbered
        where _record is null and not _set_aside
    """)
    return scan


def _drop(connection: duckdb.DuckDBPyConnection) -> None:
    """Forget what was read."""
    connection.execute("""
        drop table parsed;
        drop table if exists reject_errors;
        drop table if exists reject_scans;
    """)


def judge(connection: duckdb.DuckDBPyConnection, extract: Extract) -> list[quality.RuleResult]:
    """Run the landing suite; rows that break a rule are added to `faults`."""
    results = quality.check(
        connection, "candidates", extract.id, suites.expectations(extract), row_id="_id"
    )
    for result in results:
        if not result.success:
            _add_faults_of(connection, result, extract)
    return results


def _parse(
    connection: duckdb.DuckDBPyConnection, prepared: Prepared, scan: Scan, extract: Extract
) -> None:
    """Every row, typed; `_record` holds its values as delivered where it is at fault, else NULL.

    Names inside: d0 is what was delivered for the first field, t0 the text to read, v0 its value.
    """
    places = {field.column.name: at for at, field in enumerate(scan.fields)}
    # What says that a row is gone needs no more than the key.
    is_gone = f"coalesce(v{places[IS_DELETED]}, false)" if IS_DELETED in places else "false"
    delivered, values, is_sound = [], [], ["_fault is null"] if scan.fault else []
    within = "null"
    for at, field in enumerate(scan.fields):
        column = field.column
        delivered += [
            f"{field.delivered} as d{at}",
            f"{field.text(scan.format_of(field))} as t{at}",
        ]
        if field.numbered_within:
            values.append(f"cast(null as {column.data_type}) as v{at}")
            within = field.numbered_within
            continue
        values.append(f"{_value(field, at, prepared)} as v{at}")
        if column.required and (column.name in extract.key or is_gone == "false"):
            is_sound.append(f"v{at} is not null")
        elif column.required:
            is_sound.append(f"(v{at} is not null or (d{at} is null and {is_gone}))")
        elif values[-1] != f"t{at} as v{at}" or field.delivered != field.text(
            scan.format_of(field)
        ):
            is_sound.append(f"(v{at} is not null or d{at} is null)")
    named = [
        f"v{places[column.name]} as {identifier(column.name)}"
        if column.name in places
        else f"cast(null as {column.data_type}) as {identifier(column.name)}"
        for column in (*extract.columns, *OPTIONAL)
    ]
    record = ", ".join(f"cast(d{at} as varchar)" for at in range(len(scan.fields)))
    scope = ", ".join(f"cast(v{places[name]} as varchar)" for name in scan.replaces)
    connection.execute(f"""
        create table parsed as
        select
            {", ".join(named)},
            _extra,
            _fault,
            {f"concat_ws('|', {scope})" if scope else "cast(null as varchar)"} as _scope,
            _blank,
            _set_aside,
            {"_within," if within != "null" else ""}
            case when not _set_aside and not ({" and ".join(is_sound) or "true"})
                then cast(to_json([{record}]) as varchar)
            end as _record
        from (
            select *, {", ".join(values)}
            from (
                select
                    {", ".join(delivered)},
                    {scan.extra} as _extra,
                    {scan.fault or "null"} as _fault,
                    {within} as _within,
                    coalesce({scan.blank}, false) as _blank,
                    _blank or coalesce({scan.set_aside or "false"}, false) as _set_aside
                from {scan.relation}
            )
        )
    """)
    for field in scan.fields:
        if field.numbered_within:
            _number_lines(connection, field.column)


def _value(field: Field, at: int, prepared: Prepared) -> str:
    if field.is_typed:
        return checked(field.column, f"t{at}")
    value = kind_of(field.column, f"t{at}").value
    if tests := _unreadable(prepared, f"d{at}"):
        return f"case when {' or '.join(tests)} then null else {value} end"
    return value


def _number_lines(connection: duckdb.DuckDBPyConnection, column: Column) -> None:
    """Number the lines of each group in the order of the file."""
    name = identifier(column.name)
    number = f"cast(row_number() over (partition by _within order by rowid) as {column.data_type})"
    connection.execute(f"""
        create table renumbered as
        select * replace ({number} as {name}) from parsed order by rowid;
        drop table parsed;
        alter table renumbered rename to parsed;
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
    number = f"cast(floor(parsed.rowid / {scan.rows_per_record}) as bigint) + {scan.first_row}"
    if scan.rows_per_record == 1:
        number = f"parsed.rowid + {scan.first_row}"
    if scalar(connection, "select count(*) from rejects") == 0:
        connection.execute(
            f"create view numbered as select rowid as _id, {number} as _row, * from parsed"
        )
        return
    connection.execute(f"""
        create table shifts as
        select line + 1 - shift as first_row, max(shift) as shift
        from (select line, row_number() over (order by line) as shift from rejects)
        group by first_row;
        create table numbered as
        select parsed.rowid as _id, {number} + coalesce(shifts.shift, 0) as _row, parsed.*
        from parsed
        asof left join shifts on {number} >= shifts.first_row
        order by _id
    """)


def _find_faults(
    connection: duckdb.DuckDBPyConnection, prepared: Prepared, scan: Scan, extract: Extract
) -> None:
    """What the CSV reader rejected, and every value that could not be read."""
    connection.execute("""
        create table faults
            (_id bigint, _row bigint, column_name varchar, value varchar, reason varchar, record varchar);
        insert into faults
        select
            null,
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
        name = identifier(column.name)
        missing = "null"
        if column.required and not field.numbered_within:
            is_key = "true" if column.name in extract.key else f"not coalesce({IS_DELETED}, false)"
            missing = f"case when {is_key} then 'is required but empty' end"
        unreadable = " ".join(
            f"when {test} then {literal(why)}" for test, why in _unreadable(prepared, text).items()
        )
        fault = kind_of(column, text).fault
        if (way := scan.format_of(field)) not in {formats.PLAIN, formats.ISO}:
            fault = f"not written in the {way} way, like the rest of the column"
        reason = (
            f"case when {text} is null then {missing} {unreadable} "
            f"when {name} is null then {literal(fault)} end"
        )
        name = literal(column.name)
        cells.append(f"{{'name': {name}, 'value': {text}, 'reason': {reason}}}")
        members.append(f"{name}, {text}")
    connection.execute(f"""
        insert into faults
        select _id, _row, cell.name, cell.value, cell.reason, record
        from (
            select
                _id,
                _row,
                _fault,
                unnest([{", ".join(cells)}]) as cell,
                cast(json_merge_patch('{{}}', json_object({", ".join(members)})) as varchar) as record
            from (
                select *, cast(cast(_record as json) as varchar[]) as _values
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
            _id,
            _row,
            ?,
            {value},
            ?,
            cast(json_merge_patch('{{}}', json_object({members})) as varchar)
        from candidates
        where _id in (select _id from ({result.failing_rows_query}))
        """,
        [result.column, result.message],
    )


def count(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Rows read, accepted, quarantined, left out because the mapping says so, and blank."""
    ((parsed, rejected, set_aside, blank, faulty),) = connection.execute("""
        select
            (select count(*) from parsed),
            (select count(*) from rejects),
            (select count(*) from parsed where _set_aside and not _blank),
            (select count(*) from parsed where _blank),
            (select count(*) from rejects) + (select count(distinct _id) from faults)
    """).fetchall()
    read = parsed + rejected
    return {
        "read": read,
        "accepted": read - faulty - set_aside - blank,
        "quarantined": faulty,
        "set_aside": set_aside,
        "blank": blank,
    }


def total(connection: duckdb.DuckDBPyConnection, extract: Extract) -> dict[str, dict[str, str]]:
    """Per decimal column, the sum of what could be read of all rows, and of each part of them."""
    columns = [c.name for c in extract.columns if c.data_type.lower().startswith("decimal")]
    if not columns:
        return {}
    is_faulty = "(_record is not null or _id in (select _id from faults where _id is not null))"
    parts = {"read": "true", "accepted": f"not _set_aside and not {is_faulty}"}
    parts |= {"quarantined": f"not _set_aside and {is_faulty}", "set_aside": "_set_aside"}
    query = "select (select count(*) from faults) + (select count(*) from parsed where _set_aside)"
    if scalar(connection, query) == 0:
        # Everything was accepted, as nearly always: one sum says it all.
        parts |= {"accepted": "true", "quarantined": "false", "set_aside": "false"}
    conditions = dict.fromkeys(parts.values())
    sums = {
        (name, condition): f"sum({identifier(name)}) filter (where {condition})"
        for name in columns
        for condition in conditions
        if condition != "false"
    }
    selected = ", ".join(f"coalesce({sum_of}, 0)" for sum_of in sums.values())
    (values,) = connection.execute(f"select {selected} from numbered").fetchall()
    found = dict(zip(sums, values, strict=True))
    zero = {name: found[name, "true"] * 0 for name in columns}
    return {
        name: {part: str(found.get((name, how), zero[name])) for part, how in parts.items()}
        for name in columns
    }


def summarise_faults(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """How many rows each reason concerns, the most frequent first."""
    rows = connection.execute("""
        select column_name, reason, count(distinct coalesce(_id, -_row)) as rows, min(_row)
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
    has_faults = scalar(connection, "select count(_id) from faults") > 0
    accepted = "where _id not in (select _id from faults where _id is not null)"
    delivery = (
        f"{(stamp or loaded_at):%Y-%m-%d %H:%M:%S.%f}|{loaded_at:%Y-%m-%d %H:%M:%S.%f}|{file}"
    )
    with replacing(path) as unfinished:
        connection.execute(f"""
            copy (
                select
                    {names},
                    {literal(file)} as _file,
                    _row,
                    {loaded} as _loaded_at,
                    coalesce({RECORDED_AT}, {known}) as _known_at,
                    _extra,
                    {IS_DELETED} as _is_deleted,
                    _scope,
                    case when _scope is not null then {literal(delivery)} end as _delivery
                from candidates
                {accepted if has_faults else ""}
            ) to {literal(str(unfinished))} (format parquet, dictionary_size_limit 5000)
        """)
