"""The baseline of the accuracy study: what a company reckons without an integrated view.

Frozen before the study's first result: a test holds this file to its hash. It reads the same rows
the models are given, known by the same day.

Return on investment (T4): hours at one blended rate, cloud as billed, no shared cost; a channel owns
the revenue of conversions it touched last; an initiative brought what its area earns after against
before. Budget (T5): the pace so far, straight on to the end of the year. An estimate that cannot be
made is 0.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

PAY = ("base_pay", "bonus", "employer_taxes", "benefits_cost", "tools_cost", "space_cost")
# Accounts whose detail is delivered apart; the ledger's other expense lines are suppliers'.
DETAILED_ACCOUNTS = frozenset({"5010", "5040", "6100", "6210", "6300"})
BEFORE_MONTHS = 6
LOOKBACK_DAYS = 90
PERIODS = 12

Extracts = Mapping[str, pd.DataFrame]


def blended_rate(payroll: pd.DataFrame) -> float:
    """Cost of all people over all hours they are contracted for."""
    hours = float(payroll["contracted_hours"].sum())
    return float(payroll[list(PAY)].to_numpy(dtype=float).sum()) / hours if hours else 0.0


def returns(extracts: Extracts, areas: pd.DataFrame, from_month: pd.Timestamp) -> dict[str, float]:
    """ROI by `initiative|…` and `channel|…` to date, and by `product|…` since `from_month`.

    `areas` names the plan an initiative works on and the contribution margin of what it sells.
    """
    rate = blended_rate(extracts["stg_cost__payroll"])
    ledger = extracts["stg_cost__gl_entries"]
    suppliers = ledger[~ledger["account_id"].isin(DETAILED_ACCOUNTS)]
    return {
        **_initiatives(extracts, areas, rate, suppliers),
        **_products(extracts, rate, suppliers, from_month),
        **_channels(extracts),
    }


def _initiatives(
    extracts: Extracts, areas: pd.DataFrame, rate: float, suppliers: pd.DataFrame
) -> dict[str, float]:
    hours = extracts["stg_cost__timesheets"].groupby("initiative_id")["hours"].sum()
    bills = suppliers.groupby("initiative_id")["amount"].sum()
    lines = extracts["stg_revenue__invoice_lines"]
    monthly = lines.groupby(["plan_id", "service_start_on"])["amount"].sum()
    ready = extracts["stg_product__initiatives"].set_index("initiative_id")["ready_for_use_on"]
    found = {}
    for area in areas.itertuples():
        initiative = str(area.initiative_id)
        cost = float(hours.get(initiative, 0.0)) * rate + float(bills.get(initiative, 0.0))
        series = monthly.loc[area.plan_id].sort_index()
        ready_month = pd.Timestamp(ready[initiative]).to_period("M").to_timestamp()
        before = series[series.index < ready_month].iloc[-BEFORE_MONTHS:]
        after = series[series.index > ready_month]
        gain = 0.0
        if len(before) and len(after):
            lift = float(after.iloc[:BEFORE_MONTHS].mean() - before.mean())
            gain = lift * len(after) * float(area.margin_rate)
        found[f"initiative|{initiative}"] = gain / cost - 1 if cost > 0 else 0.0
    return found


def _products(
    extracts: Extracts, rate: float, suppliers: pd.DataFrame, from_month: pd.Timestamp
) -> dict[str, float]:
    timesheets = extracts["stg_cost__timesheets"]
    lines = extracts["stg_revenue__invoice_lines"]
    cloud = extracts["stg_cost__cloud_costs"]
    hours = timesheets[timesheets["work_date"] >= from_month].groupby("product_id")["hours"].sum()
    bills = suppliers[suppliers["posted_on"] >= from_month].groupby("product_id")["amount"].sum()
    billed = _billed(cloud[cloud["charge_period_start"] >= from_month])
    revenue = lines[lines["service_start_on"] >= from_month].groupby("product_id")["amount"].sum()
    found = {}
    for product in extracts["stg_product__products"]["product_id"]:
        cost = (
            float(hours.get(product, 0.0)) * rate
            + float(bills.get(product, 0.0))
            + float(billed.get(product, 0.0))
        )
        earned = float(revenue.get(product, 0.0))
        found[f"product|{product}"] = earned / cost - 1 if cost > 0 else 0.0
    return found


def _channels(extracts: Extracts) -> dict[str, float]:
    lines = extracts["stg_revenue__invoice_lines"]
    revenue = lines.groupby("product_id")["amount"].sum()
    billed = _billed(extracts["stg_cost__cloud_costs"])
    margin = ((revenue - billed.reindex(revenue.index, fill_value=0.0)) / revenue).to_dict()
    touched = last_touch(extracts)
    touched["margin"] = touched["revenue_amount"] * touched["product_id"].map(margin)
    credited = touched.groupby("channel")["margin"].sum()
    spend = extracts["stg_revenue__marketing_spend"].groupby("channel")["amount"].sum()
    return {
        f"channel|{channel}": float(credited.get(channel, 0.0)) / float(amount) - 1
        for channel, amount in spend.items()
    }


def last_touch(extracts: Extracts) -> pd.DataFrame:
    """Won conversions with the channel that touched last before the decision, if one did in time."""
    conversions = extracts["stg_revenue__conversions"]
    won = conversions[conversions["is_won"]].sort_values(["occurred_at", "conversion_id"])
    touches = extracts["stg_revenue__touchpoints"].sort_values(["occurred_at", "touch_id"])
    return pd.merge_asof(
        won[["conversion_id", "customer_id", "product_id", "occurred_at", "revenue_amount"]],
        touches[["customer_id", "occurred_at", "channel"]],
        on="occurred_at",
        by="customer_id",
        tolerance=pd.Timedelta(days=LOOKBACK_DAYS),
    ).dropna(subset=["channel"])


def _billed(cloud: pd.DataFrame) -> "pd.Series[float]":
    """Billed cloud cost by the product its tag names."""
    product = cloud["tags"].str.extract(r'"product": ?"([^"]+)"', expand=False)
    return cloud.groupby(product)["billed_cost"].sum()


def straight_line(known: np.ndarray, periods: int) -> np.ndarray:
    """Year-end outlook per line: the year to date, at the same pace to the end.

    `known` holds the actuals of this year per line and period, as known after `periods` of them.
    """
    pace: np.ndarray = known[:, :periods].sum(axis=1) / periods * PERIODS
    return pace


def seasonal_naive(known: np.ndarray, prior: np.ndarray, periods: int) -> np.ndarray:
    """Year-end outlook per line: the year to date, and the rest as it came last year."""
    rest: np.ndarray = known[:, :periods].sum(axis=1) + prior[:, periods:].sum(axis=1)
    return rest


def warns(outlook: np.ndarray, budget: np.ndarray) -> np.ndarray:
    """Whether the straight line warns of overspending: the outlook exceeds the annual budget."""
    return np.asarray(outlook > budget)
