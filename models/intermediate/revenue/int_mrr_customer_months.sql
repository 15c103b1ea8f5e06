-- One row per customer and month that opens or closes with recurring revenue, over all his products.
with

product_months as (

    select
        customer_id,
        month_date,
        constant_opening_mrr_amount,
        constant_closing_mrr_amount,
        reporting_opening_mrr_amount,
        reporting_restated_mrr_amount,
        reporting_closing_mrr_amount
    from {{ ref('int_mrr_product_months') }}
    where constant_opening_mrr_amount is not null and constant_closing_mrr_amount is not null

),

totals as (

    select
        customer_id,
        month_date,
        cast(round(sum(constant_opening_mrr_amount), 2) as decimal(18, 2)) as opening_mrr_amount,
        cast(round(sum(constant_closing_mrr_amount), 2) as decimal(18, 2)) as closing_mrr_amount,
        cast(round({{ sum_complete('reporting_opening_mrr_amount') }}, 2) as decimal(18, 2)) as reporting_opening_mrr_amount,
        cast(round({{ sum_complete('reporting_restated_mrr_amount') }}, 2) as decimal(18, 2)) as reporting_restated_mrr_amount,
        cast(round({{ sum_complete('reporting_closing_mrr_amount') }}, 2) as decimal(18, 2)) as reporting_closing_mrr_amount
    from product_months
    group by customer_id, month_date

),

dated as (

    select
        *,
        min(case when closing_mrr_amount > 0 then month_date end) over (partition by customer_id) as first_paid_month
    from totals

),

-- Moving between products leaves the customer's total as it was: no movement here.
final as (

    select
        customer_id,
        month_date,
        first_paid_month,
        case
            when closing_mrr_amount = opening_mrr_amount then null
            when opening_mrr_amount <= 0 and closing_mrr_amount > 0
                then case when month_date = first_paid_month then 'new' else 'reactivation' end
            when opening_mrr_amount > 0 and closing_mrr_amount <= 0 then 'churn'
            when closing_mrr_amount > opening_mrr_amount then 'expansion'
            else 'contraction'
        end as movement_type,
        opening_mrr_amount,
        closing_mrr_amount - opening_mrr_amount as mrr_change_amount,
        closing_mrr_amount,
        reporting_opening_mrr_amount,
        reporting_restated_mrr_amount - reporting_opening_mrr_amount as reporting_fx_amount,
        reporting_closing_mrr_amount - reporting_restated_mrr_amount as reporting_change_amount,
        reporting_closing_mrr_amount
    from dated

)

select * from final
