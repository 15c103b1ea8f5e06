"""Runs a study: worlds one by one, each half kept as soon as it is scored, so that a stop loses little."""

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from tqdm import tqdm

from warehouse.compiled import CompiledProject
from warehouse.study import (
    baseline,
    budget_world,
    outlook_estimates,
    ranges,
    return_estimates,
    returns_world,
    score,
)
from warehouse.study.score import Scores


def run(home: Path, worlds: int, seed: int, progress: bool = True) -> list[dict[str, Any]]:
    """Scores of worlds 0 to `worlds` - 1; what an earlier run with the same code scored is kept.

    `home` holds the compiled project and one file per world and half.
    """
    project = CompiledProject.compile(home / "project")
    halves = {
        "returns": _Half(
            home / f"seed-{seed}" / "returns",
            lambda number: score_returns(project, seed, number),
            _digest(project, return_estimates.TARGETS, (returns_world, return_estimates)),
        ),
        "budget": _Half(
            home / f"seed-{seed}" / "budget",
            lambda number: score_budget(project, seed, number),
            _digest(project, outlook_estimates.TARGETS, (budget_world, outlook_estimates)),
        ),
    }
    return [
        {name: half.world(number) for name, half in halves.items()}
        for number in tqdm(range(worlds), unit="world", disable=not progress)
    ]


def score_returns(project: CompiledProject, seed: int, number: int) -> Scores:
    """The returns of one world against their truth."""
    world = returns_world.generate(seed, number)
    return score.returns_scores(world, return_estimates.estimate(project, world))


def score_budget(project: CompiledProject, seed: int, number: int) -> Scores:
    """The year-end outlooks of one world against what its year came to."""
    world = budget_world.generate(seed, number)
    return score.budget_scores(world, outlook_estimates.estimate(project, world))


class _Half:
    """Scores of one half of the worlds, as files named by the code that made them."""

    def __init__(self, folder: Path, compute: Callable[[int], Scores], digest: str) -> None:
        self._folder = folder / digest
        self._compute = compute
        self._folder.mkdir(parents=True, exist_ok=True)

    def world(self, number: int) -> Scores:
        """The scores of a world, computed unless they are there; whole files only."""
        path = self._folder / f"{number:04d}.json"
        if not path.is_file():
            aside = path.with_suffix(".part")
            text = json.dumps(self._compute(number), indent=1, sort_keys=True)
            aside.write_text(text, encoding="utf-8")
            aside.replace(path)
        scores: Scores = json.loads(path.read_text(encoding="utf-8"))
        return scores


def _digest(project: CompiledProject, targets: Iterable[str], modules: Iterable[ModuleType]) -> str:
    """Of the SQL and seeds the estimates stand on, and of the study's own code."""
    found = hashlib.sha256(project.code(targets).encode())
    for module in (baseline, ranges, score, *modules):
        found.update(Path(str(module.__file__)).read_bytes())
    return found.hexdigest()[:16]
