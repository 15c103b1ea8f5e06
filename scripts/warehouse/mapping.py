"""Import mappings: how a file in someone else's shape becomes rows of an extract, told in YAML.

The mappings of the project lie in `mappings/` beside this module; those of a home in its
`mappings/` folder, where one of the same name wins. `docs/gate.md` explains every key.
"""

import difflib
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TextIO

import yaml

from warehouse import formats
from warehouse.contract import OPTIONAL, Contract, Extract, squeezed
from warehouse.errors import MappingError
from warehouse.prepare import Reading

BUILT_IN = Path(__file__).with_name("mappings")

# How deep keys may lie within keys.
MAX_DEPTH = 50

# What a rule can draw on beside the columns of the file.
FILE_DATE, MONTH, CELL = "$file_date", "$month", "$cell"


@dataclass(frozen=True)
class Condition:
    """Which records are meant, by one column: one of some values, or a state."""

    column: str
    values: tuple[str, ...] = ()
    state: str | None = None  # empty, filled, negative or positive
    place: str = field(default="", repr=False)


@dataclass(frozen=True)
class Rule:
    """Where the value of one contract column comes from, in the order the steps are taken."""

    # File and line, for what can only be seen when a file is at hand.
    place: str = field(default="", repr=False)
    cases: tuple[tuple[tuple[Condition, ...], "Rule"], ...] = ()
    sources: tuple[str, ...] = ()
    joined: tuple[str, ...] = ()
    separator: str = "-"
    constant: str | None = None
    number_within: tuple[str, ...] = ()
    translated: Mapping[str, str] = field(default_factory=dict)
    otherwise: str | None = None
    letters: str | None = None
    part: str | None = None
    minus: "Rule | None" = None
    plus: "Rule | None" = None
    times: "Rule | None" = None
    divided_by: "Rule | None" = None
    negative_when: tuple[Condition, ...] = ()
    rounded: bool = False
    days: int = 0
    fiscal_period_from: int | None = None
    default: str | None = None
    dates: str | None = None
    numbers: str | None = None

    def columns(self) -> Iterator[str]:
        """Every column of the file it draws on, those it can do without included."""
        yield from (*self.sources, *self.joined, *self.number_within)
        yield from (c.column for c in self.negative_when)
        for conditions, rule in self.cases:
            yield from (c.column for c in conditions)
            yield from rule.columns()
        for operand in (self.minus, self.plus, self.times, self.divided_by):
            if operand:
                yield from operand.columns()


@dataclass(frozen=True)
class ImportMapping:
    """One mapping."""

    name: str
    path: Path = field(repr=False)
    title: str = field(repr=False)
    example: str = field(repr=False)
    extract: Extract
    rules: Mapping[str, Rule]
    only: tuple[Condition, ...] = ()
    skip: tuple[Condition, ...] = ()
    # Patterns of the headers that are months, where months run across.
    month_headers: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    null_values: tuple[str, ...] = ()
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    header_row: int = 1

    @property
    def digest(self) -> str:
        """Changes with what the mapping does, not with its comments."""
        return hashlib.sha256(repr(self).encode()).hexdigest()

    @property
    def reading(self) -> Reading:
        """What it says about how its files are written."""
        return Reading(self.encoding, self.delimiter, self.sheet, self.header_row)

    @property
    def squeezed_names(self) -> frozenset[str]:
        """The columns it draws on, as they are compared with those of a file."""
        conditions = (*self.only, *self.skip)
        rules = [name for rule in self.rules.values() for name in rule.columns()]
        return frozenset(squeezed(name) for name in (*rules, *(c.column for c in conditions)))


def load_all(contract: Contract, home_folder: Path) -> dict[str, ImportMapping | MappingError]:
    """Every mapping by name, or what is wrong with it; one of the home wins over a given one."""
    files = {path.stem: path for folder in (BUILT_IN, home_folder) for path in _files(folder)}
    return {name: _load_or_error(path, contract) for name, path in sorted(files.items())}


def _load_or_error(path: Path, contract: Contract) -> ImportMapping | MappingError:
    try:
        return load(path, contract)
    except MappingError as error:
        return error


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.yml"))


def load(path: Path, contract: Contract) -> ImportMapping:
    """Read one mapping; a mistake is reported with the line to fix."""
    document = _compose(path)
    chain = [path]
    while base := _read_extends(document, chain[-1]):
        if base in chain:
            raise MappingError(f"{base} extends itself by way of {path.name}.")
        chain.append(base)
        document = _merge(_compose(base), document)
    return _Reader(path).mapping(document, contract)


def _compose(path: Path) -> yaml.MappingNode:
    try:
        with path.open(encoding="utf-8") as file:
            _refuse_tangles(file, path)
            file.seek(0)
            document = yaml.compose(file, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        reason = getattr(error, "problem", None) or str(error)
        raise MappingError(f"{path} line {line}: is no YAML: {reason}.") from None
    if not isinstance(document, yaml.MappingNode):
        raise MappingError(f"{path} line 1: must hold keys and values, like `into: cost/payroll`.")
    for key, value in document.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _error(key, "must be a single text or number")
        if key.value == "extends" and not isinstance(value, yaml.ScalarNode):
            raise _error(value, "must be the name of one mapping")
        if key.value == "columns" and isinstance(value, yaml.MappingNode):
            for column, _ in value.value:
                if not isinstance(column, yaml.ScalarNode):
                    raise _error(column, "must be a single text or number")
    return document


def _refuse_tangles(file: TextIO, path: Path) -> None:
    """Refuse what would take for ever, or the whole stack, to follow."""
    # Whether each of the collections an event lies in bears an anchor.
    anchored: list[bool] = []
    for event in yaml.parse(file, Loader=yaml.CSafeLoader):
        tangle = ""
        if isinstance(event, yaml.CollectionStartEvent):
            anchored.append(event.anchor is not None)
        elif isinstance(event, yaml.CollectionEndEvent):
            anchored.pop()
        elif isinstance(event, yaml.AliasEvent) and any(anchored):
            tangle = "an alias in what has an anchor itself: write it out"
        if len(anchored) > MAX_DEPTH:
            tangle = f"nests deeper than {MAX_DEPTH}: rules are not that deep"
        if tangle:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise MappingError(f"{path} line {line}: {tangle}.")


def _read_extends(document: yaml.MappingNode, path: Path) -> Path | None:
    """The mapping this one extends: one that lies beside it, else a given one."""
    for key, value in document.value:
        if key.value == "extends":
            document.value = [pair for pair in document.value if pair[0].value != "extends"]
            beside = [file for file in _files(path.parent) if file != path]
            known = {file.stem: file for file in (*_files(BUILT_IN), *beside)}
            if value.value not in known:
                hint = _hint(value.value, known)
                raise _error(value, f"extends {value.value}, and there is no such mapping{hint}")
            return known[value.value]
    return None


def _merge(base: yaml.MappingNode, over: yaml.MappingNode) -> yaml.MappingNode:
    """The keys of both; of `columns`, those of both too."""
    merged = {key.value: (key, value) for key, value in base.value}
    for key, value in over.value:
        before = merged.get(key.value)
        if before and key.value == "columns" and isinstance(value, yaml.MappingNode):
            columns = before[1]
            value = _merge(columns, value) if isinstance(columns, yaml.MappingNode) else columns
        merged[key.value] = (key, value)
    return yaml.MappingNode(over.tag, list(merged.values()), over.start_mark, over.end_mark)


def _hint(word: str, known: Sequence[str] | Mapping[str, object]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(sorted(known))}"


_STATES = ("empty", "filled", "negative", "positive")
_RULE_KEYS = [
    "from",
    "join",
    "with",
    "value",
    "number_within",
    "values",
    "otherwise",
    "letters",
    "part",
    "minus",
    "plus",
    "times",
    "divided_by",
    "negative_when",
    "round",
    "days",
    "fiscal_period",
    "default",
    "dates",
    "numbers",
    "cases",
]
_KEYS = [
    "title",
    "into",
    "example",
    "columns",
    "only",
    "skip",
    "months",
    "replaces",
    "null_values",
    "encoding",
    "delimiter",
    "sheet",
    "header_row",
    "dates",
    "numbers",
]


class _Reader:
    """Turns the nodes of one file into a mapping, and knows the line of everything."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.dates: str | None = None
        self.numbers: str | None = None

    def mapping(self, node: yaml.Node, contract: Contract) -> ImportMapping:
        parts = self._pairs(node, _KEYS)
        extract = self._extract(parts, node, contract)
        self.dates = self._date_format(parts.get("dates"))
        self.numbers = self._number_format(parts.get("numbers"))
        mapping = ImportMapping(
            name=self.path.stem,
            path=self.path,
            title=self._text(parts["title"]) if "title" in parts else self.path.stem,
            example=self._text(parts["example"]) if "example" in parts else "",
            extract=extract,
            rules=self._rules(parts, node, extract),
            only=self._conditions(parts.get("only")),
            skip=self._conditions(parts.get("skip")),
            month_headers=tuple(self._texts(parts.get("months"))),
            replaces=tuple(self._texts(parts.get("replaces"))),
            null_values=tuple(self._texts(parts.get("null_values"))),
            encoding=self._optional(parts, "encoding"),
            delimiter=self._delimiter(parts.get("delimiter")),
            sheet=self._optional(parts, "sheet"),
            header_row=self._whole(parts["header_row"], least=1) if "header_row" in parts else 1,
        )
        self._check_columns(mapping, parts)
        return mapping

    def _extract(
        self, parts: Mapping[str, yaml.Node], node: yaml.Node, contract: Contract
    ) -> Extract:
        known = {extract.id: extract for extract in contract.extracts if not extract.is_internal}
        if "into" not in parts:
            raise _error(node, "lacks `into`, the extract it fills")
        name = self._text(parts["into"])
        if name not in known:
            hint = _hint(name, known)
            raise _error(parts["into"], f"fills {name}, and there is no such extract{hint}")
        return known[name]

    def _rules(
        self, parts: Mapping[str, yaml.Node], node: yaml.Node, extract: Extract
    ) -> dict[str, Rule]:
        if "columns" not in parts:
            raise _error(node, "lacks `columns`")
        names = [column.name for column in (*extract.columns, *OPTIONAL)]
        rules = {
            name: self._rule(value) for name, value in self._pairs(parts["columns"], names).items()
        }
        if missing := [name for name in extract.required if name not in rules]:
            raise _error(
                parts["columns"],
                f"says nothing of {', '.join(missing)}, which {extract.id} requires",
            )
        return rules

    def _check_columns(self, mapping: ImportMapping, parts: Mapping[str, yaml.Node]) -> None:
        known = {column.name for column in mapping.extract.columns}
        for name in mapping.replaces:
            if name not in known:
                hint = _hint(name, sorted(known))
                raise _error(parts["replaces"], f"{mapping.extract.id} has no column {name}{hint}")
        for rule in mapping.rules.values():
            if not mapping.month_headers and {MONTH, CELL} & set(rule.columns()):
                raise MappingError(
                    f"{rule.place}: {MONTH} and {CELL} need `months`, the headers of the months."
                )

    def _rule(self, node: yaml.Node) -> Rule:
        base = Rule(place=_place(node), dates=self.dates, numbers=self.numbers)
        if not isinstance(node, yaml.MappingNode):
            sources = tuple(self._texts(node))
            if not all(sources):
                raise _error(node, "takes its value from nowhere: name a column")
            return replace(base, sources=sources)
        parts = self._pairs(node, _RULE_KEYS)
        rule = replace(
            base,
            cases=self._cases(parts.get("cases")),
            sources=tuple(self._texts(parts.get("from"))),
            joined=tuple(self._texts(parts.get("join"))),
            separator=self._optional(parts, "with") or "-",
            constant=self._optional(parts, "value"),
            number_within=tuple(self._texts(parts.get("number_within"))),
            translated=self._translation(parts.get("values")),
            otherwise=self._optional(parts, "otherwise"),
            letters=self._choice(parts, "letters", ("upper", "lower")),
            part=self._choice(parts, "part", ("date", "month")),
            minus=self._operand(parts.get("minus")),
            plus=self._operand(parts.get("plus")),
            times=self._operand(parts.get("times")),
            divided_by=self._operand(parts.get("divided_by")),
            negative_when=self._conditions(parts.get("negative_when")),
            rounded=self._choice(parts, "round", ("true", "false")) == "true",
            days=self._whole(parts["days"]) if "days" in parts else 0,
            fiscal_period_from=(
                self._whole(parts["fiscal_period"]) if "fiscal_period" in parts else None
            ),
            default=self._optional(parts, "default"),
            dates=self._date_format(parts.get("dates")) or self.dates,
            numbers=self._number_format(parts.get("numbers")) or self.numbers,
        )
        origins = ("from", "join", "value", "number_within", "cases", "default")
        if not any(key in parts for key in origins):
            raise _error(node, f"takes its value from nowhere: give one of {', '.join(origins)}")
        return rule

    def _operand(self, node: yaml.Node | None) -> Rule | None:
        """A number, or a rule of its own."""
        if node is None:
            return None
        if isinstance(node, yaml.ScalarNode) and node.tag.endswith((":int", ":float")):
            return Rule(place=_place(node), constant=self._text(node))
        return self._rule(node)

    def _cases(self, node: yaml.Node | None) -> tuple[tuple[tuple[Condition, ...], Rule], ...]:
        if node is None:
            return ()
        cases = []
        for item in self._items(node):
            parts = self._pairs(item, ["when", "then"])
            if set(parts) != {"when", "then"}:
                raise _error(item, "a case needs `when` and `then`")
            cases.append((self._conditions(parts["when"]), self._rule(parts["then"])))
        return tuple(cases)

    def _conditions(self, node: yaml.Node | None) -> tuple[Condition, ...]:
        conditions = []
        for key, value in self._pairs(node).items() if node else ():
            place = _place(value)
            if isinstance(value, yaml.MappingNode):
                parts = self._pairs(value, ["is"])
                state = self._choice(parts, "is", _STATES)
                conditions.append(Condition(key, state=state or "filled", place=place))
            else:
                conditions.append(Condition(key, values=tuple(self._texts(value)), place=place))
        return tuple(conditions)

    def _translation(self, node: yaml.Node | None) -> dict[str, str]:
        return {key: self._text(value) for key, value in self._pairs(node).items()} if node else {}

    def _date_format(self, node: yaml.Node | None) -> str | None:
        if node is None:
            return None
        name = self._text(node)
        if name not in formats.DATES and "%" not in name:
            hint = _hint(name, formats.DATES)
            raise _error(node, f"{name} is no date format{hint} or a pattern like %d.%m.%y")
        if name not in formats.DATES and not formats.PATTERN.fullmatch(name):
            raise _error(node, f"{name} is no pattern of days: write one like %d.%m.%y")
        return name

    def _number_format(self, node: yaml.Node | None) -> str | None:
        if node is None:
            return None
        name = self._text(node)
        if name not in formats.NUMBERS:
            hint = _hint(name, formats.NUMBERS)
            raise _error(node, f"{name} is no number format{hint}")
        return name

    def _choice(
        self, parts: Mapping[str, yaml.Node], key: str, choices: Sequence[str]
    ) -> str | None:
        if key not in parts:
            return None
        word = self._text(parts[key])
        if word not in choices:
            raise _error(parts[key], f"{key} is one of {', '.join(choices)}, not {word}")
        return word

    def _optional(self, parts: Mapping[str, yaml.Node], key: str) -> str | None:
        return self._text(parts[key]) if key in parts else None

    def _delimiter(self, node: yaml.Node | None) -> str | None:
        if node is None:
            return None
        text = self._text(node)
        if len(text) != 1 or text in '"\r\n\0':
            raise _error(node, f"{text!r} is no delimiter: give one character, like ;")
        return text

    def _whole(self, node: yaml.Node, least: int | None = None) -> int:
        text = self._text(node)
        if not re.fullmatch("-?[0-9]{1,9}", text) or (least is not None and int(text) < least):
            bound = "" if least is None else f" from {least} up"
            raise _error(node, f"{text[:20]} is no whole number{bound}")
        return int(text)

    def _texts(self, node: yaml.Node | None) -> list[str]:
        if node is None:
            return []
        if isinstance(node, yaml.ScalarNode):
            return [self._text(node)]
        return [self._text(item) for item in self._items(node)]

    def _text(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise _error(node, "must be a single text or number")
        return str(node.value)

    def _items(self, node: yaml.Node) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode):
            raise _error(node, "must be a list")
        return list(node.value)

    def _pairs(self, node: yaml.Node, known: Sequence[str] | None = None) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            raise _error(node, "must hold keys and values")
        pairs: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = self._text(key)
            if name in pairs:
                raise _error(key, f"{name} stands there twice")
            if known is not None and name not in known:
                raise _error(key, f"{name} is unknown here{_hint(name, known)}")
            pairs[name] = value
        return pairs


def _place(node: yaml.Node) -> str:
    return f"{node.start_mark.name} line {node.start_mark.line + 1}"


def _error(node: yaml.Node, message: str) -> MappingError:
    return MappingError(f"{_place(node)}: {message}.")
