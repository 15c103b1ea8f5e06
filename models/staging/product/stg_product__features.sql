-- One row per feature of a product, as last known.
with

source as {{ inlined() }} (

    select *
    from {{ source('product', 'features') }}

),

latest as (

    {{ latest_version(['feature_id']) }}

),

final as (

    select
        feature_id,
        product_id,
        feature_name,
        is_add_on,
        list_weight,
        released_on,
        retired_on,
        _known_at as known_at,
        _loaded_at as loaded_at,
        _file as source_file,
        _row as source_row,
        _extra as extra
    from latest

)

select * from final
