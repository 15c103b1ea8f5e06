-- One row per customer, without personal data: names and addresses stay in staging.
with

customers as (

    select * from {{ ref('stg_revenue__customers') }}

),

final as (

    select
        customer_id,
        coalesce(segment, 'unknown') as segment,
        coalesce(region, 'unknown') as region,
        coalesce(industry, 'unknown') as industry,
        acquired_on
    from customers

)

select * from final
