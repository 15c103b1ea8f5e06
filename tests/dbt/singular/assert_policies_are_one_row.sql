-- Models cross join these seeds: without a row figures would vanish, with two they would double.
with

counted as (
    {%- for seed in [
        'association_policies', 'attribution_policies', 'cost_policies', 'feature_attribution_policies',
        'forecast_policies', 'revenue_policies', 'simulation_policies',
    ] %}

    select
        '{{ seed }}' as seed_name,
        count(*) as row_count
    from {{ ref(seed) }}
    {%- if not loop.last %}

    union all
    {%- endif %}
    {%- endfor %}

),

final as (

    select
        seed_name,
        row_count
    from counted
    where row_count <> 1

)

select * from final
