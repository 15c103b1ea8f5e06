"""Backups: what cannot be derived, stored once per content, listed by snapshots.

DEST/
    objects/<ab>/<sha256>     every distinct file content, never changed
    snapshots/<id>.json       which file of the home had which content, and when
"""

import json
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from warehouse.errors import TamperedError, UsageError
from warehouse.home import PROJECT, Home
from warehouse.store import fingerprint, now, replacing, stamp_after

# The folders of a home that cannot be rebuilt, or that readers depend on.
FOLDERS = ("raw", "withdrawn", "quarantine", "mappings", "ledger", "published")

# Single files of a home that cannot be rebuilt.
FILES = ("pseudonym.key",)

# The one link that a backup holds, and what it leads to.
LINK, LEADS_TO = "published/current", re.compile(r"versions/[\w-]+")

# Seeds lie in a backup as they counted: the home's, else the checkout's. A restored home holds what differs.
SEEDS = "seeds"


@dataclass(frozen=True)
class Snapshot:
    """One backup of a home."""

    id: str
    facts: Mapping[str, Any]

    @property
    def files(self) -> Mapping[str, Mapping[str, Any]]:
        """Hash and size by path."""
        files: Mapping[str, Mapping[str, Any]] = self.facts["files"]
        return files


@dataclass(frozen=True)
class Restored:
    """What a restore did."""

    snapshot: Snapshot
    seconds: float
    # Seeds of the backup that differ from the checkout's; the home now holds them.
    seeds: list[str]


def back_up(home: Home, destination: Path) -> tuple[Snapshot, int]:
    """Store a snapshot; also the bytes that were not there before. The caller holds the lock."""
    started = time.monotonic()
    files: dict[str, dict[str, Any]] = {}
    links: dict[str, str] = {}
    copied = 0
    for name, path in _files(home):
        if name == LINK and path.is_symlink() and LEADS_TO.fullmatch(str(path.readlink())):
            links[name] = str(path.readlink())
            continue
        if not path.is_file():
            raise UsageError(
                f"{path} is a link to {path.readlink()}, which no backup holds: replace it by what it "
                "leads to; published/current by `warehouse rollback VERSION`."
            )
        sha256 = fingerprint(path)
        copied += _store(path, _object(destination, sha256), sha256)
        files[name] = {"sha256": sha256, "bytes": path.stat().st_size}
    ledger = home.open_ledger()
    snapshot = Snapshot(
        stamp_after(path.stem for path in _paths(destination)),
        {
            "created_at": now().isoformat(timespec="seconds"),
            "ledger_head": ledger.entries[-1]["hash"] if ledger.entries else None,
            "files": files,
            "links": links,
        },
    )
    with replacing(destination / "snapshots" / f"{snapshot.id}.json") as unfinished:
        unfinished.write_text(json.dumps(snapshot.facts, indent=1) + "\n", encoding="utf-8")
    check(destination, snapshot)
    ledger.append(
        "backed_up",
        snapshot=snapshot.id,
        destination=str(destination),
        files=len(files),
        bytes=sum(one["bytes"] for one in files.values()),
        seconds=round(time.monotonic() - started, 3),
    )
    return snapshot, copied


def snapshots(source: Path) -> list[Snapshot]:
    """Every snapshot of a backup, oldest first."""
    return [_read(path) for path in _paths(source)]


def _paths(source: Path) -> list[Path]:
    return [
        path
        for path in sorted((source / "snapshots").glob("*.json"))
        if re.fullmatch(r"\d{8}T\d{12}Z", path.stem)
    ]


def _read(path: Path) -> Snapshot:
    """A snapshot as backups write them: who changes one may not choose where a restore writes."""
    try:
        snapshot = Snapshot(path.stem, json.loads(path.read_text(encoding="utf-8")))
        links = snapshot.facts["links"].items()
        wrong = [name for name, to in links if name != LINK or not LEADS_TO.fullmatch(to)]
        names = {*snapshot.files, LINK}
        for name, facts in snapshot.files.items():
            inside = {str(folder) for folder in PurePosixPath(name).parents}
            if not _is_file(name, facts) or name == LINK or inside & names:
                wrong.append(name)
    except (ValueError, LookupError, TypeError, AttributeError):
        wrong = ["what it lists"]
    if wrong:
        raise TamperedError(
            f"{path} is not what a backup wrote: see {wrong[0]!r}. Restore another snapshot, or from "
            "another copy of this backup."
        )
    return snapshot


def _is_file(name: str, facts: Mapping[str, Any]) -> bool:
    """Whether a snapshot can list this: a file in one of its folders, with hash and size."""
    folder, *rest = PurePosixPath(name).parts
    return (
        str(PurePosixPath(name)) == name
        and ".." not in rest
        and "\0" not in name
        and (folder in {*FOLDERS, SEEDS} if rest else folder in FILES)
        and re.fullmatch("[0-9a-f]{64}", facts["sha256"]) is not None
        and isinstance(facts["bytes"], int)
    )


def choose(source: Path, snapshot_id: str | None = None) -> Snapshot:
    """The snapshot with this id, or the latest."""
    found = _paths(source)
    matching = [path for path in found if snapshot_id in {None, path.stem}]
    if not matching:
        listed = ", ".join(path.stem for path in found) or "none"
        raise UsageError(f"{source} has no such snapshot. It holds: {listed}.")
    return _read(matching[-1])


def check(source: Path, snapshot: Snapshot) -> None:
    """Read every object of a snapshot back; an object that is not what it was is an error."""
    for name, facts in snapshot.files.items():
        path = _object(source, facts["sha256"])
        if not path.is_file() or fingerprint(path) != facts["sha256"]:
            raise TamperedError(
                f"snapshot {snapshot.id} in {source} is damaged at {name} ({path}): use another "
                "snapshot, or back up again to a new folder."
            )


def restore(home: Home, source: Path, snapshot: Snapshot) -> Restored:
    """Put a snapshot into an empty home. The caller holds the lock."""
    started = time.monotonic()
    aside = home.root / ".restoring"
    taken = [name for name in (*FOLDERS, SEEDS, *FILES) if (home.root / name).exists()]
    if taken and not aside.exists():
        raise UsageError(
            f"{home.root} already holds {', '.join(taken)}: restore into an empty folder "
            "(WAREHOUSE_HOME), or move these away first."
        )
    check(source, snapshot)
    # What an interrupted restore left behind: it began in an empty home.
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    for name in taken:
        _remove(home.root / name)
    seeds = _copy(source, snapshot, aside)
    seconds = time.monotonic() - started
    # Entered aside, so that a restored home says so whatever kills this.
    Home(aside).open_ledger().append("restored", snapshot=snapshot.id, seconds=round(seconds, 3))
    for path in sorted(aside.iterdir()):
        path.rename(home.root / path.name)
    aside.rmdir()
    return Restored(snapshot, seconds, seeds)


def _copy(source: Path, snapshot: Snapshot, aside: Path) -> list[str]:
    """Write the files and links of a snapshot; the seeds that differ from the checkout's."""
    seeds = []
    for name, facts in snapshot.files.items():
        path = aside / name
        if name.startswith(f"{SEEDS}/"):
            here = PROJECT / name
            is_same = here.is_file() and fingerprint(here) == facts["sha256"]
            if is_same or here.suffix != ".csv":
                continue
            seeds.append(here.name)
            path = aside / SEEDS / here.name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_object(source, facts["sha256"]), path)
        path.chmod(0o444 if name.startswith("published/") else 0o600)
    for path in (aside / "published", *(aside / "published").rglob("*")):
        if path.is_dir():
            path.chmod(0o755)
    for name, target in snapshot.facts["links"].items():
        (aside / name).parent.mkdir(parents=True, exist_ok=True)
        (aside / name).symlink_to(target)
    return seeds


def _files(home: Home) -> Iterator[tuple[str, Path]]:
    """Everything a backup holds, by the name it has there."""
    in_checkout = {path.name: path for path in (PROJECT / SEEDS).rglob("*.csv")}
    in_home = {path.name: path for path in home.seeds.glob("*.csv")}
    for name, path in sorted((in_checkout | in_home).items()):
        place = in_checkout[name].relative_to(PROJECT) if name in in_checkout else Path(SEEDS, name)
        yield place.as_posix(), path
    for folder in FOLDERS:
        root = home.root / folder
        for path in sorted(root.rglob("*")):
            is_aside = any(part.startswith(".") for part in path.relative_to(root).parts)
            if not is_aside and (path.is_symlink() or path.is_file()):
                yield f"{folder}/{path.relative_to(root).as_posix()}", path
    for name in FILES:
        if (home.root / name).is_file():
            yield name, home.root / name


def _store(path: Path, target: Path, sha256: str) -> int:
    """Copy a file to its object unless it is there; the bytes copied."""
    if target.is_file() and fingerprint(target) == sha256:
        return 0
    with replacing(target) as unfinished:
        shutil.copyfile(path, unfinished)
        # Backups hold what roles may not see: for the owner alone.
        unfinished.chmod(0o400)
    return path.stat().st_size


def _object(destination: Path, sha256: str) -> Path:
    return destination / "objects" / sha256[:2] / sha256


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
