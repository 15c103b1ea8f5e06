"""The contract of every extract, read from the dbt source files: the one place that states it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from warehouse.home import PROJECT

# Columns the gate adds to every row of every extract.
GATE_COLUMNS = (
    ("_file", "varchar"),
    ("_row", "bigint"),
    ("_loaded_at", "timestamp"),
    ("_known_at", "timestamp"),
    ("_extra", "varchar"),
    ("_is_deleted", "boolean"),
    # Set by deliveries that replace all there was of something, say of a month.
    ("_scope", "varchar"),
    ("_delivery", "varchar"),
)

# Optional in every extract: when the source knew the row, and that it says the row is gone.
RECORDED_AT = "recorded_at"
IS_DELETED = "is_deleted"


@dataclass(frozen=True)
class Column:
    """One column of an extract."""

    name: str
    data_type: str
    required: bool = False


OPTIONAL = (Column(RECORDED_AT, "timestamp"), Column(IS_DELETED, "boolean"))


@dataclass(frozen=True)
class Extract:
    """One extract: what its files hold."""

    source: str
    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    # Kept by the gate itself; no file can be landed for it.
    is_internal: bool = False

    @property
    def id(self) -> str:
        """`source/name`, which is also its folder under raw/ and quarantine/."""
        return f"{self.source}/{self.name}"

    @property
    def squeezed_names(self) -> frozenset[str]:
        """Its column names as they are compared with those of a file."""
        return frozenset(squeezed(column.name) for column in self.columns)

    @property
    def required(self) -> tuple[str, ...]:
        """Columns a file must have."""
        return tuple(column.name for column in self.columns if column.required)


@dataclass(frozen=True)
class Contract:
    """All extracts."""

    extracts: tuple[Extract, ...]

    def of(self, source: str) -> tuple[Extract, ...]:
        """The extracts of one source that files can be landed for."""
        return tuple(e for e in self.extracts if e.source == source and not e.is_internal)

    def get(self, source: str, name: str) -> Extract:
        """One extract; KeyError if there is none."""
        for extract in self.extracts:
            if (extract.source, extract.name) == (source, name):
                return extract
        raise KeyError(f"{source}/{name}")

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the sources that files can be landed for."""
        return tuple(sorted({e.source for e in self.extracts if not e.is_internal}))


def squeezed(name: str) -> str:
    """A column name without case, spaces and punctuation: `Billed Cost` is `BilledCost`."""
    return "".join(character for character in name.lower() if character.isalnum())


def load(project: Path = PROJECT) -> Contract:
    """The contract as the checkout states it."""
    files = sorted(project.glob("models/staging/*/_*__sources.yml"))
    return Contract(tuple(extract for file in files for extract in _read(file)))


def _read(file: Path) -> Iterator[Extract]:
    document = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    for source in document["sources"]:
        is_internal = bool(_meta(source).get("internal"))
        for table in source["tables"]:
            yield Extract(
                source=source["name"],
                name=table["name"],
                columns=tuple(
                    Column(column["name"], column["data_type"], bool(_meta(column).get("required")))
                    for column in table["columns"]
                ),
                key=tuple(_meta(table).get("key") or ()),
                is_internal=is_internal,
            )


def _meta(node: Mapping[str, Any]) -> Mapping[str, Any]:
    meta: Mapping[str, Any] = (node.get("config") or {}).get("meta") or {}
    return meta
