{#- DuckDB writes down what two CTEs read of a third; where reading the files twice is cheaper, this keeps it from that. -#}
{% macro inlined() -%}
    {{ 'not materialized' if target.type == 'duckdb' }}
{%- endmacro %}
