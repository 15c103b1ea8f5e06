-- One row per delivered file, month of the date in its extract's key, measure (rows or a decimal column) and what became of
-- its rows.
{{ config(
    materialized=('table' if target.type == 'spark' else 'incremental'),
    incremental_strategy='append',
    pre_hook='{{ drop_changed_parts(delivered_extracts()) }}',
    meta={'increments_of': 'any'}
) }}
{%- set changed = changed_parts(delivered_extracts()) %}
with

-- Keys delivered twice have been looked for already.
superseded_rows as (

    select
        extract_name,
        key_hash
    from {{ ref('stg_governance__superseded_rows') }}

),
{%- for source_name, extract_name, condition in changed %}
{%- set contract = extract_contract(source_name, extract_name) -%}
{%- set key = (contract.config.meta.key or []) if contract else [] %}
{%- set day = day_in_key(contract) %}

{{ source_name }}_{{ extract_name }}_deliveries as (

    select
        _scope,
        max(_delivery) as _delivery
    from {{ source(source_name, extract_name) }}
    where _scope is not null and {{ as_known() }}
    group by _scope

),

{{ source_name }}_{{ extract_name }}_known as {{ inlined() }} (

    select
        source.*,
        case
            when not {{ as_known('source._known_at') }} then 'not_yet_known'
            when source._delivery <> deliveries._delivery then 'superseded'
        end as known_state
    from {{ source(source_name, extract_name) }} as source
    left join {{ source_name }}_{{ extract_name }}_deliveries as deliveries on source._scope = deliveries._scope
    where {{ condition }}

),
{%- if key %}

{{ source_name }}_{{ extract_name }}_contested as (

    {%- if [source_name, extract_name] in transaction_extracts() %}
    select distinct key_hash
    from superseded_rows
    where extract_name = '{{ extract_name }}'
    {%- else %}
    {{ contested_keys(source(source_name, extract_name), key, day, condition) }}
    {%- endif %}

),
{%- endif %}

{{ source_name }}_{{ extract_name }}_stated as (

    select
        *,
        case
            when known_state is not null then known_state
            when coalesce(_is_deleted, false) then 'deleted'
            else 'in_force'
        end as row_state
    from {{ source_name }}_{{ extract_name }}_known
    {%- if key %}
    where
        {{ key_hash(key, day) }} not in (
            select contested.key_hash from {{ source_name }}_{{ extract_name }}_contested as contested
        )
    union all
    select
        *,
        case
            when known_state is not null then known_state
            when
                row_number() over (
                    partition by known_state, {{ key | join(', ') }}
                    order by _known_at desc, _loaded_at desc, _file desc, _row desc
                ) > 1
                then 'superseded'
            when coalesce(_is_deleted, false) then 'deleted'
            else 'in_force'
        end as row_state
    from {{ source_name }}_{{ extract_name }}_known
    where
        {{ key_hash(key, day) }} in (
            select contested.key_hash from {{ source_name }}_{{ extract_name }}_contested as contested
        )
    {%- endif %}

),

{{ source_name }}_{{ extract_name }}_stored as (

    {{ totals_by_measure(source_name ~ '_' ~ extract_name ~ '_stated', source_name, extract_name, 'row_state') }}

),
{%- endfor %}

final as (
    {%- for source_name, extract_name, condition in changed %}
    select
        extract_name,
        month_date,
        source_file,
        loaded_at,
        measure,
        row_state,
        cast(total as decimal(38, 10)) as total
    from {{ source_name }}_{{ extract_name }}_stored
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select * from final
