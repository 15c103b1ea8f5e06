-- One row per pool and fiscal period whose cost, or part of it, circles between pools and reaches no consumer.
with

chains as (

    select * from {{ ref('int_allocation_chains_4096') }}

),

pool_costs as (

    select * from {{ ref('int_allocation_pool_costs') }}

),

-- What is still on its way after 4096 steps never arrives.
circling as (

    select
        fiscal_period,
        pool_id,
        sum(power_share) as circling_share
    from chains
    where allocation_method = 'reciprocal'
    group by
        fiscal_period,
        pool_id
    having sum(power_share) > 0.000001

),

amounts as (

    select
        fiscal_period,
        pool_id,
        cast(cast(sum(amount_units) as decimal(19, 0)) * 0.01 as decimal(18, 2)) as amount
    from pool_costs
    group by
        fiscal_period,
        pool_id

),

final as (

    select
        'closed_loop' as rule_id,
        'error' as severity,
        'usage_drivers' as extract_name,
        'pool_id=' || circling.pool_id || ', fiscal_period=' || circling.fiscal_period as record_key,
        cast(null as string) as source_file,
        cast(null as bigint) as source_row,
        cast(amounts.amount * cast(round(circling.circling_share, 6) as decimal(9, 6)) as decimal(38, 2)) as amount,
        'Cost of pool ' || circling.pool_id
        || ' only goes to pools that give it back, so it stays unallocated. Give one of them a consumer outside.'
            as message
    from circling
    left join amounts
        on
            circling.fiscal_period = amounts.fiscal_period
            and circling.pool_id = amounts.pool_id

)

select * from final
