"""Associations, simulation and findings against scipy, numpy, pure noise and what the simulator planted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy import stats

from warehouse.compiled import CompiledProject
from warehouse.home import Home

Values = npt.NDArray[Any]

ROOT = Path(__file__).resolve().parents[2]

CATALOGUED = (
    "usage_revenue",
    "usage_cost",
    "adoption_mrr",
    "tickets_retention",
    "survey_retention",
)
PRODUCT_PAIRS = ("usage_revenue", "usage_cost")
FEATURE_PAIR = "feature_seats"
MONTHS = 36

# At most this share of worlds without any association may show one; the binomial bound that such
# a rate passes in 99 of 100 times leaves room for luck.
NOISE_WORLDS = 100
ACCEPTED_RATE = 0.05

PLANTED = {
    "association: F12 feature_seats": "the feature whose use goes with growth",
    "price_rise: P1 2025-02": "the price rise",
    "cloud_cost_trend: Object Storage P3": "the cost leak",
    "case_shortfall: I07": "the initiative that slips and overruns",
}
TOP = 20


def associate(project: CompiledProject, observations: pd.DataFrame) -> pd.DataFrame:
    connection = project.run(
        ["rpt_kpi_associations"], {"int_association_series": observations, "dim_feature": []}
    )
    with connection:
        return connection.execute("select * from marts.rpt_kpi_associations").fetch_df()


def observed(
    pair: str, segment: str, unit: str, metric: Values, figure: Values, stratum: str = "all"
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "pair_id": pair,
            "segment": segment,
            "unit_id": unit,
            "stratum": stratum,
            "month_date": dt.date(2023, 10, 1),
            "month_number": np.arange(24000, 24000 + len(metric)),
            "metric_value": metric,
            "kpi_value": figure,
        }
    )


def trending(generator: np.random.Generator) -> Values:
    """A level that drifts, remembers and makes noise, as key figures do; always positive."""
    memory = generator.uniform(-0.2, 0.6)
    changes = np.zeros(MONTHS)
    for month in range(1, MONTHS):
        changes[month] = memory * changes[month - 1] + generator.normal(0.01, 0.05)
    return np.asarray(100 * np.exp(np.cumsum(changes)))


def feature_months(
    generator: np.random.Generator, feature: str, lift: float = 1.0, customers: int = 40
) -> pd.DataFrame:
    """Customers who take a feature up for good, and add seats without regard to it, or with."""
    adopted = generator.integers(0, 2 * MONTHS, (customers, 1))
    uses = (np.arange(MONTHS) >= adopted).astype(float)
    # Some customers grow more than others, whether they use it or not.
    rates = 0.03 * generator.gamma(4, 0.25, (customers, 1)) * np.where(uses == 1, lift, 1)
    grows = (generator.random((customers, MONTHS)) < rates).astype(float)
    numbers = np.repeat(np.arange(customers), MONTHS)
    frame = observed(FEATURE_PAIR, feature, "", uses.ravel(), grows.ravel())
    return frame.assign(
        unit_id=np.char.add(f"{feature}-", numbers.astype(str)),
        stratum=np.array(["small", "large"])[numbers % 2],
        month_number=np.tile(np.arange(24000, 24000 + MONTHS), customers),
    )


def noise_world(seed: int) -> pd.DataFrame:
    """Every registered pair, with series that have nothing to do with each other."""
    generator = np.random.default_rng(seed)
    series = [
        observed(pair, segment, segment, trending(generator), trending(generator))
        for pair in CATALOGUED
        for segment in (("P1", "P2", "P3", "P4") if pair in PRODUCT_PAIRS else ("company",))
    ]
    features = [feature_months(generator, feature) for feature in ("F1", "F2", "F3")]
    return pd.concat([*series, *features])


def test_a_world_of_noise_shows_no_association(project: CompiledProject) -> None:
    worlds_with_any = 0
    uncorrected = tests = 0
    for seed in range(NOISE_WORLDS):
        found = associate(project, noise_world(seed))
        worlds_with_any += bool(found.is_significant.any())
        uncorrected += int((found.p_value <= ACCEPTED_RATE).sum())
        tests += int(found.p_value.notna().sum())
    assert worlds_with_any <= stats.binom.ppf(0.99, NOISE_WORLDS, ACCEPTED_RATE), worlds_with_any
    # Without the correction every world would have shown something; p itself is about right.
    assert uncorrected > NOISE_WORLDS
    assert 0.02 < uncorrected / tests < 0.08


def test_a_planted_effect_is_found_at_its_lag(project: CompiledProject) -> None:
    generator = np.random.default_rng(5)
    metric = trending(generator)
    log_changes = np.diff(np.log(metric), prepend=np.log(metric[0]))
    later = np.roll(log_changes, 2)
    later[:2] = 0
    figure = 50 * np.exp(np.cumsum(0.8 * later + generator.normal(0, 0.02, MONTHS)))
    world = pd.concat(
        [
            noise_world(1000),
            observed("usage_revenue", "P9", "P9", metric, figure),
            feature_months(generator, "F9", lift=4, customers=80),
        ]
    )
    found = associate(project, world)
    hits = found[found.is_significant]
    assert {("usage_revenue", "P9", 2), (FEATURE_PAIR, "F9", 0)} <= set(
        zip(hits.pair_id, hits.segment, hits.lag_months, strict=True)
    )
    assert set(hits.segment) == {"P9", "F9"}
    assert not found.statement.str.contains("driv|caus", case=False).any()


def test_correlations_are_those_of_scipy(project: CompiledProject) -> None:
    """Lag 3 of monthly changes with ties and a gap, against scipy on series aligned by hand."""
    generator = np.random.default_rng(3)
    metric, figure = (np.cumsum(generator.integers(-3, 4, MONTHS)) + 50.0 for _ in range(2))
    frame = observed("survey_retention", "company", "company", metric, figure)
    frame = frame[frame.month_number != 24010]
    found = associate(project, frame).set_index("lag_months")
    changes = pd.DataFrame({"x": metric, "y": figure}, index=np.arange(24000, 24000 + MONTHS))
    changes = changes.diff().drop([24000, 24010, 24011])
    for lag in range(4):
        earlier = changes.x.copy()
        earlier.index = earlier.index + lag
        aligned = pd.concat([earlier, changes.y], axis=1, join="inner")
        row = found.loc[lag]
        assert row.observations == len(aligned)
        np.testing.assert_allclose(row.pearson, stats.pearsonr(aligned.x, aligned.y).statistic)
        np.testing.assert_allclose(row.spearman, stats.spearmanr(aligned.x, aligned.y).statistic)


def test_detrended_series_are_residuals_of_their_line(project: CompiledProject) -> None:
    generator = np.random.default_rng(4)
    months = np.arange(MONTHS, dtype=float)
    metric = 3 * months + generator.normal(0, 5, MONTHS)
    figure = 100 - 2 * months + generator.normal(0, 5, MONTHS)
    pair = {
        "pair_id": "p",
        "metric_id": "m",
        "kpi_id": "k",
        "scope_type": "company",
        "expected_sign": 1,
        "transform": "detrend",
        "minimum_lag_months": 0,
        "maximum_lag_months": 0,
        "reason": "",
    }
    connection = project.run(
        ["int_association_correlations"],
        {
            "kpi_pairs": [pair],
            "int_association_series": observed("p", "company", "company", metric, figure),
        },
    )
    query = "select pearson from intermediate.int_association_correlations"
    (found,) = connection.execute(query).fetchall()[0]
    residuals = [
        values - np.polyval(np.polyfit(months, values, 1), months) for values in (metric, figure)
    ]
    assert found == pytest.approx(stats.pearsonr(*residuals).statistic)
    assert abs(found) < 0.5 < abs(stats.pearsonr(metric, figure).statistic)


def test_p_values_are_those_of_students_t(project: CompiledProject) -> None:
    cases = [
        (round(n, 2), round(r, 3))
        for n in (10.15, 10.5, 17.3, 36, 250.7, 5000, 2e6)
        for r in (0.0, 0.001, 0.05, 0.3, 0.5, 0.8, 0.99)
    ]
    found = judge(project, cases)
    degrees, correlations = (np.array(values) for values in zip(*cases, strict=True))
    degrees = degrees - 2
    t = correlations * np.sqrt(degrees / (1 - correlations**2))
    expected = 2 * stats.t.sf(t, degrees)
    visible = expected > 1e-290
    np.testing.assert_allclose(found.p_value[visible], expected[visible], rtol=2e-6)
    q = stats.false_discovery_control(np.clip(found.p_value.to_numpy(), 0, 1))
    np.testing.assert_allclose(found.q_value, q, rtol=1e-9, atol=1e-300)


def test_the_worked_example_is_not_beyond_chance(project: CompiledProject) -> None:
    """Method reference E14: 36 months worth 10.15, a correlation of 0.5."""
    found = judge(project, [(36.0, 0.5), (36 * (1 - 0.56) / (1 + 0.56), 0.5)])
    np.testing.assert_allclose(found.p_value, [0.0019, 0.137], rtol=0.01)


def judge(project: CompiledProject, cases: Sequence[tuple[float, float]]) -> pd.DataFrame:
    """Judge correlations with a number of effective observations, reached by memory."""
    rows = []
    for position, (effective, correlation) in enumerate(cases):
        observations = int(np.ceil(max(effective, 24)))
        memory = (observations - effective) / (observations + effective)
        rows.append(
            {
                "pair_id": "usage_revenue",
                "segment": f"{position:03}",
                "lag_months": 0,
                "observations": observations,
                "pearson": correlation,
                "spearman": correlation,
                "first_half_pearson": correlation,
                "second_half_pearson": correlation,
                "metric_memory": memory,
                "kpi_memory": 1.0,
            }
        )
    given = {"int_association_correlations": pd.DataFrame(rows), "dim_feature": []}
    connection = project.run(["rpt_kpi_associations"], given)
    query = "select * from marts.rpt_kpi_associations order by segment"
    return connection.execute(query).fetch_df()


INITIATIVES = [
    # initiative, funded, selected, rate, known, build, run, benefit
    ("A", True, False, 0.10, -400.0, 300.0, 40.0, 900.0),
    ("B", True, False, 0.12, 150.0, 0.0, 10.0, 200.0),
    ("C", False, True, 0.10, 0.0, 500.0, 60.0, 700.0),
]
DISTRIBUTIONS: Mapping[str, tuple[str, float, float, float, float]] = {
    "build_cost": ("triangular", -0.1, 0.0, 0.5, 0.3),
    "run_cost": ("normal", -0.1, 0.0, 0.1, 0.2),
    "benefit": ("normal", -0.35, 0.0, 0.35, 0.4),
    "delay_months": ("triangular", -1.0, 0.0, 6.0, 0.0),
}


def simulate(
    project: CompiledProject,
    distributions: Mapping[str, tuple[str, float, float, float, float]] = DISTRIBUTIONS,
    seed: int = 7,
) -> pd.DataFrame:
    columns = ("distribution", "low_value", "mode_value", "high_value", "correlation")
    given = {
        "driver_distributions": [
            {"subject_type": "initiative", "driver": driver}
            | dict(zip(columns, values, strict=True))
            for driver, values in distributions.items()
        ],
        "simulation_policies": [{"draws": 10000, "random_seed": seed}],
        "int_initiative_present_values": pd.DataFrame(
            [
                {
                    "initiative_id": name,
                    "is_funded": funded,
                    "is_selected": selected,
                    "discount_rate": rate,
                    "known_amount": known,
                    "build_cost_amount": build,
                    "run_cost_amount": run,
                    "benefit_amount": benefit,
                    "npv_amount": known - build - run + benefit,
                }
                for name, funded, selected, rate, known, build, run, benefit in INITIATIVES
            ]
        ),
        "dim_initiative": [],
    }
    with project.run(["rpt_simulation"], given) as connection:
        found = connection.execute("select * from marts.rpt_simulation").fetch_df()
    return found.set_index("subject_id").sort_index()


def drawn_by_numpy(draws: int) -> dict[str, Values]:
    """The same world, drawn by other means: numpy's generator and scipy's distributions."""
    generator = np.random.default_rng(99)
    common = {driver: generator.standard_normal(draws) for driver in DISTRIBUTIONS}
    npvs: dict[str, Values] = {}
    for name, _, _, rate, known, build, run, benefit in INITIATIVES:
        x: dict[str, Any] = {}
        for driver, (kind, low, mode, high, correlation) in DISTRIBUTIONS.items():
            own = generator.standard_normal(draws)
            z = np.sqrt(correlation) * common[driver] + np.sqrt(1 - correlation) * own
            if kind == "normal":
                x[driver] = stats.norm(mode, (high - low) / 2 / stats.norm.ppf(0.9)).ppf(
                    stats.norm.cdf(z)
                )
            else:
                shape = stats.triang((mode - low) / (high - low), low, high - low)
                x[driver] = shape.ppf(stats.norm.cdf(z))
        npvs[name] = (
            known
            - build * (1 + x["build_cost"])
            - run * (1 + x["run_cost"])
            + benefit * (1 + x["benefit"]) * (1 + rate) ** (-x["delay_months"] / 12)
        )
    npvs["funded"] = npvs["A"] + npvs["B"]
    npvs["selected"] = npvs["C"]
    npvs["funded_and_selected"] = npvs["A"] + npvs["B"] + npvs["C"]
    return npvs


def test_the_simulation_agrees_with_numpy(project: CompiledProject) -> None:
    found = simulate(project)
    assert (found.draws == 10000).all()
    for subject, npvs in drawn_by_numpy(400_000).items():
        row = found.loc[subject]
        p10, p50, p90 = np.quantile(npvs, [0.1, 0.5, 0.9])
        for value, expected, error in [
            (row.mean_npv_amount, npvs.mean(), row.mean_error_amount),
            (row.p10_amount, p10, row.p10_error_amount),
            (row.p50_amount, p50, row.p50_error_amount),
            (row.p90_amount, p90, row.p90_error_amount),
            (row.cvar10_amount, npvs[npvs <= p10].mean(), row.cvar10_error_amount),
            (row.loss_probability, (npvs < 0).mean(), row.loss_probability_error),
        ]:
            assert abs(float(value) - expected) < 4 * float(error) + 0.01, subject
        assert float(row.deviation_amount) == pytest.approx(npvs.std(), rel=0.03)


def test_normal_drivers_have_their_closed_form(project: CompiledProject) -> None:
    """Only benefits are uncertain: NPV is normal, and the two that share a factor add up."""
    certain = dict.fromkeys(DISTRIBUTIONS, ("normal", 0.0, 0.0, 0.0, 0.0))
    found = simulate(project, certain | {"benefit": ("normal", -0.35, 0.0, 0.35, 0.4)})
    z = stats.norm.ppf(0.9)
    unit = 0.35 / z
    correlation = 0.4
    deviations = {
        "A": 900 * unit,
        "B": 200 * unit,
        "funded": unit * np.sqrt(900**2 + 200**2 + 2 * correlation * 900 * 200),
    }
    for subject, deviation in deviations.items():
        row = found.loc[subject]
        mean = float(row.base_npv_amount)
        assert float(row.p10_amount) == pytest.approx(
            mean - z * deviation, abs=4 * float(row.p10_error_amount)
        )
        cvar = mean - deviation * stats.norm.pdf(z) / 0.1
        assert float(row.cvar10_amount) == pytest.approx(
            cvar, abs=4 * float(row.cvar10_error_amount)
        )
        assert row.loss_probability == pytest.approx(
            stats.norm.cdf(-mean / deviation), abs=4 * row.loss_probability_error + 1e-4
        )


def test_draws_repeat_and_another_seed_draws_others(project: CompiledProject) -> None:
    pd.testing.assert_frame_equal(simulate(project), simulate(project))
    assert (simulate(project).p10_amount != simulate(project, seed=8).p10_amount).all()


def test_the_monte_carlo_error_is_the_spread_over_seeds(project: CompiledProject) -> None:
    runs = [simulate(project, seed=seed).loc["funded"] for seed in range(25)]
    for value, error in [
        ("mean_npv_amount", "mean_error_amount"),
        ("p10_amount", "p10_error_amount"),
        ("p50_amount", "p50_error_amount"),
        ("p90_amount", "p90_error_amount"),
        ("cvar10_amount", "cvar10_error_amount"),
        ("loss_probability", "loss_probability_error"),
    ]:
        spread = np.std([float(run[value]) for run in runs], ddof=1)
        stated = np.mean([float(run[error]) for run in runs])
        # 25 seeds know a standard deviation to about 15 %.
        assert 0.55 < spread / stated < 1.55, (value, spread, stated)


@pytest.fixture(scope="module")
def published(sample: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(sample.published / "current" / "marts.duckdb", read_only=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def insights(published: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    query = "select * from rpt_insights order by insight_rank"
    return published.execute(query).fetch_df().set_index("insight_id")


def test_planted_effects_are_among_the_top_findings(insights: pd.DataFrame) -> None:
    ranks = {name: insights.insight_rank.get(name) for name in PLANTED}
    assert all(rank is not None and rank <= TOP for rank in ranks.values()), ranks


def test_planted_effects_are_dated_and_measured(insights: pd.DataFrame) -> None:
    rise = insights.loc["price_rise: P1 2025-02"]
    assert rise.first_seen_on == pd.Timestamp(2025, 2, 1)
    assert "11.2 % higher" in rise.statement
    leak = insights.loc["cloud_cost_trend: Object Storage P3"]
    assert leak.is_open
    assert leak.suggested_owner == "Head of Flow"
    # The leak began in December 2025; three months of it have to outgrow a year-old quarter by half.
    assert pd.Timestamp(2026, 2, 1) <= leak.first_seen_on <= pd.Timestamp(2026, 5, 1)
    slip = insights.loc["case_shortfall: I07"]
    assert "slipped by 192 days" in slip.statement
    feature = insights.loc["association: F12 feature_seats"]
    assert "associated with more growth" in feature.statement


def test_only_the_planted_feature_is_associated(published: duckdb.DuckDBPyConnection) -> None:
    query = "select distinct segment from rpt_kpi_associations where is_significant"
    assert published.execute(query).fetchall() == [("F12",)]


def test_every_finding_shows_its_proof(
    published: duckdb.DuckDBPyConnection, insights: pd.DataFrame
) -> None:
    for insight_id, row in insights.iterrows():
        assert published.execute(row.evidence_query).fetchall(), insight_id
        assert row.suggested_owner, insight_id
        assert row.suggested_action, insight_id
        assert row.statement.endswith("."), row.statement
        assert "USD" in row.statement, row.statement


def test_no_cause_below_grade_b(insights: pd.DataFrame) -> None:
    causal = insights.statement.str.contains(r"\b(?:caus|driv|because|due to|led to|thanks to)")
    assert set(insights[causal].evidence_grade) == {"A"}
    assert (insights.is_causal == causal).all()


def test_worse_scenarios_are_worse(published: duckdb.DuckDBPyConnection) -> None:
    results = dict(
        published.execute("""
            select scenario, sum(operating_result_amount) from rpt_scenarios
            where scope_type = 'company' group by scenario
        """).fetchall()
    )
    assert results["crisis"] < results["downside"] < results["base"] < results["upside"]
