"""Which company a home holds: the sample or one's own. The two never mix."""

from dataclasses import dataclass
from pathlib import Path

from warehouse.errors import UsageError
from warehouse.home import PROJECT, Home
from warehouse.ledger import Ledger

SAMPLE = PROJECT / "sample"

EVENT = "origin"


@dataclass(frozen=True)
class Origin:
    """Where the files come from."""

    name: str  # sample or own
    landing: Path


def choose(home: Home, ledger: Ledger, given: Path | None) -> Origin:
    """Where to take files from: what was given, else the home's landing folder, else the sample.

    A home keeps the origin it started with; the ledger records it.
    """
    before = recorded(ledger)
    chosen = _choose(home, before, given)
    if before not in {None, chosen.name}:
        raise UsageError(_clash(home, before, chosen))
    if before is None:
        ledger.append(EVENT, origin=chosen.name)
    return chosen


def recorded(ledger: Ledger) -> str | None:
    """Which company the ledger says the home holds."""
    return next((entry["origin"] for entry in ledger.entries if entry["event"] == EVENT), None)


def _choose(home: Home, before: str | None, given: Path | None) -> Origin:
    if given is not None:
        if not given.is_dir():
            raise UsageError(f"--landing {given}: there is no such folder.")
        is_sample = given.resolve() == SAMPLE
        return Origin("sample" if is_sample else "own", given.resolve())
    if _holds_files(home.landing) or before == "own":
        return Origin("own", home.landing)
    if before is None and home.landing.is_dir():
        return Origin("own", home.landing)
    return Origin("sample", SAMPLE)


def _holds_files(folder: Path) -> bool:
    return any(path.is_file() and not path.name.startswith(".") for path in folder.rglob("*"))


def _clash(home: Home, before: str, chosen: Origin) -> str:
    held = "the sample company" if before == "sample" else "data of its own"
    found = "the sample company" if chosen.name == "sample" else "files of one's own"
    return (
        f"{home.root} holds {held}, and {chosen.landing} holds {found}; one home holds one company. "
        f"Set WAREHOUSE_HOME to another folder, or start this one afresh: delete everything in "
        f"{home.root} but landing/."
    )
