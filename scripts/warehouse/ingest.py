"""The gate: delivered files become typed Parquet, rejected rows go to quarantine with the reason.

Each file is read once, by DuckDB. A row is accepted when every value can be read exactly as the
contract's type and the extract's landing suite holds for it. Quarantine is written first, then raw,
then the ledger entry: a file counts as loaded when its entry is on disk, so a killed run is
completed by running again.
"""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import duckdb

from warehouse import binding, sift, totals
from warehouse import contract as contracts
from warehouse.contract import GATE_COLUMNS, Contract, Extract
from warehouse.errors import FileRefusedError, MappingError, UsageError, tells_of_storage
from warehouse.home import Home
from warehouse.ledger import Ledger
from warehouse.mapping import ImportMapping, load_all
from warehouse.prepare import MAX_RATIO, MAX_UNPACKED, Prepared, prepare
from warehouse.quality import RuleResult
from warehouse.scan import Scan, bind, open_table
from warehouse.sql import identifier, literal, parquet_rows, scalar
from warehouse.store import fingerprint, now_after, replacing

# What one file may use of memory; what does not fit is spilled to the home's scratch folder.
MEMORY_LIMIT = "1GB"

# Sources of what the gate and the audit themselves keep under raw/.
INTERNAL = frozenset({totals.SOURCE, "audit"})

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
    rows_set_aside: int = 0
    rows_blank: int = 0
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
    mapping: ImportMapping | None = None

    def raw_path(self, home: Home) -> Path:
        """Where its accepted rows go: named by what was delivered and how it is read."""
        content = self.sha256
        if self.mapping:
            content = hashlib.sha256(f"{content} {self.mapping.digest}".encode()).hexdigest()
        # A file delivered again under a later date is a new fact: it may take back a correction.
        stamp = f"{self.stamp}-" if self.stamp else ""
        return home.raw / self.extract.id / f"{stamp}{content[:16]}.parquet"


def ingest(
    home: Home,
    landing: Path,
    contract: Contract | None = None,
    say: Callable[[str], None] = lambda _: None,
    files: Sequence[Path] | None = None,
) -> Summary:
    """Take every file of a landing folder that is not loaded yet, or just these of its files.

    The caller holds the home's lock. The folders bear the name of a source or of an import mapping.
    """
    with _opened(home, contract) as gate:
        chosen = landed(landing) if files is None else files
        return Summary(tuple(gate.take_all(chosen, landing, say)))


def ingest_files(
    home: Home,
    files: Sequence[Path],
    mapping: str,
    contract: Contract | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Summary:
    """Take single files by an import mapping. The caller holds the home's lock."""
    with _opened(home, contract) as gate:
        chosen = gate.mappings.get(mapping)
        if chosen is None:
            known = ", ".join(gate.mappings)
            raise UsageError(f"there is no mapping {mapping}; there are {known}.")
        if isinstance(chosen, MappingError):
            raise chosen
        if missing := [str(file) for file in files if not file.is_file()]:
            raise UsageError(f"{', '.join(missing)}: there is no such file.")
        results: list[FileResult] = []
        for file in files:
            results += gate.take_all([file], file.parent, say, chosen)
        return Summary(tuple(results))


@contextmanager
def _opened(home: Home, contract: Contract | None) -> "Iterator[_Gate]":
    contract = contract or contracts.load()
    mappings = load_all(contract, home.mappings)
    write_contracts(home, contract)
    ledger = home.open_ledger()
    _clear_up_after_killed_run(home, ledger)
    try:
        with ThreadPoolExecutor(max_workers=1) as background:
            yield _Gate(home, contract, mappings, ledger, background)
    finally:
        totals.write(home, contract, ledger)


def write_contracts(home: Home, contract: Contract) -> None:
    """A Parquet file without rows for every extract: its columns exist before its first file."""
    with duckdb.connect() as connection:
        for extract in contract.extracts:
            columns = [(column.name, column.data_type) for column in extract.columns]
            columns += [] if extract.is_internal else GATE_COLUMNS
            typed = ", ".join(f"cast(null as {kind}) as {identifier(n)}" for n, kind in columns)
            path = home.raw / extract.id / "contract.parquet"
            is_same = path.exists() and _columns(connection, path) == _described(connection, typed)
            if is_same and not scalar(connection, f"select count(*) from {parquet_rows(path)}"):
                continue
            with replacing(path) as unfinished:
                connection.execute(
                    f"copy (select {typed} where false) to {literal(str(unfinished))} (format parquet)"
                )


def _columns(connection: duckdb.DuckDBPyConnection, path: Path) -> list[tuple[str, str]]:
    try:
        rows = connection.execute(f"describe select * from {parquet_rows(path)}").fetchall()
    except duckdb.Error:
        return []  # Damaged: written anew.
    return [(row[0], row[1]) for row in rows]


def _described(connection: duckdb.DuckDBPyConnection, select: str) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in connection.execute(f"describe select {select}").fetchall()]


def _clear_up_after_killed_run(home: Home, ledger: Ledger) -> None:
    """Finish what a killed run had entered in the ledger, and undo what it had not."""
    shutil.rmtree(home.scratch, ignore_errors=True)
    live = {entry["raw"] for entry in ledger.loads}
    entered = {entry["raw"] for entry in ledger.entries if entry["event"] == "loaded"}
    for path in home.raw.glob("*/*/*.parquet"):
        raw = path.relative_to(home.root).as_posix()
        if path.stem == "contract" or path.parent.parent.name in INTERNAL or raw in live:
            continue
        if raw in entered:
            _withdraw(home, raw)
        else:
            path.unlink()


def _withdraw(home: Home, raw: str) -> None:
    target = home.withdrawn / Path(raw).relative_to("raw")
    target.parent.mkdir(parents=True, exist_ok=True)
    (home.root / raw).replace(target)


def landed(landing: Path) -> Iterator[Path]:
    """The files of a landing folder that are deliveries, by name."""
    for path in sorted(landing.rglob("*")):
        is_hidden = any(part.startswith((".", "_")) for part in path.relative_to(landing).parts)
        # A link that leads nowhere was meant to be a file: it is refused.
        is_file = path.is_file() or (path.is_symlink() and not path.is_dir())
        if is_file and not is_hidden and path.suffix.lower() not in _IGNORED_SUFFIXES:
            yield path


@dataclass(frozen=True)
class _Gate:
    """Takes files, one after the other."""

    home: Home
    contract: Contract
    # A mapping that is wrong stands there as its error: only files that use it are refused.
    mappings: Mapping[str, ImportMapping | MappingError]
    ledger: Ledger
    background: Executor

    def take_all(
        self,
        paths: Iterable[Path],
        folder: Path,
        say: Callable[[str], None],
        mapping: ImportMapping | None = None,
    ) -> Iterator[FileResult]:
        """Take files of a folder; with a mapping, all of them by that one."""
        for path in paths:
            result = self._take(path, folder, mapping)
            if result.outcome != "known":
                say(describe(result))
            yield result

    def _take(self, path: Path, folder: Path, mapping: ImportMapping | None) -> FileResult:
        """Load a file, unless it is loaded already or wrong as a whole."""
        name = path.relative_to(folder).as_posix()
        if mapping:
            name = f"{mapping.name}/{name}"
        if not _is_utf8(name):
            shown = name.encode(errors="backslashreplace").decode()
            return self._refuse(shown, "", "its name is no UTF-8: rename it")
        sha256 = ""
        try:
            if not mapping:
                _refuse_link_to_outside(path, folder)
            sha256 = fingerprint(path)
            delivery = self._delivery(path, name, sha256)
            raw = delivery.raw_path(self.home)
            if any(entry["raw"] == _inside(self.home, raw) for entry in self.ledger.loads):
                return FileResult(name, "known", delivery.extract.id)
            return self._load(delivery, raw)
        except FileRefusedError as error:
            return self._refuse(name, sha256, str(error))
        except (FileNotFoundError, PermissionError) as error:
            # Of the file, not of the home: what the home cannot store must stop the run.
            if error.filename != str(path):
                raise
            return self._refuse(
                name,
                sha256,
                f"it cannot be read ({error.strerror}): check it is there and yours to read",
            )

    def _delivery(self, path: Path, name: str, sha256: str) -> _Delivery:
        """What a file is for, told by the folder it lies in and by its name."""
        folder = name.split("/")[0] if "/" in name else ""
        stamp = _stamped_day(path.name)
        mapping = self.mappings.get(folder)
        if isinstance(mapping, MappingError):
            raise FileRefusedError(
                f"its mapping is wrong, correct it: {str(mapping).removesuffix('.')}"
            )
        if mapping:
            return _Delivery(path, name, sha256, mapping.extract, stamp, mapping)
        extracts = self.contract.of(folder)
        if not extracts:
            raise FileRefusedError(
                "it lies in no folder of a source or mapping: put it into one of "
                f"{', '.join(self.contract.sources)}, or into one named like a mapping "
                "(`warehouse mappings` lists them)"
            )
        return _Delivery(path, name, sha256, _named_extract(path.name, extracts), stamp)

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
            prepared, found = self._open(connection, delivery, scratch)
            _limit_spill(connection, prepared, scratch)
            # Importing Great Expectations takes seconds, in which DuckDB can already parse.
            importing = self.background.submit(import_module, "warehouse.gx_engine")
            with _refusing_what_duckdb_cannot_read():
                found = sift.parse(connection, prepared, found, extract)
                importing.result()
                results = sift.judge(connection, extract)
            # What is parsed is known to fit; sorting it on the way out may need as much again.
            connection.execute("reset max_temp_directory_size")
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
            withdraws = self._read_before(delivery)
            # Later rows supersede earlier ones, so the order of loading may not follow a clock put back.
            before = [
                datetime.fromisoformat(entry["loaded_at"]).replace(tzinfo=UTC)
                for entry in self.ledger.entries
                if entry["event"] == "loaded"
            ]
            loaded_at = now_after(before).replace(tzinfo=None)
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
                rows_set_aside=rows["set_aside"],
                rows_blank=rows["blank"],
                formats=dict(found.formats),
                mapping=delivery.mapping.name if delivery.mapping else None,
                withdraws=withdraws,
                totals=sift.total(connection, extract),
                rules=[_as_fact(result) for result in results],
                faults=sift.summarise_faults(connection),
                raw=_inside(self.home, raw),
                raw_sha256=fingerprint(raw),
                quarantine=_inside(self.home, quarantine) if quarantine else None,
                quarantine_sha256=fingerprint(quarantine) if quarantine else None,
            )
        for earlier in withdraws:
            _withdraw(self.home, earlier)
        return FileResult(
            file=delivery.name,
            outcome="loaded",
            extract=extract.id,
            rows_read=rows["read"],
            rows_accepted=rows["accepted"],
            rows_quarantined=rows["quarantined"],
            rows_set_aside=rows["set_aside"],
            rows_blank=rows["blank"],
            quarantine=quarantine,
        )

    def _open(
        self, connection: duckdb.DuckDBPyConnection, delivery: _Delivery, scratch: Path
    ) -> tuple[Prepared, Scan]:
        mapping, extract = delivery.mapping, delivery.extract
        if mapping is None:
            prepared = prepare(delivery.path, scratch, extract.squeezed_names)
        else:
            prepared = prepare(delivery.path, scratch, mapping.squeezed_names, mapping.reading)
        with _refusing_what_duckdb_cannot_read():
            table = open_table(connection, prepared)
        if mapping is None:
            return prepared, bind(table, extract)
        return prepared, binding.bind(table, mapping, delivery.stamp)

    def _read_before(self, delivery: _Delivery) -> list[str]:
        """Raw files of the same content, read by an earlier state of the same mapping."""
        return [
            entry["raw"]
            for entry in self.ledger.loads
            if delivery.mapping
            and (entry["sha256"], entry.get("mapping")) == (delivery.sha256, delivery.mapping.name)
            and _stamped_day(Path(entry["file"]).name) == delivery.stamp
        ]


@contextmanager
def _refusing_what_duckdb_cannot_read() -> Iterator[None]:
    try:
        yield
    except duckdb.OutOfMemoryException:
        raise FileRefusedError(
            "it unpacks to more than a file of its size may hold, or than half of the free disk: "
            "deliver it in parts"
        ) from None
    except duckdb.Error as error:
        # Of the home, not of the file.
        if tells_of_storage(error):
            raise
        reason = str(error).splitlines()[0]
        raise FileRefusedError(
            f"DuckDB cannot read it ({reason}): deliver it again, or as CSV"
        ) from None


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False  # Bytes of a name that are no text come as surrogates.
    return True


def _refuse_link_to_outside(path: Path, landing: Path) -> None:
    target = Path(os.path.realpath(path))
    if target.is_symlink():
        raise FileRefusedError("it is a link that leads to itself: copy the file in")
    if not target.is_relative_to(landing.resolve()):
        raise FileRefusedError("it is a link to a place outside the landing folder: copy it in")


def _named_extract(name: str, extracts: Sequence[Extract]) -> Extract:
    """The extract a file's name begins with; the longest, should one begin another."""
    named = [e for e in extracts if re.match(rf"{re.escape(e.name)}(?![A-Za-z0-9])", name)]
    if not named:
        known = ", ".join(extract.name for extract in extracts)
        raise FileRefusedError(
            f"its name begins with no extract of {extracts[0].source}: name it after one of "
            f"{known}, for example {extracts[0].name}.2026-03-31.csv"
        )
    return max(named, key=lambda extract: len(extract.name))


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


def _limit_spill(connection: duckdb.DuckDBPyConnection, prepared: Prepared, scratch: Path) -> None:
    """A file of kilobytes that unpacks to gigabytes must not fill the disk."""
    size = prepared.path.stat().st_size
    free = shutil.disk_usage(scratch).free
    most = min(max(MAX_UNPACKED, MAX_RATIO * size), free // 2)
    connection.execute(f"set max_temp_directory_size = '{most} bytes'")


def _as_fact(result: RuleResult) -> dict[str, Any]:
    return {
        "rule": result.rule,
        "column": result.column,
        "message": result.message,
        "checked_rows": result.checked_rows,
        "failed_rows": result.unexpected_rows,
    }


def describe(result: FileResult) -> str:
    """One line about a file, for people: whatever its name holds, it is one line and plain text."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in _line_about(result)
    )


def _line_about(result: FileResult) -> str:
    match result.outcome:
        case "refused":
            return f"{result.file}: refused, because {result.message}."
        case "known":
            return f"{result.file}: already loaded."
        case _:
            line = f"{result.file}: {result.rows_accepted} rows accepted"
            if result.rows_set_aside:
                line += f", {result.rows_set_aside} left out by the mapping"
            if result.rows_blank:
                line += f", {result.rows_blank} blank"
            if result.rows_quarantined:
                line += f", {result.rows_quarantined} quarantined; see {result.quarantine}"
            return line + "."
