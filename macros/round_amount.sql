{#- A double as an amount of money: half a minor unit goes away from zero, whatever its last binary digit says. Engines
    round doubles differently there. -#}
{% macro round_amount(amount) -%}
    cast(round(cast({{ amount }} as decimal(24, 6)), 2) as decimal(18, 2))
{%- endmacro %}
