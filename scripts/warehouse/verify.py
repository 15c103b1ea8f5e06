"""Is everything in a home what the ledger says it is?"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from warehouse import ledger, publish
from warehouse.home import LEDGER, Home
from warehouse.ledger import GENESIS, Entry
from warehouse.record import SCORED, TARGETS_SCORED
from warehouse.store import fingerprint


def problems(home: Home) -> Iterator[str]:
    """What is not as the ledger says, the first broken link of its chain first."""
    path = home.ledger / LEDGER
    entries = list(_entries(path))
    yield from _chain(path, entries)
    yield from _stored(home, entries)
    yield from _versions(home, entries)


def _entries(path: Path) -> Iterator[Entry | None]:
    """Every line of the ledger; None where it is no entry."""
    content = path.read_bytes() if path.exists() else b""
    # What a killed process left of its last line was never an entry.
    for line in content[: content.rfind(b"\n") + 1].splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            yield None


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
            for name in entry.get("withdraws", ()):
                if name in expected:
                    expected[_withdrawn(name)] = expected.pop(name)
            for kind in ("raw", "quarantine"):
                if entry.get(kind):
                    expected[entry[kind]] = entry[f"{kind}_sha256"]
    for name, sha256 in sorted(expected.items()):
        path = home.root / name
        if not path.is_file():
            yield f"{name} is missing"
        elif fingerprint(path) != sha256:
            yield f"{name} was changed after it was written"
    for path in sorted((*home.raw.glob("*/*/*.parquet"), *home.withdrawn.glob("*/*/*.parquet"))):
        name = path.relative_to(home.root).as_posix()
        if path.stem != "contract" and not home.derives(path) and name not in expected:
            yield f"{name} is not in the ledger"


def _withdrawn(raw: str) -> str:
    """Where a raw file goes when it is taken back."""
    return (Path("withdrawn") / Path(raw).relative_to("raw")).as_posix()


def _versions(home: Home, entries: Sequence[Entry | None]) -> Iterator[str]:
    entered = {
        str(entry["version"]): str(entry["manifest_sha256"])
        for entry in entries
        if entry and entry.get("event") == "published"
    }
    shelf = publish.Shelf(home.published)
    for version in shelf.versions():
        name = f"published/versions/{version.id}"
        if version.id not in entered:
            yield f"{name} is not in the ledger"
        elif version.manifest_sha256 != entered[version.id]:
            yield f"{name}/{publish.MANIFEST} was changed after it was published"
        for file in version.damaged_files():
            yield f"{name}/{file} was changed or removed after it was published"
        for file in version.unlisted_files():
            yield f"{name}/{file} was added after it was published"
