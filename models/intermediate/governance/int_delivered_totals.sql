-- One row per delivered file and measure, which is rows or a decimal column of its extract.
{%- set summed_from_deliveries = ['feature_usage'] %}
with

stored as (

    select * from {{ ref('stg_governance__delivered_totals') }}

),

{#- Staging holds all deliveries of these; what is in force of them is only ever summed up. #}
{%- for source_name, extract_name in delivered_extracts() if extract_name not in summed_from_deliveries %}
{%- set contract = extract_contract(source_name, extract_name) -%}
{%- set amounts = [] -%}
{%- for column in (contract.columns.values() if contract else []) if column.data_type.startswith('decimal') -%}
{%- do amounts.append(column.name) -%}
{%- endfor %}

{{ source_name }}_{{ extract_name }}_staged as (

    select
        '{{ extract_name }}' as extract_name,
        staged.source_file,
        staged.loaded_at,
        measures.measure,
        sum(
            case measures.measure
                when 'rows' then cast(1 as decimal(38, 10))
                {%- for amount in amounts %}
                when '{{ amount }}' then cast(staged.{{ snake_case(amount) }} as decimal(38, 10))
                {%- endfor %}
            end
        ) as total
    from {{ ref('stg_' ~ source_name ~ '__' ~ extract_name) }} as staged
    cross join (values ('rows'){% for amount in amounts %}, ('{{ amount }}'){% endfor %}) as measures (measure)
    group by all

),
{%- endfor %}

delivered as (

    select
        extract_name,
        source_file,
        loaded_at,
        measure,
        row_state,
        total
    from stored
    union all
    select
        extract_name,
        source_file,
        loaded_at,
        measure,
        'staged' as row_state,
        total
    from stored
    where
        row_state = 'in_force'
        and extract_name in ('{{ summed_from_deliveries | join("', '") }}')
    {%- for source_name, extract_name in delivered_extracts() if extract_name not in summed_from_deliveries %}
    union all
    select
        extract_name,
        source_file,
        loaded_at,
        measure,
        'staged' as row_state,
        total
    from {{ source_name }}_{{ extract_name }}_staged
    {%- endfor %}

),

final as (

    select
        extract_name,
        source_file,
        loaded_at,
        measure,
        cast(sum(case when row_state <> 'staged' then total end) as decimal(38, 10)) as stored_total,
        cast(sum(case when row_state = 'staged' then total end) as decimal(38, 10)) as in_force_total,
        cast(sum(case when row_state = 'superseded' then total end) as decimal(38, 10)) as superseded_total,
        cast(sum(case when row_state = 'deleted' then total end) as decimal(38, 10)) as deleted_total,
        cast(sum(case when row_state = 'not_yet_known' then total end) as decimal(38, 10)) as not_yet_known_total
    from delivered
    group by all

)

select * from final
