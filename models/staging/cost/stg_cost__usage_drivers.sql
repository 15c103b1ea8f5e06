-- One row per allocation driver, month and consumer, as last known.
with

source as {{ inlined() }} (

    select *
    from {{ source('cost', 'usage_drivers') }}

),

latest as (

    {{ latest_version(['driver_id', 'period_month', 'consumer_id']) }}

),

final as (

    select
        driver_id,
        period_month,
        consumer_id,
        quantity,
        _known_at as known_at,
        _loaded_at as loaded_at,
        _file as source_file,
        _row as source_row,
        _extra as extra
    from latest

)

select * from final
