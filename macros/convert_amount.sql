{#- An amount in another currency, rounded half away from zero to minor units; NULL where there is no rate. -#}
{% macro convert_amount(amount, rate) -%}
    cast(round(cast({{ amount }} as decimal(19, 2)) * {{ rate }}, 2) as decimal(18, 2))
{%- endmacro %}
