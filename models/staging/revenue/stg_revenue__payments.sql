-- One row per customer payment, as last known.
with

source as {{ inlined() }} (

    select *
    from {{ source('revenue', 'payments') }}

),

latest as (

    {{ latest_version(['payment_id']) }}

),

final as (

    select
        payment_id,
        invoice_id,
        paid_on,
        amount,
        fee_amount,
        currency,
        _known_at as known_at,
        _loaded_at as loaded_at,
        _file as source_file,
        _row as source_row,
        _extra as extra
    from latest

)

select * from final
