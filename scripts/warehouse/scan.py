"""How DuckDB scans a delivered file, and which contract column each of its columns is for."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from warehouse.contract import RECORDED_AT, Column, Extract, squeezed
from warehouse.errors import FileRefusedError
from warehouse.prepare import Prepared
from warehouse.sql import identifier, literal


@dataclass(frozen=True)
class Field:
    """A column of a delivered file and the contract column it is for."""

    column: Column
    # SQL of the delivered value, inside the scan of the file.
    delivered: str
    # True where the file already holds the contract's type.
    is_typed: bool = False


@dataclass(frozen=True)
class Scan:
    """How DuckDB scans a file."""

    relation: str
    fields: tuple[Field, ...]
    # SQL of the unknown columns as JSON.
    extra: str
    # Number of the first row: a CSV's header is record 1.
    first_row: int
    # SQL of what is wrong with a record as a whole, NULL where nothing is; empty: never anything.
    fault: str = ""


def scan(connection: duckdb.DuckDBPyConnection, prepared: Prepared, extract: Extract) -> Scan:
    """How to read `prepared` as rows of `extract`; refuses a file that lacks required columns."""
    match prepared.format:
        case "csv":
            return _scan_csv(prepared, extract)
        case "jsonl":
            return _scan_jsonl(connection, prepared, extract)
        case _:
            return _scan_parquet(connection, prepared, extract)


def _scan_csv(prepared: Prepared, extract: Extract) -> Scan:
    matched, unknown = _match(extract, prepared.header)
    columns = ", ".join(f"'c{at}': 'VARCHAR'" for at in range(len(prepared.header)))
    relation = f"""read_csv(
        {literal(str(prepared.path))}, auto_detect = false, header = true, strict_mode = true,
        skip = {prepared.skipped_lines}, delim = {literal(prepared.delimiter)}, quote = '"',
        escape = '"', nullstr = '', columns = {{{columns}}}, store_rejects = true,
        rejects_limit = 0, rejects_line_size_limit = 65536
    )"""
    extra = "cast(null as varchar)"
    if unknown:
        names = _distinct([prepared.header[at] or f"column_{at + 1}" for at in unknown])
        members = ", ".join(
            f"{literal(name)}, c{at}" for name, at in zip(names, unknown, strict=True)
        )
        extra = f"nullif(cast(json_merge_patch('{{}}', json_object({members})) as varchar), '{{}}')"
    fields = tuple(Field(column, f"c{at}") for column, at in matched)
    return Scan(relation, fields, extra, first_row=2)


def _scan_jsonl(
    connection: duckdb.DuckDBPyConnection, prepared: Prepared, extract: Extract
) -> Scan:
    relation = f"read_ndjson_objects({literal(str(prepared.path))}, ignore_errors = true)"
    keys = connection.execute(f"""
        select distinct unnest(json_keys(json))
        from (from {relation} limit 1000)
        where json_type(json) = 'OBJECT'
        order by all
    """).fetchall()
    names = tuple(key for (key,) in keys)
    matched, _ = _match(extract, names)
    known = {names[at]: None for _, at in matched}
    others = f"json_merge_patch('{{}}', json_merge_patch(json, {literal(json.dumps(known))}))"
    extra = f"nullif(cast({others} as varchar), '{{}}')"
    fields = tuple(
        Field(column, f"nullif(json ->> {literal(_pointer(names[at]))}, '')")
        for column, at in matched
    )
    fault = "case when json is null or json_type(json) <> 'OBJECT' then 'the line is no JSON object' end"
    return Scan(relation, fields, f"case when {fault} is null then {extra} end", 1, fault)


def _pointer(key: str) -> str:
    return "/" + key.replace("~", "~0").replace("/", "~1")


def _scan_parquet(
    connection: duckdb.DuckDBPyConnection, prepared: Prepared, extract: Extract
) -> Scan:
    relation = f"read_parquet({literal(str(prepared.path))})"
    described = connection.execute(f"describe select * from {relation}").fetchall()
    names = tuple(row[0] for row in described)
    matched, unknown = _match(extract, names)
    fields = []
    for column, at in matched:
        name, data_type = identifier(names[at]), described[at][1]
        is_typed = data_type.lower() == column.data_type.lower().replace("string", "varchar")
        is_nested = data_type.endswith("]") or data_type.startswith(("STRUCT", "MAP"))
        text = f"nullif(cast({f'to_json({name})' if is_nested else name} as varchar), '')"
        is_text = data_type == "VARCHAR"
        fields.append(
            Field(column, name if is_typed and not is_text else text, is_typed and not is_text)
        )
    extra = "cast(null as varchar)"
    if unknown:
        members = ", ".join(f"{literal(names[at])}, {identifier(names[at])}" for at in unknown)
        extra = f"nullif(cast(json_merge_patch('{{}}', json_object({members})) as varchar), '{{}}')"
    return Scan(relation, tuple(fields), extra, first_row=1)


def _match(extract: Extract, names: Sequence[str]) -> tuple[list[tuple[Column, int]], list[int]]:
    """Contract columns with their place among `names`, and the places of all others."""
    places: dict[str, list[int]] = {}
    for at, name in enumerate(names):
        places.setdefault(squeezed(name), []).append(at)
    wanted = (*extract.columns, Column(RECORDED_AT, "timestamp"))
    found = {column.name: places.get(squeezed(column.name), []) for column in wanted}
    if twice := [name for name, at in found.items() if len(at) > 1]:
        raise FileRefusedError(f"it has {', '.join(twice)} more than once: keep one column each")
    if missing := [name for name in extract.required if not found[name]]:
        raise FileRefusedError(
            f"it lacks {', '.join(missing)}, which {extract.id} requires; its columns are "
            f"{', '.join(names) or 'none'}: add them, or name the columns as the contract does"
        )
    matched = [(column, found[column.name][0]) for column in wanted if found[column.name]]
    used = {at for _, at in matched}
    return matched, [at for at in range(len(names)) if at not in used]


def _distinct(names: Sequence[str]) -> list[str]:
    """The names, numbered where one repeats."""
    seen: dict[str, int] = {}
    distinct = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        distinct.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return distinct
