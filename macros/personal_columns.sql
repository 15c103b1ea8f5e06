{#- Names of the columns of a model or an extract's contract that hold personal data. -#}
{% macro personal_columns(node) -%}
    {%- set personal = [] -%}
    {%- for column in (node.columns.values() if node else []) if column.config.get('meta', {}).get('pii') -%}
        {%- do personal.append(column.name) -%}
    {%- endfor -%}
    {{ return(personal) }}
{%- endmacro %}
