-- What a pool holds is what its targets get under every method, `unallocated` among them, to the penny.
with

allocated as (

    select
        allocation_method,
        fiscal_period,
        pool_id,
        cost_class,
        cast(sum(allocated_amount) * 100 as bigint) as allocated_units
    from {{ ref('fct_cost_allocations') }}
    group by
        allocation_method,
        fiscal_period,
        pool_id,
        cost_class

),

sources as (

    select
        methods.allocation_method,
        pool_costs.fiscal_period,
        pool_costs.pool_id,
        pool_costs.cost_class,
        pool_costs.amount_units
    from {{ ref('int_allocation_pool_costs') }} as pool_costs
    inner join {{ ref('allocation_methods') }} as methods on pool_costs.pool_type = methods.pool_type

)

select
    sources.allocation_method,
    sources.fiscal_period,
    sources.pool_id,
    sources.cost_class,
    sources.amount_units,
    allocated.allocated_units
from sources
left join allocated
    on
        sources.allocation_method = allocated.allocation_method
        and sources.fiscal_period = allocated.fiscal_period
        and sources.pool_id = allocated.pool_id
        and sources.cost_class = allocated.cost_class
where coalesce(sources.amount_units <> allocated.allocated_units, true)
