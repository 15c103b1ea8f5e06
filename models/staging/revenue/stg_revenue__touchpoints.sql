-- One row per marketing touch, as last known.
with

source as {{ inlined() }} (

    select *
    from {{ source('revenue', 'touchpoints') }}

),

latest as (

    {{ latest_version(['touch_id']) }}

),

final as (

    select
        touch_id,
        customer_id,
        occurred_at,
        channel,
        campaign,
        is_paid,
        _known_at as known_at,
        _loaded_at as loaded_at,
        _file as source_file,
        _row as source_row,
        _extra as extra
    from latest

)

select * from final
