-- What a pool holds is what its targets get under every method, `unallocated` among them, to the penny.
with

differences as (

    select
        allocation_method,
        fiscal_period,
        pool_id,
        cost_class,
        allocated_amount as difference
    from {{ ref('fct_cost_allocations') }}

    union all

    select
        methods.allocation_method,
        pool_costs.fiscal_period,
        pool_costs.pool_id,
        pool_costs.cost_class,
        -pool_costs.amount_units * 0.01 as difference
    from {{ ref('int_allocation_pool_costs') }} as pool_costs
    inner join {{ ref('allocation_methods') }} as methods on pool_costs.pool_type = methods.pool_type

)

select
    allocation_method,
    fiscal_period,
    pool_id,
    cost_class,
    sum(difference) as difference
from differences
group by
    allocation_method,
    fiscal_period,
    pool_id,
    cost_class
having sum(difference) <> 0
