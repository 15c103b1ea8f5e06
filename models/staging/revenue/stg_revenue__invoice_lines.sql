-- One row per customer invoice line, as last known.
with

source as {{ inlined() }} (

    select *
    from {{ source('revenue', 'invoice_lines') }}

),

latest as (

    {{ latest_version(['invoice_id', 'line_number']) }}

),

final as (

    select
        invoice_id,
        line_number,
        customer_id,
        subscription_id,
        product_id,
        plan_id,
        charge_type,
        quantity,
        unit_price,
        amount,
        tax_amount,
        currency,
        invoiced_on,
        due_on,
        service_start_on,
        service_end_on,
        _known_at as known_at,
        _loaded_at as loaded_at,
        _file as source_file,
        _row as source_row,
        _extra as extra
    from latest

)

select * from final
