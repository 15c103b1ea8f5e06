-- One row per extract with a column that says when its events happened, over the rows of its latest file.
with

{%- for source_name, extract_name in delivered_extracts() %}
{%- set contract = extract_contract(source_name, extract_name) -%}
{%- set event_at = contract.config.meta.get('event_at') if contract else none %}

{{ source_name }}_{{ extract_name }}_latest as (

    select
        '{{ source_name }}' as source_name,
        '{{ extract_name }}' as extract_name,
        _loaded_at as loaded_at,
        cast({{ event_at or 'null' }} as timestamp) as event_at
    from {{ source(source_name, extract_name) }}
    where
        _loaded_at = (
            select max(files._loaded_at)
            from {{ source(source_name, extract_name) }} as files
            where {{ as_known('files._loaded_at') }}
        )

),
{%- endfor %}

latest_rows as (
    {%- for source_name, extract_name in delivered_extracts() %}
    select
        source_name,
        extract_name,
        loaded_at,
        event_at
    from {{ source_name }}_{{ extract_name }}_latest
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

lags as (

    select
        source_name,
        extract_name,
        event_at,
        {{ seconds_between('event_at', 'loaded_at') }} / 3600.0 as lag_hours
    from latest_rows
    where event_at is not null

),

final as (

    select
        source_name,
        extract_name,
        count(*) as event_count,
        max(event_at) as latest_event_at,
        percentile_cont(0.5) within group (order by lag_hours) as event_lag_p50_hours,
        percentile_cont(0.95) within group (order by lag_hours) as event_lag_p95_hours
    from lags
    group by source_name, extract_name

)

select * from final
