"""The disk runs full at many points: the command says so, and goes on once there is room."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from warehouse import backup
from warehouse.bench import Figure, Part, kills
from warehouse.errors import BuildFailedError
from warehouse.home import Home

# Between the smallest file a command writes and all it writes, in bytes.
LEAST, MOST = 100, 400_000


def run(folder: Path, sizes: Mapping[str, int]) -> list[Figure]:
    """Let ingests and backups run out of room at points spread evenly by order of magnitude."""
    points = sizes["points"]
    full = mounted = 0
    for number in range(points):
        size = round(LEAST * (MOST / LEAST) ** (number / max(points - 1, 1)))
        landing = folder / f"{number}" / "landing"
        for delivery in range(2):
            kills.deliver(landing, delivery)
        with _small_disk(folder / f"{number}" / "home", size) as (root, limit):
            home = Home(root)
            full += _is_full(home, limit, ["ingest", "--landing", str(landing)])
            mounted += limit is None
            _make_room(root, limit)
            kills.finish(kills.command, root, "ingest", "--landing", str(landing))
            kills.check_complete(home)
            kills.check_rows(home, landing, range(2))
            with _small_disk(folder / f"{number}" / "backup", size) as (destination, limit):
                full += _is_full(home, limit, ["backup", str(destination)])
                _make_room(destination, limit)
                kills.finish(kills.command, root, "backup", str(destination))
                backup.check(destination, backup.choose(destination))
                kills.check_complete(home)
    return [
        Figure("ingests and backups", 2 * points, "runs"),
        Figure("runs for which there was no room", full, "runs"),
        Figure("disks that were small file systems, not limits of a process", mounted, "disks"),
        Figure("rows lost or doubled, files damaged", 0, ""),
    ]


@contextmanager
def _small_disk(folder: Path, size: int) -> Iterator[tuple[Path, int | None]]:
    """A folder with room for so many bytes; the limit of a file's size where none can be mounted."""
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        yield folder, size
        return
    try:
        yield folder, None
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def _make_room(folder: Path, limit: int | None) -> None:
    if limit is None:
        subprocess.run(["mount", "-o", "remount,size=1g", str(folder)], check=True)


def _is_full(home: Home, limit: int | None, arguments: Sequence[str]) -> bool:
    """Whether the command ended for want of room, and said so; BuildFailedError if it did not say."""
    # Pipes are no files, so that a limit leaves what is said.
    launcher = (sys.executable, "-m", "warehouse", *arguments)
    done = subprocess.run(
        launcher,
        env=os.environ | {"WAREHOUSE_HOME": str(home.root)},
        preexec_fn=lambda: _limit_files(limit),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode and "a folder cannot be written to" not in done.stderr:
        raise BuildFailedError(f"{arguments} ended with {done.returncode}:\n{done.stderr}")
    return bool(done.returncode)


def _limit_files(limit: int | None) -> None:
    if limit is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))


PART = Part(
    "full_disk",
    "ingests and backups for which the disk is too small, at many sizes: the command says so, and "
    "once there is room running again takes every row once",
    run,
    {"points": 30},
)
