"""What the warehouse makes of the returns of a world: its compiled SQL, run on what an observer sees."""

from dataclasses import dataclass

import duckdb
import pandas as pd

from warehouse.compiled import CompiledProject, Rows, connect
from warehouse.study import baseline, returns_world

# The rule channels are judged by, chosen on the sample company before the study.
ATTRIBUTION_MODEL = "shapley"
TARGETS = ("rpt_initiative_returns", "rpt_product_roi", "rpt_channel_attribution")
# Components of the integrated estimate of a return; each ablation puts the baseline's part in its place.
ABLATIONS = (
    "labour_rates",
    "effective_cost",
    "allocation",
    "attribution",
    "incrementality",
)


@dataclass(frozen=True)
class Returns:
    """ROI per investment by variant (`integrated`, `without_…`), and channel shares by model."""

    by_variant: dict[str, dict[str, float]]
    shares: dict[str, dict[str, float]]


def estimate(project: CompiledProject, world: returns_world.World) -> Returns:
    """Run the return models on a world and read their estimates."""
    # The frozen baseline knows the ledger by the name its staging model had.
    names = {"stg_cost__gl_entries": "stg_cost__gl_entry_versions"}
    extracts = {names.get(name, name): rows for name, rows in world.extracts.items() if len(rows)}
    given = {**extracts, **world.seeds, **_not_studied()}
    with connect(threads=1) as connection:
        project.run(TARGETS, given, connection)
        return _read_returns(connection, world)


def _not_studied() -> dict[str, Rows]:
    """Models no return rests on, left empty: feature revenue is no benefit, rates of return are not scored."""
    texts = ("flow_set_id", "clock", "irr_status", "root_rates")
    roots = {name: pd.Series(dtype="string") for name in texts}
    return {
        "fct_feature_revenue": [],
        "int_return_roots_solved": pd.DataFrame({**roots, "irr_rate": pd.Series(dtype="float64")}),
    }


def _read_returns(connection: duckdb.DuckDBPyConnection, world: returns_world.World) -> Returns:
    rate = baseline.blended_rate(world.extracts["stg_cost__payroll"])
    plain = baseline.returns(world.extracts, world.areas, returns_world.PRODUCTS_FROM)
    initiatives = _rows(
        connection,
        """
        select returns.initiative_id, returns.roi_rate,
            cast(returns.cost_amount as double) as cost_amount,
            cast(returns.benefit_amount as double) as benefit_amount,
            cast(coalesce(labour.amount, 0) as double) as labour_amount,
            cast(coalesce(labour.hours, 0) as double) as hours
        from marts.rpt_initiative_returns as returns
        left join (
            select initiative_id, sum(fully_loaded_amount) as amount, sum(hours) as hours
            from marts.fct_labour_costs where initiative_id is not null group by initiative_id
        ) as labour using (initiative_id)
        where returns.case_version = 'realised'
        """,
    ).set_index("initiative_id")
    products = _rows(
        connection,
        f"""
        select roi.product_id, roi.ttm_pnl_roi_rate,
            cast(roi.ttm_revenue_amount as double) as revenue,
            cast(roi.ttm_revenue_amount - roi.ttm_pnl_return_amount as double) as cost,
            cast(coalesce(shared.amount, 0) as double) as shared_amount,
            cast(coalesce(cloud.amount, 0) as double) as billed_ahead,
            cast(coalesce(labour.amount, 0) as double) as labour_amount,
            cast(coalesce(labour.hours, 0) as double) as hours
        from marts.rpt_product_roi as roi
        left join (
            select product_id, sum(allocated_amount) as amount from marts.rpt_product_cost
            where fiscal_period >= '{returns_world.PRODUCTS_FROM.year}-P01'
            group by product_id
        ) as shared using (product_id)
        left join (
            select product_id, sum(reporting_billed_cost - reporting_effective_cost) as amount
            from intermediate.int_cloud_charges
            where billing_month >= '{returns_world.PRODUCTS_FROM.date()}'
            group by product_id
        ) as cloud using (product_id)
        left join (
            select product_id, sum(fully_loaded_amount) as amount, sum(hours) as hours
            from marts.fct_labour_costs
            where product_id is not null and period_month >= '{returns_world.PRODUCTS_FROM.date()}'
            group by product_id
        ) as labour using (product_id)
        where roi.month_date = '{returns_world.LAST_MONTH.date()}' and roi.product_id <> 'unallocated'
        """,
    ).set_index("product_id")
    channels = _rows(
        connection,
        """
        select attribution_model, channel,
            cast(sum(contribution_amount) as double) / cast(sum(spend_amount) as double) - 1 as roi
        from marts.rpt_channel_attribution
        group by attribution_model, channel
        having sum(spend_amount) > 0
        """,
    )

    def channel_returns(model: str) -> dict[str, float]:
        chosen = channels[channels["attribution_model"] == model]
        return {f"channel|{row.channel}": float(row.roi) for row in chosen.itertuples()}

    integrated = {
        **{f"initiative|{key}": float(value) for key, value in initiatives["roi_rate"].items()},
        **{f"product|{key}": float(value) for key, value in products["ttm_pnl_roi_rate"].items()},
        **channel_returns(ATTRIBUTION_MODEL),
    }
    blended = {}
    for key, row in initiatives.iterrows():
        cost = row.cost_amount - row.labour_amount + row.hours * rate
        blended[f"initiative|{key}"] = float(row.benefit_amount / cost - 1)
    for key, row in products.iterrows():
        cost = row.cost - row.labour_amount + row.hours * rate
        blended[f"product|{key}"] = float(row.revenue / cost - 1)
    before_after = {}
    for key, row in initiatives.iterrows():
        ledger_cost = row.cost_amount - row.labour_amount + row.hours * rate
        gain = (plain[f"initiative|{key}"] + 1) * ledger_cost
        before_after[f"initiative|{key}"] = float(gain / row.cost_amount - 1)
    variants = {
        "integrated": integrated,
        "without_labour_rates": {**integrated, **blended},
        "without_effective_cost": {
            **integrated,
            **{
                f"product|{key}": float(row.revenue / (row.cost + row.billed_ahead) - 1)
                for key, row in products.iterrows()
            },
        },
        "without_allocation": {
            **integrated,
            **{
                f"product|{key}": float(row.revenue / (row.cost - row.shared_amount) - 1)
                for key, row in products.iterrows()
            },
        },
        "point_estimates": {**integrated, **_point_estimates(connection, initiatives)},
        "without_attribution": {**integrated, **channel_returns("last_touch")},
        "without_incrementality": {**integrated, **before_after},
    }
    shares: dict[str, dict[str, float]] = {}
    for row in _rows(
        connection,
        """
        select attribution_model, channel, sum(credit_share) as share
        from marts.fct_attribution_credits where channel <> 'unattributed' group by all
        """,
    ).itertuples():
        shares.setdefault(str(row.attribution_model), {})[str(row.channel)] = float(row.share)
    return Returns({"baseline": plain, **variants}, shares)


def _point_estimates(
    connection: duckdb.DuckDBPyConnection, initiatives: pd.DataFrame
) -> dict[str, float]:
    """Returns with the estimate of an experiment in place of its lower bound."""
    found = {}
    for row in _rows(
        connection,
        """
        select incrementality.initiative_id, count(*) as months,
            cast(max(incrementality.value_amount) as double)
            / max(incrementality.persistence_months) as monthly
        from marts.rpt_incrementality as incrementality
        inner join marts.fct_benefits as benefits
            on incrementality.initiative_id = benefits.initiative_id
            and benefits.is_counted and benefits.benefit_source = 'experiment'
            and benefits.month_date <= (
                select benefit_cutoff_month from intermediate.int_investment_policy
            )
        where incrementality.is_headline
        group by incrementality.initiative_id
        """,
    ).itertuples():
        cost = float(initiatives.loc[row.initiative_id, "cost_amount"])
        found[f"initiative|{row.initiative_id}"] = row.months * row.monthly / cost - 1
    return found


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> pd.DataFrame:
    frame: pd.DataFrame = connection.execute(query).df()
    return frame
