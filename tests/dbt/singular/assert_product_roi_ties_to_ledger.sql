-- Revenue and cost of all products, unallocated included, sum to the ledger in every month it holds revenue for: the
-- ledger books cloud when billed, so what profit and loss sets aside as prepaid comes back in.
with

ledger as (

    select
        dates.month_date,
        sum(gl_entries.reporting_natural_amount * gl_entries.polarity) as profit_amount,
        count(case when gl_entries.polarity = 1 then 1 end) as revenue_lines
    from {{ ref('int_gl_entries_converted') }} as gl_entries
    inner join {{ ref('dim_date') }} as dates on gl_entries.posted_on = dates.date_day
    where gl_entries.polarity <> 0
    group by dates.month_date

),

reported as (

    select
        month_date,
        sum(revenue_amount - pnl_cost_amount - prepaid_cloud_amount) as profit_amount
    from {{ ref('rpt_product_roi') }}
    group by month_date

)

select
    ledger.month_date,
    ledger.profit_amount as ledger_amount,
    reported.profit_amount as reported_amount
from ledger
left join reported on ledger.month_date = reported.month_date
where
    ledger.revenue_lines > 0
    and ledger.profit_amount <> coalesce(reported.profit_amount, 0)
