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
        {{ 'source_file' if is_staged else '_file' }} as source_file,
        {{ 'loaded_at' if is_staged else '_loaded_at' }} as loaded_at,
        measures.measure,
        {{ row_state }} as row_state,
        sum(
            case measures.measure
                when 'rows' then cast(1 as decimal(38, 10))
                {%- for amount in amounts %}
                when '{{ amount }}' then cast({{ snake_case(amount) if is_staged else amount }} as decimal(38, 10))
                {%- endfor %}
            end
        ) as total
    from {{ relation }}
    cross join (values ('rows'){% for amount in amounts %}, ('{{ amount }}'){% endfor %}) as measures (measure)
    group by all
{%- endmacro %}
