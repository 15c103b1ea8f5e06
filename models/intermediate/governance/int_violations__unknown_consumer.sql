-- One row per driver and consumer that is neither a product nor a cost center.
with

usage_drivers as (

    select * from {{ ref('stg_cost__usage_drivers') }}

),

products as (

    select * from {{ ref('dim_product') }}

),

cost_centers as (

    select * from {{ ref('dim_cost_center') }}

),

final as (

    select
        'unknown_consumer' as rule_id,
        'error' as severity,
        'usage_drivers' as extract_name,
        'driver_id=' || usage_drivers.driver_id || ', consumer_id=' || usage_drivers.consumer_id as record_key,
        min(usage_drivers.source_file) as source_file,
        min(usage_drivers.source_row) as source_row,
        cast(null as decimal(38, 2)) as amount,
        'Consumer ' || usage_drivers.consumer_id || ' of driver ' || usage_drivers.driver_id
        || ' is neither a product nor a cost center, so its part stays unallocated. Correct the record.' as message
    from usage_drivers
    left join products on usage_drivers.consumer_id = products.product_id
    left join cost_centers on usage_drivers.consumer_id = cost_centers.cost_center_id
    where
        usage_drivers.quantity > 0
        and products.product_id is null
        and cost_centers.cost_center_id is null
    group by
        usage_drivers.driver_id,
        usage_drivers.consumer_id

)

select * from final
