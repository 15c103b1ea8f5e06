{#- One round of iterative proportional fitting: each set's credit first sums to its conversions, then each
    channel's to its target. -#}
{% macro proportional_fit(relation) -%}
    select
        channel_set,
        channel,
        won_journeys,
        target_conversions,
        weight * target_conversions / sum(weight / set_weight * won_journeys) over (partition by channel) as weight
    from (
        select
            *,
            sum(weight) over (partition by channel_set) as set_weight
        from {{ relation }}
    ) as weighed
{%- endmacro %}
