{#- Rows of a CTE: every exposure and mart it reads, but those that judge the build itself. Read from the project. -#}
{% macro exposed_marts() -%}
    {%- set pairs = [] -%}
    {%- for exposure in (graph.exposures.values() if execute else []) | sort(attribute='name') -%}
        {%- for parent in exposure.depends_on.nodes | sort 
            if parent.startswith('model.') and 'after_audit' not in graph.nodes[parent].config.tags -%}
            {%- do pairs.append((exposure.name, parent.split('.')[2])) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for exposure_name, mart_name in pairs %}
    select
        '{{ exposure_name }}' as exposure_name,
        '{{ mart_name }}' as mart_name
    {{ 'union all' if not loop.last }}
    {%- else %}
    select
        cast(null as {{ dbt.type_string() }}) as exposure_name,
        cast(null as {{ dbt.type_string() }}) as mart_name
    where 1 = 0
    {%- endfor %}
{%- endmacro %}
