"""Experiments estimated in SQL against numpy and the textbook."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

from warehouse.compiled import CompiledProject

# Student's t at 90 % and 97.5 %, from the tables, by degrees of freedom.
T_TABLE = {5: (1.475884, 2.570582), 10: (1.372184, 2.228139), 60: (1.295821, 2.000298)}

Unit = tuple[str, float | None, float | None]


def estimate(
    project: CompiledProject, units: Iterable[Unit], **design: Any
) -> dict[str, dict[str, Any]]:
    """Each method's row for one experiment of (variant, value before, outcome)."""
    rows = [
        {
            "experiment_id": "X",
            "unit_id": f"u{number}",
            "initiative_id": "I1",
            "variant": variant,
            "assigned_on": dt.date(2026, 1, 1),
            "pre_value": before,
            "outcome_value": outcome,
        }
        for number, (variant, before, outcome) in enumerate(units)
    ]
    result = project.run(
        ["rpt_incrementality"],
        given={
            "stg_product__experiments": rows,
            "experiment_designs": [{"experiment_id": "X"} | design] if design else [],
        },
    ).execute("select * from marts.rpt_incrementality")
    names = [column[0] for column in result.description or []]
    return {
        row["method"]: row for row in (dict(zip(names, r, strict=True)) for r in result.fetchall())
    }


def two_sided_p(t: float, degrees: float) -> float:
    """Two-sided p-value by integrating Student's density."""
    log_scale = math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2)
    scale = math.exp(log_scale) / math.sqrt(degrees * math.pi)
    grid = np.linspace(0, abs(t), 20_001)
    density = scale * (1 + grid**2 / degrees) ** (-(degrees + 1) / 2)
    return float(1 - 2 * np.trapezoid(density, grid))


def welch(treated: np.ndarray, control: np.ndarray) -> tuple[float, float, float]:
    first, second = treated.var(ddof=1) / len(treated), control.var(ddof=1) / len(control)
    degrees = (first + second) ** 2 / (
        first**2 / (len(treated) - 1) + second**2 / (len(control) - 1)
    )
    return float(treated.mean() - control.mean()), math.sqrt(first + second), float(degrees)


@pytest.mark.parametrize("seed", range(5))
def test_estimates_equal_numpy(project: CompiledProject, seed: int) -> None:
    source = np.random.default_rng(seed)
    count = 60
    is_treated = source.random(count) < 0.5
    before = source.normal(50, 10, count)
    outcome = before + source.normal(0, 6, count) + 4 * is_treated
    known = source.random(count) < 0.9
    units = [
        ("treatment" if treated else "control", float(x) if seen else None, float(y))
        for treated, x, y, seen in zip(is_treated, before, outcome, known, strict=True)
    ]
    rows = estimate(project, units)

    theta = np.cov(outcome[known], before[known])[0, 1] / before[known].var(ddof=1)
    centred = np.where(known, before - before[known].mean(), 0)
    observed = {
        "difference_in_means": (outcome, np.ones(count, dtype=bool)),
        "cuped": (outcome - theta * centred, np.ones(count, dtype=bool)),
        "difference_in_differences": (outcome - before, known),
    }
    assert set(rows) == set(observed)
    for method, (values, used) in observed.items():
        effect, error, degrees = welch(values[is_treated & used], values[~is_treated & used])
        row = rows[method]
        assert row["effect"] == pytest.approx(effect, abs=1e-9)
        assert row["standard_error"] == pytest.approx(error, abs=1e-9)
        assert row["degrees_of_freedom"] == pytest.approx(degrees, abs=1e-6)
        assert row["p_value"] == pytest.approx(two_sided_p(effect / error, degrees), abs=2e-4)
        assert row["lower_95_effect"] < row["lower_80_effect"] < row["effect"]
        assert row["is_headline"] == (method == "cuped")
    assert rows["cuped"]["theta"] == pytest.approx(theta)
    assert rows["cuped"]["variance_reduction_rate"] > 0.3


@pytest.mark.parametrize("degrees", T_TABLE)
def test_intervals_use_students_t(project: CompiledProject, degrees: int) -> None:
    """Equal arms of n with equal variances have 2 (n - 1) degrees of freedom; one constant arm, n - 1."""
    is_even = degrees % 2 == 0
    arm = degrees // 2 + 1 if is_even else degrees + 1
    values = [float(value) for value in range(arm)]
    units: list[Unit] = [("treatment", None, value) for value in values]
    units += [("control", None, value if is_even else 2.0) for value in values]
    row = estimate(project, units)["difference_in_means"]
    assert row["degrees_of_freedom"] == pytest.approx(degrees)
    t_90, t_975 = T_TABLE[degrees]
    error = row["standard_error"]
    assert (row["effect"] - row["lower_80_effect"]) / error == pytest.approx(t_90, abs=2e-4)
    assert (row["upper_95_effect"] - row["effect"]) / error == pytest.approx(t_975, abs=2e-3)


def test_difference_in_differences_worked_number(project: CompiledProject) -> None:
    """100 to 130 against 90 to 105 is 15, where the plain difference says 25."""
    units: list[Unit] = [
        (variant, before + noise, after + 2 * noise)
        for variant, before, after in (("treatment", 100, 130), ("control", 90, 105))
        for noise in (-1.5, -0.5, 0.5, 1.5)
    ]
    rows = estimate(project, units)
    assert rows["difference_in_differences"]["effect"] == pytest.approx(15)
    assert rows["difference_in_differences"]["evidence_grade"] == "B"
    assert rows["difference_in_differences"]["guard_reason"] == "one_pre_period"
    assert rows["difference_in_means"]["effect"] == pytest.approx(25)
    assert rows["difference_in_means"]["pre_difference"] == pytest.approx(10)


@pytest.mark.parametrize(("treated", "control", "share"), [(450, 550, 0.5), (310, 690, 0.3)])
def test_sample_ratio_is_judged_against_the_design(
    project: CompiledProject, treated: int, control: int, share: float
) -> None:
    units: list[Unit] = [("treatment", None, float(n % 7)) for n in range(treated)]
    units += [("control", None, float(n % 5)) for n in range(control)]
    row = estimate(
        project,
        units,
        treatment_share=share,
        value_per_unit_amount=10,
        margin_rate=0.5,
        exposed_units=100,
        persistence_months=12,
    )["difference_in_means"]
    deviate = (treated - share * 1000) / math.sqrt(1000 * share * (1 - share))
    expected = 2 * NormalDist().cdf(-abs(deviate))
    assert row["sample_ratio_p_value"] == pytest.approx(expected, abs=1e-12)
    assert row["blocked_reason"] is None
    assert row["evidence_grade"] == "A"
    assert float(row["value_amount"]) == pytest.approx(
        row["effect"] * 10 * 0.5 * 100 * 12, abs=0.01
    )
    assert row["lower_80_value_amount"] < row["value_amount"] < row["upper_80_value_amount"]


def test_a_sample_ratio_the_design_does_not_explain_blocks(project: CompiledProject) -> None:
    units: list[Unit] = [("treatment", None, float(n % 7)) for n in range(400)]
    units += [("treatment", None, None)] * 20  # assigned, never measured: they count for the ratio
    units += [("control", None, float(n % 5)) for n in range(580)]
    row = estimate(project, units, treatment_share=0.5, value_per_unit_amount=10)
    blocked = row["difference_in_means"]
    assert blocked["blocked_reason"] == "sample_ratio_mismatch"
    assert (blocked["evidence_grade"], blocked["is_causal"]) == ("E", False)
    assert blocked["value_amount"] is None
    assert blocked["value_amount_reason"] == "sample_ratio_mismatch"
    assert blocked["treatment_units"] == 400


def test_one_arm_or_no_spread_gives_no_interval(project: CompiledProject) -> None:
    alone = estimate(project, [("treatment", 1.0, 2.0), ("treatment", 2.0, 3.0)])
    assert alone["difference_in_means"]["effect"] is None
    assert alone["difference_in_means"]["blocked_reason"] == "too_few_units"
    same = estimate(project, [("treatment", 1.0, 2.0)] * 3 + [("control", 1.0, 1.0)] * 3)
    assert "cuped" not in same
    assert same["difference_in_means"]["effect"] == 1
    assert same["difference_in_means"]["p_value"] is None
