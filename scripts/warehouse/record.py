"""What became of a build and of its home, as data that models read.

raw/audit/
    rule_results/latest.parquet      every rule checked by the latest build and by the gate
    home_events/events.parquet       backups, drills, restores, roll-backs and failed audits
    quality_scores/<number>.parquet  the scores of one build, never changed
    target_scores/<number>.parquet   how many outputs that build found in order, never changed

The first two derive from the ledger and the build; both kinds of scores are entered in the ledger.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from warehouse.audit import Finding
from warehouse.catalog import Mart
from warehouse.home import Home
from warehouse.ledger import Entry, Ledger
from warehouse.sql import literal, parquet_rows, scalar
from warehouse.store import fingerprint, replacing

SCORED = "scored"
TARGETS_SCORED = "targets_scored"

EVENTS = ("origin", "backed_up", "drilled", "restored", "rolled_back", "audit_failed")

# What a dbt test is about, by its kind; a test's own meta `dimension` goes before.
DIMENSIONS = {
    "not_null": "completeness",
    "unique": "uniqueness",
    "unique_key": "uniqueness",
    "accepted_values": "validity",
    "every_row": "validity",
    "relationships": "consistency",
    # Rules of the publish suites.
    "rows_kept": "completeness",
    "missing_has_reason": "completeness",
}

# Reasons of the gate that speak of something missing; all others of something unreadable.
_MISSING = ("is required but empty", "the record has fewer values than the header has names")


@dataclass(frozen=True)
class RuleResult:
    """One rule, checked on one dataset."""

    build_number: int
    dataset_type: str  # extract, mart, model or seed
    dataset: str
    rule_origin: str  # gate, contract, dbt, great_expectations or freshness
    rule_id: str
    dimension: str
    # A failure of it makes the dataset red, whatever its score.
    is_critical: bool
    state: str  # passed, failed, accepted, or quarantined: the rows that broke it were kept out
    checked_rows: int | None
    failed_rows: int
    # Latest load of the extract; of everything, where it is no extract.
    loaded_at: datetime | None


_RESULT_COLUMNS = (
    "build_number bigint, dataset_type varchar, dataset varchar, rule_origin varchar, rule_id varchar, "
    "dimension varchar, is_critical boolean, state varchar, checked_rows bigint, failed_rows bigint, "
    "loaded_at timestamp"
)


def keep_events(home: Home) -> None:
    """Write what happened to the home so far; backups and restores find it with the raw files."""
    rows = []
    build = 1
    for entry in home.open_ledger().entries:
        if entry["event"] == SCORED:
            build += 1
        if entry["event"] in EVENTS:
            rows.append(
                (
                    entry["seq"],
                    build,
                    _moment(entry["at"]),
                    entry["event"],
                    entry.get("snapshot") or entry.get("version") or entry.get("origin"),
                    entry.get("seconds"),
                    not entry["differing"] if "differing" in entry else None,
                    ", ".join(entry.get("rules") or entry.get("differing") or ()) or None,
                )
            )
    _write(
        home.raw / "audit" / "home_events" / "events.parquet",
        "event_number bigint, build_number bigint, occurred_at timestamp, event_type varchar, subject varchar, "
        "seconds double, is_whole boolean, details varchar",
        rows,
    )


def keep_failed_audit(ledger: Ledger, findings: Iterable[Finding]) -> None:
    """Enter which rules kept a version from being published, unless the last entry says so."""
    rules = sorted({f"{finding.subject}.{finding.rule}" for finding in findings if finding.is_red})
    last = ledger.entries[-1] if ledger.entries else {}
    if last.get("event") != "audit_failed" or last.get("rules") != rules:
        ledger.append("audit_failed", rules=rules)


def build_number(ledger: Ledger, state: str) -> int:
    """The number of the build that leads from this state: of one scored already, or the next."""
    scored = [entry for entry in ledger.entries if entry["event"] == SCORED]
    if scored and scored[-1]["state"] == state:
        return int(scored[-1]["build"])
    return len(scored) + 1


def state_digest(code: str, inputs: Iterable[str]) -> str:
    """Inputs and code a build starts from: equal digests are the same build run again."""
    return hashlib.sha256("\n".join([code, *sorted(inputs)]).encode()).hexdigest()


def keep_results(
    home: Home,
    number: int,
    manifest: Mapping[str, Any],
    marts: Sequence[Mart],
    findings: Sequence[Finding],
) -> None:
    """Write every rule that was checked: by the gate, by contracts, by dbt, before publishing."""
    path = home.raw / "audit" / "rule_results" / "latest.parquet"
    ledger = home.open_ledger()
    # The same build run again: what it found then counts, also what was accepted by name.
    if _is_scored(ledger, number) and _build_of(path) == number:
        return
    with duckdb.connect(home.database, read_only=True) as connection:
        rows = _row_counts(connection)
        stale = _stale_extracts(connection)
    loaded_at = max((_moment(entry["loaded_at"]) for entry in ledger.loads), default=None)
    results = [
        *_of_gate(number, ledger.loads),
        *_of_contracts(number, manifest, marts, rows, loaded_at),
        *_of_tests(number, manifest, findings, rows, loaded_at),
        *_of_suites(number, findings, rows, loaded_at),
        *_of_inputs(number, marts, stale, loaded_at),
    ]
    _write(path, _RESULT_COLUMNS, sorted(map(astuple, results), key=repr))


def keep_scores(home: Home, number: int, state: str) -> None:
    """Store the scores of a build for the builds to come, and enter them in the ledger."""
    ledger = home.open_ledger()
    if _is_scored(ledger, number):
        return
    # What counts a build as scored comes last, so that a killed run is completed by the next.
    for event, folder, columns, mart in (
        (
            TARGETS_SCORED,
            "target_scores",
            (
                f"cast({number} as bigint) as build_number, target_id, fiscal_period, month_date, "
                "item_count, passed_item_count"
            ),
            "rpt_programme_target_months where target_id = 'T3' and is_current",
        ),
        (SCORED, "quality_scores", "* exclude (is_current)", "rpt_data_quality where is_current"),
    ):
        path = home.raw / "audit" / folder / f"{number:06}.parquet"
        with duckdb.connect(home.database, read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            with replacing(path) as unfinished:
                connection.execute(
                    f"copy (select {columns} from marts.{mart} order by all) "
                    f"to {literal(str(unfinished))} (format parquet)"
                )
        ledger.append(
            event,
            build=number,
            state=state,
            raw=path.relative_to(home.root).as_posix(),
            raw_sha256=fingerprint(path),
        )


def _is_scored(ledger: Ledger, number: int) -> bool:
    return any(entry["event"] == SCORED and entry["build"] == number for entry in ledger.entries)


def _build_of(path: Path) -> int | None:
    if not path.is_file():
        return None
    with duckdb.connect() as connection:
        try:
            found = scalar(connection, f"select max(build_number) from {parquet_rows(path)}")
        except duckdb.Error:
            return None  # Damaged: written anew.
    return None if found is None else int(found)


def _of_gate(number: int, loads: Iterable[Entry]) -> Iterator[RuleResult]:
    """Landing rules and unreadable values, summed over the files of an extract."""
    read: dict[str, int] = {}
    loaded: dict[str, datetime] = {}
    failed: dict[tuple[str, str, str], int] = {}
    for entry in loads:
        extract = str(entry["extract"])
        read[extract] = read.get(extract, 0) + int(entry["rows_read"])
        loaded_at = _moment(entry["loaded_at"])
        loaded[extract] = max(loaded.get(extract, loaded_at), loaded_at)
        rules = {rule["message"]: rule["rule"] for rule in entry["rules"]}
        for rule in entry["rules"]:
            failed.setdefault((extract, rule["rule"], "validity"), 0)
        failed.setdefault((extract, "required_values", "completeness"), 0)
        failed.setdefault((extract, "readable_values", "validity"), 0)
        for fault in entry["faults"]:
            if fault["reason"] in rules:
                key = (extract, str(rules[fault["reason"]]), "validity")
            elif fault["reason"] in _MISSING:
                key = (extract, "required_values", "completeness")
            else:
                key = (extract, "readable_values", "validity")
            failed[key] = failed.get(key, 0) + int(fault["rows"])
    for (extract, rule, dimension), rows in failed.items():
        yield RuleResult(
            number,
            "extract",
            extract,
            "gate",
            rule,
            dimension,
            is_critical=False,
            state="quarantined" if rows else "passed",
            checked_rows=read[extract],
            # Values are counted one by one; a record can hold several.
            failed_rows=min(rows, read[extract]),
            loaded_at=loaded[extract],
        )


def _of_contracts(
    number: int,
    manifest: Mapping[str, Any],
    marts: Sequence[Mart],
    rows: Mapping[str, int],
    loaded_at: datetime | None,
) -> Iterator[RuleResult]:
    """Columns that may not be empty: the contract refuses the table otherwise."""
    for mart in marts:
        node = manifest["nodes"][mart.unique_id]
        for column in node["columns"].values():
            if any(one["type"] == "not_null" for one in column.get("constraints") or ()):
                yield RuleResult(
                    number,
                    "mart",
                    mart.name,
                    "contract",
                    f"not_null.{column['name']}",
                    "completeness",
                    is_critical=True,
                    state="passed",
                    checked_rows=rows.get(mart.name),
                    failed_rows=0,
                    loaded_at=loaded_at,
                )


def _of_tests(
    number: int,
    manifest: Mapping[str, Any],
    findings: Iterable[Finding],
    rows: Mapping[str, int],
    loaded_at: datetime | None,
) -> Iterator[RuleResult]:
    """dbt's data tests; one that stands on several tables speaks of each."""
    for finding in findings:
        node = manifest["nodes"].get(finding.node) if finding.node else None
        if node is None:
            continue
        kind = (node.get("test_metadata") or {}).get("name", "")
        dimension = node["config"].get("meta", {}).get("dimension")
        attached = node.get("attached_node")
        parents = [attached] if attached else node["depends_on"]["nodes"]
        for parent in parents:
            tested = manifest["nodes"].get(parent)
            if tested is None:
                continue
            is_mart = tested["resource_type"] == "model" and tested["fqn"][1] == "marts"
            yield RuleResult(
                number,
                "mart" if is_mart else tested["resource_type"],
                tested["name"],
                "dbt",
                finding.rule,
                dimension or DIMENSIONS.get(kind, "consistency"),
                is_critical=node["config"].get("severity", "error").lower() == "error",
                state=finding.state,
                checked_rows=rows.get(tested["name"]),
                failed_rows=finding.failing_rows if finding.state != "passed" else 0,
                loaded_at=loaded_at,
            )


def _of_suites(
    number: int, findings: Iterable[Finding], rows: Mapping[str, int], loaded_at: datetime | None
) -> Iterator[RuleResult]:
    for finding in findings:
        if finding.origin == "great_expectations":
            yield RuleResult(
                number,
                "mart",
                finding.subject,
                finding.origin,
                finding.rule,
                DIMENSIONS.get(finding.rule, "validity"),
                is_critical=True,
                state=finding.state,
                checked_rows=rows.get(finding.subject),
                failed_rows=finding.failing_rows,
                loaded_at=loaded_at,
            )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=None)


def _of_inputs(
    number: int,
    marts: Sequence[Mart],
    stale: Collection[tuple[str, str]],
    loaded_at: datetime | None,
) -> Iterator[RuleResult]:
    """Whether what a mart stands on came within its service level."""
    for mart in marts:
        if mart.extracts:
            late = len(mart.extracts & frozenset(stale))
            yield RuleResult(
                number,
                "mart",
                mart.name,
                "freshness",
                "inputs_delivered_in_time",
                "timeliness",
                is_critical=False,
                state="failed" if late else "passed",
                checked_rows=len(mart.extracts),
                failed_rows=late,
                loaded_at=loaded_at,
            )


def _stale_extracts(connection: duckdb.DuckDBPyConnection) -> set[tuple[str, str]]:
    query = (
        "select source_name, extract_name from marts.rpt_freshness where freshness_state = 'error'"
    )
    return set(connection.execute(query).fetchall())


def _row_counts(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    query = "select table_name, estimated_size from duckdb_tables() where not internal"
    return {str(name): int(size) for name, size in connection.execute(query).fetchall()}


def _write(path: Path, columns: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """A Parquet file with these rows; left alone when it already holds them."""
    with duckdb.connect() as connection:
        connection.execute(f"create table rows ({columns})")
        if rows:
            marks = ", ".join(f"({', '.join('?' for _ in row)})" for row in rows)
            values = [value for row in rows for value in row]
            connection.execute(f"insert into rows values {marks}", values)
        if path.is_file() and _holds(connection, path):
            return
        with replacing(path) as unfinished:
            connection.execute(f"copy rows to {literal(str(unfinished))} (format parquet)")


def _holds(connection: duckdb.DuckDBPyConnection, path: Path) -> bool:
    stored = parquet_rows(path)
    # An earlier release may have kept other columns.
    ours, theirs = (
        [column[:2] for column in connection.execute(f"describe from {rows}").fetchall()]
        for rows in ("rows", stored)
    )
    if ours != theirs:
        return False
    query = f"select count(*) from ((from rows except all from {stored}) union all (from {stored} except all from rows))"
    try:
        return bool(scalar(connection, query) == 0)
    except duckdb.Error:
        return False  # Damaged: written anew.
