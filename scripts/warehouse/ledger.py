"""The ledger: what came in and what went out, append-only, entries chained by their hashes."""

import getpass
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from warehouse.errors import TamperedError

Entry = Mapping[str, Any]

GENESIS = "0" * 64

# What every entry says.
_FIELDS = {"seq", "at", "event", "prev_hash", "hash"}


class Ledger:
    """The entries of one ledger file. Only the holder of the home's lock may append."""

    def __init__(self, path: Path) -> None:
        self.path = path
        content = path.read_bytes() if path.exists() else b""
        # What a killed process left of its last line was never an entry.
        self._size = content.rfind(b"\n") + 1
        self.entries: list[Entry] = list(_entries(content[: self._size], path))

    @property
    def loads(self) -> list[Entry]:
        """The files whose rows stand in raw/: loaded, and not withdrawn since."""
        withdrawn: set[str] = set()
        live = []
        for entry in reversed(self.entries):
            if entry["event"] == "loaded":
                if entry["raw"] not in withdrawn:
                    live.append(entry)
                withdrawn |= {entry["raw"], *entry.get("withdraws", ())}
        return live[::-1]

    @property
    def in_force(self) -> str | None:
        """The version that readers were last sent to."""
        return in_force(self.entries)

    def append(self, event: str, **facts: Any) -> Entry:
        """Add an entry; when this returns, it is on disk."""
        body = {
            "seq": len(self.entries) + 1,
            "at": datetime.now(UTC).isoformat(timespec="microseconds"),
            "actor": _actor(),
            "event": event,
            **facts,
            "prev_hash": self.entries[-1]["hash"] if self.entries else GENESIS,
        }
        entry = {**body, "hash": digest(body)}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        line = _canonical(entry) + b"\n"
        with self.path.open("r+b" if self.path.exists() else "xb") as file:
            file.truncate(self._size)
            file.seek(self._size)
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        self._size += len(line)
        self.entries.append(entry)
        return entry


def digest(body: Entry) -> str:
    """The hash of an entry: of everything in it but the hash itself."""
    return hashlib.sha256(
        _canonical({name: value for name, value in body.items() if name != "hash"})
    ).hexdigest()


def in_force(entries: Iterable[Entry]) -> str | None:
    """The version that the last of these entries sends readers to."""
    sent = [entry for entry in entries if entry["event"] in {"published", "rolled_back"}]
    return str(sent[-1].get("version")) if sent else None


def parse(line: bytes) -> Entry | None:
    """The entry a line holds; None where it is none."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    is_entry = isinstance(entry, dict) and entry.keys() >= _FIELDS
    return entry if is_entry and isinstance(entry["event"], str) else None


def _entries(content: bytes, path: Path) -> Iterator[Entry]:
    for number, line in enumerate(content.splitlines(), start=1):
        entry = parse(line)
        if entry is None:
            raise TamperedError(
                f"{path} line {number} is not a ledger entry: restore the home from a backup."
            )
        yield entry


def _canonical(entry: Entry) -> bytes:
    return json.dumps(entry, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def _actor() -> str:
    return os.environ.get("WAREHOUSE_ACTOR") or getpass.getuser()
