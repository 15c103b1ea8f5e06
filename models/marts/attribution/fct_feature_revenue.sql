-- One row per product, feature, customer and calendar month.
{{ config(
    materialized='incremental',
    unique_key='month_date',
    meta={'increments_of': 'product/feature_usage'},
    on_schema_change='fail',
    incremental_strategy=('insert_overwrite' if target.type == 'spark' else 'delete+insert'),
    partition_by='month_date'
) }}
{%- set used_months = touched_months('product/feature_usage', ref('stg_product__feature_usage_versions'), 'usage_date', 'month_date') %}
with

revenue as (

    select
        product_id,
        plan_id,
        customer_id,
        charge_type,
        fiscal_period,
        month_date,
        reporting_amount
    from {{ ref('fct_revenue') }}
    where not is_scheduled {{ 'and ' ~ used_months if used_months }}

),

features as (

    select * from {{ ref('dim_feature') }}

),

feature_usage as (

    select
        customer_id,
        feature_id,
        month_date,
        released_event_count,
        released_active_user_days
    from {{ ref('int_feature_usage_months') }}
    {{ 'where ' ~ used_months if used_months }}

),

policies as (

    select * from {{ ref('feature_attribution_policies') }}

),

-- An add-on is billed as a plan of its own name; services are not use of a feature; the rest is the account's.
placed as (

    select
        revenue.product_id,
        revenue.customer_id,
        revenue.fiscal_period,
        revenue.month_date,
        revenue.reporting_amount,
        case
            when add_ons.feature_id is not null then add_ons.feature_id
            when revenue.charge_type = 'one_time' then 'services'
        end as traced_feature_id,
        case
            when add_ons.feature_id is not null then 'add_on'
            when revenue.charge_type = 'one_time' then 'services'
        end as traced_basis
    from revenue
    left join features as add_ons
        on
            revenue.plan_id = add_ons.feature_id
            and add_ons.is_add_on

),

traced as (

    select
        product_id,
        traced_feature_id as feature_id,
        customer_id,
        fiscal_period,
        month_date,
        traced_basis as revenue_basis,
        {{ sum_complete('reporting_amount') }} as revenue_amount
    from placed
    where traced_feature_id is not null
    group by product_id, traced_feature_id, customer_id, fiscal_period, month_date, traced_basis

),

account_revenue as (

    select
        product_id,
        customer_id,
        fiscal_period,
        month_date,
        {{ sum_complete('reporting_amount') }} as revenue_amount
    from placed
    where traced_feature_id is null
    group by product_id, customer_id, fiscal_period, month_date

),

-- Only what a customer was entitled to in the month counts: included features, released and not yet retired.
monthly_usage as (

    select
        features.product_id,
        features.feature_id,
        features.list_weight,
        feature_usage.customer_id,
        feature_usage.month_date,
        sum(
            case
                when policies.usage_measure = 'event_count' then feature_usage.released_event_count
                else feature_usage.released_active_user_days
            end
        ) as usage_quantity
    from feature_usage
    inner join features on feature_usage.feature_id = features.feature_id
    cross join policies
    where
        not features.is_add_on
        and features.list_weight > 0
        and (
            features.retired_on is null
            or cast(date_trunc('month', features.retired_on) as date) >= feature_usage.month_date
        )
    group by
        features.product_id, features.feature_id, features.list_weight, feature_usage.customer_id,
        feature_usage.month_date

),

used as (

    select *
    from monthly_usage
    where usage_quantity > 0

),

-- The typical user of the feature in the month is the yardstick: features count use in very different numbers.
benchmarks as (

    select
        feature_id,
        month_date,
        median(cast(usage_quantity as double)) as benchmark_quantity
    from used
    group by feature_id, month_date

),

weighted as (

    select
        account_revenue.product_id,
        used.feature_id,
        account_revenue.customer_id,
        account_revenue.fiscal_period,
        account_revenue.month_date,
        account_revenue.revenue_amount,
        used.usage_quantity,
        benchmarks.benchmark_quantity,
        cast(
            round(
                1000 * cast(used.list_weight as double)
                * ln(1 + cast(used.usage_quantity as double)) / ln(1 + benchmarks.benchmark_quantity),
                9
            ) as decimal(21, 9)
        ) as log_weight,
        cast(
            round(
                1000 * cast(used.list_weight as double)
                * cast(used.usage_quantity as double) / benchmarks.benchmark_quantity,
                9
            ) as decimal(21, 9)
        ) as raw_weight
    from account_revenue
    inner join used
        on
            account_revenue.product_id = used.product_id
            and account_revenue.customer_id = used.customer_id
            and account_revenue.month_date = used.month_date
    inner join benchmarks
        on
            used.feature_id = benchmarks.feature_id
            and used.month_date = benchmarks.month_date

),

totalled as (

    select
        *,
        cast(revenue_amount * 100 as bigint) as revenue_cents,
        sum(log_weight) over (partition by product_id, customer_id, month_date) as log_weight_total,
        sum(raw_weight) over (partition by product_id, customer_id, month_date) as raw_weight_total
    from weighted

),

floored as (

    select
        *,
        {{ share_floor('revenue_cents', 'log_weight', 'log_weight_total') }} as log_floor,
        {{ share_floor('revenue_cents', 'raw_weight', 'raw_weight_total') }} as raw_floor
    from totalled

),

remaining as (

    select
        *,
        {{ share_remainder('revenue_cents', 'log_weight', 'log_weight_total', 'log_floor') }} as log_remainder,
        {{ share_remainder('revenue_cents', 'raw_weight', 'raw_weight_total', 'raw_floor') }} as raw_remainder
    from floored

),

split as (

    select
        remaining.*,
        policies.usage_transform,
        cast(remaining.log_weight as double) / cast(remaining.log_weight_total as double) as log_share,
        cast(remaining.raw_weight as double) / cast(remaining.raw_weight_total as double) as raw_share,
        {{
            largest_remainder(
                'revenue_cents', 'log_floor', 'log_remainder',
                ['product_id', 'customer_id', 'month_date'], ['feature_id']
            )
        }} as log_cents,
        {{
            largest_remainder(
                'revenue_cents', 'raw_floor', 'raw_remainder',
                ['product_id', 'customer_id', 'month_date'], ['feature_id']
            )
        }} as raw_cents
    from remaining
    cross join policies

),

using_accounts as (

    select distinct
        product_id,
        customer_id,
        month_date
    from weighted

),

unused as (

    select account_revenue.*
    from account_revenue
    left join using_accounts
        on
            account_revenue.product_id = using_accounts.product_id
            and account_revenue.customer_id = using_accounts.customer_id
            and account_revenue.month_date = using_accounts.month_date
    where using_accounts.customer_id is null

),

all_rows as (

    select
        product_id,
        feature_id,
        customer_id,
        month_date,
        fiscal_period,
        'usage' as revenue_basis,
        case when usage_transform = 'log' then log_share else raw_share end as revenue_share,
        usage_quantity,
        benchmark_quantity,
        cast(
            case when usage_transform = 'log' then log_cents else raw_cents end as decimal(20, 0)
        ) * 0.01 as revenue_amount,
        cast(log_cents as decimal(20, 0)) * 0.01 as log_revenue_amount,
        cast(raw_cents as decimal(20, 0)) * 0.01 as raw_revenue_amount
    from split
    union all
    select
        product_id,
        'platform_base' as feature_id,
        customer_id,
        month_date,
        fiscal_period,
        'platform_base' as revenue_basis,
        1 as revenue_share,
        null as usage_quantity,
        null as benchmark_quantity,
        revenue_amount,
        revenue_amount as log_revenue_amount,
        revenue_amount as raw_revenue_amount
    from unused
    union all
    select
        product_id,
        feature_id,
        customer_id,
        month_date,
        fiscal_period,
        revenue_basis,
        1 as revenue_share,
        null as usage_quantity,
        null as benchmark_quantity,
        revenue_amount,
        revenue_amount as log_revenue_amount,
        revenue_amount as raw_revenue_amount
    from traced

),

final as (

    select
        product_id,
        feature_id,
        customer_id,
        month_date,
        fiscal_period,
        revenue_basis,
        case when revenue_amount is null then 'no_exchange_rate' end as revenue_amount_reason,
        case when revenue_basis in ('add_on', 'services') then 'C' else 'D' end as evidence_grade,
        cast(usage_quantity as bigint) as usage_quantity,
        benchmark_quantity,
        cast(revenue_share as double) as revenue_share,
        cast(revenue_amount as decimal(18, 2)) as revenue_amount,
        cast(log_revenue_amount as decimal(18, 2)) as log_revenue_amount,
        cast(raw_revenue_amount as decimal(18, 2)) as raw_revenue_amount,
        false as is_causal
    from all_rows

)

select * from final
