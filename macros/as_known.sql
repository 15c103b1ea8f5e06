{#- The condition that keeps what was known at var('as_of'); everything, where that is not set. -#}
{% macro as_known(moment='_known_at') -%}
    {%- if var('as_of') -%}
    cast({{ moment }} as date) <= cast('{{ var("as_of") }}' as date)
    {%- else -%}
    true
    {%- endif -%}
{%- endmacro %}
