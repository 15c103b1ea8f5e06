-- One row per delivered file and measure, which is rows or a decimal column of its extract.
{%- set summed_from_deliveries = ['feature_usage'] %}
with

{#- Staging holds all deliveries of these; what is in force of them is only ever summed up. #}
{%- for source_name, extract_name in delivered_extracts() %}
{%- set contract = extract_contract(source_name, extract_name) -%}
{%- set key = (contract.config.meta.key or []) if contract else [] -%}
{%- set amounts = [] -%}
{%- for column in (contract.columns.values() if contract else []) if column.data_type.startswith('decimal') -%}
{%- do amounts.append(column.name) -%}
{%- endfor %}

{{ source_name }}_{{ extract_name }}_known as (

    select
        *,
        case
            when not {{ as_known() }} then 'not_yet_known'
            when
                _scope is not null
                and _delivery <> max(case when {{ as_known() }} then _delivery end) over (partition by _scope)
                then 'superseded'
        end as known_state
    from {{ source(source_name, extract_name) }}

),

{{ source_name }}_{{ extract_name }}_stated as (

    select
        *,
        case
            when known_state is not null then known_state
            {%- if key %}
            when
                row_number() over (
                    partition by known_state, {{ key | join(', ') }}
                    order by _known_at desc, _loaded_at desc, _file desc, _row desc
                ) > 1
                then 'superseded'
            {%- endif %}
            when coalesce(_is_deleted, false) then 'deleted'
            else 'in_force'
        end as row_state
    from {{ source_name }}_{{ extract_name }}_known

),

{{ source_name }}_{{ extract_name }}_stored as (

    select
        '{{ extract_name }}' as extract_name,
        stated._file as source_file,
        stated._loaded_at as loaded_at,
        measures.measure,
        stated.row_state,
        sum(
            case measures.measure
                when 'rows' then cast(1 as decimal(38, 10))
                {%- for amount in amounts %}
                when '{{ amount }}' then cast(stated.{{ amount }} as decimal(38, 10))
                {%- endfor %}
            end
        ) as total
    from {{ source_name }}_{{ extract_name }}_stated as stated
    cross join (values ('rows'){% for amount in amounts %}, ('{{ amount }}'){% endfor %}) as measures (measure)
    group by all

),

{%- if extract_name in summed_from_deliveries %}

{%- set staged_relation = source_name ~ '_' ~ extract_name ~ '_in_force' %}

{{ staged_relation }} as (

    select
        *,
        _file as source_file,
        _loaded_at as loaded_at
    from {{ source_name }}_{{ extract_name }}_stated
    where row_state = 'in_force'

),
{%- else %}
{%- set staged_relation = ref('stg_' ~ source_name ~ '__' ~ extract_name) %}
{%- endif %}

{{ source_name }}_{{ extract_name }}_staged as (

    select
        '{{ extract_name }}' as extract_name,
        staged.source_file,
        staged.loaded_at,
        measures.measure,
        'staged' as row_state,
        sum(
            case measures.measure
                when 'rows' then cast(1 as decimal(38, 10))
                {%- for amount in amounts %}
                when '{{ amount }}' then cast(staged.{{ snake_case(amount) }} as decimal(38, 10))
                {%- endfor %}
            end
        ) as total
    from {{ staged_relation }} as staged
    cross join (values ('rows'){% for amount in amounts %}, ('{{ amount }}'){% endfor %}) as measures (measure)
    group by all

),
{%- endfor %}

delivered as (
    {%- for source_name, extract_name in delivered_extracts() %}
    select
        extract_name,
        source_file,
        loaded_at,
        measure,
        row_state,
        total
    from {{ source_name }}_{{ extract_name }}_stored
    union all
    select
        extract_name,
        source_file,
        loaded_at,
        measure,
        row_state,
        total
    from {{ source_name }}_{{ extract_name }}_staged
    {{ 'union all' if not loop.last }}
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
