-- What does each product cost, directly and in shared cost, and what part of its revenue is that? Last twelve closed periods.
with

product_costs as (

    select * from {{ ref('rpt_product_cost') }}
    where is_closed

),

unit_costs as (

    select * from {{ ref('rpt_unit_costs') }}
    where
        is_closed
        and unit_type = 'revenue'

),

last_periods as (

    select distinct fiscal_period
    from product_costs
    order by fiscal_period desc
    limit 12

),

costs as (

    select
        product_costs.product_id,
        sum(product_costs.direct_amount) as direct_amount,
        sum(product_costs.allocated_amount) as allocated_amount,
        sum(product_costs.unallocated_amount) as unallocated_amount,
        sum(product_costs.cash_amount) as cash_amount,
        sum(product_costs.pnl_amount) as pnl_amount,
        sum(product_costs.ledger_amount) as ledger_amount
    from product_costs
    inner join last_periods on product_costs.fiscal_period = last_periods.fiscal_period
    group by product_costs.product_id

),

revenues as (

    select
        unit_costs.product_id,
        sum(unit_costs.quantity) as revenue_amount
    from unit_costs
    inner join last_periods on unit_costs.fiscal_period = last_periods.fiscal_period
    group by unit_costs.product_id

)

select
    costs.product_id,
    costs.direct_amount,
    costs.allocated_amount,
    costs.unallocated_amount,
    costs.cash_amount,
    costs.pnl_amount,
    costs.ledger_amount,
    revenues.revenue_amount,
    case
        when revenues.revenue_amount > 0
            then cast(costs.pnl_amount as double) / cast(revenues.revenue_amount as double)
    end as cost_per_revenue
from costs
left join revenues on costs.product_id = revenues.product_id
order by costs.product_id
