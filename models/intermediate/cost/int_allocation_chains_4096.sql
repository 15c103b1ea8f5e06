-- One row per allocation method, fiscal period and pair of pools: the cost passed on over chains of up to 4096 steps.
with

chains_256 as (

    select * from {{ ref('int_allocation_chains_256') }}

),

chains_512 as (

    {{ follow_chains('chains_256') }}

),

chains_1024 as (

    {{ follow_chains('chains_512') }}

),

chains_2048 as (

    {{ follow_chains('chains_1024') }}

),

chains_4096 as (

    {{ follow_chains('chains_2048') }}

),

final as (

    select
        allocation_method,
        fiscal_period,
        pool_id,
        via_pool_id,
        power_share,
        total_share
    from chains_4096

)

select * from final
