-- Products and `unallocated` together are the profit and loss of the ledger, in every period it holds revenue for.
with

contributions as (

    select
        fiscal_period,
        sum(revenue_amount) as revenue_amount,
        sum(operating_result_amount) as result_amount
    from {{ ref('rpt_product_contribution') }}
    group by fiscal_period

),

ledger as (

    select
        dates.fiscal_period,
        sum(case when gl_entries.polarity = 1 then gl_entries.reporting_natural_amount else 0 end) as revenue_amount,
        sum(gl_entries.polarity * gl_entries.reporting_natural_amount) as result_amount,
        count(case when gl_entries.polarity = 1 then 1 end) as revenue_lines
    from {{ ref('int_gl_entries_converted') }} as gl_entries
    inner join {{ ref('dim_date') }} as dates on gl_entries.posted_on = dates.date_day
    group by dates.fiscal_period

)

select
    ledger.fiscal_period,
    ledger.result_amount,
    contributions.result_amount as contribution_result_amount
from ledger
left join contributions on ledger.fiscal_period = contributions.fiscal_period
where
    ledger.revenue_lines > 0
    and (
        ledger.revenue_amount <> coalesce(contributions.revenue_amount, 0)
        or ledger.result_amount <> coalesce(contributions.result_amount, 0)
    )
