-- One row per subscription and interval of unchanged terms, as last known.
with

source as {{ inlined() }} (

    select *
    from {{ source('revenue', 'subscriptions') }}

),

latest as (

    {{ latest_version(['subscription_id', 'valid_from']) }}

),

final as (

    select
        subscription_id,
        valid_from,
        customer_id,
        product_id,
        plan_id,
        quantity,
        unit_price,
        discount_rate,
        billing_interval_months,
        currency,
        valid_to,
        _known_at as known_at,
        _loaded_at as loaded_at,
        _file as source_file,
        _row as source_row,
        _extra as extra
    from latest

)

select * from final
