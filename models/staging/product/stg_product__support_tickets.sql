-- One row per support ticket, as last known.
with

source as {{ inlined() }} (

    select *
    from {{ source('product', 'support_tickets') }}

),

latest as (

    {{ latest_version(['ticket_id']) }}

),

final as (

    select
        ticket_id,
        customer_id,
        product_id,
        opened_at,
        resolved_at,
        handling_hours,
        _known_at as known_at,
        _loaded_at as loaded_at,
        _file as source_file,
        _row as source_row,
        _extra as extra
    from latest

)

select * from final
