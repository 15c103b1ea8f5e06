"""What the warehouse makes of the budgets of a world: its compiled SQL, run on what an observer sees."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from warehouse.compiled import CompiledProject, connect
from warehouse.study import budget_world

TARGETS = ("rpt_budget_outlook",)
# Methods an outlook may be selected from without a component.
ABLATIONS = {
    "commitments": ("straight_line", "remaining_budget", "run_rate", "performance", "seasonal", "blended"),
    "budget_phasing": ("straight_line", "run_rate", "seasonal"),
    "last_year": ("straight_line", "remaining_budget", "run_rate", "performance", "commitment_aware", "blended"),
    "selection_by_record": ("remaining_budget",),
}  # fmt: skip

# Warnings the outlook could give instead, for comparison.
OTHER_WARNINGS = ("by_probability_alone", "at_even_odds")


@dataclass(frozen=True)
class Outlooks:
    """Year-end outlooks per report (1 to 11) and line by variant, and which lines are warned of by rule."""

    by_variant: dict[str, np.ndarray]
    flags: dict[str, np.ndarray]


def estimate(project: CompiledProject, world: budget_world.World) -> Outlooks:
    """Run the outlook models on a world and read their estimates."""
    given = {name: rows for name, rows in world.extracts.items() if len(rows)}
    with connect(threads=1) as connection:
        project.run(TARGETS, given, connection)
        rows: pd.DataFrame = connection.execute(
            f"""
            select period_number, cost_center_id, account_id, outlook_method, backtest_wape,
                cast(outlook_amount as double) as outlook, is_selected, is_flagged,
                coalesce(overspend_probability >= 0.8, false) as by_probability_alone,
                coalesce(overspend_probability >= 0.5, outlook_amount > budget_full_year_amount)
                    as at_even_odds
            from marts.rpt_budget_outlook
            where fiscal_year = {budget_world.JUDGED_YEAR} and period_number < {budget_world.PERIODS}
            """
        ).df()
    place = {line: number for number, line in enumerate(budget_world.LINES)}
    rows["line"] = [
        place[key] for key in zip(rows["cost_center_id"], rows["account_id"], strict=True)
    ]
    # The order in which the project breaks ties: the rest of the budget, then the simpler.
    simplicity = ("remaining_budget", "straight_line", "run_rate", "performance", "seasonal", "commitment_aware", "blended", "earned_value")  # fmt: skip
    rows["simplicity"] = rows["outlook_method"].map(simplicity.index)
    rows["backtest_wape"] = rows["backtest_wape"].round(9).fillna(np.inf)
    ranked = rows.sort_values(["line", "period_number", "backtest_wape", "simplicity"])

    def table(chosen: pd.DataFrame, column: str) -> np.ndarray:
        values = np.zeros((budget_world.PERIODS - 1, len(budget_world.LINES)))
        values[chosen["period_number"] - 1, chosen["line"]] = chosen[column]
        return values

    def best(methods: tuple[str, ...]) -> np.ndarray:
        kept = ranked[ranked["outlook_method"].isin(methods)]
        return table(kept.drop_duplicates(["line", "period_number"]), "outlook")

    selected = rows[rows["is_selected"]]
    variants = {"integrated": table(selected, "outlook")}
    for component, methods in ABLATIONS.items():
        variants[f"without_{component}"] = best(methods)
    rules = {"integrated": "is_flagged", **{rule: rule for rule in OTHER_WARNINGS}}
    flags = {rule: table(selected, column).astype(bool) for rule, column in rules.items()}
    return Outlooks(variants, flags)
