{#- Rows and the sum of each decimal column of an extract, by delivered file and `row_state`. `is_staged`: the relation is
    its staging model, which names columns its own way. -#}
{% macro totals_by_measure(relation, source_name, extract_name, row_state, is_staged=false) -%}
    {%- set contract = extract_contract(source_name, extract_name) -%}
    {%- set amounts = [] -%}
    {%- for column in (contract.columns.values() if contract else []) if column.data_type.startswith('decimal') -%}
        {%- do amounts.append(column.name) -%}
    {%- endfor -%}
    select
        '{{ extract_name }}' as extract_name,
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
            {{ 'source_file' if is_staged else '_file as source_file' }},
            {{ 'loaded_at' if is_staged else '_loaded_at as loaded_at' }},
            {{ row_state }} as row_state,
            {%- for amount in amounts %}
            cast(sum({{ snake_case(amount) if is_staged else amount }}) as decimal(38, 10)) as {{ amount }},
            {%- endfor %}
            cast(count(*) as decimal(38, 10)) as row_count
        from {{ relation }}
        group by 1, 2, 3
    ) as sums
    cross join (values ('rows'){% for amount in amounts %}, ('{{ amount }}'){% endfor %}) as measures (measure)
{%- endmacro %}
