{# The month that holds the middle of a fiscal period: a week that hangs over its end is no month of its own. #}
{% macro period_month(end_on) -%}
    cast(date_trunc('month', {{ dbt.dateadd('day', -14, end_on) }}) as date)
{%- endmacro %}
