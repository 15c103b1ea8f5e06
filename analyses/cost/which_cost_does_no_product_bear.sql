-- Which cost does no product bear, and why? By reason, last twelve closed periods.
with

product_costs as (

    select * from {{ ref('rpt_product_cost') }}
    where is_closed

),

last_periods as (

    select distinct fiscal_period
    from product_costs
    order by fiscal_period desc
    limit 12

)

select
    product_costs.unallocated_reason,
    product_costs.cost_class,
    sum(product_costs.unallocated_amount) as unallocated_amount,
    count(distinct product_costs.fiscal_period) as periods
from product_costs
inner join last_periods on product_costs.fiscal_period = last_periods.fiscal_period
where product_costs.product_id = 'unallocated'
group by
    product_costs.unallocated_reason,
    product_costs.cost_class
order by unallocated_amount desc
