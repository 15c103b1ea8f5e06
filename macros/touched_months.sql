{#- In an increment, the condition that keeps whole months of the column `kept`: those of the dates `dated` of rows loaded after
    WAREHOUSE_LOADED_AFTER, or replaced by such rows. Nothing in a full refresh. The months are literals so that the
    files' statistics skip the others. -#}
{% macro touched_months(relation, dated, kept) -%}
    {%- if execute and is_incremental() -%}
    {%- set query -%}
        with fresh as (
            select distinct scope_id from {{ relation }}
            where loaded_at > cast('{{ env_var("WAREHOUSE_LOADED_AFTER") }}' as timestamp)
                and scope_id is not null
        ),
        touched as (
            select {{ dated }} as touched_on from {{ relation }}
            where loaded_at > cast('{{ env_var("WAREHOUSE_LOADED_AFTER") }}' as timestamp)
            union all
            select {{ dated }} as touched_on from {{ relation }}
            where scope_id in (select scope_id from fresh)
        )
        select distinct cast(date_trunc('month', touched_on) as date) as month_date
        from touched
        order by month_date
    {%- endset -%}
    {%- set months = run_query(query).columns[0].values() -%}
    {%- if months -%}
    {{ kept }} >= cast('{{ months[0] }}' as date)
        and {{ kept }} < {{ dbt.dateadd('month', 1, "cast('" ~ months[-1] ~ "' as date)") }}
        and cast(date_trunc('month', {{ kept }}) as date) in (
            {%- for month in months %}cast('{{ month }}' as date){{ ', ' if not loop.last }}{% endfor -%}
        )
    {%- else -%}
    false
    {%- endif -%}
    {%- endif -%}
{%- endmacro %}
