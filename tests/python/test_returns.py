"""The measures of return against numpy-financial, pyxirr and the roots of polynomials."""

import datetime as dt
import itertools
import json
import math

import numpy as np
import numpy.typing as npt
import numpy_financial as npf
import pandas as pd
import pytest
import pyxirr
from scipy.optimize import brentq

from warehouse.compiled import CompiledProject

LOWEST, HIGHEST = -0.99, 10.0
FINANCE_RATE, REINVESTMENT_RATE = 0.08, 0.05

Flows = npt.NDArray[np.float64]


def solve(
    project: CompiledProject,
    sets: dict[str, Flows],
    dates: dict[str, list[dt.date]] | None = None,
    *,
    finance_rate: float = FINANCE_RATE,
    reinvestment_rate: float = REINVESTMENT_RATE,
) -> pd.DataFrame:
    """Every measure of every set of flows (one a period), indexed by set; discounted at 10 %."""
    names = np.repeat(list(sets), [len(flows) for flows in sets.values()])
    periods = np.concatenate([np.arange(len(flows)) for flows in sets.values()])
    amounts = np.concatenate(list(sets.values()))
    yearly = [dt.date(2000 + period % 100, 1, 1) for period in periods]
    days = yearly if dates is None else [day for name in sets for day in dates[name]]
    flows = pd.DataFrame(
        {
            "flow_set_id": names,
            "period_number": periods,
            "flow_on": pd.Series(days, dtype=object),
            "benefit_amount": np.maximum(amounts, 0),
            "cost_amount": np.maximum(-amounts, 0),
            "net_amount": amounts,
        }
    )
    rates = pd.DataFrame(
        {
            "flow_set_id": list(sets),
            "periods_per_year": 1,
            "discount_rate": 0.1,
            "finance_rate": finance_rate,
            "reinvestment_rate": reinvestment_rate,
            "hurdle_rate": 0.12,
            "valuation_on": dt.date(2002, 1, 1),
        }
    )
    connection = project.run(
        ["int_return_measures_computed"],
        {"int_return_flows_pooled": flows, "int_return_sets_defined": rates},
    )
    result = connection.execute(
        "select * from intermediate.int_return_measures_computed"
    ).fetch_df()
    return result.set_index("flow_set_id")


# Method reference E1: discounted at 10 %, financed at 10 %, reinvested at 12 %.
WORKED: dict[str, tuple[list[int], dict[str, float | str]]] = {
    "a": (
        [-1000, 300, 420, 680],
        {
            "npv_amount": 130.73,
            "irr_rate": 0.16340560,
            "mirr_rate": 0.15147134,
            "payback_periods": 2.411765,
            "discounted_payback_periods": 2.744118,
            "profitability_index": 1.130729,
            "moic_ratio": 1.40,
            "roi_rate": 0.40,
        },
    ),
    "b": ([-1000, 2500, -1560], {"irr_status": "multiple_roots", "mirr_rate": 0.10594064}),
    "c": ([1000, -3000, 2500], {"irr_status": "no_real_root", "mirr_rate": 0.17329167}),
    "d": ([-1000, 200, 300, 400], {"irr_status": "unique", "irr_rate": -0.04601341}),
    "e": ([-50, -100, 600, 300, -100], {"irr_status": "multiple_roots"}),
    "f": ([-1000, 2400, -1440], {"irr_status": "double_root"}),
    "g": ([-100, -50], {"irr_status": "no_sign_change"}),
}


def test_worked_numbers(project: CompiledProject) -> None:
    sets = {name: np.array(flows, float) for name, (flows, _) in WORKED.items()}
    result = solve(project, sets, finance_rate=0.1, reinvestment_rate=0.12)
    for name, (_, expected) in WORKED.items():
        for measure, value in expected.items():
            found = result.loc[name, measure]
            assert found == (value if isinstance(value, str) else pytest.approx(value, abs=5e-7))
        assert (result.loc[name].irr_status == "unique") != math.isnan(result.loc[name].irr_rate)


def test_worked_dates(project: CompiledProject) -> None:
    days = [dt.date(2024, 1, 1), dt.date(2024, 7, 1), dt.date(2025, 1, 1), dt.date(2025, 12, 31)]
    flows = np.array([-10000.0, 2000, 5000, 5500])
    row = solve(project, {"dated": flows}, {"dated": days}).loc["dated"]
    assert row.xirr_rate == pytest.approx(0.18244032, abs=5e-9)
    assert row.xnpv_amount == 996.90


def roots_in_range(flows: Flows) -> list[float]:
    """The rates in the range at which the polynomial of the flows is zero, by companion matrix."""
    polynomial = np.trim_zeros(flows)
    roots = np.roots(polynomial)
    rates = [root.real - 1 for root in roots if abs(root.imag) < 1e-7 and root.real > 0]
    return sorted(rate for rate in rates if LOWEST <= rate <= HIGHEST)


def is_well_separated(flows: Flows) -> bool:
    """False when rates are so near each other, complex or not, that no solver can tell."""
    roots = [root for root in np.roots(np.trim_zeros(flows)) if root.real > 0]
    near_real = [root for root in roots if 0 < abs(root.imag) < 1e-3]
    real = sorted(root.real for root in roots if root.imag == 0)
    apart = all(after - before > 5e-3 * before for before, after in itertools.pairwise(real))
    edges = [abs(root - 1 - edge) for root in real for edge in (LOWEST, HIGHEST)]
    return not near_real and apart and all(distance > 1e-4 for distance in edges)


def test_rates_equal_the_roots_of_the_polynomial(project: CompiledProject) -> None:
    random = np.random.default_rng(20)
    sets: dict[str, Flows] = {}
    while len(sets) < 400:
        length = int(random.integers(2, 11))
        flows = np.round(
            random.normal(0, 1000, length) * random.choice([0, 1], length, p=[0.2, 0.8]), 2
        )
        if np.any(flows > 0) and np.any(flows < 0) and is_well_separated(flows):
            sets[f"s{len(sets):03d}"] = flows
    result = solve(project, sets)
    statuses = set()
    for name, flows in sets.items():
        row = result.loc[name]
        expected = roots_in_range(flows)
        found = json.loads(row.irr_roots)
        assert found == pytest.approx(expected, abs=2e-9), (name, flows, row.irr_status)
        signs = np.sign(flows[flows != 0])
        changes = int(np.sum(signs[1:] != signs[:-1]))
        if len(expected) == 1:
            first = "unique" if signs[0] < 0 else "unique_borrowing_type"
            assert row.irr_status == first
            assert row.irr_rate == pytest.approx(expected[0], abs=1e-9)
        else:
            assert math.isnan(row.irr_rate)
            alone = "out_of_range" if changes == 1 else "no_real_root"
            assert row.irr_status == ("multiple_roots" if expected else alone)
        statuses.add(row.irr_status)
    assert statuses >= {"unique", "unique_borrowing_type", "multiple_roots", "no_real_root"}


def test_long_and_extreme_investments_equal_pyxirr_and_numpy_financial(
    project: CompiledProject,
) -> None:
    random = np.random.default_rng(21)
    sets: dict[str, Flows] = {}
    for number in range(300):
        length = int(random.integers(2, 240))
        build = int(random.integers(1, max(2, length // 2)))
        scale = 10.0 ** random.integers(-1, 12)
        flows = random.uniform(0.2, 1, length) * scale
        flows[:build] *= -1
        flows[build:] *= random.uniform(0.1, 3) * build / max(length - build, 1)
        sets[f"s{number:03d}"] = np.sign(flows) * np.maximum(np.round(np.abs(flows), 2), 0.01)
    result = solve(project, sets)
    peers = 0
    for name, flows in sets.items():
        row = result.loc[name]
        assert row.npv_amount == pytest.approx(npf.npv(0.1, flows), rel=1e-9, abs=0.006)
        mirr = npf.mirr(flows, FINANCE_RATE, REINVESTMENT_RATE)
        assert row.mirr_rate == pytest.approx(mirr, abs=1e-9)
        weights, periods = flows / np.abs(flows).sum(), np.arange(len(flows))
        expected = brentq(
            lambda log_rate, weights=weights, periods=periods: (
                weights @ np.exp(-log_rate * periods)
            ),
            -1.0,
            math.log(11),
            xtol=1e-15,
            rtol=1e-14,
        )
        assert row.irr_status == "unique"
        assert row.irr_rate == pytest.approx(math.expm1(expected), abs=1e-9)
        peer = pyxirr.irr(flows)
        peers += peer is not None
        assert peer is None or row.irr_rate == pytest.approx(peer, abs=1e-9)
    assert peers > 250


def test_irregular_dates_equal_pyxirr(project: CompiledProject) -> None:
    random = np.random.default_rng(22)
    sets: dict[str, Flows] = {}
    dates: dict[str, list[dt.date]] = {}
    for number in range(200):
        length = int(random.integers(2, 30))
        flows = random.uniform(1, 1000, length)
        flows[0] = -flows[1:].sum() * random.uniform(0.4, 1.5)
        name = f"s{number:03d}"
        sets[name] = np.round(flows, 2)
        gaps = np.cumsum(random.integers(1, 200, length))
        dates[name] = [dt.date(2010, 1, 1) + dt.timedelta(days=int(gap)) for gap in gaps]
    result = solve(project, sets, dates)
    for name, flows in sets.items():
        row = result.loc[name]
        assert row.xnpv_amount == pytest.approx(pyxirr.xnpv(0.1, dates[name], flows), abs=0.006)
        expected = pyxirr.xirr(dates[name], flows)
        if expected is not None and LOWEST < expected < HIGHEST:
            assert row.xirr_rate == pytest.approx(expected, abs=1e-9), name
        else:
            assert row.xirr_status == "out_of_range"


@pytest.mark.parametrize("rate", [-0.5, 0.0, 0.013, 0.2, 3.0])
def test_touching_rates_are_double_roots(project: CompiledProject, rate: float) -> None:
    growth = 1 + rate
    touching = {
        "touch": np.array([-1.0, 2 * growth, -(growth**2)]) * 1000,
        "touch_from_above": np.array([1.0, -2 * growth, growth**2]) * 1000,
        "just_missing": np.array([-1.0, 2 * growth, -(growth**2) * 1.0001]) * 1000,
        "just_crossing": np.array([-1.0, 2 * growth, -(growth**2) * 0.99999]) * 1000,
    }
    statuses = solve(project, touching).irr_status.to_dict()
    assert statuses == {
        "touch": "double_root",
        "touch_from_above": "double_root",
        "just_missing": "no_real_root",
        "just_crossing": "multiple_roots",
    }


def brute_payback(flows: Flows, rate: float) -> float | None:
    """The final crossing of the cumulative flow, walked period by period."""
    discounted = [flow / (1 + rate) ** period for period, flow in enumerate(flows)]
    cumulative = np.cumsum(discounted)
    under_water = [period for period, value in enumerate(cumulative) if value < -1e-9]
    if not under_water:
        return 0.0
    last = under_water[-1]
    if last == len(flows) - 1:
        return None
    return float(last - cumulative[last] / discounted[last + 1])


def test_payback_is_the_final_crossing(project: CompiledProject) -> None:
    random = np.random.default_rng(23)
    sets: dict[str, Flows] = {}
    for number in range(300):
        flows = np.round(random.normal(20, 100, int(random.integers(2, 20))), 2)
        flows[0] = -abs(flows[0]) - 1
        sets[f"s{number:03d}"] = flows
    result = solve(project, sets)
    for name, flows in sets.items():
        row = result.loc[name]
        for column, rate in (("payback_periods", 0.0), ("discounted_payback_periods", 0.1)):
            expected = brute_payback(flows, rate)
            found = None if math.isnan(row[column]) else row[column]
            assert found == (None if expected is None else pytest.approx(expected, abs=1e-6)), name
