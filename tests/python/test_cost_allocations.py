"""The allocation engine: worked numbers, an independent solver, and conservation on random rules."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.compiled import CompiledProject

Row = Mapping[str, Any]
START, END = date(2026, 3, 1), date(2026, 3, 31)
FIRST = date(2023, 1, 1)


def rule(pool: str, pool_type: str, driver: str | None, **columns: object) -> dict[str, object]:
    return {
        "rule_id": f"R-{pool}",
        "pool_id": pool,
        "pool_name": pool,
        "pool_type": pool_type,
        "cost_center_id": f"CC-{pool}",
        "account_id": None,
        "driver_id": driver,
        "step_rank": None,
        "practical_capacity": None,
        "valid_from": FIRST,
        "valid_to": None,
    } | columns


def cost(pool: str, units: int, **columns: object) -> dict[str, object]:
    return {
        "fiscal_period": "2026-P03",
        "pool_id": pool,
        "cost_class": "engineering",
        "rule_id": f"R-{pool}",
        "pool_type": "service",
        "period_start_on": START,
        "period_end_on": END,
        "amount_units": units,
    } | columns


def driver(
    name: str, consumer: str, quantity: float, period: str = "2026-P03"
) -> dict[str, object]:
    return {
        "driver_id": name,
        "fiscal_period": period,
        "consumer_id": consumer,
        "quantity": quantity,
    }


def allocate(
    project: CompiledProject,
    rules: Sequence[Row],
    costs: Sequence[Row],
    drivers: Sequence[Row],
    products: Sequence[str],
    coefficients: Sequence[Row] = (),
) -> list[dict[str, Any]]:
    connection = project.run(
        ["fct_cost_allocations"],
        given={
            "allocation_rules": rules,
            "allocation_coefficients": coefficients,
            "int_allocation_pool_costs": costs,
            "int_allocation_drivers": drivers or [driver("none", "none", 0)],
            "dim_product": [
                {"product_id": product, "launched_on": FIRST, "retired_on": None}
                for product in products
            ],
            "cost_centers": [],
        },
    )
    with connection:
        rows: list[dict[str, Any]] = (
            connection.execute("from marts.fct_cost_allocations").df().to_dict("records")
        )
    return rows


def by_target(rows: Sequence[Row], method: str, *, period: str = "2026-P03") -> dict[str, float]:
    totals: dict[str, float] = defaultdict(float)
    for row in rows:
        if row["allocation_method"] == method and row["fiscal_period"] == period:
            totals[row["target_id"]] += row["allocated_amount"]
    return {target: round(total, 2) for target, total in totals.items()}


PLATFORM_PEOPLE = [
    driver("use", "CC-people", 10),
    driver("use", "A", 50),
    driver("use", "B", 40),
    driver("heads", "CC-platform", 20),
    driver("heads", "A", 30),
    driver("heads", "B", 50),
]


@pytest.mark.parametrize(
    ("platform_rank", "method", "expected"),
    [
        (1, "direct", {"A": 384_333.33, "B": 351_666.67}),
        (1, "step_down", {"A": 373_500.00, "B": 362_500.00}),
        (3, "step_down", {"A": 389_244.44, "B": 346_755.56}),
        (1, "reciprocal", {"A": 380_000.00, "B": 356_000.00}),
        (1, "activity_based", {"A": 380_000.00, "B": 356_000.00}),
    ],
)
def test_two_services_that_serve_each_other(
    project: CompiledProject, platform_rank: int, method: str, expected: dict[str, float]
) -> None:
    rows = allocate(
        project,
        [
            rule("platform", "service", "use", step_rank=platform_rank),
            rule("people", "service", "heads", step_rank=2),
        ],
        [cost("platform", 60_000_000), cost("people", 13_600_000)],
        PLATFORM_PEOPLE,
        ["A", "B"],
    )
    assert by_target(rows, method) == expected


def test_unused_capacity_stays_unallocated(project: CompiledProject) -> None:
    rows = allocate(
        project,
        [rule("platform", "service", "use", step_rank=1, practical_capacity=200)],
        [cost("platform", 100_000)],
        [driver("use", "A", 100), driver("use", "B", 50)],
        ["A", "B"],
    )
    assert by_target(rows, "activity_based") == {"A": 500, "B": 250, "unallocated": 250}
    assert by_target(rows, "reciprocal") == {"A": 666.67, "B": 333.33}


@pytest.mark.parametrize(
    ("drivers", "expected"),
    [
        ([], {"unallocated": 1000}),
        ([driver("use", "A", 0)], {"unallocated": 1000}),
        ([driver("use", "nobody", 30), driver("use", "A", 10)], {"A": 250, "unallocated": 750}),
        ([driver("use", "CC-people", 1)], {"unallocated": 1000}),
        ([driver("use", "CC-people", 1), driver("use", "A", 1)], {"A": 500, "unallocated": 500}),
    ],
    ids=["missing driver", "zero driver", "unknown consumer", "closed loop", "leads to a loop"],
)
def test_what_has_no_way_out_is_never_absorbed(
    project: CompiledProject, drivers: list[Row], expected: dict[str, float]
) -> None:
    loop = [driver("heads", "CC-ring", 1), driver("ring", "CC-people", 1)]
    rows = allocate(
        project,
        [
            rule("platform", "service", "use", step_rank=1),
            rule("people", "service", "heads", step_rank=2),
            rule("ring", "service", "ring", step_rank=3),
        ],
        [cost("platform", 100_000)],
        [*drivers, *loop],
        ["A"],
    )
    assert by_target(rows, "reciprocal") == expected


def test_shared_cloud_three_ways(project: CompiledProject) -> None:
    def coefficients(last: float) -> list[dict[str, object]]:
        shares = {"A": 0.7, "B": 0.2, "C": last}
        return [
            {"rule_id": "R-cloud", "target_id": target, "coefficient": share}
            for target, share in shares.items()
        ]

    def run(last: float) -> list[dict[str, Any]]:
        return allocate(
            project,
            [rule("cloud", "shared_cloud", "direct", account_id="5010", cost_center_id=None)],
            [cost("cloud", 10_000, pool_type="shared_cloud")],
            [driver("direct", "A", 900), driver("direct", "B", 100)],
            ["A", "B", "C"],
            coefficients(last),
        )

    rows = run(0.1)
    assert by_target(rows, "proportional") == {"A": 90, "B": 10}
    assert by_target(rows, "even") == {"A": 33.34, "B": 33.33, "C": 33.33}
    assert by_target(rows, "fixed") == {"A": 70, "B": 20, "C": 10}
    assert [row["allocation_method"] for row in rows if row["is_in_force"]] == ["proportional"] * 2
    assert by_target(run(0.2), "fixed") == {"unallocated": 100}


def random_network(
    seed: int,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Service-to-service use (self-use included), use by operating units, own cost in cents."""
    generator = np.random.default_rng(seed)
    services, units = generator.integers(2, 9), generator.integers(1, 6)
    density = generator.uniform(0.3, 1)
    between = generator.integers(1, 1000, (services, services)) * (
        generator.random((services, services)) < density
    )
    outside = generator.integers(1, 300, (services, units))
    costs = generator.integers(1, 10**9, services)
    return between.astype(float), outside.astype(float), costs.astype(float)


def test_reciprocal_equals_a_linear_solver_on_200_systems(project: CompiledProject) -> None:
    costs, drivers, expected = [], [], {}
    rules = [
        rule(f"S{service}", "service", f"S{service}", step_rank=service) for service in range(8)
    ]
    for seed in range(200):
        period = f"period {seed:03}"
        between, outside, own = random_network(seed)
        services, units = outside.shape
        for service in range(services):
            costs.append(cost(f"S{service}", int(own[service]), fiscal_period=period))
            drivers += [
                driver(f"S{service}", f"CC-S{other}", float(between[service, other]), period)
                for other in range(services)
            ]
            drivers += [
                driver(f"S{service}", f"U{unit}", float(outside[service, unit]), period)
                for unit in range(units)
            ]
        np.fill_diagonal(between, 0)
        whole = between.sum(axis=1) + outside.sum(axis=1)
        gross = np.linalg.solve(np.eye(services) - (between / whole[:, None]).T, own)
        expected[period] = gross @ (outside / whole[:, None])
    rows = allocate(project, rules, costs, drivers, [f"U{unit}" for unit in range(5)])
    furthest = 0.0
    for period, amounts in expected.items():
        allocated = by_target(rows, "reciprocal", period=period)
        assert "unallocated" not in allocated
        for unit, amount in enumerate(amounts):
            furthest = max(furthest, abs(allocated[f"U{unit}"] * 100 - amount))
    # One cent of rounding for each service that gives to a unit, at most.
    assert furthest <= 8


METHODS = {
    "service": ["direct", "step_down", "reciprocal", "activity_based"],
    "operating": ["direct", "step_down", "reciprocal", "activity_based"],
    "shared_cloud": ["proportional", "even", "fixed"],
    "retained": ["none"],
}


@st.composite
def random_rules(draw: st.DrawFn) -> tuple[list[Row], list[Row], list[Row], list[Row]]:
    """Any network: loops, self-use, missing and zero drivers, unknown consumers, negative cost."""
    source = random.Random(draw(st.integers(0, 2**32)))
    pools = [f"S{number}" for number in range(source.randint(1, 6))]
    types = {pool: source.choice([*METHODS, "service"]) for pool in pools}
    rules: list[Row] = [
        rule(
            pool,
            types[pool],
            f"driver {pool}",
            step_rank=source.randint(1, 5),
            practical_capacity=source.choice([None, source.randint(1, 5000)]),
        )
        for pool in pools
    ]
    consumers = [*[f"CC-{pool}" for pool in pools], "A", "B", "C", "nobody"]
    drivers: list[Row] = [
        driver(f"driver {pool}", consumer, source.choice([0, source.randint(1, 1000)]))
        for pool in pools
        for consumer in source.sample(consumers, source.randint(0, len(consumers)))
    ]
    coefficients: list[Row] = [
        {"rule_id": f"R-{pool}", "target_id": target, "coefficient": share}
        for pool in pools
        for target, share in zip(
            ["A", "B", source.choice(["C", "nobody"])],
            source.choice([(0.2, 0.3, 0.5), (0.2, 0.3, 0.4)]),
            strict=True,
        )
    ]
    costs: list[Row] = [
        cost(
            pool,
            source.randint(-(10**6), 10**9),
            cost_class=cost_class,
            pool_type=types[pool],
        )
        for pool in pools
        for cost_class in source.sample(["support", "engineering", "amortisation"], 2)
    ]
    return rules, costs, drivers, coefficients


@settings(max_examples=25, deadline=None)
@given(random_rules())
def test_every_pool_is_conserved_to_the_penny(
    project: CompiledProject, network: tuple[list[Row], list[Row], list[Row], list[Row]]
) -> None:
    rules, costs, drivers, coefficients = network
    rows = allocate(project, rules, costs, drivers, ["A", "B", "C"], coefficients)
    allocated: dict[tuple[str, str, str], int] = defaultdict(int)
    for row in rows:
        key = (row["allocation_method"], row["pool_id"], row["cost_class"])
        allocated[key] += round(row["allocated_amount"] * 100)
    source = {
        (method, row["pool_id"], row["cost_class"]): row["amount_units"]
        for row in costs
        for method in METHODS[row["pool_type"]]
    }
    assert dict(allocated) == source
