"""The five marts in pandas, from raw Parquet files and seeds.

Money is whole numbers of the smallest unit a mart keeps; rates are whole numbers of 1e-8.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from warehouse.bench.frames.clock import SEEDS, write_in_turn

VERSION = ["_known_at", "_loaded_at", "_file", "_row"]
COSTS = ["BilledCost", "EffectiveCost", "ListCost", "ContractedCost"]
PRODUCT_MONTH = ["customer_id", "product_id", "month_date"]
TERM = [*PRODUCT_MONTH, "subscription_id", "currency"]
MEASURES = [
    "opening_quantity",
    "opening",
    "opening_reporting",
    "restated",
    "opening_constant",
    "closing_quantity",
    "closing",
    "closing_reporting",
    "closing_constant",
]
CLOUD_COLUMNS = {
    "ChargePeriodStart": "charge_date",
    "BillingPeriodStart": "month_date",
    "ProviderName": "provider_name",
    "ServiceName": "service_name",
    "ServiceCategory": "service_category",
    "SubAccountId": "sub_account_id",
    "ChargeCategory": "charge_category",
    "BillingCurrency": "currency",
    "Tags": "tags",
}
CLOUD_KEYS = [
    "charge_date",
    "provider_name",
    "service_name",
    "service_category",
    "sub_account_id",
    "product_id",
    "charge_category",
    "currency",
]
LINE_COLUMNS = [
    "customer_id",
    "subscription_id",
    "product_id",
    "plan_id",
    "charge_type",
    "amount",
    "currency",
    "invoiced_on",
    "service_start_on",
    "service_end_on",
]
SUBSCRIPTION_COLUMNS = [
    "customer_id",
    "product_id",
    "quantity",
    "unit_price",
    "discount_rate",
    "currency",
    "valid_to",
]
Numbers = npt.NDArray[np.int64]
Dates = npt.NDArray[np.datetime64]


def marts(home: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each mart by name, in the order in which they stand on each other's results."""
    raw = home / "raw"
    lines = latest(raw / "revenue/invoice_lines", ["invoice_id", "line_number"], LINE_COLUMNS)
    subscriptions = latest(
        raw / "revenue/subscriptions", ["subscription_id", "valid_from"], SUBSCRIPTION_COLUMNS
    )
    payments = latest(raw / "revenue/payments", ["payment_id"], ["paid_on"])
    cutoff = last_day(
        [
            (subscriptions, "valid_from"),
            (subscriptions, "valid_to"),
            (lines, "invoiced_on"),
            (payments, "paid_on"),
        ]
    )
    rates = fx_rates()
    revenue = fct_revenue(lines, rates, cutoff)
    yield "fct_revenue", revenue
    yield "fct_feature_revenue", fct_feature_revenue(raw, revenue)
    months = month_ends(subscriptions, cutoff)
    products = product_months(closings(subscriptions, months, rates, cutoff), months, rates)
    customers = customer_months(products)
    yield "fct_mrr_movements", fct_mrr_movements(products, customers)
    yield "rpt_mrr_waterfall", rpt_mrr_waterfall(months, customers)
    yield "fct_cloud_costs", fct_cloud_costs(raw, rates)


def read(folder: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Rows of an extract, but those a later delivery of the same scope replaced; dates as such."""
    used = [*columns, *VERSION, "_is_deleted", "_scope", "_delivery"]
    rows = pd.read_parquet(folder, columns=used, dtype_backend="pyarrow")
    dates = {name: "datetime64[s]" for name, kind in rows.dtypes.items() if "date32" in str(kind)}
    is_scoped = rows["_scope"].notna()
    if is_scoped.any():
        newest = rows.groupby("_scope")["_delivery"].transform("max")
        rows = rows[~is_scoped | (rows["_delivery"] == newest)]
    rows["_is_deleted"] = rows["_is_deleted"].fillna(False).astype(bool)
    # By way of Arrow's timestamps: dates would be taken one by one.
    return rows.astype(dict.fromkeys(dates, "timestamp[s][pyarrow]")).astype(dates)


def latest(folder: Path, key: list[str], columns: Sequence[str]) -> pd.DataFrame:
    """Rows of an extract as last known by key."""
    return standing(read(folder, [*key, *columns]), key)


def standing(rows: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """The last version of each key; few have more than one, and only these are ordered."""
    is_repeated = rows.duplicated(key, keep=False)
    if is_repeated.any():
        versions = rows[is_repeated].sort_values(VERSION, na_position="first")
        rows = pd.concat([rows[~is_repeated], versions.drop_duplicates(key, keep="last")])
    return rows[~rows["_is_deleted"]] if rows["_is_deleted"].any() else rows


def units(amounts: pd.Series, digits: int) -> Numbers:
    """Decimals as whole numbers of their last digit, exact below 2**53; empty ones are 0."""
    values: npt.NDArray[np.float64] = amounts.astype("float64").fillna(0).to_numpy()
    return np.rint(values * float(10**digits)).astype(np.int64)


def scaled(amount: Numbers, factor: Numbers, digits: int) -> Numbers:
    """A product without its last digits, half away from zero; 64 bits need not hold all of it."""
    unit: int = 10**digits
    high, low = np.divmod(np.abs(amount), unit)
    product: Numbers = np.sign(amount) * (high * factor + (low * factor + unit // 2) // unit)
    return product


def cents(amount: Numbers) -> Numbers:
    """Amounts of ten decimals in cents, half away from zero."""
    return scaled(amount, np.ones_like(amount), 8)


def to_cents(amount: npt.NDArray[np.float64]) -> Numbers:
    """Floating-point cents as whole ones: rounded to four digits more, then half away from zero."""
    fine = whole(np.abs(amount) * 10_000)
    return np.sign(amount).astype(np.int64) * ((fine + 5_000) // 10_000)


def whole(value: npt.NDArray[np.float64]) -> Numbers:
    """Positive numbers rounded to whole ones."""
    return np.floor(value + 0.5).astype(np.int64)


def seed(name: str) -> pd.DataFrame:
    """A seed, all of it text."""
    return pd.read_csv(SEEDS / name, dtype=str).convert_dtypes(dtype_backend="pyarrow")


def fx_rates() -> pd.DataFrame:
    """Average rates into the reporting currency by currency and month."""
    quoted = seed("core/fx_rates.csv").query("to_currency == 'USD'")
    return pd.DataFrame(
        {
            "currency": quoted["from_currency"],
            "rate_month": pd.to_datetime(quoted["rate_month"]).astype("datetime64[s]"),
            "rate": whole(quoted["average_rate"].astype("float64").to_numpy() * 1e8),
        }
    )


def with_rate(rows: pd.DataFrame, rates: pd.DataFrame, month: str) -> pd.DataFrame:
    """Rows with the rate of their currency and month; the reporting currency needs none."""
    quoted = rates.rename(columns={"rate_month": month})
    rated = rows.merge(quoted, on=["currency", month], how="left")
    own = rated["rate"].where(rated["currency"] != "USD", 10**8)
    return rated.assign(rate=own.astype("int64"))


def last_day(extracts: Sequence[tuple[pd.DataFrame, str]]) -> pd.Timestamp:
    """The last day the revenue data speaks for: of what had happened when it became known."""
    days = []
    for extract, column in extracts:
        known = extract["_known_at"].astype("datetime64[s]")
        days.append(extract[column][known.isna() | (extract[column] <= known)].max())
    return max(day for day in days if not pd.isna(day))


def expand(rows: pd.DataFrame, first: Numbers, last: Numbers) -> tuple[pd.DataFrame, Numbers]:
    """Each row once for every number from its first up to its last, and these numbers."""
    counts = np.maximum(last - first, 0)
    starts = np.cumsum(counts) - counts
    numbers = np.arange(counts.sum()) - np.repeat(starts - first, counts)
    return rows.loc[rows.index.repeat(counts)].reset_index(drop=True), numbers


def fct_revenue(lines: pd.DataFrame, rates: pd.DataFrame, cutoff: pd.Timestamp) -> pd.DataFrame:
    """Invoice lines by the months in which they are earned."""
    terms = earning_terms(lines)
    first = np.minimum(days(terms["recognised_from"]), days(terms["invoiced_on"]))
    last = np.maximum(days(terms["recognised_to"]), days(terms["invoiced_on"]))
    rows, months = expand(terms, months_of(first), months_of(last) + 1)
    month = months.astype("datetime64[M]")
    end = (month + 1).astype("datetime64[D]") - 1
    earned_from, earned_to = days(rows["earned_from"]), days(rows["earned_to"])
    term = (earned_to - earned_from).astype(np.int64) + 1
    elapsed = np.select(
        [end < days(rows["recognised_from"]), end >= earned_to],
        [0, term],
        (end - earned_from).astype(np.int64) + 1,
    )
    amount, unit = rows["amount"].to_numpy(), rows["unit"].to_numpy()
    parts = (2 * (np.abs(amount) // unit) * elapsed + term) // (2 * term)
    earned = np.where(elapsed == term, amount, np.sign(amount) * unit * parts)
    is_first = np.r_[True, rows["line"].to_numpy()[1:] != rows["line"].to_numpy()[:-1]]
    rows["recognised_amount"] = earned - np.where(is_first, 0, np.roll(earned, 1))
    rows["month_date"] = month.astype("datetime64[s]")
    rows = rows[rows["recognised_amount"] != 0]
    rows["is_scheduled"] = rows["month_date"] > cutoff
    capped = rows["month_date"].clip(upper=rates["rate_month"].max())
    rows["rate_month"] = rows["month_date"].where(~rows["is_scheduled"], capped)
    rows = with_rate(rows, rates, "rate_month")
    rows["fiscal_period"] = period_names(rows["month_date"])
    rows["reporting_amount"] = scaled(
        rows["recognised_amount"].to_numpy(), rows["rate"].to_numpy(), 8
    )
    return rows[
        [
            "invoice_id",
            "line_number",
            "customer_id",
            "subscription_id",
            "product_id",
            "plan_id",
            "charge_type",
            "revenue_account_id",
            "fiscal_period",
            "month_date",
            "is_scheduled",
            "recognised_amount",
            "currency",
            "reporting_amount",
        ]
    ]


def days(dates: pd.Series) -> Dates:
    """Dates as numpy counts them."""
    values: Dates = dates.to_numpy()
    return values.astype("datetime64[D]")


def months_of(dates: Dates) -> Numbers:
    """Months since 1970."""
    return dates.astype("datetime64[M]").astype(np.int64)


def month_start(dates: pd.Series) -> Dates:
    """First days of months."""
    return days(dates).astype("datetime64[M]").astype("datetime64[s]")


def period_names(months: pd.Series) -> pd.Series:
    """Fiscal periods; there are few, so each is written once."""
    codes, found = pd.factorize(months)
    return pd.Series(found.strftime("%Y-P%m").to_numpy()[codes], index=months.index)


def earning_terms(lines: pd.DataFrame) -> pd.DataFrame:
    """Invoice lines with the days over which they are earned."""
    minor = seed("revenue/currency_minor_units.csv")
    terms = lines.merge(seed("revenue/charge_types.csv"), on="charge_type", how="left")
    terms = terms.merge(minor[["currency", "minor_unit_digits"]], on="currency", how="left")
    start, end = terms["service_start_on"], terms["service_end_on"]
    invoiced = terms["invoiced_on"]
    delivered = end.fillna(start).fillna(invoiced)
    is_over_time = (terms["recognition_rule"] == "ratable").fillna(False).astype(bool)
    has_term = start <= end
    terms["earned_from"] = start.where(has_term, invoiced).where(is_over_time, delivered)
    terms["earned_to"] = end.where(has_term, invoiced).where(is_over_time, delivered)
    terms["amount"] = units(terms["amount"], 2)
    is_credit = terms["charge_type"].isin(["credit", "refund"]) | (terms["amount"] < 0)
    for earned, recognised in (
        ("earned_from", "recognised_from"),
        ("earned_to", "recognised_to"),
    ):
        is_later = is_credit & (invoiced > terms[earned])
        terms[recognised] = terms[earned].where(~is_later, invoiced)
    digits = terms["minor_unit_digits"].fillna("2")
    terms["unit"] = np.select([digits == "0", digits == "1"], [100, 10], 1)
    terms["line"] = np.arange(len(terms))
    return terms


def fct_feature_revenue(raw: Path, revenue: pd.DataFrame) -> pd.DataFrame:
    """Earned revenue by the feature it is traced to, or else by the use of features."""
    columns = ["product_id", "is_add_on", "list_weight", "released_on", "retired_on"]
    features = latest(raw / "product/features", ["feature_id"], columns)
    features = features.astype({"list_weight": "float64"})
    is_included = ~features["is_add_on"].astype(bool)
    keys = ["product_id", "customer_id", "month_date"]
    account = [*keys, "fiscal_period"]
    earned = revenue[~revenue["is_scheduled"]].rename(
        columns={"reporting_amount": "revenue_amount"}
    )
    is_add_on = earned["plan_id"].isin(features.loc[~is_included, "feature_id"])
    is_service = earned["charge_type"] == "one_time"
    earned["feature_id"] = earned["plan_id"].where(is_add_on, "services")
    earned["revenue_basis"] = np.where(is_add_on, "add_on", "services")
    is_traced = is_add_on | is_service
    traced = total(earned[is_traced], [*account, "feature_id", "revenue_basis"], ["revenue_amount"])
    accounts = total(earned[~is_traced], account, ["revenue_amount"])
    accounts["account"] = np.arange(len(accounts))
    used = shared_by_use(accounts, monthly_usage(raw, features[is_included]), keys)
    unused = accounts[~accounts["account"].isin(used["account"])]
    unused = unused.assign(feature_id="platform_base", revenue_basis="platform_base")
    untouched = pd.concat([unused, traced])
    untouched = untouched.assign(
        revenue_share=1.0,
        log_revenue_amount=untouched["revenue_amount"],
        raw_revenue_amount=untouched["revenue_amount"],
    )
    rows = pd.concat([used, untouched], ignore_index=True).assign(revenue_amount_reason=None)
    rows["usage_quantity"] = rows["usage_quantity"].astype("Int64")
    rows.loc[rows["revenue_amount"].isna(), "revenue_amount_reason"] = "no_exchange_rate"
    is_evidence = rows["revenue_basis"].isin(["add_on", "services"])
    rows["evidence_grade"] = np.where(is_evidence, "C", "D")
    rows["is_causal"] = False
    return rows.drop(columns="account")


def shared_by_use(accounts: pd.DataFrame, usage: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Revenue of accounts shared out to the features they used."""
    used = accounts.merge(usage, on=keys)
    quantity, benchmark = used["usage_quantity"].to_numpy(), used["benchmark_quantity"].to_numpy()
    weight = 1000 * used.pop("list_weight").to_numpy()
    log_weight = whole(weight * np.log(1.0 + quantity) / np.log(1 + benchmark) * 1e9)
    raw_weight = whole(weight * quantity / benchmark * 1e9)
    group = used["account"].to_numpy()
    amount = used["revenue_amount"].to_numpy()
    feature = pd.factorize(used["feature_id"], sort=True)[0]
    by_log = split(amount, log_weight, group, feature)
    return used.assign(
        revenue_basis="usage",
        revenue_share=log_weight / sums(log_weight, group),
        revenue_amount=by_log,
        log_revenue_amount=by_log,
        raw_revenue_amount=split(amount, raw_weight, group, feature),
    )


def monthly_usage(raw: Path, features: pd.DataFrame) -> pd.DataFrame:
    """Use of included features by customer and month, beside that of the typical customer."""
    key = ["customer_id", "feature_id", "usage_date"]
    usage = read(raw / "product/feature_usage", [*key, "event_count"])
    usage = usage.astype({"customer_id": "category", "feature_id": "category"})
    usage = standing(usage, key)[[*key, "event_count"]]
    offered = features[features["list_weight"] > 0].set_index("feature_id")
    usage["month_date"] = month_start(usage["usage_date"])
    released_on, retired_on = (
        usage["feature_id"].map(offered[column]).astype("datetime64[s]")
        for column in ("released_on", "retired_on")
    )
    is_released = ~(released_on > usage["usage_date"])
    is_offered = ~(month_start(retired_on) < usage["month_date"])
    is_included = usage["feature_id"].isin(offered.index)
    months = ["feature_id", "customer_id", "month_date"]
    used = usage[is_included & is_released & is_offered]
    monthly = total(used, months, ["event_count"]).rename(columns={"event_count": "usage_quantity"})
    monthly = monthly[monthly["usage_quantity"] > 0].astype({"usage_quantity": "int64"})
    typical = monthly.groupby(["feature_id", "month_date"], observed=True)["usage_quantity"]
    monthly["benchmark_quantity"] = typical.transform("median")
    text = offered.index.dtype
    monthly = monthly.astype({"customer_id": text, "feature_id": text})
    weights = offered[["product_id", "list_weight"]].reset_index()
    return monthly.merge(weights, on="feature_id")


def total(rows: pd.DataFrame, keys: list[str], amounts: list[str]) -> pd.DataFrame:
    """Amounts summed by key."""
    groups = rows.groupby(keys, as_index=False, sort=False, dropna=False, observed=True)
    return groups[amounts].sum()


def sums(amounts: Numbers, group: Numbers) -> Numbers:
    """The sum of its group beside each amount."""
    totals: Numbers = pd.Series(amounts).groupby(group, sort=False).transform("sum").to_numpy()
    return totals


def split(amount: Numbers, weight: Numbers, group: Numbers, tie_break: Numbers) -> Numbers:
    """Shares of an amount by weight in whole cents: those left over go to the largest remainders."""
    size, all_weight = np.abs(amount), sums(weight, group)
    floor = (size.astype(np.float64) * weight / all_weight).astype(np.int64)
    # Each product may overflow; their difference is small, and wrapping round gives it exactly.
    remainder = size * weight - floor * all_weight
    correction = (remainder >= all_weight).astype(np.int64) - (remainder < 0)
    floor += correction
    remainder -= correction * all_weight
    order = np.lexsort((tie_break, -remainder, group))
    rank = np.empty_like(order)
    rank[order] = pd.Series(order).groupby(group[order], sort=False).cumcount()
    return np.sign(amount) * (floor + (rank < size - sums(floor, group)))


def month_ends(subscriptions: pd.DataFrame, cutoff: pd.Timestamp) -> pd.DataFrame:
    """Months from the first contract to the last day of data, and the day each is looked at."""
    first = subscriptions["valid_from"].min().replace(day=1)
    first_end = subscriptions["valid_to"].min().replace(day=1)
    starts = pd.Series(pd.date_range(first, cutoff, freq="MS", unit="s"))
    ends = starts + pd.offsets.MonthEnd(0)
    return pd.DataFrame(
        {
            "month_date": starts,
            "snapshot_on": ends.clip(upper=cutoff).astype("datetime64[s]"),
            "is_survivors_only": (starts < first_end) | pd.isna(first_end),
        }
    )


def closings(
    subscriptions: pd.DataFrame, months: pd.DataFrame, rates: pd.DataFrame, cutoff: pd.Timestamp
) -> pd.DataFrame:
    """What each subscription is worth at the end of each month."""
    is_term = subscriptions["valid_to"].isna() | (
        subscriptions["valid_to"] > subscriptions["valid_from"]
    )
    terms = subscriptions[is_term].sort_values(["subscription_id", "valid_from"], ignore_index=True)
    successor = terms.groupby("subscription_id")["valid_from"].shift(-1)
    ended_on = terms["valid_to"].where(~(successor < terms["valid_to"]), successor)
    ended_on = ended_on.fillna(successor)
    kept = 10**6 - units(terms["discount_rate"], 6)
    price = scaled(units(terms["unit_price"], 6), kept, 6)
    terms["quantity"] = units(terms["quantity"], 0)
    terms["mrr"] = scaled(price, terms["quantity"].to_numpy(), 4)
    snapshots = months["snapshot_on"].to_numpy()
    is_open = ended_on.isna().to_numpy()
    last = np.where(is_open, len(months), np.searchsorted(snapshots, ended_on.to_numpy()))
    first = np.searchsorted(snapshots, terms["valid_from"].to_numpy())
    last = np.where(terms["mrr"] != 0, last, first)
    rows, numbers = expand(terms, first, last)
    rows["month_number"] = numbers
    rows["month_date"] = months["month_date"].to_numpy()[numbers]
    rows = with_rate(rows, rates, "month_date")
    constant = rates[rates["rate_month"] <= cutoff].sort_values("rate_month")
    constant = constant.groupby("currency")["rate"].last()
    constant["USD"] = 10**8
    rows["reporting"] = rows["mrr"] * rows["rate"]
    rows["constant"] = rows["mrr"] * rows["currency"].map(constant).astype("int64")
    return rows[[*TERM, "month_number", "quantity", "mrr", "reporting", "constant"]]


def product_months(
    closing: pd.DataFrame, months: pd.DataFrame, rates: pd.DataFrame
) -> pd.DataFrame:
    """What each customer pays for each product when a month opens and when it closes."""
    opening = closing[closing["month_number"] + 1 < len(months)]
    next_months = months["month_date"].to_numpy()[opening["month_number"].to_numpy() + 1]
    opening = with_rate(opening.assign(month_date=next_months), rates, "month_date")
    opening["restated"] = opening["mrr"] * opening["rate"]
    sides = [
        side.rename(
            columns={
                "quantity": f"{name}_quantity",
                "mrr": name,
                "reporting": f"{name}_reporting",
                "constant": f"{name}_constant",
            }
        ).reindex(columns=[*TERM, *MEASURES], fill_value=0)
        for name, side in (("opening", opening), ("closing", closing))
    ]
    paired = in_one_currency(total(pd.concat(sides), TERM, MEASURES), rates)
    is_lasting = (paired["opening"] != 0) & (paired["closing"] != 0)
    paired["subscription_id"] = paired["subscription_id"].where(is_lasting, "")
    compared = total(paired, TERM, MEASURES)
    opening_quantity = compared["opening_quantity"].to_numpy()
    change = compared["closing"] - compared["opening"]
    has_price = (compared["opening"] != 0) & (compared["closing"] != 0) & (opening_quantity != 0)
    added = (compared["closing_quantity"] - opening_quantity).to_numpy()
    at_old_price = added * compared["opening"].to_numpy(np.float64)
    at_old_price /= np.where(has_price, opening_quantity, 1)
    compared["quantity_change"] = change.where(~has_price, to_cents(at_old_price))
    totals = total(compared, [*PRODUCT_MONTH, "currency"], [*MEASURES, "quantity_change"])
    return totals.assign(movement_type=movement(totals, ["customer_id", "product_id"]))


def in_one_currency(paired: pd.DataFrame, rates: pd.DataFrame) -> pd.DataFrame:
    """Amounts of a customer, product and month in the currency with most money at its end."""
    weights = ["closing_constant", "opening_constant"]
    weighed = total(paired, [*PRODUCT_MONTH, "currency"], weights)
    weighed = weighed.sort_values([*weights, "currency"], ascending=[False, False, True])
    chosen = weighed.drop_duplicates(PRODUCT_MONTH)[[*PRODUCT_MONTH, "currency"]]
    paired = paired.merge(chosen.rename(columns={"currency": "row_currency"}), on=PRODUCT_MONTH)
    is_other = paired["currency"] != paired["row_currency"]
    other = with_rate(paired[is_other], rates, "month_date").rename(columns={"rate": "own_rate"})
    other = with_rate(other.assign(currency=other["row_currency"]), rates, "month_date")
    for side in ("opening", "closing"):
        converted = other[side].to_numpy(np.float64) * other["own_rate"] / other["rate"]
        other[side] = to_cents(converted.to_numpy())
    return pd.concat([paired[~is_other], other[paired.columns]])


def movement(rows: pd.DataFrame, party: list[str]) -> npt.NDArray[np.object_]:
    """What happened between opening and closing."""
    opening, closing = rows["opening"], rows["closing"]
    paid = rows.assign(paid_month=rows["month_date"].where(closing > 0))
    first_paid = paid.groupby(party)["paid_month"].transform("min")
    begins = (opening <= 0) & (closing > 0)
    names: list[Any] = [None, "new", "reactivation", "churn", "expansion"]
    return np.select(
        [
            closing == opening,
            begins & (rows["month_date"] == first_paid),
            begins,
            (opening > 0) & (closing <= 0),
            closing > opening,
        ],
        names,
        "contraction",
    )


def customer_months(products: pd.DataFrame) -> pd.DataFrame:
    """What each customer pays for all products, at constant rates and in reporting currency."""
    amounts = {
        "opening": "opening_constant",
        "closing": "closing_constant",
        "opening_reporting": "opening_reporting",
        "restated": "restated",
        "closing_reporting": "closing_reporting",
    }
    totals = total(products, ["customer_id", "month_date"], [*amounts.values()])
    rounded = {name: cents(totals[amount].to_numpy()) for name, amount in amounts.items()}
    customers = totals[["customer_id", "month_date"]].assign(**rounded)
    return customers.assign(movement_type=movement(customers, ["customer_id"]))


def fct_mrr_movements(products: pd.DataFrame, customers: pd.DataFrame) -> pd.DataFrame:
    """Changes of what a customer pays for a product."""
    moved = products[products["opening"] != products["closing"]]
    by_customer = customers[["customer_id", "month_date", "movement_type"]]
    moved = moved.merge(
        by_customer.rename(columns={"movement_type": "customer_movement_type"}),
        on=["customer_id", "month_date"],
        how="left",
    )
    change = moved["closing"] - moved["opening"]
    opening, restated, closing, constant_opening, constant_closing = (
        cents(moved[amount].to_numpy())
        for amount in (
            "opening_reporting",
            "restated",
            "closing_reporting",
            "opening_constant",
            "closing_constant",
        )
    )
    return moved[[*PRODUCT_MONTH, "movement_type", "customer_movement_type", "currency"]].assign(
        opening_mrr_amount=moved["opening"],
        mrr_change_amount=change,
        quantity_change_amount=moved["quantity_change"],
        price_change_amount=change - moved["quantity_change"],
        closing_mrr_amount=moved["closing"],
        reporting_opening_mrr_amount=opening,
        reporting_mrr_change_amount=closing - restated,
        fx_change_amount=restated - opening,
        reporting_closing_mrr_amount=closing,
        constant_opening_mrr_amount=constant_opening,
        constant_mrr_change_amount=constant_closing - constant_opening,
        constant_closing_mrr_amount=constant_closing,
    )


def rpt_mrr_waterfall(months: pd.DataFrame, customers: pd.DataFrame) -> pd.DataFrame:
    """The bridge of recurring revenue from opening to closing, by month."""
    change = customers["closing"] - customers["opening"]
    kinds = ("new", "expansion", "contraction", "churn", "reactivation")
    counted = {"new": "new", "churn": "churned", "reactivation": "reactivated"}
    is_kind = {kind: customers["movement_type"] == kind for kind in kinds}
    measured = pd.DataFrame(
        {
            "month_date": customers["month_date"],
            "opening_mrr_amount": customers["opening"],
            "closing_mrr_amount": customers["closing"],
            "opening_customers": customers["opening"] > 0,
            "closing_customers": customers["closing"] > 0,
            **{f"{kind}_amount": change.where(is_kind[kind], 0) for kind in kinds},
            **{f"{name}_customers": is_kind[kind] for kind, name in counted.items()},
            "reporting_opening_mrr_amount": customers["opening_reporting"],
            "reporting_change_amount": customers["closing_reporting"] - customers["restated"],
            "fx_amount": customers["restated"] - customers["opening_reporting"],
            "reporting_closing_mrr_amount": customers["closing_reporting"],
        }
    )
    totals = measured.groupby("month_date").sum().reindex(months["month_date"], fill_value=0)
    totals["closing_arr_amount"] = 12 * totals["closing_mrr_amount"]
    return months.merge(totals.reset_index(), on="month_date")


def fct_cloud_costs(raw: Path, rates: pd.DataFrame) -> pd.DataFrame:
    """What the cloud cost by day, service, sub-account, product and kind of charge."""
    charges = read(raw / "cost/cloud_costs", [*CLOUD_COLUMNS, *COSTS])
    charges = charges[~charges["_is_deleted"]].rename(columns=CLOUD_COLUMNS)
    products = latest(raw / "product/products", ["product_id"], [])["product_id"]
    accounts = seed("cost/cloud_sub_accounts.csv").set_index("sub_account_id")
    charges["charge_date"] = days(charges["charge_date"]).astype("datetime64[s]")
    charges["month_date"] = month_start(charges["month_date"])
    codes, texts = pd.factorize(charges["tags"])
    tags = pd.DataFrame([json.loads(text) for text in texts], columns=["product", "owner"])
    tags = tags.replace("", None).reindex(codes)
    for tag, column in (("product", "product_id"), ("owner", "owner")):
        of_account = charges["sub_account_id"].map(accounts[column])
        charges[column] = pd.Series(tags[tag].to_numpy(), charges.index).fillna(of_account)
    is_known = charges["product_id"].isin(products)
    charges["product_id"] = charges["product_id"].where(is_known)
    charges["list"] = charges["ListCost"].fillna(charges["ContractedCost"])
    charges["contracted"] = charges["ContractedCost"].fillna(charges["ListCost"])
    rated = with_rate(charges, rates, "month_date")
    effective = rated["EffectiveCost"]
    amounts = {
        "billed_amount": 100 * units(rated["BilledCost"], 8),
        "effective_amount": 100 * units(effective, 8),
        **{
            f"reporting_{name}_amount": scaled(units(cost, 8), rated["rate"].to_numpy(), 6)
            for name, cost in {
                "billed": rated["BilledCost"],
                "effective": effective,
                "list": rated["list"].fillna(effective),
                "contracted": rated["contracted"].fillna(effective),
            }.items()
        },
    }
    has_owner, has_product = rated["owner"].notna(), rated["product_id"].notna()
    reported = amounts["reporting_effective_amount"]
    amounts["reporting_allocated_amount"] = np.where(has_owner & has_product, reported, 0)
    amounts["reporting_unowned_amount"] = np.where(has_owner, 0, reported)
    rated = rated[CLOUD_KEYS].assign(charge_count=1, **amounts)
    return total(rated, CLOUD_KEYS, ["charge_count", *amounts])


def write(mart: pd.DataFrame, path: Path) -> None:
    """Write a mart as Parquet."""
    dates = {name: "date32[day][pyarrow]" for name, kind in mart.dtypes.items() if kind.kind == "M"}
    mart.astype(dates).to_parquet(path, index=False)


if __name__ == "__main__":
    write_in_turn(marts(Path(sys.argv[1])), write, Path(sys.argv[2]))
