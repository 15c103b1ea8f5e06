"""Is everything in a home what the ledger says it is?"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb

from warehouse import ledger, publish
from warehouse.home import LEDGER, Home
from warehouse.ledger import GENESIS, Entry
from warehouse.record import SCORED, TARGETS_SCORED
from warehouse.sql import parquet_rows, scalar
from warehouse.store import fingerprint

# Names the columns of an extract before its first file.
CONTRACT = "contract.parquet"


def problems(home: Home) -> Iterator[str]:
    """What is not as the ledger says, the first broken link of its chain first."""
    path = home.ledger / LEDGER
    entries = list(_entries(path))
    yield from _chain(path, entries)
    yield from _stored(home, entries)
    known = [entry for entry in entries if entry]
    yield from _versions(home, known)
    yield from _in_force(home, ledger.in_force(known))


def _entries(path: Path) -> Iterator[Entry | None]:
    """Every line of the ledger; None where it is no entry."""
    content = path.read_bytes() if path.exists() else b""
    # What a killed process left of its last line was never an entry.
    for line in content[: content.rfind(b"\n") + 1].splitlines():
        yield ledger.parse(line)


def _chain(path: Path, entries: Sequence[Entry | None]) -> Iterator[str]:
    before = GENESIS
    for number, entry in enumerate(entries, start=1):
        where = f"{path.name} line {number}"
        if entry is None:
            yield f"{where} is no entry: the chain breaks here"
            return
        name = f"{where} ({entry.get('event')} {entry.get('file') or entry.get('version') or ''})"
        if entry.get("hash") != ledger.digest(entry):
            yield f"{name} was changed: its content does not match its hash"
            return
        if entry.get("prev_hash") != before or entry.get("seq") != number:
            yield f"{name} does not follow the line before it: lines were removed, added or moved"
            return
        before = str(entry["hash"])


def _stored(home: Home, entries: Sequence[Entry | None]) -> Iterator[str]:
    expected: dict[str, str] = {}
    for entry in entries:
        if entry and entry.get("event") in {"loaded", SCORED, TARGETS_SCORED}:
            for name in entry.get("withdraws") or ():
                if name in expected:
                    expected[_withdrawn(name)] = expected.pop(name)
            for kind in ("raw", "quarantine"):
                if entry.get(kind):
                    expected[entry[kind]] = str(entry.get(f"{kind}_sha256"))
    for name, sha256 in sorted(expected.items()):
        path = home.root / name
        if not path.is_file():
            yield f"{name} is missing"
        elif fingerprint(path) != sha256:
            yield f"{name} was changed after it was written"
    for path in sorted((*home.raw.glob("*/*/*.parquet"), *home.withdrawn.glob("*/*/*.parquet"))):
        name = path.relative_to(home.root).as_posix()
        if path.name == CONTRACT and path.is_relative_to(home.raw):
            if not _is_without_rows(path):
                yield f"{name} does not just name columns: it holds rows, or cannot be read"
        elif not home.derives(path) and name not in expected:
            yield f"{name} is not in the ledger"


def _is_without_rows(path: Path) -> bool:
    try:
        with duckdb.connect() as connection:
            return not scalar(connection, f"select count(*) from {parquet_rows(path)}")
    except duckdb.Error:
        return False


def _withdrawn(raw: str) -> str:
    """Where a raw file goes when it is taken back."""
    return (Path("withdrawn") / Path(raw).relative_to("raw")).as_posix()


def _versions(home: Home, entries: Sequence[Entry]) -> Iterator[str]:
    entered: dict[str, str] = {}
    for entry in entries:
        if entry["event"] == "published":
            # Where a version came into force again, what it was at first counts.
            entered.setdefault(str(entry.get("version")), str(entry.get("manifest_sha256")))
    for path in publish.Shelf(home.published).paths():
        name = f"published/versions/{path.name}"
        manifest = path / publish.MANIFEST
        if path.is_symlink() or not path.is_dir():
            yield f"{name} is no version: nothing of the warehouse lies there"
        elif path.name not in entered:
            yield f"{name} is not in the ledger"
        elif not manifest.is_file() or fingerprint(manifest) != entered[path.name]:
            yield f"{name}/{publish.MANIFEST} was changed or removed after it was published"
        else:
            version = publish.read(path)
            for file in version.damaged_files():
                yield f"{name}/{file} was changed or removed after it was published"
            for file in version.unlisted_files():
                yield f"{name}/{file} was added after it was published"


def _in_force(home: Home, version: str | None) -> Iterator[str]:
    """Whether readers are sent to the version the ledger names, and to nothing beside it."""
    current = home.published / "current"
    leads_to = str(current.readlink()) if current.is_symlink() else None
    if leads_to != (f"versions/{version}" if version else None) or (
        version and not current.exists()
    ):
        yield (
            f"published/current leads to {leads_to or 'nothing'}, and the version in force by the ledger "
            f"is {version or 'none'}"
        )
    for path in sorted((*home.published.glob("*"), *home.published.glob("withdrawn/*"))):
        is_folder = path.is_dir() and not path.is_symlink()
        # A mark of content that was withdrawn is an empty file.
        is_mark = path.parent.name == "withdrawn" and path.is_file() and not path.is_symlink()
        if not (
            path == current
            or path.name == ".current.next"
            or (is_folder and path.name in {"versions", "withdrawn"})
            or (is_mark and not path.stat().st_size)
        ):
            yield f"{path.relative_to(home.root).as_posix()} belongs to no version"
