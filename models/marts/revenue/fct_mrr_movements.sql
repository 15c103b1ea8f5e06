-- One row per customer, product and month in which the monthly recurring revenue of that product changed.
with

product_months as (

    select * from {{ ref('int_mrr_product_months') }}

),

customer_months as (

    select
        customer_id,
        month_date,
        movement_type
    from {{ ref('int_mrr_customer_months') }}

),

final as (

    select
        product_months.customer_id,
        product_months.product_id,
        product_months.month_date,
        product_months.movement_type,
        customer_months.movement_type as customer_movement_type,
        product_months.opening_mrr_amount,
        cast(product_months.mrr_change_amount as decimal(18, 2)) as mrr_change_amount,
        product_months.quantity_change_amount,
        cast(product_months.price_change_amount as decimal(18, 2)) as price_change_amount,
        product_months.closing_mrr_amount,
        product_months.currency,
        cast(round(product_months.reporting_opening_mrr_amount, 2) as decimal(18, 2)) as reporting_opening_mrr_amount,
        cast(
            round(product_months.reporting_closing_mrr_amount, 2)
            - round(product_months.reporting_restated_mrr_amount, 2) as decimal(18, 2)
        ) as reporting_mrr_change_amount,
        cast(
            round(product_months.reporting_restated_mrr_amount, 2)
            - round(product_months.reporting_opening_mrr_amount, 2) as decimal(18, 2)
        ) as fx_change_amount,
        cast(round(product_months.reporting_closing_mrr_amount, 2) as decimal(18, 2)) as reporting_closing_mrr_amount,
        cast(round(product_months.constant_opening_mrr_amount, 2) as decimal(18, 2)) as constant_opening_mrr_amount,
        cast(
            round(product_months.constant_closing_mrr_amount, 2)
            - round(product_months.constant_opening_mrr_amount, 2) as decimal(18, 2)
        ) as constant_mrr_change_amount,
        cast(round(product_months.constant_closing_mrr_amount, 2) as decimal(18, 2)) as constant_closing_mrr_amount
    from product_months
    left join customer_months
        on
            product_months.customer_id = customer_months.customer_id
            and product_months.month_date = customer_months.month_date
    where product_months.mrr_change_amount <> 0

)

select * from final
