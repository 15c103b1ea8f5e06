"""An import mapping applied to a file: SQL that gives every contract column its text."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import chain

from warehouse import formats
from warehouse.contract import OPTIONAL, Column, squeezed
from warehouse.errors import FileRefusedError
from warehouse.mapping import CELL, FILE_DATE, MONTH, Condition, ImportMapping, Rule
from warehouse.scan import Field, Scan, Table, in_format, kind_of_format, listed
from warehouse.sql import literal

# Amounts are computed with this many digits; what a step makes of more is rounded.
_NUMBER = "decimal(20,8)"


def bind(table: Table, mapping: ImportMapping, stamp: date | None) -> Scan:
    """Read a file as its mapping says."""
    table, months = _across(table, mapping)
    binder = _Binder(table, mapping, stamp)
    columns = {column.name: column for column in (*mapping.extract.columns, *OPTIONAL)}
    fields = tuple(binder.field(columns[name], rule) for name, rule in mapping.rules.items())
    # A record cannot be left out for a column that no record has: that would leave out all or none.
    for condition in (*mapping.skip, *mapping.only):
        binder.require(condition)
    left_out = [f"coalesce({binder.meets([condition])}, false)" for condition in mapping.skip]
    left_out += [f"not coalesce({binder.meets([condition])}, false)" for condition in mapping.only]
    if months:
        # An empty cell of a month is no row.
        left_out.append(f"{binder.text(CELL)} is null")
    return Scan(
        relation=table.relation,
        fields=fields,
        extra=table.extra([*binder.used, *months]),
        first_row=table.first_row,
        fault=table.fault,
        blank=table.blank,
        set_aside=" or ".join(left_out),
        rows_per_record=max(1, len(months)),
        replaces=mapping.replaces,
    )


def _across(table: Table, mapping: ImportMapping) -> tuple[Table, list[int]]:
    """Where months run across, a row for every month of every record; and the months' places."""
    if not mapping.month_headers:
        return table, []
    months = {at: month for at, name in enumerate(table.names) if (month := _month(name, mapping))}
    if not months:
        raise FileRefusedError(
            f"none of its columns is a month written like {' or '.join(mapping.month_headers)}; "
            f"its columns are {listed(table.names)}: correct `months` in {mapping.path}"
        )
    cells = ", ".join(
        f"{{'month': '{month}', 'cell': {table.texts[at]}, "
        f"'is_number': {table.numbers.get(at, 'false')}}}"
        for at, month in months.items()
    )
    relation = f"(select *, unnest([{cells}]) as across from {table.relation})"
    return replace(table, relation=relation), list(months)


def _month(header: str, mapping: ImportMapping) -> str | None:
    for pattern in (*mapping.month_headers, "%Y-%m-%d"):
        try:
            return datetime.strptime(header.strip(), pattern).strftime("%Y-%m-01")  # noqa: DTZ007
        except ValueError:
            continue
    return None


@dataclass
class _Binder:
    table: Table
    mapping: ImportMapping
    stamp: date | None

    def __post_init__(self) -> None:
        self.places = self.table.places
        self.used: list[int] = []

    def field(self, column: Column, rule: Rule) -> Field:
        """Where the values of one contract column come from."""
        self._require(column, rule)
        if rule.number_within:
            group = self._origin(replace(rule, sources=rule.number_within))
            return Field(column, "null", lambda _: "null", formats.PLAIN, numbered_within=group)
        texts = [self.text(name) for name in dict.fromkeys(rule.columns()) if self._has(name)]
        kind = kind_of_format(column)
        known = rule.numbers if kind == "number" else rule.dates if kind == "date" else None

        def text(name: str) -> str:
            return self._value(rule, column, known or name)

        delivered = f"nullif(concat_ws(' ', {', '.join(texts)}), '')"
        if len(texts) < 2:
            delivered = texts[0] if texts else text(formats.PLAIN)
        if rule.default is not None:
            delivered = f"coalesce({delivered}, {literal(rule.default)})"
        is_direct = len(texts) == 1 and not _computes(rule)
        return Field(
            column, delivered, text, known or (None if texts else formats.PLAIN), is_direct
        )

    def _require(self, column: Column, rule: Rule) -> None:
        """Refuse a file without the columns its mapping cannot do without."""
        self.meets([*rule.negative_when, *chain(*(when for when, _ in rule.cases))])
        names = (*rule.sources, *rule.joined, *rule.number_within)
        needs_stamp = rule.default == FILE_DATE and not any(map(self._has, rule.sources))
        if self.stamp is None and (FILE_DATE in names or needs_stamp):
            raise FileRefusedError(
                f"{column.name} is the day in the file's name, and {self.mapping.name} finds none "
                "there: name the file like gl.2026-03-31.csv"
            )
        has_other = rule.constant is not None or rule.default is not None or rule.cases
        if column.required and names and not has_other and not any(map(self._has, names)):
            raise self._missing(names, f"{column.name} ({rule.place})")

    def require(self, condition: Condition) -> None:
        """Refuse a file without the column that says which of its records count."""
        if not self._has(condition.column):
            raise self._missing([condition.column], f"the records to take ({condition.place})")

    def _missing(self, names: Sequence[str], needed_for: str) -> FileRefusedError:
        return FileRefusedError(
            f"it lacks {' or '.join(names)}, which {self.mapping.name} needs for {needed_for}; its "
            f"columns are {listed(self.table.names)}: check that it is the right export, or "
            f"correct the mapping"
        )

    def _has(self, name: str) -> bool:
        return name in {FILE_DATE, MONTH, CELL} or bool(self.places.get(squeezed(name)))

    def text(self, name: str) -> str:
        """SQL of a column of the file, or of what else a rule can draw on."""
        match name:
            case "$file_date":
                return literal(str(self.stamp))
            case "$month":
                return "across.month"
            case "$cell":
                return self._or_null("across.cell")
        places = self.places.get(squeezed(name), [])
        if not places:
            raise self._missing([name], f"{self.mapping.extract.id}")
        if len(places) > 1:
            raise FileRefusedError(f"it has {name} more than once: keep one column of that name")
        if places[0] not in self.used:
            self.used.append(places[0])
        return self._or_null(self.table.texts[places[0]])

    def _or_null(self, text: str) -> str:
        if not self.mapping.null_values:
            return text
        nulls = ", ".join(literal(value.lower()) for value in self.mapping.null_values)
        return f"case when lower(trim({text})) not in ({nulls}) then {text} end"

    def meets(self, conditions: Sequence[Condition]) -> str:
        """SQL that is true where a record meets every condition."""
        return " and ".join(f"({sql})" for sql in self._tests(conditions)) or "true"

    def _tests(self, conditions: Sequence[Condition]) -> Iterator[str]:
        for condition in conditions:
            if condition.state in {"empty", "filled"} and not self._has(condition.column):
                yield str(condition.state == "empty").lower()
                continue
            text = self.text(condition.column)
            match condition.state:
                case "empty":
                    yield f"{text} is null"
                case "filled":
                    yield f"{text} is not null"
                case "negative":
                    yield f"{self._plain_number(text)} < 0"
                case "positive":
                    yield f"{self._plain_number(text)} > 0"
                case _:
                    values = ", ".join(literal(value.lower()) for value in condition.values)
                    yield f"lower(trim({text})) in ({values})"

    def _plain_number(self, text: str) -> str:
        return f"try_cast({text} as {_NUMBER})"

    def _value(self, rule: Rule, column: Column, name: str) -> str:
        """The text of a column, read in the format `name`."""
        if rule.cases:
            branches = " ".join(
                f"when {self.meets(when)} then {self._value(then, column, name)}"
                for when, then in rule.cases
            )
            rest = self._value(replace(rule, cases=()), column, name)
            return f"case {branches} else {rest} end"
        text = self._origin(rule)
        if _computes(rule):
            text = self._computed(rule, text, column, name)
        elif kind_of_format(column) == "number":
            text = in_format(column, text, name, self._is_number(rule))
        elif kind_of_format(column) == "date" or rule.fiscal_period_from is not None:
            dated = column if kind_of_format(column) else replace(column, data_type="date")
            text = self._dated(rule, in_format(dated, text, name))
        if rule.default is not None:
            default = literal(str(self.stamp) if rule.default == FILE_DATE else rule.default)
            text = f"case when {self._origin(rule)} is null then {default} else {text} end"
        return text

    def _origin(self, rule: Rule) -> str:
        """What the rule starts from, before any format, sum or sign."""
        if rule.constant is not None:
            text = literal(rule.constant)
        elif rule.joined:
            texts = [f"coalesce({self.text(name)}, '')" for name in rule.joined]
            text = f"nullif({f' || {literal(rule.separator)} || '.join(texts)}, '')"
        else:
            texts = [self.text(name) for name in rule.sources if self._has(name)]
            text = f"coalesce({', '.join(texts)})" if len(texts) > 1 else (texts or ["null"])[0]
        if rule.translated:
            text = _translated(text, rule)
        if rule.letters:
            text = f"{rule.letters}({text})"
        return text

    def _dated(self, rule: Rule, text: str) -> str:
        day = f"try_cast(left({text}, 10) as date)"
        if rule.fiscal_period_from is not None:
            first = rule.fiscal_period_from
            # A fiscal year is named after the year it ends in.
            year = f"year({day})" + (
                f" + cast(month({day}) >= {first} as integer)" if first > 1 else ""
            )
            number = f"(month({day}) - {first} + 12) % 12 + 1"
            return f"cast({year} as varchar) || '-P' || lpad(cast({number} as varchar), 2, '0')"
        if rule.part == "month":
            return f"left({text}, 7) || '-01'"
        if rule.part == "date" and not rule.days:
            return f"left({text}, 10)"
        if rule.days:
            return f"cast(cast({day} + {rule.days} as date) as varchar)"
        return text

    def _computed(self, rule: Rule, text: str, column: Column, name: str) -> str:
        """The sum, product or sign a rule asks for, as text; NULL where a part is no number."""
        value = self._number(rule, text, column, name)
        if rule.times:
            value = f"try_cast({value} * cast({self._operand(rule.times, column, name)} as decimal(18,8)) as {_NUMBER})"
        if rule.divided_by:
            divisor = f"nullif(cast({self._operand(rule.divided_by, column, name)} as double), 0)"
            value = f"try_cast(round(cast({value} as double) / {divisor}, 8) as {_NUMBER})"
        for operand, sign in ((rule.plus, "+"), (rule.minus, "-")):
            if operand:
                value = self._sum(value, text, operand, sign, column, name)
        if rule.negative_when:
            value = f"case when {self.meets(rule.negative_when)} then -{value} else {value} end"
        scale = column.data_type.partition(",")[2].rstrip(")") or "0"
        if rule.rounded:
            value = f"cast(round({value}, {scale}) as {_NUMBER})"
        return f"cast({value} as varchar)"

    def _sum(
        self, value: str, text: str, operand: Rule, sign: str, column: Column, name: str
    ) -> str:
        """Empty counts as nothing; what is no number makes the whole no number."""
        other = self._operand(operand, column, name)
        other_text = self._origin(operand)
        return (
            f"case when ({text} is not null or {other_text} is not null) "
            f"and ({text} is null or {value} is not null) "
            f"and ({other_text} is null or {other} is not null) "
            f"then cast(coalesce({value}, 0) {sign} coalesce({other}, 0) as {_NUMBER}) end"
        )

    def _operand(self, rule: Rule, column: Column, name: str) -> str:
        text = self._origin(rule)
        if rule.default is not None:
            text = f"coalesce({text}, {literal(rule.default)})"
        if _computes(rule):
            return f"try_cast({self._computed(rule, text, column, name)} as {_NUMBER})"
        return self._number(rule, text, column, rule.numbers or name)

    def _number(self, rule: Rule, text: str, column: Column, name: str) -> str:
        as_number = replace(column, data_type="double")
        number = in_format(as_number, text, name, self._is_number(rule))
        return f"try_cast({number} as {_NUMBER})"

    def _is_number(self, rule: Rule) -> str:
        """SQL that is true where the file itself says that the rule starts from a number."""
        if rule.constant is not None or rule.joined or rule.translated:
            return "false"
        tests = {
            self.text(name): self._says_number(name) for name in rule.sources if self._has(name)
        }
        if set(tests.values()) <= {"false"}:
            return "false"
        branches = " ".join(f"when {text} is not null then {test}" for text, test in tests.items())
        return f"case {branches} end"

    def _says_number(self, name: str) -> str:
        if name == CELL:
            return "across.is_number"
        (place, *_) = self.places.get(squeezed(name)) or [-1]
        return self.table.numbers.get(place, "false")


def _computes(rule: Rule) -> bool:
    parts = (rule.minus, rule.plus, rule.times, rule.divided_by, rule.negative_when, rule.rounded)
    return any(parts)


def _translated(text: str, rule: Rule) -> str:
    pairs: Mapping[str, str] = rule.translated
    branches = " ".join(f"when {literal(k.lower())} then {literal(v)}" for k, v in pairs.items())
    rest = literal(rule.otherwise) if rule.otherwise is not None else text
    return (
        f"case when {text} is not null then case lower(trim({text})) {branches} else {rest} end end"
    )
