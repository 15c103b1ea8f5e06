"""The main job: ingest, build, audit, document, publish."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

import duckdb

from warehouse import audit, catalog, pages, publish, roles
from warehouse.errors import AuditFailedError, BuildFailedError
from warehouse.home import PROJECT, Home
from warehouse.sql import scalar
from warehouse.suites.publish import Context
from warehouse.transform import FAILURES_SHOWN, NodeResult, Transformation

PHASES = ("ingest", "dbt", "audit", "publish")

# What DuckDB says when a stored page is not what was written.
_DAMAGE = ("corrupt", "checksum", "not a valid duckdb database", "serialization error")


@dataclass
class Progress:
    """Says what the build is doing, and how long each phase took."""

    say: Callable[[str], None]
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[list[str]]:
        """Time a phase; what the caller appends to the list is said when it ends."""
        label = f"[{PHASES.index(name) + 1}/{len(PHASES)}] {name:8}"
        self.say(f"{label} ...")
        started = time.monotonic()
        outcome: list[str] = []
        try:
            yield outcome
        finally:
            self.seconds[name] = time.monotonic() - started
            said = "; ".join(outcome) or "failed"
            self.say(f"{label} {said} ({self.seconds[name]:.1f} s)")


@dataclass(frozen=True)
class BuildResult:
    """What a build led to."""

    version: publish.Version
    is_new: bool
    findings: Sequence[audit.Finding]


def run(home: Home, progress: Progress, accepted: Collection[str] = ()) -> BuildResult:
    """Build the marts from raw, audit them and publish a version if it says anything new."""
    transformation = Transformation(PROJECT, home.root)
    with progress.phase("dbt") as outcome:
        results = _transform(transformation, progress)
        outcome.append(_counted(results))
    shelf = publish.Shelf(home.published)
    marts = catalog.marts(catalog.read_manifest(transformation.manifest_path))
    with progress.phase("audit") as outcome:
        findings = _audit(home, shelf, marts, results, accepted)
        outcome.append(f"{len(findings)} rules hold")
    with progress.phase("publish") as outcome:
        result = _publish(home, transformation, shelf, marts, findings)
        outcome.append(f"version {result.version.id}" + ("" if result.is_new else ", unchanged"))
    return result


def _transform(transformation: Transformation, progress: Progress) -> list[NodeResult]:
    if damage := transformation.discard_if_damaged():
        progress.say(f"The working database was damaged and is built anew from raw: {damage}")
    results = transformation.build()
    if any(_tells_of_damage(result) for result in results):
        progress.say("The working database was damaged inside and is built anew from raw.")
        transformation.discard()
        results = transformation.build()
    broken = [result for result in results if result.status in {"error", "runtime error"}]
    if broken:
        lines = [f"  {result.name}: {result.message}" for result in broken[:FAILURES_SHOWN]]
        raise BuildFailedError("\n".join([f"dbt could not build {len(broken)} nodes:", *lines]))
    return results


def _tells_of_damage(result: NodeResult) -> bool:
    message = result.message.lower()
    return result.is_red and any(words in message for words in _DAMAGE)


def _counted(results: Sequence[NodeResult]) -> str:
    kinds = [result.kind for result in results]
    parts = [(kind, kinds.count(kind)) for kind in ("seed", "model", "test")]
    return ", ".join(f"{number} {kind}s" for kind, number in parts)


def _audit(
    home: Home,
    shelf: publish.Shelf,
    marts: Sequence[catalog.Mart],
    results: Sequence[NodeResult],
    accepted: Collection[str],
) -> list[audit.Finding]:
    findings = audit.from_dbt(results)
    current = shelf.current()
    # After a failed dbt test what stands on it was not built, so there is nothing to judge.
    if not any(finding.is_red for finding in findings):
        context = Context(
            filled_extracts=_filled_extracts(home, marts),
            published_rows=current.rows if current else {},
        )
        findings += audit.check_marts(home.database, marts, context, accepted)
    home.quality.mkdir(parents=True, exist_ok=True)
    (home.quality / "publish.json").write_text(
        json.dumps(audit.as_json(findings), indent=1), encoding="utf-8"
    )
    red = [finding for finding in findings if finding.is_red]
    if red:
        stays = f"version {current.id} stays current" if current else "no version is current yet"
        lines = [f"  {finding.as_line()}" for finding in red[:FAILURES_SHOWN]]
        raise AuditFailedError(
            "\n".join([f"{len(red)} rules failed, nothing was published, {stays}:", *lines])
        )
    return findings


def _publish(
    home: Home,
    transformation: Transformation,
    shelf: publish.Shelf,
    marts: Sequence[catalog.Mart],
    findings: Sequence[audit.Finding],
) -> BuildResult:
    folder = shelf.start()
    published = publish.export_marts(home.database, marts, folder)
    code = publish.code_digest(PROJECT)
    inputs = _inputs(home)
    digest = publish.content_digest(published, code, inputs)
    if same := shelf.find(digest):
        shutil.rmtree(folder)
        current = shelf.current()
        is_new = current is None or current.id != same.id
        if is_new:
            shelf.switch(same)
        return BuildResult(same, is_new, findings)
    publish.write_database(folder / "marts.duckdb", marts, folder / "marts")
    role_rows = roles.publish(home.database, marts, folder, roles.pseudonym_key(home.pseudonym_key))
    shutil.copyfile(transformation.document(), folder / "docs.html")
    facts = {
        "git": _git(),
        "code_digest": code,
        "origin": "sample",
        "inputs": inputs,
        "audit": {
            "rules": len(findings),
            "accepted": [f"{f.subject}.{f.rule}" for f in findings if f.state == "accepted"],
        },
        "versions": {name: metadata.version(name) for name in ("dbt-core", "duckdb")},
        "marts": publish.describe(published),
        "roles": role_rows,
    }
    created_at = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    (folder / "index.html").write_text(pages.index(facts, created_at), encoding="utf-8")
    (folder / "quality.html").write_text(pages.quality(findings, [], created_at), encoding="utf-8")
    return BuildResult(shelf.put(folder, digest, facts), True, findings)


def _inputs(home: Home) -> list[str]:
    """The accepted files the marts stand on; their names are hashes of their content."""
    return sorted(
        str(path.relative_to(home.raw))
        for path in home.raw.glob("*/*/*.parquet")
        if path.stem != "contract"
    )


def _git() -> dict[str, Any]:
    """The commit of the checkout, and whether files differ from it."""

    def git(*arguments: str) -> str | None:
        try:
            return subprocess.run(
                ["git", "-C", str(PROJECT), *arguments], capture_output=True, text=True, check=True
            ).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            return None

    return {"commit": git("rev-parse", "HEAD"), "is_dirty": bool(git("status", "--porcelain"))}


def _filled_extracts(home: Home, marts: Sequence[catalog.Mart]) -> frozenset[tuple[str, str]]:
    """Extracts that hold at least one row."""
    filled = set()
    with duckdb.connect() as connection:
        for source, extract in sorted({pair for mart in marts for pair in mart.extracts}):
            files = str(home.raw / source / extract / "*.parquet")
            query = "select count(*) from read_parquet(?, union_by_name = true)"
            if scalar(connection, query, [files]):
                filled.add((source, extract))
    return frozenset(filled)
