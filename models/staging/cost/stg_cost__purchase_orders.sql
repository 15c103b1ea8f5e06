-- One row per purchase-order line, as last known.
with

source as {{ inlined() }} (

    select *
    from {{ source('cost', 'purchase_orders') }}

),

latest as (

    {{ latest_version(['po_id', 'line_number']) }}

),

final as (

    select
        po_id,
        line_number,
        ordered_on,
        vendor,
        account_id,
        cost_center_id,
        product_id,
        initiative_id,
        amount,
        currency,
        status,
        closed_on,
        requested_by,
        approved_by,
        _known_at as known_at,
        _loaded_at as loaded_at,
        _file as source_file,
        _row as source_row,
        _extra as extra
    from latest

)

select * from final
