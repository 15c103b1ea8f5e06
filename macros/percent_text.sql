{#- A fraction in words, as a percentage with one digit. -#}
{% macro percent_text(fraction) -%}
    cast(cast(round(100 * {{ fraction }}, 1) as decimal(18, 1)) as {{ dbt.type_string() }}) || ' %'
{%- endmacro %}
