-- Is it getting cheaper to serve a user, an event, a customer? Cost to serve per unit, last quarter against the year before.
with

unit_costs as (

    select
        unit_costs.*,
        dense_rank() over (order by unit_costs.fiscal_period desc) as periods_ago
    from {{ ref('rpt_unit_costs') }} as unit_costs
    where unit_costs.is_closed

),

two_quarters as (

    select
        product_id,
        unit_type,
        sum(case when periods_ago <= 3 then cost_to_serve_amount end) as cost_now,
        sum(case when periods_ago <= 3 then quantity end) as quantity_now,
        sum(case when periods_ago between 13 and 15 then cost_to_serve_amount end) as cost_before,
        sum(case when periods_ago between 13 and 15 then quantity end) as quantity_before
    from unit_costs
    group by
        product_id,
        unit_type

)

select
    product_id,
    unit_type,
    quantity_now,
    quantity_before,
    cast(cost_now as double) / nullif(cast(quantity_now as double), 0) as unit_cost_now,
    cast(cost_before as double) / nullif(cast(quantity_before as double), 0) as unit_cost_before,
    (cast(cost_now as double) / nullif(cast(quantity_now as double), 0))
    / nullif(cast(cost_before as double) / nullif(cast(quantity_before as double), 0), 0) - 1 as change_rate
from two_quarters
order by
    product_id,
    unit_type
