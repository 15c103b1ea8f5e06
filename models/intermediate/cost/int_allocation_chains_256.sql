-- One row per allocation method, fiscal period and pair of pools: the cost passed on over chains of up to 256 steps.
with

chains_16 as (

    select * from {{ ref('int_allocation_chains_16') }}

),

chains_32 as (

    {{ follow_chains('chains_16') }}

),

chains_64 as (

    {{ follow_chains('chains_32') }}

),

chains_128 as (

    {{ follow_chains('chains_64') }}

),

chains_256 as (

    {{ follow_chains('chains_128') }}

),

final as (

    select
        allocation_method,
        fiscal_period,
        pool_id,
        via_pool_id,
        power_share,
        total_share
    from chains_256

)

select * from final
