"""Versions for readers: written aside, complete, then switched to in one rename.

published/
    versions/<id>/   marts.duckdb, marts/<mart>.parquet, the report (index.html and its pages),
                     docs.html, quality.html, roles/, manifest.json
    current          symbolic link to the version in force

A reader that holds a file of an older version open keeps it: files are never written in place.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from warehouse.catalog import Mart
from warehouse.errors import TamperedError, UsageError
from warehouse.ledger import Ledger
from warehouse.sql import identifier, literal, parquet_rows, qualified
from warehouse.store import fingerprint, now, stamp_after

VERSIONS_KEPT = 5

# Readers on DuckDB 1.0 and later open this; newer storage would shut them out.
STORAGE_VERSION = "v1.0.0"

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class PublishedMart:
    """One mart as it stands in a version."""

    name: str
    domain: str
    grain: str
    question: str
    rows: int
    # Sum of every decimal column, as text so that no digit is lost.
    control_totals: Mapping[str, str]
    sha256: str


@dataclass(frozen=True)
class Version:
    """One complete published version."""

    path: Path
    manifest: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Name of the version: when it was made, and the start of its content digest."""
        return self.path.name

    @property
    def rows(self) -> dict[str, int]:
        """Rows per mart."""
        return {name: int(mart["rows"]) for name, mart in self.manifest["marts"].items()}

    @property
    def manifest_sha256(self) -> str:
        """Hash of the manifest, which holds the hash of every other file."""
        return fingerprint(self.path / MANIFEST)

    def is_intact(self) -> bool:
        """Whether every file is there and is what the manifest says."""
        return not self.damaged_files()

    def damaged_files(self) -> list[str]:
        """Files that are missing or changed since they were published."""
        return [
            name
            for name, facts in self.manifest["files"].items()
            if not _holds(self.path / name, facts["sha256"])
        ]

    def unlisted_files(self) -> list[str]:
        """Files and links that were not there when it was published."""
        names = (
            str(path.relative_to(self.path))
            for path in sorted(self.path.rglob("*"))
            if path.is_symlink() or not path.is_dir()
        )
        return [name for name in names if name != MANIFEST and name not in self.manifest["files"]]


@dataclass(frozen=True)
class Base:
    """The version before, and the marts that may say something else now: the rest is taken over."""

    version: Version
    changed: frozenset[str]

    def copy(self, name: str, folder: Path) -> bool:
        """Copy a file of the version, if it is there and undamaged."""
        facts = self.version.manifest["files"].get(name)
        source, target = self.version.path / name, folder / name
        if facts is None or not source.is_file():
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        return fingerprint(target) == str(facts["sha256"])

    def narrowed(self, published: Iterable[PublishedMart]) -> "Base":
        """The same once the marts are written: those that say what they said are no longer changed."""
        before = self.version.manifest["marts"]
        same = {
            mart.name
            for mart in published
            if mart.sha256 == before.get(mart.name, {}).get("sha256")
        }
        return replace(self, changed=self.changed - same)


class Shelf:
    """The `published` folder of a home."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._versions = root / "versions"
        self._current = root / "current"
        self._withdrawn = root / "withdrawn"

    def paths(self) -> list[Path]:
        """What lies among the versions, but for what an interrupted run left."""
        if not self._versions.is_dir():
            return []
        return [path for path in sorted(self._versions.iterdir()) if not _is_aside(path)]

    def versions(self) -> list[Version]:
        """Every version on the shelf, oldest first."""
        # A file that a program of the desktop left is none; `verify` names it.
        return [read(path) for path in self.paths() if path.is_dir()]

    def current(self) -> Version | None:
        """The version in force."""
        return read(self._current.resolve()) if self._current.exists() else None

    def start(self) -> Path:
        """An empty folder to write the next version into; what interrupted runs left is removed."""
        if self._versions.is_dir():
            for path in self._versions.iterdir():
                if _is_aside(path):
                    shutil.rmtree(path)
        for path in (self._root, self._versions):
            if not path.exists():
                path.mkdir(parents=True)
                path.chmod(0o755)
        folder = self._versions / f".next-{os.getpid()}"
        folder.mkdir()
        return folder

    def find(self, content_digest: str) -> Version | None:
        """The latest version with this content, if it is undamaged."""
        for version in reversed(self.versions()):
            if version.manifest["content_digest"] == content_digest and version.is_intact():
                return version
        return None

    def put(self, folder: Path, content_digest: str, facts: Mapping[str, Any]) -> Version:
        """Seal the folder as a version with its manifest."""
        names = (version.id for version in self.versions())
        version_id = f"{stamp_after(names)}-{content_digest[:8]}"
        files = {
            str(path.relative_to(folder)): {
                "sha256": fingerprint(path),
                "bytes": path.stat().st_size,
            }
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        manifest = {
            "version": version_id,
            "created_at": now().isoformat(timespec="seconds"),
            "content_digest": content_digest,
            **facts,
            "files": files,
        }
        text = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
        (folder / MANIFEST).write_text(text, encoding="utf-8")
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o444)
        target = self._versions / version_id
        folder.rename(target)
        return Version(target, manifest)

    def switch(self, version: Version) -> None:
        """Make a version current in one step; a reader sees the old one or the new one."""
        link = self._root / ".current.next"
        link.unlink(missing_ok=True)
        link.symlink_to(version.path.relative_to(self._root))
        link.replace(self._current)

    def withdraw(self, version: Version) -> None:
        """Keep this content from being published again, until it is switched back to by name."""
        self._withdrawn.mkdir(exist_ok=True)
        (self._withdrawn / str(version.manifest["content_digest"])).touch()

    def is_withdrawn(self, content_digest: str) -> bool:
        """Whether someone rolled back from this content."""
        return (self._withdrawn / content_digest).exists()

    def reinstate(self, version: Version) -> None:
        """Let this content be published again."""
        (self._withdrawn / str(version.manifest["content_digest"])).unlink(missing_ok=True)

    def drop_old(self, kept: int = VERSIONS_KEPT) -> None:
        """Remove all but the last versions; the current one always stays."""
        current = self.current()
        for version in self.versions()[:-kept]:
            if current is None or version.path != current.path:
                self.drop(version)

    def drop(self, version: Version) -> None:
        """Remove a version; readers that hold its files open keep them."""
        # Renamed first: a version is complete or not there, also when this is interrupted.
        shutil.rmtree(version.path.rename(self._versions / f".old-{version.id}"))


def export_marts(
    database: Path, marts: Sequence[Mart], folder: Path, base: Base | None = None
) -> list[PublishedMart]:
    """One Parquet file per mart. Rows are ordered, so equal rows make equal bytes."""
    (folder / "marts").mkdir()
    published = []
    with duckdb.connect(database, read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for mart in marts:
            name = f"marts/{mart.name}.parquet"
            if base and mart.name not in base.changed and base.copy(name, folder):
                known = base.version.manifest["marts"][mart.name]
                published.append(PublishedMart(name=mart.name, **known))
                continue
            relation = qualified(f"{mart.schema}.{mart.name}")
            path = folder / name
            connection.execute(
                f"copy (from {relation} order by all) to {literal(str(path))} "
                "(format parquet, compression zstd)"
            )
            published.append(
                PublishedMart(
                    name=mart.name,
                    domain=mart.domain,
                    grain=mart.grain,
                    question=mart.question,
                    **_totals(connection, relation, mart.columns_of("decimal")),
                    sha256=fingerprint(path),
                )
            )
    return published


def write_database(
    folder: Path, name: str, marts: Sequence[Mart], parquet: Path, base: Base | None = None
) -> None:
    """One DuckDB file from the Parquet files of a folder; descriptions become comments."""
    path = folder / name
    chosen = marts
    if base and base.copy(name, folder):
        chosen = [mart for mart in marts if mart.name in base.changed]
    else:
        path.unlink(missing_ok=True)
    with duckdb.connect() as connection:
        connection.execute(
            f"attach {literal(str(path))} as published (storage_version '{STORAGE_VERSION}')"
        )
        connection.execute("use published")
        # One transaction: every comment on its own would be a write to disk.
        connection.execute("begin")
        for mart in chosen:
            table = identifier(mart.name)
            source = parquet_rows(parquet / f"{mart.name}.parquet")
            connection.execute(f"create or replace table {table} as from {source}")
            written = {row[0] for row in connection.execute(f"describe {table}").fetchall()}
            comments = [f"comment on table {table} is {literal(mart.description)}"]
            comments += [
                f"comment on column {table}.{identifier(column.name)} is {literal(column.description)}"
                for column in mart.columns
                if column.name in written
            ]
            connection.execute("; ".join(comments))
        connection.execute("commit")


def content_digest(marts: Iterable[PublishedMart], code: str, inputs: Iterable[str]) -> str:
    """What a version says and what it says it from: equal digests need no new version."""
    digest = hashlib.sha256(code.encode())
    for line in [*sorted(f"{mart.name} {mart.sha256}" for mart in marts), *sorted(inputs)]:
        digest.update(f"\n{line}".encode())
    return digest.hexdigest()


def code_digest(project: Path, own_seeds: Path) -> str:
    """Digest of everything that decides what the marts say, beside the extracts."""
    digest = hashlib.sha256()
    folders = ["models", "macros", "seeds", "profiles", "scripts/warehouse"]
    paths = [path for folder in folders for path in (project / folder).rglob("*")]
    paths += [project / "dbt_project.yml", project / "uv.lock"]
    for path in sorted(paths):
        name = path.relative_to(project)
        # What tools leave behind decides nothing.
        is_left = path.suffix == ".pyc" or any(part.startswith(".") for part in name.parts)
        if path.is_file() and not is_left:
            digest.update(f"{name} {fingerprint(path)}\n".encode())
    for path in sorted(own_seeds.glob("*.csv")):
        digest.update(f"own {path.name} {fingerprint(path)}\n".encode())
    return digest.hexdigest()


def describe(marts: Iterable[PublishedMart]) -> dict[str, Any]:
    """The manifest's entry of each mart."""
    entries = {mart.name: asdict(mart) for mart in marts}
    for entry in entries.values():
        del entry["name"]
    return entries


def roll_back(shelf: Shelf, ledger: Ledger, version_id: str | None = None) -> Version:
    """Make an earlier version current: the one named, else the one before.

    The content of every later version is withdrawn: the next build will not bring it back.
    """
    current = shelf.current()
    versions = shelf.versions()
    if version_id is not None:
        target = _named(versions, version_id)
    else:
        earlier = [one for one in versions if current and one.id < current.id]
        if not earlier:
            raise UsageError(f"There is no earlier version. On the shelf: {_listed(versions)}.")
        target = earlier[-1]
    if damaged := target.damaged_files():
        raise TamperedError(
            f"{target.id} is damaged: {', '.join(damaged)}. Choose another version."
        )
    for version in versions:
        if version.id > target.id:
            shelf.withdraw(version)
    shelf.reinstate(target)
    ledger.append("rolled_back", version=target.id, left=current.id if current else None)
    shelf.switch(target)
    return target


def _named(versions: Sequence[Version], version_id: str) -> Version:
    matches = [version for version in versions if version.id.startswith(version_id)]
    if len(matches) == 1:
        return matches[0]
    raise UsageError(
        f"No single version starts with {version_id!r}. On the shelf: {_listed(versions)}."
    )


def _listed(versions: Sequence[Version]) -> str:
    return ", ".join(version.id for version in versions) or "none"


def _totals(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[str]
) -> dict[str, Any]:
    sums = "".join(f", cast(sum({identifier(column)}) as varchar)" for column in columns)
    (row,) = connection.execute(f"select count(*){sums} from {relation}").fetchall()
    totals = {
        column: total for column, total in zip(columns, row[1:], strict=True) if total is not None
    }
    return {"rows": int(row[0]), "control_totals": totals}


def read(path: Path) -> Version:
    """The version in a folder; TamperedError where its manifest is not what was written."""
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        is_manifest = manifest.keys() >= {"content_digest", "marts", "files"}
    except (OSError, ValueError, AttributeError):
        is_manifest = False
    if not is_manifest:
        raise TamperedError(
            f"{path / MANIFEST} is missing or damaged: delete the folder of this version, then build "
            "again or name another in `warehouse rollback`; or restore the home from a backup."
        )
    return Version(path, manifest)


def _holds(path: Path, sha256: str) -> bool:
    """Whether this is a file of its own with this content."""
    return path.is_file() and not path.is_symlink() and fingerprint(path) == sha256


def _is_aside(path: Path) -> bool:
    return path.name.startswith((".next-", ".old-"))
