-- One row per allocation method, pool, cost class, target and fiscal period.
with

pool_costs as (

    select * from {{ ref('int_allocation_pool_costs') }}

),

shares as (

    select * from {{ ref('int_allocation_shares') }}

),

chains as (

    select * from {{ ref('int_allocation_chains_4096') }}

),

policies as (

    select * from {{ ref('allocation_policies') }}

),

pool_methods as (

    select * from {{ ref('allocation_methods') }}

),

-- Where a pool's cost ends after all the pools that pass it on.
end_shares as (

    select
        chains.allocation_method,
        chains.fiscal_period,
        chains.pool_id,
        shares.target_id,
        shares.target_type,
        sum(chains.total_share * shares.share) as share
    from chains
    inner join shares
        on
            chains.allocation_method = shares.allocation_method
            and chains.fiscal_period = shares.fiscal_period
            and chains.via_pool_id = shares.pool_id
    where shares.target_type in ('product', 'cost_center')
    group by
        chains.allocation_method,
        chains.fiscal_period,
        chains.pool_id,
        shares.target_id,
        shares.target_type

),

allocated_shares as (

    select
        allocation_method,
        fiscal_period,
        pool_id,
        sum(share) as share
    from end_shares
    group by
        allocation_method,
        fiscal_period,
        pool_id

),

pools as (

    select
        pool_costs.fiscal_period,
        pool_costs.pool_id,
        pool_costs.cost_class,
        pool_costs.rule_id,
        pool_costs.pool_type,
        pool_costs.amount_units,
        pool_methods.allocation_method,
        policies.allocation_method is not null as is_in_force,
        coalesce(allocated_shares.share, 0) as allocated_share
    from pool_costs
    inner join pool_methods on pool_costs.pool_type = pool_methods.pool_type
    left join allocated_shares
        on
            pool_methods.allocation_method = allocated_shares.allocation_method
            and pool_costs.fiscal_period = allocated_shares.fiscal_period
            and pool_costs.pool_id = allocated_shares.pool_id
    left join policies
        on
            pool_costs.pool_type = policies.pool_type
            and pool_methods.allocation_method = policies.allocation_method
            and pool_costs.period_end_on >= policies.valid_from
            and (pool_costs.period_end_on <= policies.valid_to or policies.valid_to is null)

),

-- What reaches no target stays visible as one more target; a millionth of a millionth is arithmetic noise.
targets as (

    select
        pools.allocation_method,
        pools.fiscal_period,
        pools.pool_id,
        pools.cost_class,
        pools.rule_id,
        pools.pool_type,
        pools.amount_units,
        pools.is_in_force,
        end_shares.target_id,
        end_shares.target_type,
        end_shares.share
    from pools
    inner join end_shares
        on
            pools.allocation_method = end_shares.allocation_method
            and pools.fiscal_period = end_shares.fiscal_period
            and pools.pool_id = end_shares.pool_id

    union all

    select
        allocation_method,
        fiscal_period,
        pool_id,
        cost_class,
        rule_id,
        pool_type,
        amount_units,
        is_in_force,
        'unallocated' as target_id,
        'unallocated' as target_type,
        1 - allocated_share as share
    from pools
    where 1 - allocated_share > 0.000000001

),

weighted as (

    select
        *,
        cast(round(share * 1000000000, 3) as decimal(21, 9)) as weight,
        sum(cast(round(share * 1000000000, 3) as decimal(21, 9))) over (
            partition by allocation_method, fiscal_period, pool_id, cost_class
        ) as weight_total
    from targets

),

floored as (

    select
        *,
        {{ share_floor('amount_units', 'weight', 'weight_total') }} as share_floor
    from weighted

),

remaining as (

    select
        *,
        {{ share_remainder('amount_units', 'weight', 'weight_total', 'share_floor') }} as share_remainder
    from floored

),

split as (

    select
        *,
        {{ largest_remainder(
            'amount_units',
            'share_floor',
            'share_remainder',
            ['allocation_method', 'fiscal_period', 'pool_id', 'cost_class'],
            ['target_type', 'target_id'],
        ) }} as allocated_units
    from remaining

),

final as (

    select
        allocation_method,
        pool_id,
        cost_class,
        target_id,
        fiscal_period,
        rule_id,
        pool_type,
        target_type,
        cast(share as double) as target_share,
        cast(cast(allocated_units as decimal(19, 0)) * 0.01 as decimal(18, 2)) as allocated_amount,
        cast('{{ var("reporting_currency") }}' as {{ dbt.type_string() }}) as currency,
        is_in_force
    from split

)

select * from final
