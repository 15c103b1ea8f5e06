{#- What a build adds to what stands, as it says in WAREHOUSE_INCREMENT: `models`, the tables that are added to; `reached`,
    the models whose rows may be others now; `loaded_after`, by changed extract (source/name) the time after which its new
    rows were loaded, or none where others went. Nothing outside such a build. -#}
{% macro increment() -%}
    {{ return(fromjson(env_var('WAREHOUSE_INCREMENT', '{}'))) }}
{%- endmacro %}

{#- Replaces dbt's own: a table is only added to where the build has seen to it that its rows will be those of a whole build. -#}
{% macro should_full_refresh() -%}
    {%- if config.get('materialized') == 'incremental' -%}
        {{ return(model.name not in increment().get('models', [])) }}
    {%- endif -%}
    {{ return(dbt.should_full_refresh()) }}
{%- endmacro %}

{#- In an increment, the condition that keeps whole months of the column `kept`: those that the new rows of an extract touch
    by the date `dated`, or that rows they replace do. Nothing otherwise. The months are literals so that the files'
    statistics skip the others. `relation`: the extract's rows, with the names of its columns. -#}
{% macro touched_months(extract, relation, dated, kept, loaded='loaded_at', scope='scope_id') -%}
    {%- if execute and is_incremental() -%}
    {%- set moment = "cast('" ~ increment().loaded_after[extract] ~ "' as timestamp)" -%}
    {%- set query -%}
        with fresh as (
            select distinct {{ scope }} as fresh_scope from {{ relation }}
            where {{ loaded }} > {{ moment }} and {{ scope }} is not null
        ),
        touched as (
            select {{ dated }} as touched_on from {{ relation }}
            where {{ loaded }} > {{ moment }}
            union all
            select {{ dated }} as touched_on from {{ relation }}
            where {{ scope }} in (select fresh_scope from fresh)
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

{#- The condition for the rows of an extract that a table holding several extracts makes anew: all, or in an increment those
    of the months its new rows touch where a date is part of its key; none where nothing has changed. -#}
{% macro changed_rows(source_name, extract_name, kept) -%}
    {%- if not (execute and is_incremental()) -%}
        {{ return('true') }}
    {%- endif -%}
    {%- set extract = source_name ~ '/' ~ extract_name -%}
    {%- set loaded_after = increment().loaded_after -%}
    {%- if extract not in loaded_after -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set day = day_in_key(extract_contract(source_name, extract_name)) -%}
    {%- if loaded_after[extract] is none or not day -%}
        {{ return('true') }}
    {%- endif -%}
    {{ return(touched_months(extract, source(source_name, extract_name), day, kept or day, '_loaded_at', '_scope')) }}
{%- endmacro %}

{#- What a table holding several extracts makes anew, as [source, extract, condition for its rows]. -#}
{% macro changed_parts(extracts, kept=none) -%}
    {%- set parts = [] -%}
    {%- for source_name, extract_name in extracts -%}
        {%- set condition = changed_rows(source_name, extract_name, kept) -%}
        {%- if condition is not none -%}
            {%- do parts.append([source_name, extract_name, condition]) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(parts) }}
{%- endmacro %}

{#- Removes it before an increment; rows of an extract without a date in its key have no `month_date`. -#}
{% macro drop_changed_parts(extracts) -%}
    {%- if execute and is_incremental() -%}
    delete from {{ this }}
    where
        false
        {%- for source_name, extract_name, condition in changed_parts(extracts, 'month_date') %}
        or (extract_name = '{{ extract_name }}' and {{ condition }})
        {%- endfor %}
    {%- endif -%}
{%- endmacro %}
