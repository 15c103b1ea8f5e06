"""The gate: delivered files become typed Parquet, rejected rows go to quarantine with the reason.

Each file is read once, by DuckDB. A row is accepted when every value can be read exactly as the
contract's type and the extract's landing suite holds for it. Quarantine is written first, then raw,
then the ledger entry: a file counts as loaded when its entry is on disk, so a killed run is
completed by running again.
"""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import duckdb

from warehouse import contract as contracts
from warehouse import sift
from warehouse.contract import GATE_COLUMNS, Contract, Extract
from warehouse.errors import FileRefusedError
from warehouse.home import Home
from warehouse.ledger import Ledger
from warehouse.prepare import fingerprint, prepare
from warehouse.quality import RuleResult
from warehouse.scan import scan
from warehouse.sql import identifier, literal
from warehouse.store import replacing

# What one file may use of memory; what does not fit is spilled to the home's scratch folder.
MEMORY_LIMIT = "1GB"

# The source of what the gate itself keeps under raw/.
GATE = "gate"

_IGNORED_SUFFIXES = {".done", ".md", ".part", ".tmp", ".crdownload"}
_STAMP = re.compile(r"(?<!\d)(\d{4}-\d{2}-\d{2})(?!\d)")


@dataclass(frozen=True)
class FileResult:
    """What became of one file."""

    file: str
    outcome: str  # loaded, known or refused
    extract: str | None = None
    rows_read: int = 0
    rows_accepted: int = 0
    rows_quarantined: int = 0
    message: str = ""
    quarantine: Path | None = None


@dataclass(frozen=True)
class Summary:
    """What became of all files of a landing folder."""

    files: tuple[FileResult, ...]

    def of(self, outcome: str) -> list[FileResult]:
        """The files with this outcome: loaded, known (already loaded) or refused."""
        return [file for file in self.files if file.outcome == outcome]

    @property
    def line(self) -> str:
        """All of it in one line."""
        parts = [
            f"{len(files)} files {outcome}"
            for outcome in ("loaded", "known", "refused")
            if (files := self.of(outcome))
        ]
        accepted = sum(file.rows_accepted for file in self.files)
        quarantined = sum(file.rows_quarantined for file in self.files)
        return (
            f"{', '.join(parts) or 'no files'}; {accepted} rows accepted, {quarantined} quarantined"
        )


@dataclass(frozen=True)
class _Delivery:
    """A file that was found, and where it belongs."""

    path: Path
    # As it is named in the ledger and in `_file`: relative to the landing folder.
    name: str
    sha256: str
    extract: Extract
    # The day in the file's name.
    stamp: date | None

    def raw_path(self, home: Home) -> Path:
        """Where its accepted rows go."""
        # A file delivered again under a later date is a new fact: it may take back a correction.
        stamp = f"{self.stamp}-" if self.stamp else ""
        return home.raw / self.extract.id / f"{stamp}{self.sha256[:16]}.parquet"


def ingest(
    home: Home,
    landing: Path,
    contract: Contract | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Summary:
    """Take every file of a landing folder that is not loaded yet. The caller holds the home's lock."""
    contract = contract or contracts.load()
    write_contracts(home, contract)
    ledger = Ledger(home.ledger / "ledger.jsonl")
    _clear_up_after_killed_run(home, ledger)
    results = []
    with ThreadPoolExecutor(max_workers=1) as background:
        gate = _Gate(home, landing, contract, ledger, background)
        for path in _files(landing):
            result = gate.take(path)
            results.append(result)
            if result.outcome != "known":
                say(describe(result))
    return Summary(tuple(results))


def write_contracts(home: Home, contract: Contract) -> None:
    """A Parquet file without rows for every extract: its columns exist before its first file."""
    with duckdb.connect() as connection:
        for extract in contract.extracts:
            columns = [(column.name, column.data_type) for column in extract.columns]
            columns += [] if extract.is_internal else GATE_COLUMNS
            typed = ", ".join(f"cast(null as {kind}) as {identifier(n)}" for n, kind in columns)
            path = home.raw / extract.id / "contract.parquet"
            if path.exists() and _columns(connection, path) == _described(connection, typed):
                continue
            with replacing(path) as unfinished:
                connection.execute(
                    f"copy (select {typed} where false) to {literal(str(unfinished))} (format parquet)"
                )


def _columns(connection: duckdb.DuckDBPyConnection, path: Path) -> list[tuple[str, str]]:
    rows = connection.execute("describe select * from read_parquet(?)", [str(path)]).fetchall()
    return [(row[0], row[1]) for row in rows]


def _described(connection: duckdb.DuckDBPyConnection, select: str) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in connection.execute(f"describe select {select}").fetchall()]


def _clear_up_after_killed_run(home: Home, ledger: Ledger) -> None:
    """Raw files that were never entered in the ledger go; their files are taken again."""
    shutil.rmtree(home.scratch, ignore_errors=True)
    entered = {entry["raw"] for entry in ledger.entries if entry.get("raw")}
    for path in home.raw.glob("*/*/*.parquet"):
        is_ours = path.stem != "contract" and path.parent.parent.name != GATE
        if is_ours and path.relative_to(home.root).as_posix() not in entered:
            path.unlink()


def _files(landing: Path) -> Iterator[Path]:
    for path in sorted(landing.rglob("*")):
        is_hidden = any(part.startswith((".", "_")) for part in path.relative_to(landing).parts)
        if path.is_file() and not is_hidden and path.suffix.lower() not in _IGNORED_SUFFIXES:
            yield path


@dataclass(frozen=True)
class _Gate:
    """Takes files, one after the other."""

    home: Home
    landing: Path
    contract: Contract
    ledger: Ledger
    background: Executor

    def take(self, path: Path) -> FileResult:
        """Load a file, unless it is loaded already or wrong as a whole."""
        name = path.relative_to(self.landing).as_posix()
        sha256 = ""
        try:
            _refuse_link_to_outside(path, self.landing)
            sha256 = fingerprint(path)
            delivery = _Delivery(path, name, sha256, *_belongs(path, name, self.contract))
            raw = delivery.raw_path(self.home)
            if any(entry.get("raw") == _inside(self.home, raw) for entry in self.ledger.entries):
                return FileResult(name, "known", delivery.extract.id)
            return self._load(delivery, raw)
        except FileRefusedError as error:
            return self._refuse(name, sha256, str(error))

    def _refuse(self, name: str, sha256: str, message: str) -> FileResult:
        facts = {"file": name, "sha256": sha256, "message": message}
        before = [entry for entry in self.ledger.entries if entry.get("file") == name]
        if not before or any(before[-1].get(fact) != value for fact, value in facts.items()):
            self.ledger.append("refused", **facts)
        return FileResult(name, "refused", message=message)

    def _load(self, delivery: _Delivery, raw: Path) -> FileResult:
        extract = delivery.extract
        as_found = delivery.path.stat()
        with _scratch(self.home) as scratch, _connected(scratch) as connection:
            prepared = prepare(delivery.path, scratch, extract.squeezed_names)
            try:
                found = scan(connection, prepared, extract)
                # Importing Great Expectations takes seconds, in which DuckDB can already parse.
                importing = self.background.submit(import_module, "warehouse.gx_engine")
                sift.parse(connection, prepared, found, extract)
                importing.result()
                results = sift.judge(connection, extract)
            except duckdb.Error as error:
                reason = str(error).splitlines()[0]
                raise FileRefusedError(f"DuckDB cannot read it: {reason}") from None
            as_read = delivery.path.stat()
            if (as_read.st_size, as_read.st_mtime_ns) != (as_found.st_size, as_found.st_mtime_ns):
                raise FileRefusedError(
                    "it changed while it was read: deliver it when it is complete"
                )
            rows = sift.count(connection)
            quarantine = None
            if rows["quarantined"]:
                quarantine = self.home.quarantine / extract.id / f"{raw.stem}.csv"
                sift.write_quarantine(connection, quarantine, delivery.name)
            loaded_at = datetime.now(UTC).replace(tzinfo=None)
            sift.write_raw(connection, raw, extract, delivery.name, loaded_at, delivery.stamp)
            self.ledger.append(
                "loaded",
                source=extract.source,
                extract=extract.name,
                file=delivery.name,
                sha256=delivery.sha256,
                bytes=as_read.st_size,
                encoding=prepared.encoding,
                loaded_at=loaded_at.isoformat(timespec="microseconds"),
                rows_read=rows["read"],
                rows_accepted=rows["accepted"],
                rows_quarantined=rows["quarantined"],
                totals=sift.total(connection, extract),
                rules=[_as_fact(result) for result in results],
                faults=sift.summarise_faults(connection),
                raw=_inside(self.home, raw),
                raw_sha256=fingerprint(raw),
                quarantine=_inside(self.home, quarantine) if quarantine else None,
                quarantine_sha256=fingerprint(quarantine) if quarantine else None,
            )
        return FileResult(
            file=delivery.name,
            outcome="loaded",
            extract=extract.id,
            rows_read=rows["read"],
            rows_accepted=rows["accepted"],
            rows_quarantined=rows["quarantined"],
            quarantine=quarantine,
        )


def _refuse_link_to_outside(path: Path, landing: Path) -> None:
    if not path.resolve().is_relative_to(landing.resolve()):
        raise FileRefusedError("it is a link to a place outside the landing folder: copy it in")


def _belongs(path: Path, name: str, contract: Contract) -> tuple[Extract, date | None]:
    """The extract a file is for, and the day stamped in its name."""
    source = name.split("/")[0] if "/" in name else ""
    extracts = contract.of(source)
    if not extracts:
        raise FileRefusedError(
            f"it lies in no folder of a source: put it into one of {', '.join(contract.sources)}"
        )
    named = [e for e in extracts if re.match(rf"{re.escape(e.name)}(?![A-Za-z0-9])", path.name)]
    # The longest name wins should one extract's name begin another's.
    if not (extract := max(named, key=lambda e: len(e.name), default=None)):
        known = ", ".join(extract.name for extract in extracts)
        raise FileRefusedError(
            f"its name begins with no extract of {source}: name it after one of {known}, "
            "for example " + f"{extracts[0].name}.2026-03-31.csv"
        )
    return extract, _stamped_day(path.name)


def _stamped_day(name: str) -> date | None:
    match = _STAMP.search(name)
    if not match:
        return None
    try:
        return date.fromisoformat(match[1])
    except ValueError:
        raise FileRefusedError(f"{match[1]} in its name is no day: rename it") from None


def _inside(home: Home, path: Path) -> str:
    return path.relative_to(home.root).as_posix()


@contextmanager
def _scratch(home: Home) -> Iterator[Path]:
    home.scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.scratch) as folder:
        yield Path(folder)


@contextmanager
def _connected(scratch: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    spill = str(scratch / "spill")
    with duckdb.connect(
        config={"memory_limit": MEMORY_LIMIT, "temp_directory": spill}
    ) as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


def _as_fact(result: RuleResult) -> dict[str, Any]:
    return {
        "rule": result.rule,
        "column": result.column,
        "message": result.message,
        "checked_rows": result.checked_rows,
        "failed_rows": result.unexpected_rows,
    }


def describe(result: FileResult) -> str:
    """One line about a file, for people."""
    match result.outcome:
        case "refused":
            return f"{result.file}: refused, because {result.message}."
        case "known":
            return f"{result.file}: already loaded."
        case _:
            line = f"{result.file}: {result.rows_accepted} rows accepted"
            if result.rows_quarantined:
                line += f", {result.rows_quarantined} quarantined; see {result.quarantine}"
            return line + "."
