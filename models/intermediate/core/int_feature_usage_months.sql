-- One row per customer, feature, calendar month and fiscal period of the reporting entity in which it was used.
{{ config(
    materialized='incremental',
    unique_key='month_date',
    meta={'increments_of': 'product/feature_usage'},
    incremental_strategy=('insert_overwrite' if target.type == 'spark' else 'delete+insert'),
    partition_by='month_date'
) }}
{%- set used_months = touched_months('product/feature_usage', ref('stg_product__feature_usage_versions'), 'usage_date', 'usage_date') %}
{%- set measures -%}
    max(known_at) as known_at,
        max(usage_date) as last_used_on,
        sum(event_count) as event_count,
        max(active_users) as peak_active_users,
        sum(case when is_released then event_count else 0 end) as released_event_count,
        sum(case when is_released then active_users else 0 end) as released_active_user_days
{%- endset %}
with

versions as {{ inlined() }} (

    select
        *,
        cast(date_trunc('month', usage_date) as date) as month_date
    from {{ ref('stg_product__feature_usage_versions') }}
    {{ 'where ' ~ used_months if used_months }}

),

-- A delivery for a whole scope, say a month, replaces what earlier ones brought for it, also in other months.
scope_deliveries as (

    select
        scope_id,
        max(delivery_id) as delivery_id
    from {{ ref('stg_product__feature_usage_versions') }}
    where scope_id is not null
    group by scope_id

),

dates as (

    select
        date_day,
        fiscal_period
    from {{ ref('dim_date') }}

),

features as (

    select
        feature_id,
        released_on
    from {{ ref('dim_feature') }}

),

placed as {{ inlined() }} (

    select
        versions.*,
        dates.fiscal_period,
        coalesce(features.released_on <= versions.usage_date, true) as is_released
    from versions
    left join dates on versions.usage_date = dates.date_day
    left join features on versions.feature_id = features.feature_id

),

-- Ordering every day's versions would cost ten times the sums. A month with as many rows as days used has no
-- second version of a day, so only the others are ordered.
counted as (

    select
        customer_id,
        feature_id,
        month_date,
        fiscal_period,
        count(*) <> {{ days_counted('usage_date') }}
        or bool_or(is_deleted)
        or count(scope_id) > 0 as is_contested,
        {{ measures }}
    from placed
    group by customer_id, feature_id, month_date, fiscal_period

),

-- The order of the macro latest_version; what was replaced or deleted stays as a day without use, so that an increment
-- overwrites its month.
ranked as (

    select
        placed.customer_id,
        placed.feature_id,
        placed.month_date,
        placed.fiscal_period,
        placed.is_released,
        placed.known_at,
        placed.is_deleted or coalesce(placed.delivery_id < scope_deliveries.delivery_id, false) as is_gone,
        placed.usage_date,
        placed.event_count,
        placed.active_users,
        row_number() over (
            partition by placed.customer_id, placed.feature_id, placed.usage_date
            order by
                case when placed.delivery_id < scope_deliveries.delivery_id then 1 else 0 end,
                placed.known_at desc,
                placed.loaded_at desc,
                placed.source_file desc,
                placed.source_row desc
        ) as version_rank
    from placed
    inner join counted
        on
            placed.customer_id = counted.customer_id
            and placed.feature_id = counted.feature_id
            and placed.month_date = counted.month_date
            and placed.fiscal_period is not distinct from counted.fiscal_period
    left join scope_deliveries on placed.scope_id = scope_deliveries.scope_id
    where counted.is_contested

),

standing as (

    select
        customer_id,
        feature_id,
        month_date,
        fiscal_period,
        is_released,
        known_at,
        case when not is_gone then usage_date end as usage_date,
        case when is_gone then 0 else event_count end as event_count,
        case when is_gone then 0 else active_users end as active_users
    from ranked
    where version_rank = 1

),

settled as (

    select
        customer_id,
        feature_id,
        month_date,
        fiscal_period,
        {{ measures }}
    from standing
    group by customer_id, feature_id, month_date, fiscal_period

),

used as (

    select
        customer_id,
        feature_id,
        month_date,
        fiscal_period,
        known_at,
        last_used_on,
        event_count,
        peak_active_users,
        released_event_count,
        released_active_user_days
    from counted
    where not is_contested

    union all

    select * from settled

),

final as (

    select
        customer_id,
        feature_id,
        month_date,
        fiscal_period,
        known_at,
        last_used_on,
        cast(event_count as bigint) as event_count,
        cast(peak_active_users as integer) as peak_active_users,
        cast(released_event_count as bigint) as released_event_count,
        cast(released_active_user_days as bigint) as released_active_user_days
    from used

)

select * from final
