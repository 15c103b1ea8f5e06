-- One row per month: the bridge of monthly recurring revenue from opening to closing, by movement of customers.
with

months as (

    select
        month_date,
        is_survivors_only,
        snapshot_on
    from {{ ref('int_revenue_months') }}

),

customer_months as (

    select * from {{ ref('int_mrr_customer_months') }}

),

totals as (

    select
        month_date,
        sum(opening_mrr_amount) as opening_mrr_amount,
        sum(case when movement_type = 'new' then mrr_change_amount end) as new_amount,
        sum(case when movement_type = 'expansion' then mrr_change_amount end) as expansion_amount,
        sum(case when movement_type = 'contraction' then mrr_change_amount end) as contraction_amount,
        sum(case when movement_type = 'churn' then mrr_change_amount end) as churn_amount,
        sum(case when movement_type = 'reactivation' then mrr_change_amount end) as reactivation_amount,
        sum(closing_mrr_amount) as closing_mrr_amount,
        count(case when opening_mrr_amount > 0 then 1 end) as opening_customers,
        count(case when movement_type = 'new' then 1 end) as new_customers,
        count(case when movement_type = 'churn' then 1 end) as churned_customers,
        count(case when movement_type = 'reactivation' then 1 end) as reactivated_customers,
        count(case when closing_mrr_amount > 0 then 1 end) as closing_customers,
        {{ sum_complete('reporting_opening_mrr_amount') }} as reporting_opening_mrr_amount,
        {{ sum_complete('reporting_change_amount') }} as reporting_change_amount,
        {{ sum_complete('reporting_fx_amount') }} as fx_amount,
        {{ sum_complete('reporting_closing_mrr_amount') }} as reporting_closing_mrr_amount
    from customer_months
    group by month_date

),

final as (

    select
        months.month_date,
        months.snapshot_on,
        months.is_survivors_only,
        cast(coalesce(totals.opening_mrr_amount, 0) as decimal(18, 2)) as opening_mrr_amount,
        cast(coalesce(totals.new_amount, 0) as decimal(18, 2)) as new_amount,
        cast(coalesce(totals.expansion_amount, 0) as decimal(18, 2)) as expansion_amount,
        cast(coalesce(totals.contraction_amount, 0) as decimal(18, 2)) as contraction_amount,
        cast(coalesce(totals.churn_amount, 0) as decimal(18, 2)) as churn_amount,
        cast(coalesce(totals.reactivation_amount, 0) as decimal(18, 2)) as reactivation_amount,
        cast(coalesce(totals.closing_mrr_amount, 0) as decimal(18, 2)) as closing_mrr_amount,
        cast(12 * coalesce(totals.closing_mrr_amount, 0) as decimal(18, 2)) as closing_arr_amount,
        cast(coalesce(totals.opening_customers, 0) as bigint) as opening_customers,
        cast(coalesce(totals.new_customers, 0) as bigint) as new_customers,
        cast(coalesce(totals.churned_customers, 0) as bigint) as churned_customers,
        cast(coalesce(totals.reactivated_customers, 0) as bigint) as reactivated_customers,
        cast(coalesce(totals.closing_customers, 0) as bigint) as closing_customers,
        cast(
            case when totals.month_date is null then 0 else totals.reporting_opening_mrr_amount end as decimal(18, 2)
        ) as reporting_opening_mrr_amount,
        cast(
            case when totals.month_date is null then 0 else totals.reporting_change_amount end as decimal(18, 2)
        ) as reporting_change_amount,
        cast(
            case when totals.month_date is null then 0 else totals.fx_amount end as decimal(18, 2)
        ) as fx_amount,
        cast(
            case when totals.month_date is null then 0 else totals.reporting_closing_mrr_amount end as decimal(18, 2)
        ) as reporting_closing_mrr_amount
    from months
    left join totals on months.month_date = totals.month_date

)

select * from final
