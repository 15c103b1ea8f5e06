"""Where a published figure comes from: from the row of a mart down to lines of delivered files.

A model states in its YAML, under `config.meta.trail`, what each of its figures is made of:

    trail:
      roi_rate: {ratio: [net_benefit_amount, cost_amount]}         # one figure of the row by another
      net_benefit_amount: {of: [benefit_amount, -cost_amount]}     # a sum of figures of the row
      benefit_amount:
        parts:                                                     # a sum over rows of other models
          - {from: fct_benefits, by: [initiative_id, month_date], sum: cash_amount}

A part names the model (`from`), the columns it shares with the row (`by`; `{theirs: ours}` where
names differ), further conditions (`where`, with `$column` for a value of the row), the rows of this
model it applies to (`when`), what is added up (`sum`), and which figure of those rows is explained
next (`then`; the one added up, if not said). `whole: true` marks what the figure is a share of.
`rest: why` stands for what no row holds, such as an estimate. A trail ends at models with
`source_file` and `source_row`, or with `origin: {from: ..., by: ...}` that leads to such a model.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import duckdb

from warehouse import catalog
from warehouse.errors import UsageError
from warehouse.home import Home
from warehouse.publish import Shelf, Version
from warehouse.sql import identifier, qualified

ROWS_SHOWN = 5

# A figure is rounded once for itself and once for each row it is made of.
HALF_A_CENT = Decimal("0.005")

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Lines:
    """Records of one delivered file."""

    file: str
    rows: tuple[int, ...]


@dataclass
class Part:
    """What rows of one model bring to a figure."""

    relation: str
    what: str
    amount: Decimal
    row_count: int = 0
    # The figure is a share of this part, not a sum of it.
    is_whole: bool = False
    nodes: list["Node"] = field(default_factory=list)
    lines: list[Lines] = field(default_factory=list)
    note: str = ""


@dataclass
class Node:
    """One figure of one row."""

    relation: str
    key: Mapping[str, Any]
    figure: str
    amount: Any
    parts: list[Part] = field(default_factory=list)
    # Figures of the same row it is a sum or a ratio of, with their signs.
    figures: list[tuple[str, "Node"]] = field(default_factory=list)

    @property
    def difference(self) -> Decimal:
        """What the parts leave of the figure: 0, or rounding."""
        if any(part.is_whole for part in self.parts) or not (self.parts or self.figures):
            return Decimal(0)
        if any(sign == "/" for sign, _ in self.figures):
            return Decimal(0)
        total = sum((part.amount for part in self.parts), Decimal(0))
        for sign, node in self.figures:
            total += -_decimal(node.amount) if sign == "-" else _decimal(node.amount)
        return _decimal(self.amount) - total

    @property
    def is_explained(self) -> bool:
        """Whether its parts make the figure, but for the rounding of each."""
        rows = 1 + sum(part.row_count for part in self.parts)
        return abs(self.difference) <= HALF_A_CENT * rows

    def walk(self) -> Iterator["Node"]:
        """This figure and every figure below it, each once."""
        waiting, met = [self], set()
        while waiting:
            node = waiting.pop()
            if id(node) in met:
                continue
            met.add(id(node))
            yield node
            waiting += [other for _, other in node.figures]
            waiting += [other for part in node.parts for other in part.nodes]


@dataclass(frozen=True)
class Explanation:
    """A figure, the version it is published in, and the files it comes from."""

    version: Version
    node: Node
    # Facts of the ledger about each file that was met.
    inputs: Mapping[str, Mapping[str, Any]]


def explain(
    home: Home,
    mart: str,
    values: Sequence[str],
    figure: str | None = None,
    rows: int | None = ROWS_SHOWN,
) -> Explanation:
    """Explain a figure of one row of a published mart; `rows` rows of a part are followed, None: all.

    `values` are those of the mart's key in its order, or `column=value`. Raises UsageError when
    there is no such mart, row or figure, or when the working database is not of that version.
    """
    version = Shelf(home.published).current()
    if version is None or not home.database.exists():
        raise UsageError("there is nothing to explain yet: run `warehouse build` first.")
    manifest = catalog.read_manifest(home.root / "target" / "manifest.json")
    trails = Trails(manifest)
    if mart not in version.rows:
        known = ", ".join(name for name in version.rows if trails.figures(name))
        raise UsageError(f"there is no mart {mart}; figures are explained of {known}.")
    chosen = figure or next(iter(trails.figures(mart)), None)
    if chosen is None or chosen not in trails.figures(mart):
        known = ", ".join(trails.figures(mart)) or "none"
        raise UsageError(
            f"{mart} states no trail for {figure or 'any figure'}; it does for {known}."
        )
    with (
        duckdb.connect(version.path / "marts.duckdb", read_only=True) as published,
        duckdb.connect(home.database, read_only=True) as working,
    ):
        working.execute("set TimeZone = 'UTC'")
        published.execute("set TimeZone = 'UTC'")
        given = _key(manifest, trails, mart, values)
        row = _the_row(published, mart, given, trails.key(mart))
        key = {column: row[column] for column in trails.key(mart)}
        built = _rows(working, f"select * from {trails.relation(mart)} where {_match(key)}", key)
        if built != [row]:
            raise UsageError(
                f"the working database is not of version {version.id}: run `warehouse build`, "
                "then explain again."
            )
        node = _Explainer(working, trails, rows).node(mart, row, chosen)
    files = {lines.file for one in node.walk() for part in one.parts for lines in part.lines}
    inputs = {one["file"]: one for one in version.manifest["inputs"] if one["file"] in files}
    return Explanation(version, node, inputs)


class Trails:
    """What the models of the project say about their figures."""

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        self._nodes = {
            node["name"]: node
            for node in manifest["nodes"].values()
            if node["resource_type"] in {"model", "seed"}
        }
        self._keys: dict[str, list[str]] = {}
        for node in manifest["nodes"].values():
            test = node.get("test_metadata") or {}
            if test.get("name") == "unique_key" and node.get("attached_node"):
                name = node["attached_node"].split(".")[2]
                self._keys.setdefault(name, list(test["kwargs"]["columns"]))
            elif test.get("name") == "unique" and node.get("attached_node"):
                name = node["attached_node"].split(".")[2]
                self._keys.setdefault(name, [test["kwargs"]["column_name"]])

    def figures(self, name: str) -> Mapping[str, Mapping[str, Any]]:
        meta = self._nodes[name]["config"].get("meta", {}) if name in self._nodes else {}
        trail: Mapping[str, Mapping[str, Any]] = meta.get("trail", {})
        return trail

    def origin(self, name: str) -> Mapping[str, Any] | None:
        origin: Mapping[str, Any] | None = self._nodes[name]["config"].get("meta", {}).get("origin")
        return origin

    def relation(self, name: str) -> str:
        node = self._nodes[name]
        return qualified(f"{node['schema']}.{node['alias']}")

    def key(self, name: str) -> list[str]:
        return self._keys.get(name, [])


class _Explainer:
    def __init__(
        self, connection: duckdb.DuckDBPyConnection, trails: Trails, rows: int | None
    ) -> None:
        self._connection = connection
        self._trails = trails
        self._rows = rows
        self._columns: dict[str, set[str]] = {}
        self._nodes: dict[tuple[object, ...], Node] = {}

    def node(self, name: str, row: Row, figure: str) -> Node:
        """A figure of a row, with what it is made of; one that is met again is the same node."""
        key = {column: row[column] for column in self._trails.key(name) if column in row}
        identity = (name, figure, *(key or row).values())
        if identity in self._nodes:
            return self._nodes[identity]
        node = self._nodes[identity] = Node(name, key, figure, row[figure])
        trail = self._trails.figures(name).get(figure)
        if trail is None:
            return node
        for sign, other in _terms(trail):
            node.figures.append((sign, self.node(name, row, other)))
        for part in trail.get("parts", ()):
            if "when" in part and not self._holds(part["when"], row):
                continue
            node.parts.append(self._part(node, row, part))
        return node

    def _holds(self, condition: str, row: Row) -> bool:
        names = sorted(set(re.findall(r"\b[a-z_][a-z0-9_]*\b", condition)) & set(row))
        given = ", ".join(f"${name} as {identifier(name)}" for name in names)
        query = f"select coalesce({condition}, false) as holds from (select {given})"
        return bool(_rows(self._connection, query, {name: row[name] for name in names})[0]["holds"])

    def _part(self, node: Node, row: Row, part: Mapping[str, Any]) -> Part:
        if "rest" in part:
            told = sum((one.amount for one in node.parts), Decimal(0))
            return Part("", part["rest"], _decimal(node.amount) - told)
        name, expression = part["from"], str(part.get("sum", node.figure))
        shared = part.get("by", [])
        pairs = shared if isinstance(shared, Mapping) else {column: column for column in shared}
        conditions = [
            f"{identifier(theirs)} is not distinct from ${ours}" for theirs, ours in pairs.items()
        ]
        if "where" in part:
            conditions.append(f"({part['where']})")
        where = " and ".join(conditions) or "true"
        relation = self._trails.relation(name)
        parameters = {used: row[used] for used in set(re.findall(r"\$(\w+)", where))}
        (totals,) = _rows(
            self._connection,
            f"select count(*) as row_count, sum({expression}) as amount from {relation} where {where}",
            parameters,
        )
        found = Part(
            name,
            expression,
            _decimal(totals["amount"]),
            int(totals["row_count"]),
            is_whole=bool(part.get("whole")),
        )
        figure = part.get("then", expression)
        if figure in self._trails.figures(name):
            query = (
                f"select * from {relation} where {where} and coalesce({expression}, 0) <> 0 "
                f"order by abs({expression}) desc"
            )
            if self._rows is not None:
                query += f" limit {self._rows + 1}"
            rows = _rows(self._connection, query, parameters)
            found.nodes = [self.node(name, one, figure) for one in rows[: self._rows]]
            hidden = found.row_count - len(found.nodes)
            if len(rows) > len(found.nodes):
                found.note = f"{hidden} smaller rows are not shown; --all shows them"
        else:
            found.lines = self._lines(name, where, parameters)
        return found

    def _lines(self, name: str, where: str, parameters: Row) -> list[Lines]:
        """The delivered records that rows of a model come from."""
        relation = self._trails.relation(name)
        if {"source_file", "source_row"} <= self._columns_of(name):
            query = f"from {relation} where {where}"
        elif origin := self._trails.origin(name):
            shared = origin["by"]
            pairs = shared if isinstance(shared, Mapping) else {column: column for column in shared}
            condition = " and ".join(
                f"origins.{identifier(theirs)} is not distinct from rows.{identifier(ours)}"
                for theirs, ours in pairs.items()
            )
            rows = f"(select * from {relation} where {where}) as rows"
            query = (
                f"from {self._trails.relation(origin['from'])} as origins "
                f"where exists (select 1 from {rows} where {condition})"
            )
        else:
            return []
        found = _rows(
            self._connection,
            "select source_file, list_sort(list(distinct source_row)) as source_rows "
            f"{query} and source_file is not null group by source_file order by source_file",
            parameters,
        )
        return [Lines(one["source_file"], tuple(one["source_rows"])) for one in found]

    def _columns_of(self, name: str) -> set[str]:
        if name not in self._columns:
            described = self._connection.execute(f"describe {self._trails.relation(name)}")
            self._columns[name] = {str(column) for column, *_ in described.fetchall()}
        return self._columns[name]


def _terms(trail: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Figures of the same row, each with its sign; a ratio's lower ones with `/`."""
    for term in trail.get("of", ()):
        yield ("-", term[1:]) if term.startswith("-") else ("+", term)
    if "ratio" in trail:
        upper, lower = trail["ratio"]
        yield ("", upper)
        for term in lower if isinstance(lower, list) else [lower]:
            yield ("/", term)


def _key(
    manifest: Mapping[str, Any], trails: Trails, mart: str, values: Sequence[str]
) -> dict[str, str | None]:
    columns = {
        name
        for node in manifest["nodes"].values()
        if node["name"] == mart and node["resource_type"] == "model"
        for name in node["columns"]
    }
    key: dict[str, str | None] = {}
    positions = iter(trails.key(mart))
    for value in values:
        column, equals, text = value.partition("=")
        if not equals:
            column, text = next(positions, ""), value
        if column not in columns:
            asked = " ".join(name.upper() for name in trails.key(mart))
            raise UsageError(f"{value!r} fits no column; the key of {mart} is {asked}.")
        key[column] = text or None
    return key


def _the_row(
    connection: duckdb.DuckDBPyConnection,
    mart: str,
    key: Mapping[str, str | None],
    asked_key: Sequence[str],
) -> Row:
    conditions = [
        f"cast({identifier(column)} as varchar) is not distinct from ${column}" for column in key
    ]
    query = f"select * from {identifier(mart)} where {' and '.join(conditions) or 'true'} limit 2"
    rows = _rows(connection, query, key)
    if len(rows) != 1:
        found = "no row" if not rows else "more than one row"
        given = ", ".join(f"{column}={value}" for column, value in key.items()) or "no key"
        asked = " ".join(name.upper() for name in asked_key)
        raise UsageError(f"{mart} has {found} with {given}; its key is {asked}.")
    return rows[0]


def _match(key: Row) -> str:
    return (
        " and ".join(f"{identifier(name)} is not distinct from ${name}" for name in key) or "true"
    )


def _rows(connection: duckdb.DuckDBPyConnection, query: str, parameters: Row) -> list[Row]:
    connection.execute(query, dict(parameters))
    names = [column for column, *_ in connection.description or ()]
    return [dict(zip(names, row, strict=True)) for row in connection.fetchall()]


def _decimal(amount: Any) -> Decimal:
    return amount if isinstance(amount, Decimal) else Decimal(str(amount or 0))


def render(explanation: Explanation) -> Iterator[str]:
    """The explanation as lines of text."""
    manifest = explanation.version.manifest
    git = manifest["git"]
    yield from _render(explanation.node, 0, set())
    yield ""
    yield f"version  {explanation.version.id}, published {manifest['created_at']}"
    yield f"commit   {git['commit']}{' with uncommitted changes' if git['is_dirty'] else ''}"
    yield f"code     {manifest['code_digest']}"
    for file, facts in sorted(explanation.inputs.items()):
        yield f"file     {file}, sha256 {facts['sha256']}"


def _render(node: Node, depth: int, shown: set[int]) -> Iterator[str]:
    indent = "  " * depth
    key = " ".join(f"{name}={value}" for name, value in node.key.items() if value is not None)
    again = ", as above" if id(node) in shown else ""
    yield f"{indent}{node.relation} {key}: {node.figure} = {_amount(node.amount)}{again}"
    if again:
        return
    shown.add(id(node))
    for sign, other in node.figures:
        word = {"": "", "+": "plus ", "-": "minus ", "/": "divided by "}[sign]
        yield f"{indent}  {word}{other.figure} {_amount(other.amount)}"
    for part in node.parts:
        yield from _render_part(node, part, depth + 1, shown)
    if abs(node.difference) >= HALF_A_CENT:
        word = "rounding" if node.is_explained else "NOT EXPLAINED"
        yield f"{indent}  {word} {_amount(node.difference)}"
    for _, other in node.figures:
        yield from _render(other, depth + 1, shown)


def _render_part(node: Node, part: Part, depth: int, shown: set[int]) -> Iterator[str]:
    indent = "  " * depth
    if not part.relation:
        yield f"{indent}{_amount(part.amount)} {part.what}"
        return
    rows = "1 row" if part.row_count == 1 else f"{part.row_count} rows"
    share = f", of which this row has {_amount(node.amount)}" if part.is_whole else ""
    yield f"{indent}{_amount(part.amount)} from {rows} of {part.relation} ({part.what}){share}"
    for lines in part.lines:
        yield f"{indent}  {lines.file} {_ranges(lines.rows)}"
    if part.row_count and not part.lines and not part.nodes:
        yield f"{indent}  of no single delivered record"
    for one in part.nodes:
        yield from _render(one, depth + 1, shown)
    if part.note:
        yield f"{indent}  {part.note}"


def _ranges(rows: Sequence[int]) -> str:
    """Line numbers, neighbours drawn together: lines 2-4, 9."""
    spans: list[list[int]] = []
    for row in rows:
        if spans and row == spans[-1][1] + 1:
            spans[-1][1] = row
        else:
            spans.append([row, row])
    texts = [str(first) if first == last else f"{first}-{last}" for first, last in spans]
    return f"{'line' if len(rows) == 1 else 'lines'} {', '.join(texts)}"


def _amount(amount: Any) -> str:
    if isinstance(amount, Decimal):
        return f"{amount:,.2f}"
    return (
        "none" if amount is None else f"{amount:.6g}" if isinstance(amount, float) else str(amount)
    )
