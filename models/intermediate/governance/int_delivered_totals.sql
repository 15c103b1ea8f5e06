-- One row per delivered file and measure, which is rows or a decimal column of its extract.
{#- Staging holds all deliveries of these; what is in force of them is only ever summed up. #}
{%- set summed_from_deliveries = ['feature_usage'] %}
{#- Where what is in force of an extract has another name than that of its staging model. -#}
{%- set in_force = {'gl_entries': ref('int_gl_entries_converted')} %}
with

stored as (

    select * from {{ ref('stg_governance__delivered_totals') }}

),

{%- for source_name, extract_name in delivered_extracts() if extract_name not in summed_from_deliveries %}

{{ source_name }}_{{ extract_name }}_staged as (

    {%- set relation = in_force.get(extract_name) or ref('stg_' ~ source_name ~ '__' ~ extract_name) %}

    {{ totals_by_measure(relation, source_name, extract_name, "'staged'", is_staged=true) }}

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
    {%- for source_name, extract_name in delivered_extracts() if extract_name not in summed_from_deliveries %}
    union all
    select
        extract_name,
        source_file,
        loaded_at,
        measure,
        row_state,
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
        cast(
            sum(
                case
                    when row_state = 'staged' then total
                    when row_state = 'in_force' and extract_name in ('{{ summed_from_deliveries | join("', '") }}') then total
                end
            ) as decimal(38, 10)
        ) as in_force_total,
        cast(sum(case when row_state = 'superseded' then total end) as decimal(38, 10)) as superseded_total,
        cast(sum(case when row_state = 'deleted' then total end) as decimal(38, 10)) as deleted_total,
        cast(sum(case when row_state = 'not_yet_known' then total end) as decimal(38, 10)) as not_yet_known_total
    from delivered
    group by all

)

select * from final
