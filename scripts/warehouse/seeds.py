"""Seeds: what people decide, as CSV. A file in the home stands in place of the project's of the same name."""

import csv
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from warehouse.errors import UsageError
from warehouse.home import PROJECT, Home


@dataclass(frozen=True)
class Seed:
    """One seed of the project."""

    name: str
    path: Path
    # How an own company begins where the file speaks of the sample company: with its heading alone
    # (empty) or with a copy to change (copy). Nothing where it suits every company.
    start: str

    @property
    def heading(self) -> list[str]:
        """The names of its columns."""
        return _heading(self.path)


def load(project: Path = PROJECT) -> Mapping[str, Seed]:
    """Every seed of the project by its name."""
    starts = {}
    for path in (project / "seeds").rglob("*.yml"):
        for entry in yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)["seeds"]:
            starts[entry["name"]] = entry["config"].get("meta", {}).get("own_company_starts", "")
    return {
        path.stem: Seed(path.stem, path, starts[path.stem])
        for path in sorted((project / "seeds").rglob("*.csv"))
    }


def own(home: Home, known: Mapping[str, Seed]) -> Mapping[str, Path]:
    """The seeds this home has files of its own for; UsageError where one cannot stand in."""
    found = {}
    for path in sorted(home.seeds.glob("*")):
        if path.name.startswith("."):
            continue
        if path.suffix != ".csv" or path.stem not in known:
            raise UsageError(
                f"{path} is no seed: name it after the file of {PROJECT / 'seeds'} that it replaces."
            )
        heading, expected = _heading(path), known[path.stem].heading
        if sorted(heading) != sorted(expected):
            lacking = [name for name in expected if name not in heading]
            unknown = [name or "(empty)" for name in heading if name not in expected]
            said = [f"lacks {', '.join(lacking)}"] if lacking else []
            said += [f"does not know {', '.join(unknown)}"] if unknown else []
            raise UsageError(
                f"{path}, line 1: the heading {' and '.join(said) or 'names a column twice'}; "
                f"it must name {', '.join(expected)}."
            )
        found[path.stem] = path
    return found


def of_sample(home: Home) -> list[str]:
    """Seeds that speak of the sample company and in whose place the home has nothing of its own."""
    known = load()
    mine = own(home, known)
    return [
        seed.name
        for seed in known.values()
        if seed.start
        and (seed.name not in mine or mine[seed.name].read_bytes() == seed.path.read_bytes())
    ]


def start(home: Home) -> Mapping[str, str]:
    """Begin an own company's seeds: each new file's name and how it begins. Files there stay."""
    known = load()
    mine = own(home, known)
    begun = {}
    home.seeds.mkdir(parents=True, exist_ok=True)
    for seed in known.values():
        if not seed.start or seed.name in mine:
            continue
        target = home.seeds / seed.path.name
        if seed.start == "empty":
            target.write_text(",".join(seed.heading) + "\n", encoding="utf-8")
        else:
            shutil.copyfile(seed.path, target)
        begun[seed.path.name] = seed.start
    return begun


def _heading(path: Path) -> list[str]:
    try:
        # All of it, so that a letter that is no UTF-8 is named here and not by dbt.
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise UsageError(
            f"{path}, line {line}: this is not UTF-8; save the file as CSV in UTF-8."
        ) from error
    return [name.strip() for name in next(csv.reader(lines[:1]), [])]
