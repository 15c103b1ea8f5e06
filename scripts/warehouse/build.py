"""The main job: ingest, build, audit, publish."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import duckdb

from warehouse import audit, built, catalog, origin, publish, record, report, roles, seeds
from warehouse.built import Built
from warehouse.catalog import Mart
from warehouse.errors import AuditFailedError, BuildFailedError, TamperedError
from warehouse.home import PROJECT, Home
from warehouse.ingest import FileResult, ingest
from warehouse.ledger import Entry, Ledger
from warehouse.sql import scalar
from warehouse.store import fingerprint
from warehouse.suites.publish import ROWS_KEPT, Context
from warehouse.transform import AFTER_AUDIT, Increment, NodeResult, Transformation

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
    home: Home,
    progress: Progress,
    landing: Path | None = None,
    accepted: Collection[str] = (),
    *,
    whole: bool = False,
) -> BuildResult:
    """Take new files, build the marts, audit them, and publish them if they say anything new."""
    with progress.phase("ingest") as outcome:
        source = origin.choose(home, home.open_ledger(), landing)
        progress.note(f"from {source.landing} ({source.name} data)")
        taken = ingest(home, source.landing, say=progress.note)
        record.keep_events(home)
        outcome.append(taken.line)
    version, is_new = rebuild(home, progress, accepted, whole=whole)
    return BuildResult(version, is_new, taken.of("refused"))


def rebuild(
    home: Home,
    progress: Progress,
    accepted: Collection[str] = (),
    transformation: Transformation | None = None,
    *,
    whole: bool = False,
) -> tuple[publish.Version, bool]:
    """Build, audit and publish what raw/ holds: the current version, and whether it is new.

    What stands on no changed extract is taken over from the build before, where the working database
    is just what that build left; `whole` builds everything all the same.
    """
    transformation = transformation or Transformation(PROJECT, home.root)
    shelf = publish.Shelf(home.published)
    code = publish.code_digest(PROJECT, home.seeds)
    ledger = home.open_ledger()
    with progress.phase("dbt") as outcome:
        foreign = _foreign_seeds(home, ledger)
        before = None if whole else _built_before(home, transformation, progress, code)
        if accepted:
            # Before minutes are spent on what cannot be said.
            if before is None:
                transformation.parse()
            known = catalog.read_manifest(transformation.manifest_path)
            audit.check_accepted(accepted, catalog.marts(known))
        current = shelf.current()
        if before and current and before.is_published_as(current.id, ledger):
            outcome.append("nothing has changed")
            return current, False
        if foreign:
            progress.note(f"still the sample company's: {', '.join(foreign)}")
            progress.note("`warehouse seeds` starts your own")
        results, done = _transform(home, transformation, progress, before, code)
        outcome.append(_counted_nodes(results))
    manifest = catalog.read_manifest(transformation.manifest_path)
    marts = catalog.marts(manifest)
    judging = [mart for mart in marts if AFTER_AUDIT in mart.tags]
    judged = [mart for mart in marts if AFTER_AUDIT not in mart.tags]
    state = record.state_digest(code, (one["raw_sha256"] for one in _inputs(ledger)))
    number = record.build_number(ledger, state)
    with progress.phase("audit") as outcome:
        built_anew = [mart for mart in judged if done.is_whole or mart.name in done.marts_since]
        kept = _findings_kept(home, manifest, built_anew, results) if before else []
        findings = _audit(home, shelf, built_anew, results, accepted, kept)
        record.keep_results(home, number, manifest, judged, findings)
        # The marts that judge the build can only now be built, and are judged in turn.
        results = _all_run(transformation.build_judgements())
        built.write(home.built, done.with_marts(mart.name for mart in judging), home.database)
        findings = _audit(home, shelf, judging, results, accepted, findings)
        if broken := _critical_violations(home):
            progress.note(f"records that break critical rules, in rpt_rule_violations: {broken}")
        outcome.append(f"{len(findings)} rules hold on {len(marts)} marts")
    with progress.phase("publish") as outcome:
        base = _base(shelf, done.with_marts(mart.name for mart in judging), code)
        version, is_new = _publish(home, shelf, transformation, marts, findings, code, base)
        record.keep_scores(home, number, state)
        # After a rollback the version in force says something else than the database.
        is_equal = version.manifest["inputs"] == _inputs(home.open_ledger())
        built.write(home.built, done.published(version.id if is_equal else None), home.database)
        outcome.append(f"version {version.id}" if is_new else f"nothing new, {version.id} stays")
    return version, is_new


def _foreign_seeds(home: Home, ledger: Ledger) -> list[str]:
    """Seeds of an own company that still speak of the sample company."""
    found = seeds.of_sample(home)
    return found if origin.recorded(ledger) != "sample" else []


def _critical_violations(home: Home) -> str:
    """How many records break which critical rule."""
    with duckdb.connect(home.database, read_only=True) as connection:
        counted = connection.execute(
            """
            select count(*), rule_id from marts.rpt_rule_violations
            where is_critical and not is_excepted group by rule_id order by 1 desc, 2"""
        ).fetchall()
    return ", ".join(f"{records:,} {rule}" for records, rule in counted)


def _built_before(
    home: Home, transformation: Transformation, progress: Progress, code: str
) -> Built | None:
    """What the working database was built from, if that can be built upon."""
    if damage := transformation.discard_if_damaged():
        progress.note(f"the working database was damaged and is built anew from raw: {damage}")
    before = built.read(home.built, home.database)
    if before and before.code == code and before.is_sound and transformation.manifest_path.exists():
        return before
    if not home.built.exists():
        reason = "nothing was built here before"
    elif before and before.code != code:
        reason = "models, seeds or code changed"
    elif before and not before.is_sound:
        reason = "the last build was not completed"
    else:
        reason = "the working database is not what the last build left"
    progress.note(f"everything is built: {reason}")
    return None


def _base(shelf: publish.Shelf, done: Built, code: str) -> publish.Base | None:
    """The version whose unchanged files can be taken over."""
    current = shelf.current()
    if done.is_whole or current is None or current.id != done.version:
        return None
    if current.manifest["code_digest"] != code:
        return None
    return publish.Base(current, frozenset(done.marts_since))


def _transform(
    home: Home,
    transformation: Transformation,
    progress: Progress,
    before: Built | None,
    code: str,
) -> tuple[list[NodeResult], Built]:
    """Run dbt on what changed since `before`, or on everything; what stands in the database then."""
    ledger = home.open_ledger()
    whole = Built(code, built.loads(ledger), is_whole=True)
    if before is None:
        results, done, changed = _build_all(home, transformation, progress), whole, {*whole.loads}
    else:
        changed = before.changed(ledger)
        if changed:
            progress.note(f"downstream of {', '.join(sorted(changed))}")
        loaded_after = {one: before.loaded_until(one, ledger) for one in changed}
        results, marts = _build_changed(transformation, progress, loaded_after)
        done = replace(whole, is_whole=before.is_whole, version=before.version).with_marts(
            (*before.marts_since, *marts)
        )
        if _is_damaged(home, results):
            results, done = _build_all(home, transformation, progress), whole
    is_sound = not any(result.is_broken or result.status == "fail" for result in results)
    built.write(
        home.built, replace(done, unfinished=[] if is_sound else sorted(changed)), home.database
    )
    return _all_run(results), done


def _build_changed(
    transformation: Transformation, progress: Progress, loaded_after: Mapping[str, str | None]
) -> tuple[list[NodeResult], Collection[str]]:
    """Run dbt on what stands on changed extracts; the marts among it."""
    manifest = catalog.read_manifest(transformation.manifest_path)
    reached = catalog.downstream(manifest, loaded_after, AFTER_AUDIT)
    if not reached.nodes:
        return [], reached.marts
    models = catalog.increments(manifest, reached.nodes, loaded_after)
    if models:
        progress.note(f"added to: {', '.join(models)}")
    increment = Increment(models, loaded_after, sorted(reached.models))
    return transformation.build(reached.nodes, increment), reached.marts


def _build_all(home: Home, transformation: Transformation, progress: Progress) -> list[NodeResult]:
    if damage := transformation.discard_if_damaged():
        progress.note(f"the working database was damaged and is built anew from raw: {damage}")
    results = transformation.build()
    if _is_damaged(home, results):
        progress.note("the working database was damaged inside and is built anew from raw")
        transformation.discard()
        results = transformation.build()
    return results


def _findings_kept(
    home: Home,
    manifest: Mapping[str, Any],
    built_anew: Sequence[Mart],
    results: Sequence[NodeResult],
) -> list[audit.Finding]:
    """Findings of the audit before about what was not built since."""
    gone = {mart.name for mart in built_anew} | catalog.tagged_marts(manifest, AFTER_AUDIT)
    run_again = {result.unique_id for result in results}
    run_again |= catalog.tests_of_tagged(manifest, AFTER_AUDIT)
    return [
        finding
        for finding in audit.read(home.quality / "publish.json")
        if finding.subject not in gone and finding.node not in run_again
    ]


def _all_run(results: list[NodeResult]) -> list[NodeResult]:
    broken = [result for result in results if result.is_broken]
    if broken:
        lines = [f"  {result.name}: {result.message}" for result in broken[:FAILURES_SHOWN]]
        raise BuildFailedError("\n".join([f"dbt could not run {len(broken)} nodes:", *lines]))
    return results


def _is_damaged(home: Home, results: Sequence[NodeResult]) -> bool:
    """Whether the working database cannot be read; TamperedError where a raw file is the cause."""
    messages = [result.message.lower() for result in results if result.is_broken]
    if messages:
        for entry in home.open_ledger().loads:
            raw, sha256 = home.root / entry["raw"], entry["raw_sha256"]
            if not raw.is_file() or fingerprint(raw) != sha256:
                raise TamperedError(
                    f"{raw} is not what was accepted from {entry['file']}: copy it back from a "
                    f"backup, where it is objects/{sha256[:2]}/{sha256}, then build again."
                )
    return any(words in message for message in messages for words in _DAMAGE)


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
    """The findings of `before` and about these marts; AuditFailedError if any is red."""
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
    findings = [*before, *findings]
    text = json.dumps(audit.as_json(findings), indent=1, ensure_ascii=False)
    (home.quality / "publish.json").write_text(text, encoding="utf-8")
    red = [finding for finding in findings if finding.is_red]
    if red:
        record.keep_failed_audit(home.open_ledger(), red)
        stays = f"version {current.id} stays" if current else "there is no version yet"
        lines = [f"  {finding.as_line()}" for finding in red[:FAILURES_SHOWN]]
        if tests := " ".join(finding.rule for finding in red if finding.node):
            lines.append(f"To keep the rows: uv run dbt test --store-failures --select {tests}")
        if any(finding.rule == ROWS_KEPT for finding in red):
            lines.append("If rows are meant to be gone: uv run warehouse build --accept rows_kept")
        failed = f"{len(red)} rules" if len(red) > 1 else "A rule"
        raise AuditFailedError(
            "\n".join([f"{failed} failed, nothing was published, {stays}:", *lines])
        )
    return findings


def _filled_extracts(home: Home, marts: Sequence[Mart]) -> frozenset[tuple[str, str]]:
    """Extracts that hold at least one row."""
    filled = set()
    query = "select count(*) from read_parquet(?, union_by_name = true, hive_partitioning = false)"
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
    base: publish.Base | None,
) -> tuple[publish.Version, bool]:
    """The version that says what the marts say, and whether it was not current before."""
    ledger = home.open_ledger()
    inputs = _inputs(ledger)
    _drop_unentered(shelf, ledger)
    folder = shelf.start()
    published = publish.export_marts(home.database, marts, folder, base)
    digest = publish.content_digest(published, code, (one["raw_sha256"] for one in inputs))
    current = shelf.current()
    stays = current if shelf.is_withdrawn(digest) else None
    version = stays or shelf.find(digest)
    if version:
        shutil.rmtree(folder)
    else:
        base = base and base.narrowed(published)
        publish.write_database(folder, "marts.duckdb", marts, folder / "marts", base)
        key = roles.pseudonym_key(home.pseudonym_key)
        facts = {
            "origin": origin.recorded(ledger) or "own",
            "seeds_of_sample": _foreign_seeds(home, ledger),
            "as_of": _as_of(home),
            "git": _git(),
            "code_digest": code,
            "packages": {name: metadata.version(name) for name in ("dbt-core", "duckdb")},
            "inputs": inputs,
            "audit": audit.summary(findings),
            "marts": publish.describe(published),
            "roles": roles.publish(home.database, marts, folder, key, base),
        }
        # Equal code has equal definitions and lineage.
        if not (base and base.copy("docs.html", folder)):
            docs = report.packed(transformation.document().read_bytes())
            (folder / "docs.html").write_text(docs, encoding="utf-8")
        _write_pages(home, folder, facts, findings)
        version = shelf.put(folder, digest, facts)
    if not stays:
        enter(ledger, version)
    if current and current.id == version.id:
        return current, False
    shelf.switch(version)
    shelf.drop_old()
    return version, True


def _write_pages(
    home: Home, folder: Path, facts: Mapping[str, Any], findings: Sequence[audit.Finding]
) -> None:
    # Declaring charts takes a second; commands that draw none should not wait for it.
    from warehouse.report import site

    created_at = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    cache = home.root / "target"
    database = folder / "marts.duckdb"
    whole = site.Source(
        database, "", facts, created_at, site.VERSION_LINKS, site.VERSION_FILES, cache
    )
    site.write(whole, folder)
    site.write_checks(whole, findings, facts["inputs"], folder / "quality.html")
    for role in facts["roles"]:
        database = folder / "roles" / f"{role}.duckdb"
        own = site.Files(f"../{role}.duckdb", "")
        source = site.Source(database, role, facts, created_at, files=own, cache=cache)
        site.write(source, folder / "roles" / role)


def _drop_unentered(shelf: publish.Shelf, ledger: Ledger) -> None:
    """Remove what a killed run had put on the shelf and not entered: no reader was sent there."""
    current = shelf.current()
    for version in shelf.versions():
        if version.id not in _entered(ledger) and (current is None or version.id != current.id):
            shelf.drop(version)


def _entered(ledger: Ledger) -> set[str]:
    return {entry["version"] for entry in ledger.entries if entry["event"] == "published"}


def enter(ledger: Ledger, version: publish.Version) -> None:
    """Write into the ledger that a version is in force, unless a run that was interrupted has."""
    if version.id != ledger.in_force:
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
    """The day the data speaks for: that of the ledger, else that of revenue."""
    with duckdb.connect(home.database, read_only=True) as connection:
        day = scalar(
            connection,
            "select coalesce(max(reporting_on), max(cutoff_on)) "
            "from intermediate.int_reporting_date, intermediate.int_revenue_cutoff",
        )
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
