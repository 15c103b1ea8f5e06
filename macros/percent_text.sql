{#- A fraction in words, as a percentage with one digit. -#}
{% macro percent_text(fraction) -%}
    cast(cast(round(cast(100 * {{ fraction }} as decimal(24, 6)), 1) as decimal(18, 1)) as {{ dbt.type_string() }}) || ' %'
{%- endmacro %}
