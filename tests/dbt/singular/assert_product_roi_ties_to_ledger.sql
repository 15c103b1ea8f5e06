-- Revenue and cost of all products, unallocated included, sum to the ledger, month by month, to the penny.
with

ledger as (

    select
        posting_month as month_date,
        sum(reporting_natural_amount * polarity) as profit_amount
    from {{ ref('int_gl_entries_converted') }}
    where polarity <> 0
    group by posting_month

),

reported as (

    select
        month_date,
        sum(contribution_amount) as profit_amount
    from {{ ref('rpt_product_roi') }}
    group by month_date

)

select
    coalesce(ledger.month_date, reported.month_date) as month_date,
    ledger.profit_amount as ledger_amount,
    reported.profit_amount as reported_amount
from ledger
full outer join reported on ledger.month_date = reported.month_date
where coalesce(ledger.profit_amount, 0) <> coalesce(reported.profit_amount, 0)
