-- One row per opportunity that was decided, won or not, as last known.
with

source as {{ inlined() }} (

    select *
    from {{ source('revenue', 'conversions') }}

),

latest as (

    {{ latest_version(['conversion_id']) }}

),

final as (

    select
        conversion_id,
        customer_id,
        product_id,
        occurred_at,
        is_won,
        revenue_amount,
        currency,
        _known_at as known_at,
        _loaded_at as loaded_at,
        _file as source_file,
        _row as source_row,
        _extra as extra
    from latest

)

select * from final
