"""Files that appear whole or not at all, whatever kills the process, in an order no clock breaks."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

_STAMP = "%Y%m%dT%H%M%S%fZ"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to; it becomes `path` in one step when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        yield unfinished
        _sync(unfinished)
        unfinished.replace(path)
        _sync(path.parent)
    finally:
        unfinished.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def now() -> datetime:
    """What the clock says."""
    return datetime.now(UTC)


def now_after(before: Iterable[datetime]) -> datetime:
    """The time now; just after the latest of these where the clock was put back behind it."""
    return max([now(), *(one + timedelta(microseconds=1) for one in before)])


def stamp_after(names: Iterable[str]) -> str:
    """The time now as the start of a name that sorts after these, which start with such a stamp."""
    stamps = (name.partition("-")[0] for name in names)
    before = (datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC) for stamp in stamps)
    return f"{now_after(before):{_STAMP}}"


def fingerprint(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
