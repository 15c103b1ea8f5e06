-- One row per product, as last known.
with

source as {{ inlined() }} (

    select *
    from {{ source('product', 'products') }}

),

latest as (

    {{ latest_version(['product_id']) }}

),

final as (

    select
        product_id,
        product_name,
        product_line,
        lifecycle_stage,
        launched_on,
        retired_on,
        owner,
        _known_at as known_at,
        _loaded_at as loaded_at,
        _file as source_file,
        _row as source_row,
        _extra as extra
    from latest

)

select * from final
