-- One row per product.
with

products as (

    select * from {{ ref('stg_product__products') }}

),

reporting_date as (

    select * from {{ ref('int_reporting_date') }}

),

final as (

    select
        products.product_id,
        products.product_name,
        products.product_line,
        products.lifecycle_stage,
        products.owner,
        coalesce(products.retired_on < reporting_date.reporting_on, false) as is_retired,
        products.launched_on,
        products.retired_on
    from products
    cross join reporting_date

)

select * from final
