-- One row per supplier invoice and purchase-order line it draws on, as last known.
with

source as {{ inlined() }} (

    select *
    from {{ source('cost', 'po_invoices') }}

),

latest as (

    {{ latest_version(['invoice_id', 'po_id', 'line_number']) }}

),

final as (

    select
        invoice_id,
        po_id,
        line_number,
        invoiced_on,
        po_share_amount,
        invoice_amount,
        currency,
        _known_at as known_at,
        _loaded_at as loaded_at,
        _file as source_file,
        _row as source_row,
        _extra as extra
    from latest

)

select * from final
