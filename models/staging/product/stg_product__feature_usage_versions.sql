-- One row per customer, feature and day of use and delivery of it, superseded ones included.
with

source as (

    select *
    from {{ source('product', 'feature_usage') }}

),

known as (

    select *
    from source
    where {{ as_known() }}

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
        _scope as scope_id,
        _delivery as delivery_id,
        coalesce(_is_deleted, false) as is_deleted,
        _extra as extra
    from known

)

select * from final
