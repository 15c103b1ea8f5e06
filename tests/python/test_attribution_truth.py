"""How near attribution and experiments come to what the simulated company really owes to whom.

The truth is read here and nowhere else; no model sees it.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pandas as pd
import pytest

from warehouse.compiled import CompiledProject
from warehouse.home import PROJECT
from warehouse.simulate.parameters import BROKEN_EXPERIMENT, EXPERIMENTS

# Largest share of credit a model may give to the wrong channel (total variation distance to the true
# incremental conversions). The true effects depend on who is reached, which no path shows: even the
# best rule misplaces about three tenths.
TOLERANCE = {
    "shapley": 0.35,
    "linear": 0.40,
    "last_non_direct": 0.40,
    "position_based": 0.40,
    "first_touch": 0.45,
    "markov": 0.45,
    "time_decay": 0.50,
    "last_touch": 0.55,
}


def sample(extract: str, key: list[str], moment: str) -> pd.DataFrame:
    """An extract's sample rows as the gate accepts them: readable moments, one row per key."""
    frame = pd.read_csv(PROJECT / "sample" / f"{extract}.csv", dtype=object)
    frame[moment] = pd.to_datetime(frame[moment], errors="coerce", format="ISO8601")
    return (
        frame.dropna(subset=[moment]).drop_duplicates(key, keep="last").drop(columns="recorded_at")
    )


def distance(first: Mapping[str, float], second: Mapping[str, float]) -> float:
    """Half the sum of absolute differences of two splits: what would have to change hands."""
    totals = sum(first.values()), sum(second.values())
    return sum(abs(first[c] / totals[0] - second[c] / totals[1]) for c in second) / 2


def test_channels_are_credited_within_tolerance_of_the_truth(project: CompiledProject) -> None:
    touches = sample("revenue/touchpoints", ["touch_id"], "occurred_at")
    conversions = sample("revenue/conversions", ["conversion_id"], "occurred_at")
    touches["is_paid"] = touches["is_paid"] == "true"
    conversions["is_won"] = conversions["is_won"] == "true"
    rows = (
        project.run(
            ["fct_attribution_credits"],
            given={"stg_revenue__touchpoints": touches, "stg_revenue__conversions": conversions},
        )
        .execute(
            """
            select attribution_model, channel, sum(credit_share)
            from marts.fct_attribution_credits
            where channel <> 'unattributed'
            group by all
            """
        )
        .fetchall()
    )
    credited: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for model, channel, share in rows:
        credited[model][channel] = share
    with (PROJECT / "sample-truth" / "channel_effects.csv").open(encoding="utf-8") as lines:
        truth = {
            row["channel"]: float(row["incremental_conversions"]) for row in csv.DictReader(lines)
        }
    distances = {model: distance(split, truth) for model, split in credited.items()}
    print({model: round(miss, 3) for model, miss in sorted(distances.items())})
    assert {model: miss for model, miss in distances.items() if miss > TOLERANCE[model]} == {}
    assert set(distances) == set(TOLERANCE)
    # Who only looks at the end of a journey credits the buyer's intent.
    assert distances["shapley"] < distances["last_touch"]


def test_experiments_find_the_planted_effects(project: CompiledProject) -> None:
    units = sample("product/experiments", ["experiment_id", "unit_id"], "assigned_on")
    for column in ("pre_value", "outcome_value"):
        units[column] = pd.to_numeric(units[column])
    rows = (
        project.run(["rpt_incrementality"], given={"stg_product__experiments": units})
        .execute(
            """
            select experiment_id, effect, lower_95_effect, upper_95_effect, sample_ratio_p_value
            from marts.rpt_incrementality
            where is_headline
            """
        )
        .fetchall()
    )
    found: dict[str, tuple[Any, ...]] = {row[0]: row[1:] for row in rows}
    assert set(found) == {experiment for experiment, *_ in EXPERIMENTS}
    for experiment, _, effect, _, _ in EXPERIMENTS:
        estimate, lower, upper, sample_ratio = found[experiment]
        assert lower < effect < upper, experiment
        assert estimate == pytest.approx(effect, abs=2)
        assert (lower > 0) == (effect > 0), f"{experiment}: an effect exactly where there is one"
        assert (sample_ratio < 0.05) == (experiment == BROKEN_EXPERIMENT)
