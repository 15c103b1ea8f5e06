-- One row per product, feature and calendar month.
with

feature_revenue as (

    select * from {{ ref('fct_feature_revenue') }}

),

features as (

    select
        feature_id,
        feature_name
    from {{ ref('dim_feature') }}

),

initiatives as (

    select
        initiative_id,
        product_id,
        feature_id
    from {{ ref('dim_initiative') }}
    where feature_id is not null

),

cost_entries as (

    select
        initiative_id,
        reporting_fiscal_period as fiscal_period,
        reporting_amount
    from {{ ref('fct_cost_entries') }}
    where is_accrued_cost and initiative_id is not null

),

product_contribution as (

    select
        product_id,
        fiscal_period,
        month_date,
        is_closed,
        cast((cost_to_serve_amount + support_amount) * 100 as bigint) as serving_cost_cents
    from {{ ref('rpt_product_contribution') }}

),

revenue_totals as (

    select
        product_id,
        feature_id,
        fiscal_period,
        count(distinct customer_id) as customers,
        sum(usage_quantity) as usage_quantity,
        {{ sum_complete('revenue_amount') }} as revenue_amount,
        {{ sum_complete('log_revenue_amount') }} as log_revenue_amount,
        {{ sum_complete('raw_revenue_amount') }} as raw_revenue_amount
    from feature_revenue
    group by product_id, feature_id, fiscal_period

),

initiative_costs as (

    select
        initiatives.product_id,
        initiatives.feature_id,
        cost_entries.fiscal_period,
        {{ sum_complete('cost_entries.reporting_amount') }} as initiative_cost_amount
    from cost_entries
    inner join initiatives on cost_entries.initiative_id = initiatives.initiative_id
    group by initiatives.product_id, initiatives.feature_id, cost_entries.fiscal_period

),

-- A feature being built has cost before it has revenue.
joined as (

    select
        coalesce(revenue_totals.product_id, initiative_costs.product_id) as product_id,
        coalesce(revenue_totals.feature_id, initiative_costs.feature_id) as feature_id,
        coalesce(revenue_totals.fiscal_period, initiative_costs.fiscal_period) as fiscal_period,
        coalesce(revenue_totals.customers, 0) as customers,
        revenue_totals.usage_quantity,
        case when revenue_totals.product_id is null then 0 else revenue_totals.revenue_amount end as revenue_amount,
        case
            when revenue_totals.product_id is null then 0 else revenue_totals.log_revenue_amount
        end as log_revenue_amount,
        case
            when revenue_totals.product_id is null then 0 else revenue_totals.raw_revenue_amount
        end as raw_revenue_amount,
        case
            when initiative_costs.product_id is null then 0 else initiative_costs.initiative_cost_amount
        end as initiative_cost_amount
    from revenue_totals
    full outer join initiative_costs
        on
            revenue_totals.product_id = initiative_costs.product_id
            and revenue_totals.feature_id = initiative_costs.feature_id
            and revenue_totals.fiscal_period = initiative_costs.fiscal_period

),

-- Serving a product is shared by what its features earned; a feature with refunds alone bears nothing.
weighted as (

    select
        joined.*,
        product_contribution.month_date,
        coalesce(product_contribution.is_closed, false) as is_closed,
        product_contribution.serving_cost_cents,
        cast(greatest(coalesce(joined.revenue_amount, 0), 0) as decimal(21, 9)) as serving_weight,
        sum(cast(greatest(coalesce(joined.revenue_amount, 0), 0) as decimal(21, 9))) over (
            partition by joined.product_id, joined.fiscal_period
        ) as serving_weight_total
    from joined
    inner join product_contribution
        on
            joined.product_id = product_contribution.product_id
            and joined.fiscal_period = product_contribution.fiscal_period

),

floored as (

    select
        *,
        {{ share_floor('serving_cost_cents', 'serving_weight', 'serving_weight_total') }} as serving_floor
    from weighted

),

remaining as (

    select
        *,
        {{
            share_remainder('serving_cost_cents', 'serving_weight', 'serving_weight_total', 'serving_floor')
        }} as serving_remainder
    from floored

),

costed as (

    select
        *,
        cast(
            cast(
                coalesce(
                    {{
                        largest_remainder(
                            'serving_cost_cents', 'serving_floor', 'serving_remainder',
                            ['product_id', 'fiscal_period'], ['feature_id']
                        )
                    }},
                    0
                ) as decimal(20, 0)
            ) * 0.01 as decimal(18, 2)
        ) as serving_cost_amount
    from remaining

),

contributed as (

    select
        *,
        revenue_amount - serving_cost_amount - initiative_cost_amount as contribution_amount
    from costed

),

final as (

    select
        contributed.product_id,
        contributed.feature_id,
        contributed.month_date,
        contributed.fiscal_period,
        coalesce(features.feature_name, contributed.feature_id) as feature_name,
        case
            when contributed.contribution_amount is null then 'no_exchange_rate'
            when contributed.revenue_amount <= 0 then 'no_revenue'
        end as contribution_rate_reason,
        cast(contributed.customers as integer) as customers,
        cast(contributed.usage_quantity as bigint) as usage_quantity,
        cast(contributed.revenue_amount as decimal(18, 2)) as revenue_amount,
        cast(contributed.log_revenue_amount as decimal(18, 2)) as log_revenue_amount,
        cast(contributed.raw_revenue_amount as decimal(18, 2)) as raw_revenue_amount,
        cast(
            contributed.raw_revenue_amount - contributed.log_revenue_amount as decimal(18, 2)
        ) as sensitivity_amount,
        contributed.serving_cost_amount,
        cast(contributed.initiative_cost_amount as decimal(18, 2)) as initiative_cost_amount,
        cast(contributed.contribution_amount as decimal(18, 2)) as contribution_amount,
        case
            when contributed.revenue_amount > 0
                then
                    cast(contributed.contribution_amount as double) / cast(contributed.revenue_amount as double)
        end as contribution_rate,
        contributed.is_closed
    from contributed
    left join features on contributed.feature_id = features.feature_id

)

select * from final
