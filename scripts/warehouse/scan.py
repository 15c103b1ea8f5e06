"""How DuckDB scans a delivered file, and where the values of each contract column come from."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import duckdb

from warehouse import formats
from warehouse.contract import OPTIONAL, Column, Extract, squeezed
from warehouse.errors import FileRefusedError
from warehouse.prepare import NUMBER_MARK, Prepared, refuse_too_many
from warehouse.sql import file_name, identifier, literal, parquet_rows

_NUMERIC = re.compile(r"U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|DECIMAL\(.*\)|FLOAT|DOUBLE|BIGNUM")


@dataclass(frozen=True)
class Table:
    """A file as DuckDB scans it: columns of text under the names the file gives them."""

    relation: str
    names: tuple[str, ...]
    # SQL of each column's text, NULL where it is empty.
    texts: tuple[str, ...]
    # SQL of the JSON of all columns but some, given by their places.
    extra: Callable[[Sequence[int]], str]
    # Number of the first record: the header of a CSV file is record 1.
    first_row: int
    # SQL of what is wrong with a record as a whole; empty where nothing can be.
    fault: str = ""
    # SQL that is true for a record without any value.
    blank: str = "false"
    # The columns' own types, where the format has types, and SQL of their values.
    types: tuple[str, ...] = ()
    typed: tuple[str, ...] = ()
    # SQL that is true where the file itself says that a value is a number, not a text of one; by
    # the place of the columns that can hold such values.
    numbers: Mapping[int, str] = field(default_factory=dict)

    @property
    def places(self) -> dict[str, list[int]]:
        """Where the columns of each squeezed name are."""
        places: dict[str, list[int]] = {}
        for at, name in enumerate(self.names):
            places.setdefault(squeezed(name), []).append(at)
        return places


@dataclass(frozen=True)
class Field:
    """Where the values of one contract column come from."""

    column: Column
    # SQL of what was delivered, for people to see when it is at fault.
    delivered: str
    # SQL of the text to read, given the format its numbers or dates are written in; NULL where it
    # is not written that way.
    text: Callable[[str], str]
    # The format, where it is known beforehand.
    format: str | None = None
    # True where `delivered` is all that `text` is made of.
    is_direct: bool = True
    # True where `delivered` already has the contract's type.
    is_typed: bool = False
    # SQL of the group its lines are numbered within, where the gate numbers them.
    numbered_within: str = ""


@dataclass(frozen=True)
class Scan:
    """All that is needed to read a file as rows of its extract."""

    relation: str
    fields: tuple[Field, ...]
    # SQL of the columns nobody asked for, as JSON.
    extra: str
    first_row: int
    fault: str = ""
    # SQL that is true for a record without any value.
    blank: str = "false"
    # SQL that is true for records the mapping leaves out.
    set_aside: str = ""
    # Rows a record becomes, where months run across.
    rows_per_record: int = 1
    # Contract columns whose values a delivery replaces as a whole.
    replaces: tuple[str, ...] = ()
    # The format each column was found to use, by its name.
    formats: Mapping[str, str] = field(default_factory=dict)

    def format_of(self, one: Field) -> str:
        """The format a field is read with."""
        return one.format or self.formats.get(one.column.name, formats.PLAIN)


def open_table(connection: duckdb.DuckDBPyConnection, prepared: Prepared) -> Table:
    """The file as a table of texts."""
    match prepared.format:
        case "csv":
            return _csv(prepared)
        case "jsonl":
            return _jsonl(connection, prepared)
        case _:
            return _parquet(connection, prepared)


def _csv(prepared: Prepared) -> Table:
    columns = ", ".join(f"'c{at}': 'VARCHAR'" for at in range(len(prepared.header)))
    relation = f"""read_csv(
        {file_name(prepared.path)}, hive_partitioning = false,
        auto_detect = false, header = true, strict_mode = true,
        skip = {prepared.skipped_lines}, delim = {literal(prepared.delimiter)}, quote = '"',
        escape = '"', nullstr = '', columns = {{{columns}}}, store_rejects = true,
        rejects_limit = 0, rejects_line_size_limit = 65536
    )"""
    texts = tuple(f"c{at}" for at in range(len(prepared.header)))
    numbers = {}
    if prepared.is_sheet:
        numbers = {
            at: f"ends_with({text}, {literal(NUMBER_MARK)})" for at, text in enumerate(texts)
        }
        texts = tuple(f"rtrim({text}, {literal(NUMBER_MARK)})" for text in texts)
    names = prepared.header
    blank = f"coalesce({', '.join(texts)}) is null"
    return Table(
        relation,
        names,
        texts,
        _others(names, texts),
        prepared.first_record + 1,
        blank=blank,
        numbers=numbers,
    )


def _others(names: Sequence[str], values: Sequence[str]) -> Callable[[Sequence[int]], str]:
    def extra(used: Sequence[int]) -> str:
        unused = [at for at in range(len(names)) if at not in used]
        if not unused:
            return "cast(null as varchar)"
        labels = _distinct([names[at] or f"column_{at + 1}" for at in unused])
        pairs = zip(labels, unused, strict=True)
        members = ", ".join(f"{literal(label)}, {values[at]}" for label, at in pairs)
        # Merging into nothing leaves out the members that are null.
        return f"nullif(cast(json_merge_patch('{{}}', json_object({members})) as varchar), '{{}}')"

    return extra


def _distinct(names: Sequence[str]) -> list[str]:
    """The names, numbered where one repeats."""
    seen: dict[str, int] = {}
    distinct = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        distinct.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return distinct


def _jsonl(connection: duckdb.DuckDBPyConnection, prepared: Prepared) -> Table:
    file = file_name(prepared.path)
    relation = f"read_ndjson_objects({file}, hive_partitioning = false, ignore_errors = true)"
    keys = connection.execute(f"""
        select distinct unnest(json_keys(json))
        from {relation}
        where json_type(json) = 'OBJECT'
        order by all
        limit 100000
    """).fetchall()
    names = tuple(key for (key,) in keys)
    refuse_too_many(names)
    pointers = [literal(_pointer(name)) for name in names]
    texts = tuple(f"nullif(json ->> {pointer}, '')" for pointer in pointers)
    numbers = {
        at: f"json_type(json, {pointer}) in ('DOUBLE', 'BIGINT', 'UBIGINT', 'HUGEINT', 'UHUGEINT')"
        for at, pointer in enumerate(pointers)
    }
    fault = "case when json is null or json_type(json) <> 'OBJECT' then 'is no JSON object' end"

    def extra(used: Sequence[int]) -> str:
        known = literal(json.dumps({names[at]: None for at in used}))
        others = f"json_merge_patch('{{}}', json_merge_patch(json, {known}))"
        return f"case when {fault} is null then nullif(cast({others} as varchar), '{{}}') end"

    blank = "cast(json as varchar) = '{}'"
    return Table(
        relation, names, texts, extra, first_row=1, fault=fault, blank=blank, numbers=numbers
    )


def _pointer(key: str) -> str:
    return "/" + key.replace("~", "~0").replace("/", "~1")


def _parquet(connection: duckdb.DuckDBPyConnection, prepared: Prepared) -> Table:
    relation = parquet_rows(prepared.path)
    described = connection.execute(f"describe select * from {relation}").fetchall()
    names = tuple(row[0] for row in described)
    refuse_too_many(names)
    types = tuple(row[1] for row in described)
    columns = tuple(identifier(name) for name in names)
    texts = tuple(
        f"nullif(cast({_flat(column, kind)} as varchar), '')"
        for column, kind in zip(columns, types, strict=True)
    )
    return Table(
        relation,
        names,
        texts,
        _others(names, columns),
        first_row=1,
        types=tuple(kind.lower() for kind in types),
        typed=columns,
        numbers={at: "true" for at, kind in enumerate(types) if _NUMERIC.fullmatch(kind)},
    )


def _flat(column: str, data_type: str) -> str:
    is_nested = data_type.endswith("]") or data_type.startswith(("STRUCT", "MAP"))
    return f"to_json({column})" if is_nested else column


def bind(table: Table, extract: Extract) -> Scan:
    """Read a file whose columns bear the contract's names, whatever their order, case and dots."""
    places = table.places
    wanted = (*extract.columns, *OPTIONAL)
    found = {column.name: places.get(squeezed(column.name), []) for column in wanted}
    if twice := [name for name, at in found.items() if len(at) > 1]:
        raise FileRefusedError(f"it has {', '.join(twice)} more than once: keep one column each")
    if missing := [name for name in extract.required if not found[name]]:
        raise FileRefusedError(
            f"it lacks {', '.join(missing)}, which {extract.id} requires; its columns are "
            f"{listed(table.names)}: add them, name the columns as the contract does, "
            "or take the file with a mapping (`warehouse mappings` lists them)"
        )
    matched = [(column, found[column.name][0]) for column in wanted if found[column.name]]
    return Scan(
        relation=table.relation,
        fields=tuple(_direct(table, column, at) for column, at in matched),
        extra=table.extra([at for _, at in matched]),
        first_row=table.first_row,
        fault=table.fault,
        blank=table.blank,
    )


def listed(names: Sequence[str]) -> str:
    """Column names for people: whole ones, but neither long texts nor hundreds of them."""
    shown = [name if len(name) <= 60 else f"{name[:60]}…" for name in names[:50]]
    more = [f"and {len(names) - len(shown)} more"] if len(names) > len(shown) else []
    return ", ".join([*shown, *more]) or "none"


def _direct(table: Table, column: Column, at: int) -> Field:
    own_type = table.types[at] if table.types else "varchar"
    if own_type == column.data_type.lower() and own_type != "varchar":
        value = table.typed[at]
        return Field(column, value, lambda _: value, formats.PLAIN, is_typed=True)
    text = table.texts[at]
    is_number = table.numbers.get(at, "false")
    return Field(column, text, lambda name: in_format(column, text, name, is_number))


def in_format(column: Column, text: str, name: str, is_number: str = "false") -> str:
    """The text as the gate reads it, if it is written in this format; else NULL.

    How numbers are written concerns texts alone: a number is what it is.
    """
    if name in {formats.PLAIN, formats.ISO} or not kind_of_format(column):
        return text
    if kind_of_format(column) == "number":
        written = formats.NUMBERS[name](text)
        if is_number == "false":
            return written
        return f"case when {is_number} then {text} else {written} end"
    return formats.of_date(name)(text)


def kind_of_format(column: Column) -> str:
    """`number`, `date` or nothing: which formats a column's texts may be written in."""
    base = column.data_type.lower().partition("(")[0]
    if base in {"decimal", "integer", "bigint", "double"}:
        return "number"
    return "date" if base in {"date", "timestamp"} else ""
