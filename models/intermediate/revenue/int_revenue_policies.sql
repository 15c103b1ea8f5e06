-- One row: the revenue policies in force, each typed in its own column.
with

revenue_policies as (

    select
        policy_id,
        nullif(trim(policy_value), '') as policy_value
    from {{ ref('revenue_policies') }}

),

final as (

    select
        coalesce(max(case when policy_id = 'subscription_price_basis' then policy_value end), 'month')
            as subscription_price_basis,
        coalesce(max(case when policy_id = 'churn_date_rule' then policy_value end), 'service_end')
            as churn_date_rule,
        coalesce(max(case when policy_id = 'billing_date_rule' then policy_value end), 'invoiced')
            as billing_date_rule,
        cast(max(case when policy_id = 'constant_currency_month' then policy_value end) as date)
            as constant_currency_month,
        cast(coalesce(max(case when policy_id = 'retention_window_months' then policy_value end), '12') as integer)
            as retention_window_months,
        cast(
            coalesce(max(case when policy_id = 'unit_economics_window_months' then policy_value end), '12')
            as integer
        ) as unit_economics_window_months,
        cast(coalesce(max(case when policy_id = 'sales_cycle_lag_months' then policy_value end), '0') as integer)
            as sales_cycle_lag_months,
        cast(max(case when policy_id = 'new_logo_spend_share' then policy_value end) as double)
            as new_logo_spend_share,
        coalesce(max(case when policy_id = 'gross_margin_cost_classes' then policy_value end), '')
            as gross_margin_cost_classes,
        coalesce(max(case when policy_id = 'cash_account_id' then policy_value end), '') as cash_account_id,
        coalesce(max(case when policy_id = 'receivable_account_id' then policy_value end), '')
            as receivable_account_id,
        coalesce(max(case when policy_id = 'payment_fee_account_id' then policy_value end), '')
            as payment_fee_account_id,
        cast(coalesce(max(case when policy_id = 'ltv_horizon_months' then policy_value end), '60') as integer)
            as ltv_horizon_months,
        cast(coalesce(max(case when policy_id = 'ltv_monthly_discount_rate' then policy_value end), '0') as double)
            as ltv_monthly_discount_rate
    from revenue_policies

)

select * from final
