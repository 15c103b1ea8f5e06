"""The restore drill: a backup counts only when a warehouse was made from it again."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from warehouse import backup, build, publish, verify
from warehouse.errors import TamperedError
from warehouse.home import Home


@dataclass(frozen=True)
class Drill:
    """What a drill found."""

    snapshot: str
    # Time from nothing but the backup to a rebuilt, audited version: the recovery time.
    seconds: float
    # Marts whose rows are not what they were when the backup was made.
    differing: tuple[str, ...]


def run(home: Home, source: Path, say: Callable[[str], None]) -> Drill:
    """Restore the latest snapshot to a scratch folder, rebuild, compare; enter it in the ledger.

    The caller holds the home's lock. Marts are compared by the hash of their rows and by their
    control totals, with the version that was current in the snapshot.
    """
    snapshot = backup.choose(source)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="warehouse-drill-") as folder:
        restored = Home(Path(folder) / "home")
        backup.restore(restored, source, snapshot)
        if problems := list(verify.problems(restored)):
            raise TamperedError(f"the restored home is damaged: {problems[0]}")
        before = publish.Shelf(restored.published).current()
        version, _ = build.rebuild(restored, build.Progress(say))
        seconds = time.monotonic() - started
        expected = before.manifest["marts"] if before else {}
        found = version.manifest["marts"]
        differing = tuple(name for name in expected if found.get(name) != expected[name])
    drill = Drill(snapshot.id, seconds, differing)
    home.open_ledger().append(
        "drilled",
        snapshot=drill.snapshot,
        seconds=round(drill.seconds, 3),
        marts=len(expected),
        differing=list(drill.differing),
    )
    return drill
