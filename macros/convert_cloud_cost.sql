{#- A cloud charge in another currency, kept to ten decimals: charges are often far below a cent. -#}
{% macro convert_cloud_cost(amount, rate) -%}
    cast(round(cast({{ amount }} as decimal(19, 8)) * {{ rate }}, 10) as decimal(28, 10))
{%- endmacro %}
