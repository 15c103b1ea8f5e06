"""Attribution models against independent solutions: numpy, permutations and plain Python."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from warehouse.compiled import CompiledProject

POLICY: dict[str, Any] = {
    "lookback_days": 90,
    "duplicate_window_minutes": 30,
    "tie_break": "touch_id_ascending",
    "direct_handling": "keep",
    "touch_sharing": "every_decision",
    "revenue_window_months": 12,
    "half_life_days": 7,
    "position_first_share": Decimal("0.4"),
    "position_last_share": Decimal("0.4"),
    "markov_order": 1,
    "markov_order_rule": "fixed",
    "markov_min_observations": 30,
    "markov_max_states": 200,
    "shapley_max_exact_channels": 12,
    "shapley_samples": 24,
}
DECIDED_AT = dt.datetime.fromisoformat("2026-06-30T12:00:00")
# The worked paths of the method reference: path, converting, not converting.
WORKED_PATHS = [("A B", 40, 60), ("B", 20, 80), ("A C B", 30, 20), ("C", 10, 140)]
MODELS = [
    "first_touch",
    "last_touch",
    "last_non_direct",
    "linear",
    "position_based",
    "time_decay",
    "markov",
    "shapley",
]

Path = tuple[str, ...]


def attribute(
    project: CompiledProject,
    touches: Sequence[Mapping[str, Any]],
    conversions: Sequence[Mapping[str, Any]],
    targets: Iterable[str] = ("fct_attribution_credits",),
    revenue: Sequence[Mapping[str, Any]] = (),
    **policy: Any,
) -> duckdb.DuckDBPyConnection:
    return project.run(
        targets,
        given={
            "fct_revenue": list(revenue),
            "stg_revenue__touchpoints": pd.DataFrame(list(touches), dtype=object),
            "stg_revenue__conversions": pd.DataFrame(list(conversions), dtype=object),
            "attribution_policies": [POLICY | policy],
        },
    )


def touch(customer: str, number: int, channel: str, at: dt.datetime) -> dict[str, Any]:
    return {
        "touch_id": f"{customer}-{number:03}",
        "customer_id": customer,
        "occurred_at": at,
        "channel": channel,
        "campaign": None,
    }


def conversion(
    customer: str, is_won: bool = True, amount: object = "100.00", at: dt.datetime = DECIDED_AT
) -> dict[str, Any]:
    return {
        "conversion_id": f"won-{customer}" if is_won else f"lost-{customer}",
        "customer_id": customer,
        "product_id": "P1",
        "occurred_at": at,
        "is_won": is_won,
        "revenue_amount": Decimal(str(amount)) if is_won else Decimal(0),
        "currency": "USD",
    }


def journeys(
    paths: Iterable[tuple[Path, bool]],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """One customer a path, its touches a day apart before the decision."""
    touches, conversions = [], []
    for number, (path, is_won) in enumerate(paths):
        customer = f"c{number}"
        for position, channel in enumerate(path):
            at = DECIDED_AT - dt.timedelta(days=len(path) - position)
            touches.append(touch(customer, position, channel, at))
        conversions.append(conversion(customer, is_won))
    return touches, conversions


def worked_journeys() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    return journeys(
        (tuple(path.split()), is_won)
        for path, won, lost in WORKED_PATHS
        for is_won, count in ((True, won), (False, lost))
        for _ in range(count)
    )


def random_paths(seed: int, count: int, channels: int = 5) -> list[tuple[Path, bool]]:
    """Paths with memory: where one goes next depends on the two channels before."""
    source = random.Random(seed)
    names = [f"ch{number}" for number in range(channels)]
    appeal: dict[Path, list[float]] = defaultdict(lambda: [source.random() ** 2 for _ in names])
    paths = []
    for _ in range(count):
        path: list[str] = []
        while len(path) < 1 or (source.random() < 0.6 and len(path) < 8):
            path += source.choices(names, appeal[tuple(path[-2:])])
        paths.append((tuple(path), source.random() < 0.1 + 0.3 * (path[-1] == "ch1")))
    return paths


def removal_effects(
    paths: Sequence[tuple[Path, bool]], order: int, minimum: int = 1
) -> dict[str, float]:
    """The absorbing chain solved by numpy: states are the last channels of what was visited.

    A state visited too rarely backs off to a shorter one, visit by visit.
    """

    def history(path: Path, position: int, length: int) -> Path:
        return ("^", "^", "^", *path[: position + 1])[-length:]

    state_of: dict[Path, Path] = {}
    left = Counter(history(path, position, 3) for path, _ in paths for position in range(len(path)))
    for length in range(order, 0, -1):
        pooled: Counter[Path] = Counter()
        for full, visits in left.items():
            pooled[full[-length:]] += visits
        for full in list(left):
            if length == 1 or pooled[full[-length:]] >= minimum:
                state_of[full] = full[-length:]
                del left[full]
    states = [(), *sorted(set(state_of.values()))]
    moves = np.zeros((len(states), len(states)))
    wins, passed = np.zeros(len(states)), np.zeros(len(states))
    for path, is_won in paths:
        walk = [0] + [
            states.index(state_of[history(path, position, 3)]) for position in range(len(path))
        ]
        for origin, goal in itertools.pairwise(walk):
            moves[origin, goal] += 1
            passed[origin] += 1
        wins[walk[-1]] += is_won
        passed[walk[-1]] += 1
    transition = moves / passed[:, None]
    conversion_chance = wins / passed

    def start_rate(without: str | None) -> float:
        kept = [number for number, state in enumerate(states) if without not in state]
        block = transition[np.ix_(kept, kept)]
        chances = np.linalg.solve(np.eye(len(kept)) - block, conversion_chance[kept])
        return float(chances[0])

    base = start_rate(None)
    channels = {channel for path, _ in paths for channel in path}
    return {channel: 1 - start_rate(channel) / base for channel in channels}


@pytest.mark.parametrize(
    ("order", "effects", "credit"),
    [
        (1, (0.43, 0.90, 0.28), (26.7081, 55.9006, 17.3913)),
        (2, (0.70, 0.90, 0.40), (35, 45, 20)),
    ],
)
def test_markov_worked_numbers(
    project: CompiledProject, order: int, effects: tuple[float, ...], credit: tuple[float, ...]
) -> None:
    """E12, from raw touches to credits; the fact agrees with the model's channel totals."""
    warehouse = attribute(project, *worked_journeys(), markov_order=order)
    rows = warehouse.execute(
        """
        select effects.removal_effect, effects.credited_conversions, sum(credits.credit_share)
        from intermediate.int_markov_removal_effects as effects
        inner join marts.fct_attribution_credits as credits
            on effects.channel = credits.channel and credits.attribution_model = 'markov'
        group by effects.channel, effects.removal_effect, effects.credited_conversions
        order by effects.channel
        """
    ).fetchall()
    assert [row[0] for row in rows] == pytest.approx(effects, abs=1e-9)
    assert [row[1] for row in rows] == pytest.approx(credit, abs=5e-5)
    assert [row[2] for row in rows] == pytest.approx(credit, abs=5e-3)


@pytest.mark.parametrize(("order", "minimum"), [(1, 1), (2, 1), (3, 1), (3, 30)])
def test_markov_equals_the_absorbing_chain(
    project: CompiledProject, order: int, minimum: int
) -> None:
    paths = random_paths(seed=order, count=700)
    warehouse = attribute(
        project,
        *journeys(paths),
        targets=["int_markov_removal_effects"],
        markov_order=order,
        markov_min_observations=minimum,
        markov_max_states=2000,
        duplicate_window_minutes=None,
    )
    rows = warehouse.execute(
        """
        select channel, removal_effect, conversion_rate - observed_conversion_rate
        from intermediate.int_markov_removal_effects
        """
    ).fetchall()
    expected = removal_effects(paths, order, minimum)
    assert {channel: effect for channel, effect, _ in rows} == pytest.approx(expected, abs=1e-9)
    assert max(abs(gap) for *_, gap in rows) < 1e-12


def test_markov_refuses_without_null_paths(project: CompiledProject) -> None:
    touches, conversions = journeys([(("A", "B"), True), (("B",), True)])
    warehouse = attribute(project, touches, conversions)
    rows = warehouse.execute(
        """
        select channel, unattributed_reason, sum(credited_amount)
        from marts.fct_attribution_credits
        where attribution_model = 'markov'
        group by all
        """
    ).fetchall()
    assert rows == [("unattributed", "no_null_paths", Decimal("200.00"))]


def test_the_order_is_raised_only_while_held_out_loss_improves(project: CompiledProject) -> None:
    with_memory = attribute(
        project,
        *journeys(random_paths(seed=8, count=3000, channels=3)),
        targets=["int_markov_orders"],
        markov_order=3,
        markov_order_rule="held_out",
    )
    losses = with_memory.execute(
        "select held_out_log_loss, is_selected from intermediate.int_markov_orders order by markov_order"
    ).fetchall()
    assert losses[1][0] < losses[0][0]
    assert not losses[0][1]
    source = random.Random(5)
    paths: list[tuple[Path, bool]] = []
    for _ in range(3000):
        path = source.choices("ABC")
        while source.random() < 0.6:
            path += source.choices("ABC")
        paths.append((tuple(path), source.random() < 0.3))
    without_memory = attribute(
        project,
        *journeys(paths),
        targets=["int_markov_orders"],
        markov_order=3,
        markov_order_rule="held_out",
    )
    chosen = without_memory.execute(
        "select markov_order from intermediate.int_markov_orders where is_selected"
    ).fetchall()
    assert chosen == [(1,)]


def shapley_by_permutations(paths: Sequence[tuple[Path, bool]], basis: str) -> dict[str, float]:
    channels = sorted({channel for path, _ in paths for channel in path})
    won = sum(is_won for _, is_won in paths)

    def worth(coalition: frozenset[str]) -> float:
        within = [is_won for path, is_won in paths if coalition.issuperset(path)]
        if basis == "revenue":
            return 100.0 * sum(within)
        return sum(within) / len(within) * len(paths) * 100.0 * won / won if within else 0.0

    cached = {
        frozenset(coalition): worth(frozenset(coalition))
        for size in range(len(channels) + 1)
        for coalition in itertools.combinations(channels, size)
    }
    values = dict.fromkeys(channels, 0.0)
    for order in itertools.permutations(channels):
        for position, channel in enumerate(order):
            before = frozenset(order[:position])
            values[channel] += cached[before | {channel}] - cached[before]
    return {channel: value / math.factorial(len(channels)) for channel, value in values.items()}


@pytest.mark.parametrize("basis", ["revenue", "conversion_rate"])
def test_shapley_equals_the_permutation_definition(project: CompiledProject, basis: str) -> None:
    paths = random_paths(seed=3, count=300, channels=6)
    warehouse = attribute(
        project,
        *journeys(paths),
        targets=["fct_attribution_credits", "int_shapley_values"],
        duplicate_window_minutes=None,
    )
    expected = shapley_by_permutations(paths, basis)
    values = warehouse.execute(
        "select channel, shapley_amount from intermediate.int_shapley_values where worth_basis = ?",
        [basis],
    ).fetchall()
    assert dict(values) == pytest.approx(expected, abs=1e-5)
    if basis == "revenue":
        credited = warehouse.execute(
            """
            select channel, cast(sum(credit_share) * 100 as double)
            from marts.fct_attribution_credits
            where attribution_model = 'shapley'
            group by channel
            """
        ).fetchall()
        assert dict(credited) == pytest.approx(expected, abs=1e-6)


def test_sampled_shapley_is_within_its_error_of_the_exact_value(project: CompiledProject) -> None:
    touches, conversions = journeys(random_paths(seed=4, count=400, channels=7))
    exact, sampled = (
        attribute(
            project,
            touches,
            conversions,
            targets=["int_shapley_values"],
            shapley_max_exact_channels=limit,
            shapley_samples=200,
        )
        .execute(
            """
            select worth_basis, channel, method, shapley_amount, standard_error
            from intermediate.int_shapley_values
            order by worth_basis, channel
            """
        )
        .fetchall()
        for limit in (12, 0)
    )
    assert {row[2] for row in exact} == {"exact"}
    assert {row[2] for row in sampled} == {"sampled"}
    total = sum(row[3] for row in exact if row[0] == "revenue")
    assert sum(row[3] for row in sampled if row[0] == "revenue") == pytest.approx(total)
    assert max(row[4] for row in sampled) < 0.05 * total
    for known, estimate in zip(exact, sampled, strict=True):
        assert abs(estimate[3] - known[3]) <= 4 * estimate[4] + 1e-6


def largest_remainder(total: int, weights: Sequence[Fraction]) -> list[int]:
    whole = sum(weights)
    exact = [abs(total) * weight / whole for weight in weights]
    shares = [math.floor(share) for share in exact]
    order = sorted(range(len(weights)), key=lambda index: (shares[index] - exact[index], index))
    for index in order[: abs(total) - sum(shares)]:
        shares[index] += 1
    return [-share if total < 0 else share for share in shares]


def heuristic_weights(model: str, channels: Sequence[str], ages: Sequence[float]) -> list[Fraction]:
    count = len(channels)
    last_other = max((n for n in range(count) if channels[n] != "direct"), default=count - 1)
    match model:
        case "first_touch":
            return [Fraction(n == 0) for n in range(count)]
        case "last_touch":
            return [Fraction(n == count - 1) for n in range(count)]
        case "last_non_direct":
            return [Fraction(n == last_other) for n in range(count)]
        case "linear":
            return [Fraction(1, count)] * count
        case "position_based":
            if count <= 2:
                return [Fraction(1, count)] * count
            middle = Fraction(1, 5) / (count - 2)
            return [Fraction(2, 5), *[middle] * (count - 2), Fraction(2, 5)]
        case "time_decay":
            return [Fraction(2.0 ** (-age / 7)) for age in ages]
        case "shapley":
            size = Counter(channels)
            return [Fraction(1, len(size) * size[channel]) for channel in channels]
    raise ValueError(model)


def test_heuristics_equal_plain_python(project: CompiledProject) -> None:
    source = random.Random(6)
    touches, conversions = [], []
    expected: dict[tuple[str, str, str], int] = {}
    names = ["email", "paid_search", "webinar", "partner", "direct"]
    for number in range(150):
        customer = f"c{number}"
        cents = source.choice([0, -1, 1, source.randrange(-(10**6), 10**8)])
        ages = sorted(source.sample(range(1, 2000), source.randint(1, 9)), reverse=True)
        channels = [source.choice(names) for _ in ages]
        for position, (channel, hours) in enumerate(zip(channels, ages, strict=True)):
            at = DECIDED_AT - dt.timedelta(hours=hours)
            touches.append(touch(customer, position, channel, at))
        conversions.append(conversion(customer, amount=Decimal(cents) / 100))
        for model in MODELS:
            if model == "markov":
                continue
            weights = heuristic_weights(model, channels, [hours / 24 for hours in ages])
            for position, share in enumerate(largest_remainder(cents, weights)):
                if weights[position]:
                    expected[model, customer, f"{customer}-{position:03}"] = share
    warehouse = attribute(project, touches, conversions)
    rows = warehouse.execute(
        """
        select attribution_model, customer_id, touch_id, cast(credited_amount * 100 as bigint)
        from marts.fct_attribution_credits
        where attribution_model <> 'markov'
        """
    ).fetchall()
    assert {(model, customer, key): cents for model, customer, key, cents in rows} == expected


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    paths=st.lists(
        st.tuples(
            st.lists(st.sampled_from(["email", "partner", "direct", "display"]), max_size=6),
            st.booleans(),
            st.integers(-(10**7), 10**7) | st.sampled_from([0, 1, -1]),
            st.lists(st.integers(-(10**6), 10**6), max_size=3),
        ),
        max_size=40,
    ),
    order=st.integers(1, 3),
    direct_handling=st.sampled_from(["keep", "ignore_if_other", "drop"]),
    touch_sharing=st.sampled_from(["every_decision", "next_decision"]),
)
def test_every_model_conserves_revenue(
    project: CompiledProject,
    paths: list[tuple[list[str], bool, int, list[int]]],
    order: int,
    direct_handling: str,
    touch_sharing: str,
) -> None:
    """Whatever the journeys, also untouched ones, refunds, nothing and one touch alone."""
    touches, conversions, revenue = [], [], []
    for number, (path, is_won, cents, recognised) in enumerate(paths):
        customer = f"c{number % 30}"
        product = {"customer_id": customer, "product_id": f"P{number}"}
        # May is before the win, June next year after its window.
        for month, amount in zip(
            ["2026-05-01", "2027-06-01", *["2026-06-01", "2027-05-01", "2026-09-01"]],
            [77, 78, *recognised],
            strict=False,
        ):
            revenue.append(
                product
                | {
                    "invoice_id": f"N{number}",
                    "line_number": 1,
                    "charge_type": "recurring",
                    "fiscal_period": month[:7],
                    "month_date": month,
                    "is_scheduled": False,
                    "recognised_amount": Decimal(amount) / 100,
                    "currency": "USD",
                    "reporting_amount": Decimal(amount) / 100,
                }
            )
        for position, channel in enumerate(path):
            at = DECIDED_AT - dt.timedelta(days=10 * (len(path) - position), minutes=number)
            touches.append(touch(f"{customer}", 100 * number + position, channel, at))
        decision = conversion(customer, is_won, Decimal(cents) / 100)
        conversions.append(decision | product | {"conversion_id": f"v{number}"})
    empty = {"touch_id": "", "customer_id": "nobody", "channel": "email", "occurred_at": DECIDED_AT}
    warehouse = attribute(
        project,
        touches or [empty],
        conversions or [conversion("nobody", is_won=False)],
        revenue=revenue,
        markov_order=order,
        markov_min_observations=2,
        direct_handling=direct_handling,
        touch_sharing=touch_sharing,
    )
    rows = warehouse.execute(
        """
        select
            attribution_model,
            conversion_id,
            cast(sum(credited_amount) * 100 as bigint),
            cast(sum(recognised_amount) * 100 as bigint),
            abs(sum(credit_share) - 1) < 1e-9
        from marts.fct_attribution_credits
        group by attribution_model, conversion_id
        """
    ).fetchall()
    assert {(model, key): tuple(sums) for model, key, *sums in rows} == {
        (model, f"v{number}"): (cents, sum(recognised), True)
        for number, (_, is_won, cents, recognised) in enumerate(paths)
        if is_won
        for model in MODELS
    }


def journey_rows(
    project: CompiledProject,
    touches: Sequence[Mapping[str, Any]],
    conversions: Sequence[Mapping[str, Any]],
    **policy: Any,
) -> list[tuple[Any, ...]]:
    return (
        attribute(
            project, touches, conversions, targets=["int_attribution_journey_touches"], **policy
        )
        .execute(
            """
            select journey_id, outcome, array_agg(touch_id order by touch_position)
            from intermediate.int_attribution_journey_touches
            group by journey_id, outcome
            order by journey_id
            """
        )
        .fetchall()
    )


def days_before(days: float) -> dt.datetime:
    return DECIDED_AT - dt.timedelta(days=days)


def test_journeys_keep_to_the_lookback_and_drop_repeats(project: CompiledProject) -> None:
    touches = [
        touch("c", 1, "webinar", days_before(90.01)),  # too early: a journey without decision
        touch("c", 2, "email", days_before(90)),
        touch("c", 3, " Email ", days_before(90) + dt.timedelta(minutes=30)),  # a repeat
        touch("c", 4, "email", days_before(89)),
        touch("c", 6, "partner", days_before(1)),
        touch("c", 5, "email", days_before(1)),  # the same moment: the touch id decides
        touch("c", 7, "email", DECIDED_AT),
        touch("c", 8, "email", DECIDED_AT + dt.timedelta(minutes=31)),  # may still decide
        touch("other", 1, "email", days_before(1)),
    ]
    touches += [touch("late", 1, "email", DECIDED_AT + dt.timedelta(days=60))]
    assert journey_rows(project, touches, [conversion("c")]) == [
        ("undecided-c-1", "none", ["c-001"]),
        ("undecided-c-8", "open", ["c-008"]),
        ("undecided-late-1", "open", ["late-001"]),
        ("undecided-other-1", "open", ["other-001"]),
        ("won-c", "won", ["c-002", "c-004", "c-005", "c-006", "c-007"]),
    ]
    ids = journey_rows(project, touches, [conversion("c")], tie_break="touch_id_descending")
    assert ids[-1][2] == ["c-002", "c-004", "c-006", "c-005", "c-007"]


def test_touches_count_for_every_decision_or_the_next_one(project: CompiledProject) -> None:
    touches = [touch("c", 1, "email", days_before(20)), touch("c", 2, "email", days_before(5))]
    decisions = [conversion("c", is_won=False, at=days_before(10)), conversion("c")]
    assert journey_rows(project, touches, decisions) == [
        ("lost-c", "lost", ["c-001"]),
        ("won-c", "won", ["c-001", "c-002"]),
    ]
    assert journey_rows(project, touches, decisions, touch_sharing="next_decision") == [
        ("lost-c", "lost", ["c-001"]),
        ("won-c", "won", ["c-002"]),
    ]


def test_direct_touches_are_kept_ignored_or_dropped(project: CompiledProject) -> None:
    touches = [
        touch("a", 1, "email", days_before(3)),
        touch("a", 2, "direct", days_before(2)),
        touch("b", 1, "direct", days_before(2)),
    ]
    decisions = [conversion("a"), conversion("b")]
    kept = ("won-a", "won", ["a-001", "a-002"])
    alone = ("won-a", "won", ["a-001"])
    direct = ("won-b", "won", ["b-001"])
    assert journey_rows(project, touches, decisions) == [kept, direct]
    ignored = journey_rows(project, touches, decisions, direct_handling="ignore_if_other")
    assert ignored == [alone, direct]
    assert journey_rows(project, touches, decisions, direct_handling="drop") == [alone]


def test_revenue_is_credited_in_the_reporting_currency(project: CompiledProject) -> None:
    touches = [touch(name, 1, "email", days_before(1)) for name in ("euro", "unknown", "missing")]
    decisions = [
        conversion("euro", amount=100) | {"currency": "EUR"},
        conversion("unknown", amount=100) | {"currency": "XXX"},
        conversion("missing") | {"revenue_amount": None},
    ]
    warehouse = attribute(project, touches, decisions)
    rate = warehouse.execute(
        """
        select average_rate from reference.fx_rates
        where from_currency = 'EUR' and to_currency = 'USD' and rate_month = date '2026-06-01'
        """
    ).fetchall()[0][0]
    rows = warehouse.execute(
        """
        select conversion_id, credited_amount, credited_amount_reason
        from marts.fct_attribution_credits
        where attribution_model = 'linear'
        order by conversion_id
        """
    ).fetchall()
    assert rows == [
        ("won-euro", (100 * rate).quantize(Decimal("0.01"), ROUND_HALF_UP), None),
        ("won-missing", None, "no_revenue"),
        ("won-unknown", None, "no_exchange_rate"),
    ]


def test_revenue_belongs_to_the_last_win_and_to_its_window(project: CompiledProject) -> None:
    """Won in June 2026 and again in April 2027: the second win takes over, and ends in March 2028."""
    later = dt.datetime.fromisoformat("2027-04-10T12:00:00")
    decisions = [
        conversion("c"),
        conversion("c", at=later) | {"conversion_id": "again"},
        conversion("d") | {"conversion_id": "unknown rate"},
        conversion("e") | {"conversion_id": "nothing yet"},
    ]
    months = ["2026-05", "2026-06", "2027-03", "2027-04", "2028-03", "2028-04"]
    revenue = [
        {
            "invoice_id": "N1",
            "line_number": 1,
            "customer_id": customer,
            "product_id": "P1",
            "charge_type": "recurring",
            "fiscal_period": month,
            "month_date": f"{month}-01",
            "is_scheduled": month == "2028-04",
            "recognised_amount": amount,
            "currency": "USD",
            "reporting_amount": amount if customer == "c" else None,
        }
        for customer in "cd"
        for month, amount in zip(months, (1, 2, 4, 8, 16, 32), strict=True)
    ]
    warehouse = attribute(project, [], decisions, revenue=revenue)
    rows = warehouse.execute(
        """
        select conversion_id, recognised_amount, recognised_amount_reason, is_window_complete
        from marts.fct_attribution_credits
        where attribution_model = 'linear'
        order by conversion_id
        """
    ).fetchall()
    assert rows == [
        ("again", 24, None, False),
        ("nothing yet", 0, None, True),
        ("unknown rate", None, "no_exchange_rate", True),
        ("won-c", 6, None, True),
    ]
