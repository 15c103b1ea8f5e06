{#- The moves of twice as many steps: the matrix of each scenario times itself. Chances too small to matter
    to the twelfth decimal are dropped, so that a chain that has ended costs nothing more. -#}
{% macro squared_moves(relation) -%}
    select
        first_half.removed_channel,
        first_half.from_state,
        second_half.to_state,
        sum(first_half.probability * second_half.probability) as probability
    from {{ relation }} as first_half
    inner join {{ relation }} as second_half
        on
            first_half.removed_channel = second_half.removed_channel
            and first_half.to_state = second_half.from_state
    group by first_half.removed_channel, first_half.from_state, second_half.to_state
    having sum(first_half.probability * second_half.probability) > 1e-18
{%- endmacro %}
