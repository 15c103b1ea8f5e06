"""The five marts in Polars, from raw Parquet files and seeds; lazy until marts share a result.

Money is whole numbers of the smallest unit a mart keeps; rates are whole numbers of 1e-8.
"""

import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import polars as pl
import polars.selectors as cs

from warehouse.bench.frames.clock import SEEDS, write_in_turn

VERSION = ("_known_at", "_loaded_at", "_file", "_row")
COSTS = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")
PRODUCT_MONTH = ("customer_id", "product_id", "month_date")


def marts(home: Path) -> Iterator[tuple[str, pl.LazyFrame]]:
    """Each mart by name, in the order in which they stand on each other's results."""
    raw = home / "raw"
    lines = latest(raw / "revenue/invoice_lines", ("invoice_id", "line_number")).collect()
    subscriptions = latest(raw / "revenue/subscriptions", ("subscription_id", "valid_from"))
    subscriptions = subscriptions.collect().lazy()
    payments = latest(raw / "revenue/payments", ("payment_id",))
    cutoff = last_day(subscriptions, lines.lazy(), payments).collect().item()
    rates = fx_rates()
    revenue = fct_revenue(lines.lazy(), rates, cutoff).collect().lazy()
    yield "fct_revenue", revenue
    yield "fct_feature_revenue", fct_feature_revenue(raw, revenue)
    months = month_ends(subscriptions, cutoff)
    products = product_months(subscriptions, months, rates, cutoff).collect().lazy()
    customers = customer_months(products).collect().lazy()
    yield "fct_mrr_movements", fct_mrr_movements(products, customers)
    yield "rpt_mrr_waterfall", rpt_mrr_waterfall(months.lazy(), customers)
    yield "fct_cloud_costs", fct_cloud_costs(raw, rates)


def scan(folder: Path) -> pl.LazyFrame:
    """Rows of an extract, but those a later delivery of the same scope replaced."""
    rows = pl.scan_parquet(folder / "*.parquet", missing_columns="insert")
    newest = pl.col("_delivery") == pl.col("_delivery").max().over("_scope")
    return rows.filter(pl.col("_scope").is_null() | newest)


def latest(folder: Path, key: tuple[str, ...]) -> pl.LazyFrame:
    """Rows of an extract as last known by key."""
    rows = scan(folder).sort(VERSION).unique(key, keep="last")
    return rows.filter(~pl.col("_is_deleted").fill_null(False))


def units(column: str, digits: int) -> pl.Expr:
    """A decimal as a whole number of its last digit."""
    return pl.col(column).cast(pl.Decimal(38, digits)).to_physical().cast(pl.Int64)


def whole(value: pl.Expr) -> pl.Expr:
    """Positive numbers rounded to whole ones."""
    return (value + 0.5).floor().cast(pl.Int64)


def scaled(amount: pl.Expr, factor: pl.Expr, digits: int) -> pl.Expr:
    """A product without its last digits, half away from zero; 64 bits need not hold all of it."""
    unit: int = 10**digits
    high, low = amount.abs() // unit, amount.abs() % unit
    return amount.sign() * (high * factor + (low * factor + unit // 2) // unit)


def cents(amount: pl.Expr) -> pl.Expr:
    """Amounts of ten decimals in cents, half away from zero."""
    return amount.sign() * ((amount.abs() + 50_000_000) // 100_000_000)


def to_cents(amount: pl.Expr) -> pl.Expr:
    """Floating-point cents as whole ones: rounded to four digits more, then half away from zero."""
    return amount.sign().cast(pl.Int64) * ((whole(amount.abs() * 10_000) + 5_000) // 10_000)


def fx_rates() -> pl.DataFrame:
    """Average rates into the reporting currency by currency and month."""
    quoted = pl.read_csv(SEEDS / "core/fx_rates.csv", try_parse_dates=True)
    return quoted.filter(pl.col("to_currency") == "USD").select(
        "rate_month", currency="from_currency", rate=whole(pl.col("average_rate") * 1e8)
    )


def with_rate(rows: pl.LazyFrame, rates: pl.DataFrame, month: str) -> pl.LazyFrame:
    """Rows with the rate of their currency and month; the reporting currency needs none."""
    quoted = rates.lazy().rename({"rate_month": month})
    return rows.join(quoted, on=["currency", month], how="left").with_columns(rate=or_one("rate"))


def or_one(rate: str) -> pl.Expr:
    """A rate, which of the reporting currency is 1."""
    return pl.when(pl.col("currency") == "USD").then(10**8).otherwise(rate)


def last_day(*extracts: pl.LazyFrame) -> pl.LazyFrame:
    """The last day the revenue data speaks for: of what had happened when it became known."""
    events = [
        extract.select("_known_at", event_on=column)
        for extract, columns in zip(
            extracts, (("valid_from", "valid_to"), ("invoiced_on",), ("paid_on",)), strict=True
        )
        for column in columns
    ]
    known = pl.col("_known_at").is_null() | (pl.col("event_on") <= pl.col("_known_at").dt.date())
    return pl.concat(events).filter(known).select(pl.col("event_on").max())


def fct_revenue(lines: pl.LazyFrame, rates: pl.DataFrame, cutoff: date) -> pl.LazyFrame:
    """Invoice lines by the months in which they are earned."""
    last_rate_month = rates["rate_month"].max()
    end = pl.col("month_date").dt.month_end()
    earned_days = (end - pl.col("earned_from")).dt.total_days() + 1
    elapsed = (
        pl.when(end < pl.col("recognised_from"))
        .then(0)
        .when(end >= pl.col("earned_to"))
        .then("term")
        .otherwise(earned_days)
    )
    minor_units = pl.col("amount").abs() // pl.col("unit")
    parts = (2 * minor_units * pl.col("elapsed") + pl.col("term")) // (2 * pl.col("term"))
    earned = (
        pl.when(pl.col("elapsed") == pl.col("term"))
        .then("amount")
        .otherwise(pl.col("amount").sign() * pl.col("unit") * parts)
    )
    earned_before = (
        pl.col("earned").shift().over("invoice_id", "line_number", order_by="month_date")
    )
    months = pl.date_ranges(
        pl.min_horizontal("recognised_from", "invoiced_on").dt.month_start(),
        pl.max_horizontal("recognised_to", "invoiced_on"),
        "1mo",
    )
    earnings = (
        earning_terms(lines)
        .with_columns(month_date=months)
        .explode("month_date")
        .with_columns(elapsed=elapsed)
        .with_columns(earned=earned)
        .with_columns(
            recognised_amount=pl.col("earned") - earned_before.fill_null(0),
            is_scheduled=pl.col("month_date") > cutoff,
        )
        .filter(pl.col("recognised_amount") != 0)
        .with_columns(
            rate_month=pl.when("is_scheduled")
            .then(pl.min_horizontal("month_date", pl.lit(last_rate_month)))
            .otherwise("month_date")
        )
    )
    return with_rate(earnings, rates, "rate_month").select(
        "invoice_id",
        "line_number",
        "customer_id",
        "subscription_id",
        "product_id",
        "plan_id",
        "charge_type",
        "revenue_account_id",
        "month_date",
        "is_scheduled",
        "recognised_amount",
        "currency",
        fiscal_period=pl.col("month_date").dt.strftime("%Y-P%m"),
        reporting_amount=scaled(pl.col("recognised_amount"), pl.col("rate"), 8),
    )


def earning_terms(lines: pl.LazyFrame) -> pl.LazyFrame:
    """Invoice lines with the days over which they are earned."""
    types = pl.scan_csv(SEEDS / "revenue/charge_types.csv", infer_schema=False)
    minor = pl.scan_csv(SEEDS / "revenue/currency_minor_units.csv")
    digits = pl.col("minor_unit_digits").fill_null(2)
    is_over_time = pl.col("recognition_rule") == "ratable"
    has_term = pl.col("service_start_on") <= pl.col("service_end_on")
    delivered = pl.coalesce("service_end_on", "service_start_on", "invoiced_on")

    def earned(column: str) -> pl.Expr:
        over_time = pl.when(has_term).then(column).otherwise("invoiced_on")
        return pl.when(is_over_time).then(over_time).otherwise(delivered)

    def recognised(column: str) -> pl.Expr:
        given = pl.max_horizontal(column, "invoiced_on")
        return pl.when("is_credit").then(given).otherwise(column)

    return (
        lines.join(types, on="charge_type", how="left")
        .join(minor, on="currency", how="left")
        .with_columns(
            units("amount", 2),
            earned_from=earned("service_start_on"),
            earned_to=earned("service_end_on"),
            is_credit=pl.col("charge_type").is_in(["credit", "refund"]) | (pl.col("amount") < 0),
            unit=pl.when(digits == 0).then(100).when(digits == 1).then(10).otherwise(1),
        )
        .with_columns(
            recognised_from=recognised("earned_from"),
            recognised_to=recognised("earned_to"),
            term=(pl.col("earned_to") - pl.col("earned_from")).dt.total_days() + 1,
        )
    )


def fct_feature_revenue(raw: Path, revenue: pl.LazyFrame) -> pl.LazyFrame:
    """Earned revenue by the feature it is traced to, or else by the use of features."""
    features = latest(raw / "product/features", ("feature_id",))
    add_ons = features.filter("is_add_on").select(plan_id="feature_id", add_on="feature_id")
    services = pl.when(pl.col("charge_type") == "one_time").then(pl.lit("services"))
    account = ("product_id", "customer_id", "fiscal_period", "month_date")
    placed = (
        revenue.filter(~pl.col("is_scheduled"))
        .join(add_ons, on="plan_id", how="left")
        .with_columns(
            feature_id=pl.coalesce("add_on", services),
            revenue_basis=pl.when(pl.col("add_on").is_not_null())
            .then(pl.lit("add_on"))
            .otherwise(services),
        )
        .group_by(*account, "feature_id", "revenue_basis")
        .agg(revenue_amount=pl.col("reporting_amount").sum())
        .with_row_index("account")
        .collect()
        .lazy()
    )
    traced = placed.filter(pl.col("feature_id").is_not_null())
    accounts = placed.filter(pl.col("feature_id").is_null()).drop("feature_id", "revenue_basis")
    keys = ["product_id", "customer_id", "month_date"]
    quantity = pl.col("usage_quantity").cast(pl.Float64)
    weight = 1000 * pl.col("list_weight").cast(pl.Float64)
    benchmark = pl.col("benchmark_quantity")
    used = (
        accounts.join(monthly_usage(raw, features), on=keys)
        .with_columns(
            log_weight=whole(weight * (1 + quantity).log() / (1 + benchmark).log() * 1e9),
            raw_weight=whole(weight * quantity / benchmark * 1e9),
        )
        .with_columns(
            revenue_basis=pl.lit("usage"),
            revenue_share=pl.col("log_weight") / pl.col("log_weight").sum().over("account"),
        )
    )
    used = split(used, "revenue_amount", "log_weight", "log_revenue_amount")
    used = split(used, "revenue_amount", "raw_weight", "raw_revenue_amount")
    used = used.with_columns(revenue_amount="log_revenue_amount")
    unused = accounts.join(used, on="account", how="anti").with_columns(
        feature_id=pl.lit("platform_base"), revenue_basis=pl.lit("platform_base")
    )
    untouched = pl.concat([unused, traced], how="diagonal").with_columns(
        revenue_share=pl.lit(1.0),
        log_revenue_amount="revenue_amount",
        raw_revenue_amount="revenue_amount",
    )
    is_traced = pl.col("revenue_basis").is_in(["add_on", "services"])
    return pl.concat([used, untouched], how="diagonal").select(
        "product_id",
        "feature_id",
        "customer_id",
        "month_date",
        "fiscal_period",
        "revenue_basis",
        "usage_quantity",
        "benchmark_quantity",
        "revenue_share",
        "revenue_amount",
        "log_revenue_amount",
        "raw_revenue_amount",
        revenue_amount_reason=pl.when(pl.col("revenue_amount").is_null()).then(
            pl.lit("no_exchange_rate")
        ),
        evidence_grade=pl.when(is_traced).then(pl.lit("C")).otherwise(pl.lit("D")),
        is_causal=pl.lit(False),
    )


def monthly_usage(raw: Path, features: pl.LazyFrame) -> pl.LazyFrame:
    """Use of included features by customer and month, beside that of the typical customer."""
    month = ["product_id", "list_weight", "feature_id", "customer_id", "month_date"]
    included = features.filter(~pl.col("is_add_on") & (pl.col("list_weight") > 0)).select(
        "product_id", "feature_id", "list_weight", "released_on", "retired_on"
    )
    is_released = pl.col("released_on") <= pl.col("usage_date")
    is_offered = pl.col("retired_on").dt.month_start() >= pl.col("month_date")
    is_deleted = pl.col("_is_deleted").fill_null(False)
    quantity = pl.col("event_count").sum().alias("usage_quantity")
    versions = (
        scan(raw / "product/feature_usage")
        .with_columns(month_date=pl.col("usage_date").dt.month_start())
        .join(included, on="feature_id")
        .filter(is_released.fill_null(True), is_offered.fill_null(True))
    )
    # A bit for each day is a third of the work of counting distinct days.
    days = pl.lit(2, dtype=pl.UInt32).pow(pl.col("usage_date").dt.day() - 1).bitwise_or()
    counted = (
        versions.group_by(month)
        .agg(quantity, days.alias("days"), rows=pl.len(), is_deleted=is_deleted.any())
        .collect(engine="streaming")
    )
    # Only a month with more rows than days of use has a day that is known in two versions.
    is_contested = (pl.col("rows") != pl.col("days").bitwise_count_ones()) | pl.col("is_deleted")
    contested = counted.filter(is_contested)
    used = counted.lazy().filter(~is_contested).select(*month, "usage_quantity")
    if not contested.is_empty():
        settled = (
            versions.join(contested.lazy(), on=month, how="semi")
            .sort(VERSION)
            .unique([*month, "usage_date"], keep="last")
            .filter(~is_deleted)
        )
        used = pl.concat([used, settled.group_by(month).agg(quantity)])
    typical = pl.col("usage_quantity").median().over("feature_id", "month_date")
    return used.filter(pl.col("usage_quantity") > 0).with_columns(benchmark_quantity=typical)


def split(rows: pl.LazyFrame, total: str, weight: str, share: str) -> pl.LazyFrame:
    """Shares of an account's total by weight in whole cents: those left over go to the largest remainders."""
    amount, floor, remainder = pl.col(total).abs(), pl.col("_floor"), pl.col("_remainder")
    weighed = amount.cast(pl.Int128) * pl.col(weight)
    rank = pl.int_range(pl.len()).over("account", order_by=[-remainder, pl.col("feature_id")])
    # Step by step: a window over a window is computed in time that grows with the square of the rows.
    return (
        rows.with_columns(_weight=pl.col(weight).sum().over("account"))
        .with_columns(
            _floor=(weighed // pl.col("_weight")).cast(pl.Int64),
            _remainder=(weighed % pl.col("_weight")).cast(pl.Int64),
        )
        .with_columns(_rank=rank, _left=amount - floor.sum().over("account"))
        .with_columns(
            (pl.col(total).sign() * (floor + (pl.col("_rank") < pl.col("_left")))).alias(share)
        )
        .drop(cs.starts_with("_"))
    )


def month_ends(subscriptions: pl.LazyFrame, cutoff: date) -> pl.DataFrame:
    """Months from the first contract to the last day of data, and the day each is looked at."""
    firsts = subscriptions.select(pl.col("valid_from", "valid_to").min()).collect()
    first, first_end = firsts.row(0)
    months = pl.select(month_date=pl.date_range(first.replace(day=1), cutoff, "1mo"))
    first_end = pl.lit(first_end, pl.Date).dt.month_start()
    return months.with_row_index("month_number").with_columns(
        snapshot_on=pl.min_horizontal(pl.col("month_date").dt.month_end(), pl.lit(cutoff)),
        is_survivors_only=(pl.col("month_date") < first_end).fill_null(True),
    )


def closings(
    subscriptions: pl.LazyFrame, months: pl.DataFrame, rates: pl.DataFrame, cutoff: date
) -> pl.LazyFrame:
    """What each subscription is worth at the end of each month."""
    kept = 10**6 - units("discount_rate", 6).fill_null(0)
    price = scaled(units("unit_price", 6), kept, 6)
    successor = pl.col("valid_from").shift(-1).over("subscription_id", order_by="valid_from")
    snapshots = pl.lit(months["snapshot_on"])
    terms = (
        subscriptions.filter(
            pl.col("valid_to").is_null() | (pl.col("valid_to") > pl.col("valid_from"))
        )
        .with_columns(
            ended_on=pl.min_horizontal("valid_to", successor),
            quantity=pl.col("quantity").cast(pl.Int64),
            price=price,
        )
        .with_columns(mrr=scaled(pl.col("price"), pl.col("quantity"), 4))
        .filter(pl.col("mrr") != 0)
        .with_columns(
            month_number=pl.int_ranges(
                snapshots.search_sorted(pl.col("valid_from")),
                pl.when(pl.col("ended_on").is_null())
                .then(len(months))
                .otherwise(snapshots.search_sorted(pl.col("ended_on"))),
            )
        )
        .explode("month_number")
        .drop_nulls("month_number")
        .with_columns(pl.col("month_number").cast(pl.UInt32))
        .join(months.lazy(), on="month_number")
    )
    constant = (
        rates.filter(pl.col("rate_month") <= cutoff)
        .sort("rate_month")
        .group_by("currency")
        .agg(constant_rate=pl.col("rate").last())
    )
    terms = terms.join(constant.lazy(), on="currency", how="left")
    return with_rate(terms, rates, "month_date").select(
        "month_number",
        "month_date",
        "subscription_id",
        "customer_id",
        "product_id",
        "currency",
        "quantity",
        "mrr",
        reporting=pl.col("mrr") * pl.col("rate"),
        constant=pl.col("mrr") * or_one("constant_rate"),
    )


def product_months(
    subscriptions: pl.LazyFrame, months: pl.DataFrame, rates: pl.DataFrame, cutoff: date
) -> pl.LazyFrame:
    """What each customer pays for each product when a month opens and when it closes."""
    closing = closings(subscriptions, months, rates, cutoff).collect().lazy()
    opening = (
        closing.rename({"reporting": "opening_reporting"})
        .drop("month_date")
        .with_columns(pl.col("month_number") + 1)
        .join(months.lazy().select("month_number", "month_date"), on="month_number")
    )
    opening = with_rate(opening, rates, "month_date").select(
        *PRODUCT_MONTH,
        "subscription_id",
        "currency",
        opening_quantity="quantity",
        opening="mrr",
        opening_reporting="opening_reporting",
        restated=pl.col("mrr") * pl.col("rate"),
        opening_constant="constant",
    )
    closing = closing.select(
        *PRODUCT_MONTH,
        "subscription_id",
        "currency",
        closing_quantity="quantity",
        closing="mrr",
        closing_reporting="reporting",
        closing_constant="constant",
    )
    paired = total(
        pl.concat([opening, closing], how="diagonal"),
        *PRODUCT_MONTH,
        "subscription_id",
        "currency",
    )
    is_lasting = (pl.col("opening") != 0) & (pl.col("closing") != 0)
    compared = total(
        in_one_currency(paired, rates).with_columns(
            subscription_id=pl.when(is_lasting).then("subscription_id")
        ),
        *PRODUCT_MONTH,
        "currency",
        "subscription_id",
    )
    added = pl.col("closing_quantity") - pl.col("opening_quantity")
    at_old_price = added * pl.col("opening").cast(pl.Float64) / pl.col("opening_quantity")
    has_price = is_lasting & (pl.col("opening_quantity") != 0)
    explained = compared.with_columns(
        quantity_change=pl.when(has_price)
        .then(to_cents(at_old_price))
        .otherwise(pl.col("closing") - pl.col("opening"))
    )
    totals = total(explained.drop("subscription_id"), *PRODUCT_MONTH, "currency")
    return totals.with_columns(movement_type=movement("customer_id", "product_id"))


def total(rows: pl.LazyFrame, *keys: str) -> pl.LazyFrame:
    """All other columns summed by key."""
    return rows.group_by(keys).agg(pl.all().sum())


def in_one_currency(paired: pl.LazyFrame, rates: pl.DataFrame) -> pl.LazyFrame:
    """Amounts of a customer, product and month in the currency with most money at its end."""
    weights = ("closing_constant", "opening_constant")
    chosen = (
        total(paired.select(*PRODUCT_MONTH, "currency", *weights), *PRODUCT_MONTH, "currency")
        .sort(*weights, "currency", descending=[True, True, False])
        .unique(PRODUCT_MONTH, keep="first", maintain_order=True)
        .select(*PRODUCT_MONTH, row_currency="currency")
    )
    paired = paired.join(chosen, on=PRODUCT_MONTH)
    is_other = pl.col("currency") != pl.col("row_currency")
    other = with_rate(paired.filter(is_other), rates, "month_date").with_columns(
        own_rate="rate", currency="row_currency"
    )
    other = with_rate(other.drop("rate"), rates, "month_date")
    ratio = pl.col("own_rate") / pl.col("rate")
    converted = other.with_columns(
        to_cents(pl.col(amount).cast(pl.Float64) * ratio) for amount in ("opening", "closing")
    ).drop("rate", "own_rate")
    return pl.concat([paired.filter(~is_other), converted], how="diagonal").drop("row_currency")


def movement(*party: str) -> pl.Expr:
    """What happened between opening and closing."""
    opening, closing = pl.col("opening"), pl.col("closing")
    first_paid = pl.col("month_date").filter(closing > 0).min().over(party)
    return (
        pl.when(closing == opening)
        .then(None)
        .when((opening <= 0) & (closing > 0) & (pl.col("month_date") == first_paid))
        .then(pl.lit("new"))
        .when((opening <= 0) & (closing > 0))
        .then(pl.lit("reactivation"))
        .when((opening > 0) & (closing <= 0))
        .then(pl.lit("churn"))
        .when(closing > opening)
        .then(pl.lit("expansion"))
        .otherwise(pl.lit("contraction"))
    )


def customer_months(products: pl.LazyFrame) -> pl.LazyFrame:
    """What each customer pays for all products, at constant rates and in reporting currency."""
    return (
        products.group_by("customer_id", "month_date")
        .agg(
            opening=cents(pl.col("opening_constant").sum()),
            closing=cents(pl.col("closing_constant").sum()),
            opening_reporting=cents(pl.col("opening_reporting").sum()),
            restated=cents(pl.col("restated").sum()),
            closing_reporting=cents(pl.col("closing_reporting").sum()),
        )
        .with_columns(movement_type=movement("customer_id"))
    )


def fct_mrr_movements(products: pl.LazyFrame, customers: pl.LazyFrame) -> pl.LazyFrame:
    """Changes of what a customer pays for a product."""
    by_customer = customers.select(
        "customer_id", "month_date", customer_movement_type="movement_type"
    )
    change = pl.col("closing") - pl.col("opening")
    opening, restated, closing = (
        cents(pl.col(amount)) for amount in ("opening_reporting", "restated", "closing_reporting")
    )
    constant = [cents(pl.col(f"{side}_constant")) for side in ("opening", "closing")]
    return (
        products.filter(change != 0)
        .join(by_customer, on=["customer_id", "month_date"], how="left")
        .select(
            *PRODUCT_MONTH,
            "movement_type",
            "customer_movement_type",
            "currency",
            opening_mrr_amount="opening",
            mrr_change_amount=change,
            quantity_change_amount="quantity_change",
            price_change_amount=change - pl.col("quantity_change"),
            closing_mrr_amount="closing",
            reporting_opening_mrr_amount=opening,
            reporting_mrr_change_amount=closing - restated,
            fx_change_amount=restated - opening,
            reporting_closing_mrr_amount=closing,
            constant_opening_mrr_amount=constant[0],
            constant_mrr_change_amount=constant[1] - constant[0],
            constant_closing_mrr_amount=constant[1],
        )
    )


def rpt_mrr_waterfall(months: pl.LazyFrame, customers: pl.LazyFrame) -> pl.LazyFrame:
    """The bridge of recurring revenue from opening to closing, by month."""
    change = pl.col("closing") - pl.col("opening")
    kinds = ("new", "expansion", "contraction", "churn", "reactivation")
    counted = {"new": "new", "churn": "churned", "reactivation": "reactivated"}
    is_kind = {kind: pl.col("movement_type") == kind for kind in kinds}
    totals = customers.group_by("month_date").agg(
        pl.col("opening").sum().alias("opening_mrr_amount"),
        pl.col("closing").sum().alias("closing_mrr_amount"),
        (pl.col("opening") > 0).sum().alias("opening_customers"),
        (pl.col("closing") > 0).sum().alias("closing_customers"),
        *(change.filter(is_kind[kind]).sum().alias(f"{kind}_amount") for kind in kinds),
        *(is_kind[kind].sum().alias(f"{name}_customers") for kind, name in counted.items()),
        reporting_opening_mrr_amount=pl.col("opening_reporting").sum(),
        reporting_change_amount=(pl.col("closing_reporting") - pl.col("restated")).sum(),
        fx_amount=(pl.col("restated") - pl.col("opening_reporting")).sum(),
        reporting_closing_mrr_amount=pl.col("closing_reporting").sum(),
    )
    return (
        months.drop("month_number")
        .join(totals, on="month_date", how="left")
        .with_columns(pl.exclude("month_date", "snapshot_on", "is_survivors_only").fill_null(0))
        .with_columns(closing_arr_amount=12 * pl.col("closing_mrr_amount"))
    )


def fct_cloud_costs(raw: Path, rates: pl.DataFrame) -> pl.LazyFrame:
    """What the cloud cost by day, service, sub-account, product and kind of charge."""
    products = latest(raw / "product/products", ("product_id",)).select("product_id")
    accounts = pl.scan_csv(SEEDS / "cost/cloud_sub_accounts.csv").select(
        "sub_account_id", account_product="product_id", account_owner="owner"
    )

    def tag(key: str) -> pl.Expr:
        return pl.col("Tags").str.json_path_match(f"$.{key}").replace("", None)

    charges = (
        scan(raw / "cost/cloud_costs")
        .filter(~pl.col("_is_deleted").fill_null(False))
        .with_columns(
            *(units(cost, 8) for cost in COSTS),
            month_date=pl.col("BillingPeriodStart").dt.date().dt.month_start(),
            charge_date=pl.col("ChargePeriodStart").dt.date(),
        )
        .rename({"BillingCurrency": "currency", "SubAccountId": "sub_account_id"})
        .join(accounts, on="sub_account_id", how="left")
        .with_columns(
            product_id=pl.coalesce(tag("product"), "account_product"),
            owner=pl.coalesce(tag("owner"), "account_owner"),
        )
        .join(products.with_columns(known="product_id"), on="product_id", how="left")
        .with_columns(product_id="known")
    )
    converted = with_rate(charges, rates, "month_date").with_columns(
        list_price=pl.coalesce("ListCost", "ContractedCost", "EffectiveCost"),
        contracted_price=pl.coalesce("ContractedCost", "ListCost", "EffectiveCost"),
    )
    effective = reporting("EffectiveCost")
    has_owner, has_product = pl.col("owner").is_not_null(), pl.col("product_id").is_not_null()
    return converted.group_by(
        "charge_date",
        "sub_account_id",
        "product_id",
        "currency",
        provider_name="ProviderName",
        service_name="ServiceName",
        service_category="ServiceCategory",
        charge_category="ChargeCategory",
    ).agg(
        charge_count=pl.len(),
        billed_amount=100 * pl.col("BilledCost").sum(),
        effective_amount=100 * pl.col("EffectiveCost").sum(),
        reporting_billed_amount=reporting("BilledCost").sum(),
        reporting_effective_amount=effective.sum(),
        reporting_list_amount=reporting("list_price").sum(),
        reporting_contracted_amount=reporting("contracted_price").sum(),
        reporting_allocated_amount=effective.filter(has_product & has_owner).sum(),
        reporting_unowned_amount=effective.filter(~has_owner).sum(),
    )


def reporting(cost: str) -> pl.Expr:
    """A cost of eight decimals in reporting currency, of ten decimals."""
    return scaled(pl.col(cost), pl.col("rate"), 6)


if __name__ == "__main__":
    write_in_turn(
        marts(Path(sys.argv[1])), lambda mart, path: mart.sink_parquet(path), Path(sys.argv[2])
    )
