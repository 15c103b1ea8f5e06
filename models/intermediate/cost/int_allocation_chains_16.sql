-- One row per allocation method, fiscal period and pair of pools: the cost passed on over chains of up to 16 steps.
with

shares as (

    select * from {{ ref('int_allocation_shares') }}

),

pools as (

    select distinct
        allocation_method,
        fiscal_period,
        pool_id
    from shares

    union

    select distinct
        allocation_method,
        fiscal_period,
        target_id as pool_id
    from shares
    where target_type = 'pool'

),

-- The pair of a pool with itself is always there: each pool starts with its own cost.
chains_1 as (

    select
        allocation_method,
        fiscal_period,
        pool_id,
        pool_id as via_pool_id,
        cast(0 as double) as power_share,
        cast(1 as double) as total_share
    from pools

    union all

    select
        allocation_method,
        fiscal_period,
        pool_id,
        target_id as via_pool_id,
        share as power_share,
        cast(0 as double) as total_share
    from shares
    where target_type = 'pool'

),

chains_2 as (

    {{ follow_chains('chains_1') }}

),

chains_4 as (

    {{ follow_chains('chains_2') }}

),

chains_8 as (

    {{ follow_chains('chains_4') }}

),

chains_16 as (

    {{ follow_chains('chains_8') }}

),

final as (

    select
        allocation_method,
        fiscal_period,
        pool_id,
        via_pool_id,
        power_share,
        total_share
    from chains_16

)

select * from final
