-- How much would another allocation method move between products? Against the method in force, all closed periods.
with

allocations as (

    select allocations.*
    from {{ ref('fct_cost_allocations') }} as allocations
    inner join {{ ref('dim_fiscal_period') }} as periods
        on
            allocations.fiscal_period = periods.fiscal_period
            and periods.is_reporting_entity
            and periods.is_closed
    where allocations.pool_type <> 'retained'

),

by_method as (

    select
        pool_type,
        allocation_method,
        target_id,
        bool_or(is_in_force) as is_in_force,
        sum(allocated_amount) as allocated_amount
    from allocations
    group by
        pool_type,
        allocation_method,
        target_id

),

in_force as (

    select
        pool_type,
        target_id,
        sum(allocated_amount) as amount_in_force
    from allocations
    where is_in_force
    group by
        pool_type,
        target_id

)

select
    by_method.pool_type,
    by_method.allocation_method,
    by_method.target_id,
    by_method.is_in_force,
    by_method.allocated_amount,
    by_method.allocated_amount - coalesce(in_force.amount_in_force, 0) as change_amount
from by_method
left join in_force
    on
        by_method.pool_type = in_force.pool_type
        and by_method.target_id = in_force.target_id
order by
    by_method.pool_type,
    by_method.allocation_method,
    by_method.target_id
