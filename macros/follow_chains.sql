{#- One squaring of an allocation matrix: chains of cost passed from pool to pool become twice as long.
    `chains` holds, per system and pair of pools, power_share (the matrix to the power of its chain length n)
    and total_share (the sum of its powers 0 to n - 1). Both parts meet in one join: P * P, and (I + P) * T. -#}
{% macro follow_chains(chains) -%}
    select
        first_half.allocation_method,
        first_half.fiscal_period,
        first_half.pool_id,
        second_half.via_pool_id,
        sum(first_half.power_share * second_half.power_share) as power_share,
        sum(first_half.total_factor * second_half.total_share) as total_share
    from (
        select
            allocation_method,
            fiscal_period,
            pool_id,
            via_pool_id,
            power_share,
            power_share + case when pool_id = via_pool_id then 1 else 0 end as total_factor
        from {{ chains }}
    ) as first_half
    inner join {{ chains }} as second_half
        on
            first_half.allocation_method = second_half.allocation_method
            and first_half.fiscal_period = second_half.fiscal_period
            and first_half.via_pool_id = second_half.pool_id
    group by
        first_half.allocation_method,
        first_half.fiscal_period,
        first_half.pool_id,
        second_half.via_pool_id
{%- endmacro %}
