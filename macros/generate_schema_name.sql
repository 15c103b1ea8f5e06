{#- Schemas carry their plain names: each warehouse has one database, not one schema a developer. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name or target.schema }}
{%- endmacro %}
