{#- Rows and the sum of each decimal column of an extract, by delivered file and `row_state`, and by the month of the date
    in its key. `is_staged`: the relation is its staging model, which names columns its own way; months do not matter. -#}
{% macro totals_by_measure(relation, source_name, extract_name, row_state, is_staged=false) -%}
    {%- set contract = extract_contract(source_name, extract_name) -%}
    {%- set day = day_in_key(contract) -%}
    {%- set amounts = [] -%}
    {%- for column in (contract.columns.values() if contract else []) if column.data_type.startswith('decimal') -%}
        {%- do amounts.append(column.name) -%}
    {%- endfor -%}
    select
        '{{ extract_name }}' as extract_name,
        {%- if not is_staged %}
        sums.month_date,
        {%- endif %}
        sums.source_file,
        sums.loaded_at,
        measures.measure,
        sums.row_state,
        case measures.measure
            when 'rows' then sums.row_count
            {%- for amount in amounts %}
            when '{{ amount }}' then sums.{{ amount }}
            {%- endfor %}
        end as total
    from (
        select
            {%- if not is_staged %}
            cast({{ "date_trunc('month', " ~ day ~ ')' if day else 'null' }} as date) as month_date,
            {%- endif %}
            {{ 'source_file' if is_staged else '_file as source_file' }},
            {{ 'loaded_at' if is_staged else '_loaded_at as loaded_at' }},
            {{ row_state }} as row_state,
            {%- for amount in amounts %}
            cast(sum({{ snake_case(amount) if is_staged else amount }}) as decimal(38, 10)) as {{ amount }},
            {%- endfor %}
            cast(count(*) as decimal(38, 10)) as row_count
        from {{ relation }}
        group by {{ '1, 2, 3' if is_staged else '1, 2, 3, 4' }}
    ) as sums
    cross join (values ('rows'){% for amount in amounts %}, ('{{ amount }}'){% endfor %}) as measures (measure)
{%- endmacro %}
