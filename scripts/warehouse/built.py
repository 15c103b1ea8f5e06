"""What the working database was last built from, so that a build can leave out what is unchanged.

It is a note about derived state: where it is missing or does not fit, everything is built.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from warehouse.ledger import Ledger
from warehouse.store import replacing


@dataclass(frozen=True)
class Built:
    """What stands in the working database."""

    # Digest of models, seeds and code.
    code: str
    # Hashes of the raw files of each extract.
    loads: Mapping[str, Sequence[str]]
    # Extracts whose downstream a build began and did not end.
    unfinished: Sequence[str] = ()
    # Place, size and time of the database file: its views name its place, and anything else has
    # written to it if the others differ.
    stamp: Sequence[str | int] = ()
    # The version that was published from it, and the marts that were built since.
    version: str | None = None
    marts_since: Sequence[str] = ()
    # Everything was built since any version.
    is_whole: bool = False

    @property
    def is_sound(self) -> bool:
        """Whether everything was built once, and can be built upon."""
        return not (self.is_whole and self.unfinished)

    def changed(self, ledger: Ledger) -> set[str]:
        """Extracts whose rows are not what the ledger says now."""
        now = loads(ledger)
        names = {*now, *self.loads}
        changed = {name for name in names if [*now.get(name, ())] != [*self.loads.get(name, ())]}
        return changed | {*self.unfinished}

    def loaded_until(self, extract: str, ledger: Ledger) -> str | None:
        """When the last of an extract's rows came that were built from; None where others went since."""
        known = {*self.loads.get(extract, ())}
        entries = [one for one in ledger.loads if f"{one['source']}/{one['extract']}" == extract]
        old = [one["loaded_at"] for one in entries if one["raw_sha256"] in known]
        new = [one["loaded_at"] for one in entries if one["raw_sha256"] not in known]
        if extract in self.unfinished or len(old) != len(known) or not old or not new:
            return None
        return str(max(old)) if max(old) < min(new) else None

    def is_published_as(self, version: str, ledger: Ledger) -> bool:
        """Whether a version says all there is to say."""
        is_built = not self.marts_since and not self.is_whole and not self.changed(ledger)
        return self.version == version and is_built

    def with_marts(self, names: Iterable[str]) -> "Built":
        """The same with more marts built since the version."""
        return replace(self, marts_since=sorted({*self.marts_since, *names}))

    def published(self, version: str | None) -> "Built":
        """The same once it is published."""
        return replace(self, version=version, marts_since=[], is_whole=version is None)


def loads(ledger: Ledger) -> dict[str, list[str]]:
    """Hashes of the raw files in force, by extract."""
    found: dict[str, list[str]] = {}
    for entry in ledger.loads:
        found.setdefault(f"{entry['source']}/{entry['extract']}", []).append(entry["raw_sha256"])
    return {name: sorted(hashes) for name, hashes in found.items()}


def read(path: Path, database: Path) -> Built | None:
    """The note, if it is about the database as it stands."""
    try:
        noted = Built(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return noted if [*noted.stamp] == stamp(database) else None


def write(path: Path, built: Built, database: Path) -> None:
    """Note what the database was built from."""
    noted = asdict(replace(built, stamp=stamp(database)))
    with replacing(path) as unfinished:
        unfinished.write_text(json.dumps(noted, indent=1) + "\n", encoding="utf-8")


def stamp(database: Path) -> list[str | int]:
    """What changes when the database is written to or moved; empty without one."""
    if not database.exists():
        return []
    status = database.stat()
    return [str(database), status.st_size, status.st_mtime_ns]
