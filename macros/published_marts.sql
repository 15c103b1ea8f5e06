{#- Rows of a CTE: every published mart, and what of it decides who may see it. Read from the project itself. -#}
{% macro published_marts() -%}
    {%- set marts = [] -%}
    {%- for node in (graph.nodes.values() if execute else []) if node.resource_type == 'model' and node.fqn[1] == 'marts' -%}
        {%- do marts.append(node) -%}
    {%- endfor -%}
    {%- for node in marts | sort(attribute='name') %}
        {%- set personal = personal_columns(node) -%}
        {%- set masked = [] -%}
        {%- for name in personal if node.columns[name].data_type == 'string' -%}
            {%- do masked.append(name) -%}
        {%- endfor %}
    select
        '{{ node.name }}' as mart_name,
        '{{ node.fqn[2] }}' as domain,
        {{ 'product_id' in node.columns }} as has_product,
        {{ 'cost_center_id' in node.columns }} as has_cost_center,
        {{ node.config.meta.get('group_size') is not none }} as has_group_size,
        {{ node.columns | length }} as column_count,
        {{ personal | length }} as personal_column_count,
        {{ masked | length }} as maskable_column_count,
        '{{ personal | sort | join(', ') }}' as personal_columns
        {%- if not loop.last %}
    union all
        {%- endif -%}
    {%- else %}
    select
        cast(null as string) as mart_name,
        cast(null as string) as domain,
        false as has_product,
        false as has_cost_center,
        false as has_group_size,
        0 as column_count,
        0 as personal_column_count,
        0 as maskable_column_count,
        cast(null as string) as personal_columns
    where false
    {%- endfor %}
{%- endmacro %}
