{#- One round of iterative proportional fitting: with these channel weights each set's conversions are shared, and the
    weights that follow would give each channel its target. Expects set_channels (set_number, channel_number,
    won_journeys, target_conversions) in scope. -#}
{% macro proportional_fit(weights) -%}
    select
        set_channels.channel_number,
        max(set_channels.target_conversions) / sum(set_channels.won_journeys / set_weights.set_weight) as weight
    from set_channels
    inner join (
        select
            members.set_number,
            sum(channel_weights.weight) as set_weight
        from set_channels as members
        inner join {{ weights }} as channel_weights on members.channel_number = channel_weights.channel_number
        group by members.set_number
    ) as set_weights on set_channels.set_number = set_weights.set_number
    group by set_channels.channel_number
{%- endmacro %}
