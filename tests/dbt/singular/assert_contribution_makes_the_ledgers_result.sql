-- Products and `unallocated` together are the profit and loss of the ledger in every period, to the penny.
with

ledger as (

    select
        dates.fiscal_period,
        gl_entries.polarity,
        sum(gl_entries.reporting_natural_amount) as amount
    from {{ ref('int_gl_entries_converted') }} as gl_entries
    inner join {{ ref('dim_date') }} as dates on gl_entries.posted_on = dates.date_day
    where
        gl_entries.polarity <> 0
        and dates.fiscal_period is not null
    group by dates.fiscal_period, gl_entries.polarity

),

invoiced as (

    select
        fiscal_period,
        1 as polarity,
        sum(reporting_amount) as amount
    from {{ ref('fct_revenue') }}
    where not is_scheduled
    group by fiscal_period

),

-- Where the ledger holds no revenue, what was invoiced stands for it.
results as (

    select
        fiscal_period,
        polarity,
        amount
    from ledger

    union all

    select
        invoiced.fiscal_period,
        invoiced.polarity,
        invoiced.amount
    from invoiced
    left join ledger
        on
            invoiced.fiscal_period = ledger.fiscal_period
            and invoiced.polarity = ledger.polarity
    where ledger.fiscal_period is null

),

differences as (

    select
        fiscal_period,
        revenue_amount as revenue_difference,
        operating_result_amount as result_difference
    from {{ ref('rpt_product_contribution') }}

    union all

    select
        fiscal_period,
        case when polarity = 1 then -amount else 0 end as revenue_difference,
        -polarity * amount as result_difference
    from results

)

select
    fiscal_period,
    sum(revenue_difference) as revenue_difference,
    sum(result_difference) as result_difference
from differences
group by fiscal_period
having
    sum(revenue_difference) <> 0
    or sum(result_difference) <> 0
