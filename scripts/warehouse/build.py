"""The main job: ingest, build, audit, publish."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import duckdb

from warehouse import audit, catalog, origin, publish, record, roles
from warehouse.catalog import Mart
from warehouse.errors import AuditFailedError, BuildFailedError
from warehouse.home import PROJECT, Home
from warehouse.ingest import FileResult, ingest
from warehouse.ledger import Entry, Ledger
from warehouse.sql import scalar
from warehouse.suites.publish import Context
from warehouse.transform import AFTER_AUDIT, NodeResult, Transformation

PHASES = ("ingest", "dbt", "audit", "publish")

FAILURES_SHOWN = 10

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

    def note(self, line: str) -> None:
        """Say something within a phase."""
        self.say(f"      {line}")


@dataclass(frozen=True)
class BuildResult:
    """What a build led to."""

    version: publish.Version
    is_new: bool
    refused: Sequence[FileResult]


def run(
    home: Home, progress: Progress, landing: Path | None = None, accepted: Collection[str] = ()
) -> BuildResult:
    """Take new files, build the marts, audit them, and publish them if they say anything new."""
    with progress.phase("ingest") as outcome:
        source = origin.choose(home, home.open_ledger(), landing)
        progress.note(f"from {source.landing} ({source.name} data)")
        taken = ingest(home, source.landing, say=progress.note)
        record.keep_events(home)
        outcome.append(taken.line)
    version, is_new = rebuild(home, progress, accepted)
    return BuildResult(version, is_new, taken.of("refused"))


def rebuild(
    home: Home, progress: Progress, accepted: Collection[str] = ()
) -> tuple[publish.Version, bool]:
    """Build, audit and publish what raw/ holds: the current version, and whether it is new."""
    transformation = Transformation(PROJECT, home.root)
    with progress.phase("dbt") as outcome:
        results = _transform(transformation, progress)
        outcome.append(_counted_nodes(results))
    manifest = catalog.read_manifest(transformation.manifest_path)
    marts = catalog.marts(manifest)
    judging = [mart for mart in marts if AFTER_AUDIT in mart.tags]
    judged = [mart for mart in marts if AFTER_AUDIT not in mart.tags]
    shelf = publish.Shelf(home.published)
    code = publish.code_digest(PROJECT)
    ledger = home.open_ledger()
    state = record.state_digest(code, (one["raw_sha256"] for one in _inputs(ledger)))
    number = record.build_number(ledger, state)
    with progress.phase("audit") as outcome:
        findings = _audit(home, shelf, judged, results, accepted)
        record.keep_results(home, number, manifest, judged, findings)
        # The marts that judge the build can only now be built, and are judged in turn.
        results = _all_run(transformation.build_judgements())
        findings += _audit(home, shelf, judging, results, accepted, findings)
        outcome.append(f"{len(findings)} rules hold on {len(marts)} marts")
    with progress.phase("publish") as outcome:
        version, is_new = _publish(home, shelf, transformation, marts, findings, code)
        record.keep_scores(home, number, state)
        outcome.append(f"version {version.id}" if is_new else f"nothing new, {version.id} stays")
    return version, is_new


def _transform(transformation: Transformation, progress: Progress) -> list[NodeResult]:
    if damage := transformation.discard_if_damaged():
        progress.note(f"the working database was damaged and is built anew from raw: {damage}")
    results = transformation.build()
    if any(_tells_of_damage(result) for result in results):
        progress.note("the working database was damaged inside and is built anew from raw")
        transformation.discard()
        results = transformation.build()
    return _all_run(results)


def _all_run(results: list[NodeResult]) -> list[NodeResult]:
    broken = [result for result in results if result.is_broken]
    if broken:
        lines = [f"  {result.name}: {result.message}" for result in broken[:FAILURES_SHOWN]]
        raise BuildFailedError("\n".join([f"dbt could not run {len(broken)} nodes:", *lines]))
    return results


def _tells_of_damage(result: NodeResult) -> bool:
    message = result.message.lower()
    return result.is_broken and any(words in message for words in _DAMAGE)


def _counted_nodes(results: Sequence[NodeResult]) -> str:
    kinds = [result.kind for result in results]
    return ", ".join(f"{kinds.count(kind)} {kind}s" for kind in ("seed", "model", "test"))


def _audit(
    home: Home,
    shelf: publish.Shelf,
    marts: Sequence[Mart],
    results: Sequence[NodeResult],
    accepted: Collection[str],
    before: Sequence[audit.Finding] = (),
) -> list[audit.Finding]:
    """The findings about these marts; AuditFailedError if any keeps them from being published."""
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
    text = json.dumps(audit.as_json([*before, *findings]), indent=1, ensure_ascii=False)
    (home.quality / "publish.json").write_text(text, encoding="utf-8")
    red = [finding for finding in findings if finding.is_red]
    if red:
        record.keep_failed_audit(home.open_ledger(), red)
        stays = f"version {current.id} stays" if current else "there is no version yet"
        lines = [f"  {finding.as_line()}" for finding in red[:FAILURES_SHOWN]]
        raise AuditFailedError(
            "\n".join([f"{len(red)} rules failed, nothing was published, {stays}:", *lines])
        )
    return findings


def _filled_extracts(home: Home, marts: Sequence[Mart]) -> frozenset[tuple[str, str]]:
    """Extracts that hold at least one row."""
    filled = set()
    query = "select count(*) from read_parquet(?, union_by_name = true)"
    with duckdb.connect() as connection:
        for source, extract in sorted({pair for mart in marts for pair in mart.extracts}):
            if scalar(connection, query, [str(home.raw / source / extract / "*.parquet")]):
                filled.add((source, extract))
    return frozenset(filled)


def _publish(
    home: Home,
    shelf: publish.Shelf,
    transformation: Transformation,
    marts: Sequence[Mart],
    findings: Sequence[audit.Finding],
    code: str,
) -> tuple[publish.Version, bool]:
    """The version that says what the marts say, and whether it was not current before."""
    ledger = home.open_ledger()
    inputs = _inputs(ledger)
    folder = shelf.start()
    published = publish.export_marts(home.database, marts, folder)
    digest = publish.content_digest(published, code, (one["raw_sha256"] for one in inputs))
    current = shelf.current()
    version = current if shelf.is_withdrawn(digest) else shelf.find(digest)
    if version:
        shutil.rmtree(folder)
    else:
        publish.write_database(folder / "marts.duckdb", marts, folder / "marts")
        key = roles.pseudonym_key(home.pseudonym_key)
        facts = {
            "origin": origin.recorded(ledger) or "own",
            "as_of": _as_of(home),
            "git": _git(),
            "code_digest": code,
            "packages": {name: metadata.version(name) for name in ("dbt-core", "duckdb")},
            "inputs": inputs,
            "audit": audit.summary(findings),
            "marts": publish.describe(published),
            "roles": roles.publish(home.database, marts, folder, key),
        }
        _write_pages(transformation, folder, facts, findings)
        version = shelf.put(folder, digest, facts)
    if current and current.id == version.id:
        return current, False
    _enter(ledger, version)
    shelf.switch(version)
    shelf.drop_old()
    return version, True


def _write_pages(
    transformation: Transformation,
    folder: Path,
    facts: Mapping[str, Any],
    findings: Sequence[audit.Finding],
) -> None:
    # Declaring charts takes a second; commands that draw none should not wait for it.
    from warehouse.report import site

    created_at = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    shutil.copyfile(transformation.document(), folder / "docs.html")
    whole = site.Source(
        folder / "marts.duckdb", "", facts, created_at, site.VERSION_LINKS, site.VERSION_FILES
    )
    site.write(whole, folder)
    site.write_checks(whole, findings, facts["inputs"], folder / "quality.html")
    for role in facts["roles"]:
        database = folder / "roles" / f"{role}.duckdb"
        own = site.Files(f"../{role}.duckdb", "")
        site.write(
            site.Source(database, role, facts, created_at, files=own), folder / "roles" / role
        )


def _enter(ledger: Ledger, version: publish.Version) -> None:
    """Write a version into the ledger, unless a run that was interrupted has."""
    entered = {entry["version"] for entry in ledger.entries if entry["event"] == "published"}
    if version.id not in entered:
        ledger.append(
            "published",
            version=version.id,
            content_digest=version.manifest["content_digest"],
            manifest_sha256=version.manifest_sha256,
            commit=version.manifest["git"]["commit"],
            rows=sum(version.rows.values()),
        )


def _inputs(ledger: Ledger) -> list[dict[str, Any]]:
    """Every file the marts stand on, as the ledger has it."""
    names = ("source", "extract", "file", "sha256", "raw_sha256")
    counts = ("rows_read", "rows_accepted", "rows_quarantined")

    def facts(entry: Entry) -> dict[str, Any]:
        return {name: entry[name] for name in (*names, *counts)}

    loaded = [facts(entry) for entry in ledger.loads]
    return sorted(loaded, key=lambda one: (one["source"], one["extract"], one["file"]))


def _as_of(home: Home) -> str | None:
    """The day the data speaks for."""
    with duckdb.connect(home.database, read_only=True) as connection:
        day = scalar(connection, "select max(reporting_on) from intermediate.int_reporting_date")
    return None if day is None else str(day)


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
