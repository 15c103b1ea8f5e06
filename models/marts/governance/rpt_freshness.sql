-- One row per extract of the contract.
with

load_totals as (

    select * from {{ ref('stg_governance__load_totals') }}

),

delivery_lags as (

    select * from {{ ref('stg_governance__delivery_lags') }}

),

-- The agreed service level and the owner, as the contract states them.
agreed as (
    {%- set hours = {'minute': 1 / 60, 'hour': 1, 'day': 24} -%}
    {%- for source_name, extract_name in delivered_extracts() %}
    {%- set contract = extract_contract(source_name, extract_name) -%}
    {%- set freshness = contract.freshness if contract else none %}
    select
        '{{ source_name }}' as source_name,
        '{{ extract_name }}' as extract_name,
        '{{ contract.source_meta.owner if contract }}' as owner,
        cast({{ freshness.warn_after.count * hours[freshness.warn_after.period] if freshness else 'null' }} as double) as warn_after_hours,
        cast({{ freshness.error_after.count * hours[freshness.error_after.period] if freshness else 'null' }} as double) as error_after_hours,
        cast({{ "'" ~ contract.config.meta.event_at ~ "'" if contract and contract.config.meta.get('event_at') else 'null' }} as string) as event_column
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

loads as (

    select
        source_name,
        extract_name,
        loaded_at,
        {{ seconds_between('lag(loaded_at) over (partition by source_name, extract_name order by loaded_at)', 'loaded_at') }} / 3600.0 as interval_hours
    from load_totals
    where
        measure = 'rows'
        and {{ as_known('loaded_at') }}

),

-- Now is when anything was last loaded, so that the same files and ledger give the same answer any day.
observed as (

    select max(loaded_at) as observed_at
    from loads

),

loaded as (

    select
        source_name,
        extract_name,
        count(*) as file_count,
        max(loaded_at) as last_loaded_at,
        percentile_cont(0.5) within group (order by interval_hours) as load_interval_p50_hours,
        percentile_cont(0.95) within group (order by interval_hours) as load_interval_p95_hours
    from loads
    group by source_name, extract_name

),

measured as (

    select
        agreed.source_name,
        agreed.extract_name,
        agreed.owner,
        agreed.warn_after_hours,
        agreed.error_after_hours,
        agreed.event_column,
        observed.observed_at,
        coalesce(loaded.file_count, 0) as file_count,
        loaded.last_loaded_at,
        loaded.load_interval_p50_hours,
        loaded.load_interval_p95_hours,
        {{ seconds_between('loaded.last_loaded_at', 'observed.observed_at') }} / 3600.0 as load_lag_hours,
        delivery_lags.event_count,
        delivery_lags.latest_event_at,
        delivery_lags.event_lag_p50_hours,
        delivery_lags.event_lag_p95_hours
    from agreed
    cross join observed
    left join loaded
        on
            agreed.source_name = loaded.source_name
            and agreed.extract_name = loaded.extract_name
    left join delivery_lags
        on
            agreed.source_name = delivery_lags.source_name
            and agreed.extract_name = delivery_lags.extract_name

),

final as (

    select
        source_name,
        extract_name,
        owner,
        warn_after_hours,
        error_after_hours,
        observed_at,
        cast(file_count as integer) as file_count,
        last_loaded_at,
        load_lag_hours,
        load_interval_p50_hours,
        load_interval_p95_hours,
        case
            when last_loaded_at is null then 'not_delivered'
            when load_lag_hours > error_after_hours then 'error'
            when load_lag_hours > warn_after_hours then 'warn'
            else 'fresh'
        end as freshness_state,
        event_column,
        latest_event_at,
        event_lag_p50_hours,
        case
            when event_count > 0 then null
            when event_column is null then 'no_event_column'
            when last_loaded_at is null then 'not_delivered'
            else 'no_dated_rows'
        end as event_lag_p50_hours_reason,
        event_lag_p95_hours
    from measured

)

select * from final
