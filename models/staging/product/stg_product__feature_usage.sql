-- One row per customer, feature and day of use, as last known.
with

source as (

    select *
    from {{ source('product', 'feature_usage') }}

),

latest as (

    select *
    from source
    {{ latest_version(['usage_date', 'customer_id', 'feature_id']) }}

),

final as (

    select
        usage_date,
        customer_id,
        feature_id,
        event_count,
        active_users,
        _known_at as known_at,
        _loaded_at as loaded_at,
        _file as source_file,
        _row as source_row,
        _extra as extra
    from latest

)

select * from final
