"""Errors of estimates against the truth of a world, and what many worlds say together."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from warehouse.study import baseline, budget_world, returns_world
from warehouse.study.outlook_estimates import Outlooks
from warehouse.study.return_estimates import Returns

# A reduction of an error below this is no ratio worth stating.
ALREADY_ACCURATE = 0.01
RESAMPLES = 10_000

Scores = dict[str, Any]


def error_reduction(baseline_error: float, integrated_error: float) -> float | None:
    """1 - integrated / baseline; None where the baseline is accurate already."""
    if baseline_error < ALREADY_ACCURATE:
        return None
    return 1 - integrated_error / baseline_error


def returns_scores(world: returns_world.World, found: Returns) -> Scores:
    """Investment-weighted absolute errors of a world, summed by kind of investment and variant.

    A missing estimate is a return of 0.
    """
    errors: dict[str, dict[str, float]] = {}
    weights: dict[str, float] = {}
    for key, weight in world.investment.items():
        kind = key.partition("|")[0]
        weights[kind] = weights.get(kind, 0.0) + weight
        for variant, estimates in found.by_variant.items():
            miss = weight * abs(estimates.get(key, 0.0) - world.true_return[key])
            by_kind = errors.setdefault(variant, {})
            by_kind[kind] = by_kind.get(kind, 0.0) + miss
    accuracy = {}
    for model, credited in sorted(found.shares.items()):
        total = sum(credited.values())
        accuracy[model] = (
            1
            - sum(
                abs(credited.get(channel, 0.0) / total - share)
                for channel, share in world.true_shares.items()
            )
            / 2
        )
    return {
        "kind": world.kind,
        "parameters": _finite(world.parameters),
        "weights": weights,
        "errors": errors,
        "attribution_accuracy": accuracy,
    }


def budget_scores(world: budget_world.World, found: Outlooks) -> Scores:
    """Absolute errors of year-end outlooks summed over lines and reports, and the guardrails."""
    final = world.true_final
    errors = dict.fromkeys(("baseline", "seasonal_naive", *found.by_variant), 0.0)
    budget = _annual_budget(world)
    over = final > budget
    never = np.full(len(final), budget_world.PERIODS)
    first = dict.fromkeys(("baseline", *found.flags), never)
    for report in range(1, budget_world.PERIODS):
        known, prior = budget_world.known_actuals(world, report)
        straight = baseline.straight_line(known, report)
        naive = baseline.seasonal_naive(known, prior, report)
        errors["baseline"] += float(np.abs(straight - final).sum())
        errors["seasonal_naive"] += float(np.abs(naive - final).sum())
        for variant, table in found.by_variant.items():
            errors[variant] += float(np.abs(table[report - 1] - final).sum())
        flags = {name: table[report - 1] for name, table in found.flags.items()}
        flags["baseline"] = baseline.warns(straight, budget)
        for method, warned in flags.items():
            first[method] = np.where(warned, np.minimum(first[method], report), first[method])
    return {
        "kind": world.kind,
        "parameters": _finite(world.parameters),
        "actual": float(np.abs(final).sum()) * (budget_world.PERIODS - 1),
        "errors": errors,
        "overspent": int(over.sum()),
        "kept": int((~over).sum()),
        "lead_periods": {m: int((budget_world.PERIODS - first[m])[over].sum()) for m in first},
        "false_alarms": {m: int((first[m] < budget_world.PERIODS)[~over].sum()) for m in first},
    }


def _annual_budget(world: budget_world.World) -> np.ndarray:
    lines = world.extracts["stg_budget__budget_line_versions"]
    lines = lines[lines["budget_version"] == f"FY{budget_world.JUDGED_YEAR}_original"]
    sums = lines.groupby(["cost_center_id", "account_id"])["amount"].sum()
    return np.array([float(sums[line]) for line in budget_world.LINES])


def _finite(parameters: Mapping[str, float]) -> dict[str, float | None]:
    return {name: value if np.isfinite(value) else None for name, value in parameters.items()}


@dataclass(frozen=True)
class Pooled:
    """Pooled errors of some worlds, and how sure their ratio is."""

    worlds: int
    baseline_error: float
    integrated_error: float
    reduction: float | None
    lower: float | None
    upper: float | None
    # Share of worlds in which the integrated estimate is farther from the truth.
    worse_share: float


def pool(
    worlds: Sequence[Scores],
    weight: Callable[[Scores], float],
    error: Callable[[Scores, str], float],
    seed: int,
    variant: str = "integrated",
    reference: str = "baseline",
) -> Pooled:
    """Ratio of pooled errors, with its 5th and 95th percentile over resampled worlds."""
    weights = np.array([weight(world) for world in worlds])
    before = np.array([error(world, reference) for world in worlds])
    after = np.array([error(world, variant) for world in worlds])
    rng = np.random.default_rng([seed, len(worlds)])
    drawn = rng.integers(0, len(worlds), (RESAMPLES, len(worlds)))
    ratios = 1 - after[drawn].sum(axis=1) / before[drawn].sum(axis=1)
    baseline_error = float(before.sum() / weights.sum())
    integrated_error = float(after.sum() / weights.sum())
    reduction = error_reduction(baseline_error, integrated_error)
    lower, upper = (None, None) if reduction is None else map(float, np.percentile(ratios, [5, 95]))
    return Pooled(
        len(worlds),
        baseline_error,
        integrated_error,
        reduction,
        lower,
        upper,
        float(np.mean(after > before)),
    )


def returns_weight(world: Scores) -> float:
    """Money invested in a world."""
    return float(sum(world["weights"].values()))


def returns_error(world: Scores, variant: str) -> float:
    """Weighted errors of a world, all kinds of investment together."""
    return float(sum(world["errors"][variant].values()))


def budget_weight(world: Scores) -> float:
    """Absolute actuals, once per report."""
    return float(world["actual"])


def budget_error(world: Scores, variant: str) -> float:
    """Absolute errors of a world over lines and reports."""
    return float(world["errors"][variant])


def of_kind(worlds: Iterable[Scores], *kinds: str) -> list[Scores]:
    """The worlds of some kinds."""
    return [world for world in worlds if world["kind"] in kinds]
