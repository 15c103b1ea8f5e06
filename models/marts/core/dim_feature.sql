-- One row per feature.
with

features as (

    select * from {{ ref('stg_product__features') }}

),

final as (

    select
        feature_id,
        product_id,
        feature_name,
        list_weight,
        is_add_on,
        released_on,
        retired_on
    from features

)

select * from final
