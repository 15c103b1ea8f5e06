"""What dbt's manifest says about the marts: names, columns, descriptions, lineage."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# What the warehouse keeps of itself, as one extract.
_INTERNAL = "internal"


@dataclass(frozen=True)
class Column:
    """One column of a mart, as its contract states it."""

    name: str
    data_type: str
    description: str
    pii: bool


@dataclass(frozen=True)
class Mart:
    """One published table."""

    name: str
    domain: str
    schema: str
    description: str
    columns: tuple[Column, ...]
    # Extracts it stands on, as (source, extract).
    extracts: frozenset[tuple[str, str]]
    owner: str
    tests: int
    meta: Mapping[str, Any]
    tags: tuple[str, ...] = ()
    unique_id: str = ""

    @property
    def grain(self) -> str:
        """The first sentence of the description."""
        sentence, dot, _ = " ".join(self.description.split()).partition(". ")
        return sentence + dot.strip()

    @property
    def question(self) -> str:
        """The first sentence of the description that asks something; empty if none does."""
        sentences = re.split(r"(?<=[.?!])\s+", " ".join(self.description.split()))
        return next((sentence for sentence in sentences if sentence.endswith("?")), "")

    def columns_ending(self, *endings: str) -> list[str]:
        """Names of the columns with one of these endings."""
        return [column.name for column in self.columns if column.name.endswith(endings)]

    def columns_of(self, *types: str) -> list[str]:
        """Names of the columns whose type starts with one of these."""
        return [column.name for column in self.columns if column.data_type.startswith(types)]


def read_manifest(path: Path) -> dict[str, Any]:
    """dbt's manifest.json as a dictionary."""
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return manifest


def marts(manifest: Mapping[str, Any]) -> list[Mart]:
    """Every mart of the project, by name."""
    nodes = manifest["nodes"]
    groups = {group["name"]: group["owner"] for group in manifest["groups"].values()}
    tests: dict[str, int] = {}
    for test in _tests(manifest):
        for parent in test["depends_on"]["nodes"]:
            tests[parent] = tests.get(parent, 0) + 1
    found = []
    for unique_id, node in nodes.items():
        if node["resource_type"] != "model" or node["fqn"][1] != "marts":
            continue
        owner = groups.get(node["config"].get("group"), {})
        found.append(
            Mart(
                name=node["alias"],
                domain=node["fqn"][2],
                schema=node["schema"],
                description=node["description"],
                columns=tuple(
                    Column(
                        name=column["name"],
                        data_type=(column["data_type"] or "").lower(),
                        description=" ".join(column["description"].split()),
                        pii=bool(column["config"].get("meta", {}).get("pii")),
                    )
                    for column in node["columns"].values()
                ),
                extracts=frozenset(_extracts(manifest, unique_id)),
                owner=str(owner.get("name") or owner.get("email") or ""),
                tests=tests.get(unique_id, 0),
                meta=node["config"].get("meta", {}),
                tags=tuple(node["config"].get("tags", ())),
                unique_id=unique_id,
            )
        )
    return sorted(found, key=lambda mart: (mart.domain, mart.name))


@dataclass(frozen=True)
class Reached:
    """What stands on changed extracts."""

    # Names of tables and tests that must be built again; views hold no rows.
    nodes: frozenset[str]
    # Names of all models whose rows may be others now, views included.
    models: frozenset[str]
    # Names of the marts among them.
    marts: frozenset[str]


def downstream(manifest: Mapping[str, Any], extracts: Collection[str], left_out: str) -> Reached:
    """What stands on extracts (`source/name`) whose rows have changed.

    What the warehouse keeps of itself (internal sources) changes with every extract. Nodes with the
    tag `left_out`, and their tests, are not among it.
    """
    waiting = [
        unique_id
        for unique_id, source in manifest["sources"].items()
        if f"{source['source_name']}/{source['name']}" in extracts
        or (extracts and source["source_meta"].get("internal"))
    ]
    reached: set[str] = set()
    while waiting:
        for child in manifest["child_map"].get(waiting.pop(), ()):
            if child not in reached:
                reached.add(child)
                waiting.append(child)
    reached -= _tagged(manifest, left_out) | tests_of_tagged(manifest, left_out)
    nodes, models, marts_reached = set(), set(), set()
    for node in (manifest["nodes"][one] for one in reached if one in manifest["nodes"]):
        is_model = node["resource_type"] == "model"
        is_view = node["config"].get("materialized") in {"view", "ephemeral"}
        if node["resource_type"] == "test" or (is_model and not is_view):
            nodes.add(node["name"])
        if is_model:
            models.add(node["name"])
        if is_model and node["fqn"][1] == "marts":
            marts_reached.add(node["alias"])
    return Reached(frozenset(nodes), frozenset(models), frozenset(marts_reached))


def increments(
    manifest: Mapping[str, Any], nodes: Collection[str], loaded_after: Mapping[str, str | None]
) -> list[str]:
    """Of the models to build, those whose tables can be added to.

    `loaded_after` has the changed extracts, each with the time after which its new rows were loaded,
    None where others went. A model that states an extract in `meta: increments_of` is added to where
    nothing else it stands on has changed; one that states `any` looks itself at what has.
    """
    found = []
    for unique_id, node in manifest["nodes"].items():
        extract = node["config"].get("meta", {}).get("increments_of")
        if not extract or node["name"] not in nodes:
            continue
        stands_on = _sources_of(manifest, unique_id)
        is_all = {*loaded_after} & stands_on == {extract} and _INTERNAL not in stands_on
        if extract == "any" or (is_all and loaded_after[extract]):
            found.append(node["name"])
    return sorted(found)


def _sources_of(manifest: Mapping[str, Any], unique_id: str) -> set[str]:
    """Every extract a node stands on; what the warehouse keeps of itself is one."""
    waiting, seen, found = [unique_id], {unique_id}, set()
    while waiting:
        for parent in manifest["parent_map"].get(waiting.pop(), ()):
            if parent in manifest["sources"]:
                source = manifest["sources"][parent]
                is_internal = source["source_meta"].get("internal")
                found.add(_INTERNAL if is_internal else f"{source['source_name']}/{source['name']}")
            elif parent not in seen:
                seen.add(parent)
                waiting.append(parent)
    return found


def tagged_marts(manifest: Mapping[str, Any], tag: str) -> set[str]:
    """Names of the models with a tag."""
    return {manifest["nodes"][one]["name"] for one in _tagged(manifest, tag)}


def tests_of_tagged(manifest: Mapping[str, Any], tag: str) -> set[str]:
    """Ids of the data tests that stand on a model with a tag."""
    tagged = _tagged(manifest, tag)
    return {
        unique_id
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] == "test" and tagged & {*node["depends_on"]["nodes"]}
    }


def _tagged(manifest: Mapping[str, Any], tag: str) -> set[str]:
    return {
        unique_id
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] == "model" and tag in node["config"].get("tags", ())
    }


def _tests(manifest: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for node in manifest["nodes"].values():
        if node["resource_type"] == "test":
            yield node
    yield from manifest["unit_tests"].values()


def _extracts(manifest: Mapping[str, Any], unique_id: str) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    seen: set[str] = set()
    waiting = [unique_id]
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        if current in manifest["sources"]:
            source = manifest["sources"][current]
            found.add((source["source_name"], source["name"]))
        waiting.extend(manifest["parent_map"].get(current, []))
    return found
