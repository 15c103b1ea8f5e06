-- One row per product, fiscal period and unit of output.
with

product_costs as (

    select * from {{ ref('rpt_product_cost') }}

),

products as (

    select * from {{ ref('dim_product') }}

),

features as (

    select * from {{ ref('dim_feature') }}

),

feature_usage as (

    select * from {{ ref('int_feature_usage_months') }}

),

subscriptions as (

    select * from {{ ref('stg_revenue__subscriptions') }}

),

gl_entries as (

    select * from {{ ref('int_gl_entries_converted') }}

),

dates as (

    select * from {{ ref('dim_date') }}

),

periods as (

    select * from {{ ref('dim_fiscal_period') }}
    where is_reporting_entity

),

costs as (

    select
        product_id,
        fiscal_period,
        sum(pnl_amount) as cost_amount,
        sum(case when cost_class = 'cost_to_serve' then pnl_amount else 0 end) as cost_to_serve_amount
    from product_costs
    where product_id <> 'unallocated'
    group by
        product_id,
        fiscal_period

),

customer_usage as (

    select
        features.product_id,
        feature_usage.fiscal_period,
        feature_usage.customer_id,
        sum(feature_usage.event_count) as event_count,
        max(feature_usage.peak_active_users) as active_users
    from feature_usage
    inner join features on feature_usage.feature_id = features.feature_id
    where feature_usage.fiscal_period is not null
    group by
        features.product_id,
        feature_usage.fiscal_period,
        feature_usage.customer_id

),

-- Users of a customer are not identified across features, so its busiest feature and day stand for all.
usage_quantities as (

    select
        product_id,
        fiscal_period,
        sum(event_count) as event_count,
        sum(active_users) as active_users
    from customer_usage
    group by
        product_id,
        fiscal_period

),

customer_quantities as (

    select
        subscriptions.product_id,
        periods.fiscal_period,
        count(distinct subscriptions.customer_id) as customers
    from subscriptions
    inner join periods
        on
            subscriptions.valid_from <= periods.end_on
            and (subscriptions.valid_to > periods.end_on or subscriptions.valid_to is null)
    group by
        subscriptions.product_id,
        periods.fiscal_period

),

revenue_quantities as (

    select
        gl_entries.product_id,
        dates.fiscal_period,
        sum(gl_entries.reporting_natural_amount) as revenue
    from gl_entries
    inner join dates on gl_entries.posted_on = dates.date_day
    where
        gl_entries.polarity = 1
        and gl_entries.product_id is not null
    group by
        gl_entries.product_id,
        dates.fiscal_period

),

quantities as (

    select
        product_id,
        fiscal_period,
        'active_user' as unit_type,
        cast(active_users as decimal(28, 2)) as quantity
    from usage_quantities

    union all

    select
        product_id,
        fiscal_period,
        'event' as unit_type,
        cast(event_count as decimal(28, 2)) as quantity
    from usage_quantities

    union all

    select
        product_id,
        fiscal_period,
        'customer' as unit_type,
        cast(customers as decimal(28, 2)) as quantity
    from customer_quantities

    union all

    select
        product_id,
        fiscal_period,
        'revenue' as unit_type,
        cast(revenue as decimal(28, 2)) as quantity
    from revenue_quantities

),

unit_types as (

    select distinct unit_type
    from quantities

),

-- A product with cost and no output shows its reason, not a gap.
measured as (

    select
        costs.product_id,
        costs.fiscal_period,
        unit_types.unit_type,
        periods.start_on,
        periods.is_closed,
        costs.cost_amount,
        costs.cost_to_serve_amount,
        coalesce(quantities.quantity, 0) as quantity
    from costs
    inner join products on costs.product_id = products.product_id
    inner join periods on costs.fiscal_period = periods.fiscal_period
    cross join unit_types
    left join quantities
        on
            costs.product_id = quantities.product_id
            and costs.fiscal_period = quantities.fiscal_period
            and unit_types.unit_type = quantities.unit_type

),

changed as (

    select
        *,
        quantity - lag(quantity) over (partition by product_id, unit_type order by start_on) as quantity_change,
        cost_to_serve_amount - lag(cost_to_serve_amount) over (
            partition by product_id, unit_type
            order by start_on
        ) as cost_to_serve_change
    from measured

),

final as (

    select
        product_id,
        fiscal_period,
        unit_type,
        is_closed,
        quantity,
        cast(cost_amount as decimal(18, 2)) as cost_amount,
        cast(cost_to_serve_amount as decimal(18, 2)) as cost_to_serve_amount,
        cast('{{ var("reporting_currency") }}' as {{ dbt.type_string() }}) as currency,
        case when quantity > 0 then cast(cost_amount as double) / cast(quantity as double) end as unit_cost,
        case
            when quantity > 0 then cast(cost_to_serve_amount as double) / cast(quantity as double)
        end as unit_cost_to_serve,
        case when quantity <= 0 then 'no_output' end as unit_cost_reason,
        case
            when quantity_change > 0 then cast(cost_to_serve_change as double) / cast(quantity_change as double)
        end as marginal_cost_to_serve,
        case
            when quantity_change is null then 'no_earlier_period'
            when quantity_change <= 0 then 'no_growth'
        end as marginal_cost_to_serve_reason
    from changed

)

select * from final
