{#- A column name in snake_case: BilledCost becomes billed_cost. -#}
{% macro snake_case(name) -%}
    {{ return(modules.re.sub('(?<=[a-z])(?=[A-Z])', '_', name) | lower) }}
{%- endmacro %}
