-- One row per product and month since its first: revenue and every part of its cost, cash and profit-and-loss view.
with

contributions as (

    select
        product_id,
        fiscal_period,
        revenue_amount
    from {{ ref('rpt_product_contribution') }}

),

costs as (

    select
        product_id,
        fiscal_period,
        cost_class,
        direct_amount,
        allocated_amount,
        unallocated_amount,
        ledger_amount,
        cash_amount,
        pnl_amount
    from {{ ref('rpt_product_cost') }}

),

periods as (

    select
        fiscal_period,
        is_closed,
        {{ period_month('end_on') }} as month_date
    from {{ ref('dim_fiscal_period') }}
    where is_reporting_entity

),

-- What no product bears counts as direct cost of the row `unallocated`.
period_flows as (

    select
        product_id,
        fiscal_period,
        revenue_amount,
        0 as direct_cost_amount,
        0 as allocated_cost_amount,
        0 as capitalised_amount,
        0 as amortisation_amount,
        0 as prepaid_cloud_amount,
        0 as pnl_cost_amount
    from contributions

    union all

    select
        product_id,
        fiscal_period,
        0 as revenue_amount,
        cash_amount - case when cash_amount = 0 then 0 else allocated_amount end as direct_cost_amount,
        case when cash_amount = 0 then 0 else allocated_amount end as allocated_cost_amount,
        case when cost_class = 'capitalised' then -ledger_amount else 0 end as capitalised_amount,
        case when cost_class = 'amortisation' then ledger_amount else 0 end as amortisation_amount,
        case when cost_class = 'prepaid_cloud' then ledger_amount else 0 end as prepaid_cloud_amount,
        pnl_amount as pnl_cost_amount
    from costs

),

product_months as (

    select
        period_flows.product_id,
        periods.month_date,
        sum(period_flows.revenue_amount) as revenue_amount,
        sum(period_flows.direct_cost_amount) as direct_cost_amount,
        sum(period_flows.allocated_cost_amount) as allocated_cost_amount,
        sum(period_flows.capitalised_amount) as capitalised_amount,
        sum(period_flows.amortisation_amount) as amortisation_amount,
        sum(period_flows.prepaid_cloud_amount) as prepaid_cloud_amount,
        sum(period_flows.pnl_cost_amount) as pnl_cost_amount
    from period_flows
    inner join periods
        on period_flows.fiscal_period = periods.fiscal_period
    group by period_flows.product_id, periods.month_date

),

last_month as (

    select max(month_date) as month_date
    from product_months

),

product_spans as (

    select
        product_id,
        min(month_date) as first_month
    from product_months
    group by product_id

),

-- Months without a posting count as months of nothing, so that twelve rows are twelve months.
final as (

    select
        product_spans.product_id,
        periods.month_date,
        product_spans.first_month,
        periods.is_closed,
        cast(coalesce(product_months.revenue_amount, 0) as decimal(18, 2)) as revenue_amount,
        cast(coalesce(product_months.direct_cost_amount, 0) as decimal(18, 2)) as direct_cost_amount,
        cast(coalesce(product_months.allocated_cost_amount, 0) as decimal(18, 2)) as allocated_cost_amount,
        cast(coalesce(product_months.capitalised_amount, 0) as decimal(18, 2)) as capitalised_amount,
        cast(coalesce(product_months.amortisation_amount, 0) as decimal(18, 2)) as amortisation_amount,
        cast(coalesce(product_months.prepaid_cloud_amount, 0) as decimal(18, 2)) as prepaid_cloud_amount,
        cast(coalesce(product_months.pnl_cost_amount, 0) as decimal(18, 2)) as pnl_cost_amount
    from product_spans
    cross join last_month
    inner join periods
        on periods.month_date between product_spans.first_month and last_month.month_date
    left join product_months
        on
            product_spans.product_id = product_months.product_id
            and periods.month_date = product_months.month_date

)

select * from final
