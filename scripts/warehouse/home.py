"""Where everything lies: the checkout and the warehouse home."""

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from warehouse.errors import UsageError
from warehouse.ledger import Ledger

# The checkout this package is installed from: models, seeds and the sample company lie there.
PROJECT = Path(__file__).resolve().parents[2]


# The file in the ledger's folder that holds all entries.
LEDGER = "ledger.jsonl"

# The bits of a mode that speak of others than the owner.
_OTHERS = stat.S_IRWXG | stat.S_IRWXO

# What the location of a dbt source can neither quote nor keep from standing for other names.
_ODD = frozenset("'*?[\\{}")


def folder(path: Path, name: str) -> Path:
    """The whole path of a folder, there or not; UsageError where a file is in its way."""
    whole = path.resolve()
    there = next(one for one in (whole, *whole.parents) if one.exists())
    if not there.is_dir():
        raise UsageError(f"{name} {path}: {there} is a file; name a folder.")
    return whole


@dataclass(frozen=True)
class Home:
    """The folder that holds one warehouse: `WAREHOUSE_HOME`, else `data/` in the checkout."""

    root: Path

    @classmethod
    def from_environment(cls) -> "Home":
        """The home that `WAREHOUSE_HOME` names, relative to the working directory."""
        given = os.environ.get("WAREHOUSE_HOME")
        root = folder(Path(given), "WAREHOUSE_HOME") if given else PROJECT / "data"
        if odd := sorted(set(str(root)) & _ODD):
            raise UsageError(
                f"the warehouse home {root} holds {' '.join(odd)} in its path, which the models "
                "cannot read files from: set WAREHOUSE_HOME to a folder without it."
            )
        return cls(root)

    @property
    def landing(self) -> Path:
        """Where files are dropped: landing/<source>/<extract>*.csv and the like."""
        return self.root / "landing"

    @property
    def raw(self) -> Path:
        """Accepted rows as Parquet, one file per extract and content, never changed."""
        return self.root / "raw"

    def derives(self, path: Path) -> bool:
        """Whether a raw file is written anew from the ledger and the latest build."""
        derived = (
            "gate/load_totals/load_totals.parquet",
            "audit/rule_results/latest.parquet",
            "audit/home_events/events.parquet",
        )
        return path.is_relative_to(self.raw) and str(path.relative_to(self.raw)) in derived

    @property
    def withdrawn(self) -> Path:
        """Raw files taken back, because the file was read again by a corrected mapping."""
        return self.root / "withdrawn"

    @property
    def mappings(self) -> Path:
        """Import mappings of this home, beside those of the project."""
        return self.root / "mappings"

    @property
    def seeds(self) -> Path:
        """Seeds of this home, in place of the project's of the same name."""
        return self.root / "seeds"

    @property
    def quarantine(self) -> Path:
        """Rejected rows with the reason."""
        return self.root / "quarantine"

    @property
    def ledger(self) -> Path:
        """What came in and what went out, append-only."""
        return self.root / "ledger"

    def open_ledger(self) -> Ledger:
        """The ledger as it stands on disk now."""
        return Ledger(self.ledger / LEDGER)

    @property
    def database(self) -> Path:
        """dbt's working database; derived, can be deleted at any time."""
        return self.root / "warehouse.duckdb"

    @property
    def built(self) -> Path:
        """What the working database was built from; derived like it."""
        return self.root / "built.json"

    @property
    def quality(self) -> Path:
        """What the last checks found, as JSON."""
        return self.root / "quality"

    @property
    def published(self) -> Path:
        """Versions for readers; `current` points to the latest good one."""
        return self.root / "published"

    @property
    def reports(self) -> Path:
        """Reports written on request; those of a version lie in the version."""
        return self.root / "report"

    @property
    def pseudonym_key(self) -> Path:
        """The secret that pseudonyms of personal data are made with."""
        return self.root / "pseudonym.key"

    @property
    def scratch(self) -> Path:
        """Working copies of one run; can be deleted whenever nothing runs."""
        return self.root / ".scratch"

    @property
    def watch_log(self) -> Path:
        """What a watch did not foresee, with tracebacks; can be deleted at any time."""
        return self.root / "logs" / "watch.log"

    def close(self) -> None:
        """Keep other users of the machine from what holds people, pay and rejected rows.

        The home itself stays open, and so does `published`; what is delivered belongs to who delivers.
        """
        kept = (self.raw, self.withdrawn, self.mappings, self.seeds, self.quarantine, self.ledger)
        derived = (
            self.quality,
            self.reports,
            self.scratch,
            self.watch_log.parent,
            self.built,
            self.lock,
        )
        databases = self.root.glob(f"{self.database.name}*")
        for path in (*kept, *derived, self.root / "target", *databases):
            if path.exists() and path.stat().st_mode & _OTHERS:
                # What is another user's is theirs to close.
                with suppress(PermissionError):
                    path.chmod(path.stat().st_mode & ~_OTHERS)

    @property
    def lock(self) -> Path:
        """Held by the one process that writes to this home."""
        return self.root / ".lock"
