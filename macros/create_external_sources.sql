{#- Registers every source as an external table over its raw Parquet files, where the engine needs that before it can
    read them. Columns that older files lack are NULL; a folder without rows is an empty table. -#}
{% macro create_external_sources() -%}
    {%- if execute -%}{%- do adapter.dispatch('create_external_sources')() -%}{%- endif -%}
{%- endmacro %}

{% macro default__create_external_sources() -%}
{%- endmacro %}

{% macro spark__create_external_sources() -%}
    {%- set home = env_var('WAREHOUSE_HOME', 'data') -%}
    {%- set here = '' if home.startswith('/') else flags.PROJECT_DIR ~ '/' -%}
    {%- set raw = env_var('SPARK_RAW', here ~ home ~ '/raw') -%}
    {#- What the gate adds to every extract. -#}
    {%- set gate_columns = [
        '_file string', '_row bigint', '_loaded_at timestamp', '_known_at timestamp', '_extra string',
        '_is_deleted boolean', '_scope string', '_delivery string'
    ] -%}
    {%- for schema in graph.sources.values() | map(attribute='schema') | unique -%}
        {%- do run_query('create schema if not exists ' ~ schema) -%}
    {%- endfor -%}
    {%- for node in graph.sources.values() -%}
        {%- set columns = [] -%}
        {%- for column in node.columns.values() -%}
            {%- do columns.append(column.name ~ ' ' ~ column.data_type) -%}
        {%- endfor -%}
        {%- set table = node.schema ~ '.' ~ node.identifier -%}
        {%- do run_query('drop table if exists ' ~ table) -%}
        {%- do run_query(
            'create table ' ~ table ~ ' (' ~ (columns + gate_columns) | join(', ') ~ ') using parquet location '
            ~ "'" ~ raw ~ '/' ~ node.source_name ~ '/' ~ node.name ~ "'"
        ) -%}
    {%- endfor -%}
{%- endmacro %}
