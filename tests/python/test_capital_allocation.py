"""The chosen initiatives against an exact mixed-integer solver."""

import time
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from warehouse.compiled import CompiledProject


@dataclass
class Problem:
    """Candidates by position; limits as (demand of each candidate, limit)."""

    npv: list[float]
    cost: list[float]
    budgets: list[tuple[list[float], float]]
    capacities: list[tuple[list[float], float]]
    depends_on: dict[int, int] = field(default_factory=dict)
    groups: dict[int, str] = field(default_factory=dict)
    mandatory: set[int] = field(default_factory=set)


def random_problem(random: np.random.Generator, size: int) -> Problem:
    cost = [float(value) for value in random.integers(10, 100, size)]
    npv = [float(value) for value in random.integers(-15, 80, size)]
    budgets = []
    for _ in range(int(random.integers(1, 4))):
        share = random.uniform(0, 1, size) * random.choice([0, 1], size, p=[0.2, 0.8])
        demand = [float(value) for value in np.round(share * cost, 2)]
        budgets.append((demand, round(float(sum(demand) * random.uniform(0.2, 0.8)), 2)))
    capacities = []
    for _ in range(int(random.integers(0, 3))):
        demand = [float(value) for value in random.integers(0, 50, size)]
        capacities.append((demand, float(round(sum(demand) * random.uniform(0.3, 0.9)))))
    problem = Problem(npv, cost, budgets, capacities)
    for place in range(1, size):
        if random.random() < 0.2:
            problem.depends_on[place] = int(random.integers(0, place))
        if random.random() < 0.2:
            problem.groups[place] = f"g{random.integers(0, 2)}"
    if random.random() < 0.3:
        problem.mandatory.add(int(random.integers(0, size)))
    return problem


def rows(problem: Problem) -> tuple[pd.DataFrame, pd.DataFrame]:
    size = len(problem.npv)
    candidates = pd.DataFrame(
        {
            "initiative_id": [f"c{place:02d}" for place in range(size)],
            "npv_amount": problem.npv,
            "cost_amount": problem.cost,
            "depends_on_initiative_id": pd.Series(
                [
                    f"c{problem.depends_on[place]:02d}" if place in problem.depends_on else None
                    for place in range(size)
                ],
                dtype="string",
            ),
            "exclusive_group": pd.Series(
                [problem.groups.get(place) for place in range(size)], dtype="string"
            ),
            "is_mandatory": [place in problem.mandatory for place in range(size)],
            "is_available": True,
        }
    )
    limits = [("budget", *limit) for limit in problem.budgets]
    limits += [("capacity", *limit) for limit in problem.capacities]
    demands = pd.DataFrame(
        [
            {
                "initiative_id": f"c{place:02d}",
                "constraint_id": f"{kind} {number}",
                "constraint_type": kind,
                "demand_amount": demand[place],
                "limit_amount": limit,
            }
            for number, (kind, demand, limit) in enumerate(limits)
            for place in range(size)
        ]
    )
    return candidates, demands


def allocate(project: CompiledProject, problem: Problem, levels: list[float]) -> pd.DataFrame:
    candidates, demands = rows(problem)
    connection = project.run(
        ["int_funding_choices_solved"],
        {
            "int_funding_candidates_prepared": candidates,
            "int_funding_demands_measured": demands,
            "budget_levels": [{"budget_level": level} for level in levels],
        },
    )
    return connection.execute(
        "select * from intermediate.int_funding_choices_solved order by initiative_id"
    ).fetch_df()


def exact_value(problem: Problem, level: float) -> float | None:
    """The best net present value, by HiGHS; None when nothing is feasible."""
    size = len(problem.npv)
    constraints = [
        LinearConstraint(np.array([demand]), -np.inf, limit * level)
        for demand, limit in problem.budgets
    ]
    constraints += [
        LinearConstraint(np.array([demand]), -np.inf, limit) for demand, limit in problem.capacities
    ]
    for dependant, prerequisite in problem.depends_on.items():
        row = np.zeros(size)
        row[dependant], row[prerequisite] = 1, -1
        constraints.append(LinearConstraint(row[None, :], -np.inf, 0))
    for group in set(problem.groups.values()):
        row = np.array([float(problem.groups.get(place) == group) for place in range(size)])
        constraints.append(LinearConstraint(row[None, :], -np.inf, 1))
    low = np.array([float(place in problem.mandatory) for place in range(size)])
    result = milp(
        -np.array(problem.npv),
        constraints=constraints,
        bounds=Bounds(low, np.ones(size)),
        integrality=np.ones(size),
        options={"mip_rel_gap": 0},
    )
    return -float(result.fun) if result.success else None


def assert_feasible(problem: Problem, chosen: set[int], level: float) -> None:
    for demand, limit in problem.budgets:
        assert sum(demand[place] for place in chosen) <= limit * level * (1 + 1e-9) + 1e-9
    for demand, limit in problem.capacities:
        assert sum(demand[place] for place in chosen) <= limit * (1 + 1e-9)
    for dependant, prerequisite in problem.depends_on.items():
        assert dependant not in chosen or prerequisite in chosen
    taken = [problem.groups[place] for place in chosen if place in problem.groups]
    assert len(taken) == len(set(taken))
    assert problem.mandatory <= chosen


def chosen_at(result: pd.DataFrame, level: float, method: str) -> tuple[set[int], str, float]:
    part = result[(result.budget_level == level) & (result.selection_method == method)]
    chosen = {int(name[1:]) for name in part[part.is_selected].initiative_id}
    return chosen, part.solution_status.iloc[0], part.upper_bound_amount.iloc[0]


# A, B, C and D: a budget of 100, of which they need 60, 50, 50 and 10.
FOUR = Problem(
    npv=[30, 24, 23, 3], cost=[60, 50, 50, 10], budgets=[([60, 50, 50, 10], 100)], capacities=[]
)


def test_the_best_two_beat_the_two_with_the_best_index(project: CompiledProject) -> None:
    result = allocate(project, FOUR, [1.0])
    chosen, status, _ = chosen_at(result, 1.0, "optimum")
    assert (chosen, status) == ({1, 2}, "exact")  # B and C for 47
    chosen, status, _ = chosen_at(result, 1.0, "profitability_index")
    assert (chosen, status) == ({0, 3}, "heuristic")  # A and D for 33


def test_a_prerequisite_has_to_be_paid_too(project: CompiledProject) -> None:
    result = allocate(project, replace(FOUR, depends_on={2: 3}), [1.0])
    # C needs D, so B and C no longer fit; A and D for 33 are the best left.
    assert chosen_at(result, 1.0, "optimum")[0] == {0, 3}
    assert chosen_at(result, 1.0, "profitability_index")[0] == {0, 3}


def test_up_to_20_candidates_the_choice_is_exact(project: CompiledProject) -> None:
    random = np.random.default_rng(31)
    infeasible = 0
    for _ in range(30):
        problem = random_problem(random, int(random.integers(2, 15)))
        levels = [0.5, 1.0, 1.7]
        result = allocate(project, problem, levels)
        for level in levels:
            chosen, status, bound = chosen_at(result, level, "optimum")
            best = exact_value(problem, level)
            if best is None:
                infeasible += 1
                assert status == "infeasible"
                assert not chosen
                continue
            assert status == "exact"
            assert_feasible(problem, chosen, level)
            value = sum(problem.npv[place] for place in chosen)
            assert value == pytest.approx(best)
            assert value <= bound + 1e-6
            by_index, _, _ = chosen_at(result, level, "profitability_index")
            assert_feasible(problem, by_index, level)
            assert sum(problem.npv[place] for place in by_index) <= value
    assert infeasible > 0


def test_20_candidates_take_seconds(project: CompiledProject) -> None:
    problem = random_problem(np.random.default_rng(32), 20)
    started = time.monotonic()
    result = allocate(project, problem, [0.5, 1.0])
    assert time.monotonic() - started < 20
    chosen, status, _ = chosen_at(result, 1.0, "optimum")
    assert status == "exact"
    best = exact_value(problem, 1.0)
    assert sum(problem.npv[place] for place in chosen) == pytest.approx(best)


def test_beyond_20_candidates_the_gap_is_honest(project: CompiledProject) -> None:
    random = np.random.default_rng(33)
    ratios = []
    for _ in range(6):
        problem = random_problem(random, int(random.integers(21, 60)))
        problem.mandatory = set()
        result = allocate(project, problem, [0.6, 1.0])
        for level in (0.6, 1.0):
            chosen, status, bound = chosen_at(result, level, "optimum")
            best = exact_value(problem, level)
            assert best is not None
            assert status == "heuristic"
            assert_feasible(problem, chosen, level)
            value = sum(problem.npv[place] for place in chosen)
            assert value <= best + 1e-6
            assert best <= bound + 1e-6
            ratios.append(value / best)
    assert float(np.mean(ratios)) > 0.9
    assert min(ratios) > 0.75
