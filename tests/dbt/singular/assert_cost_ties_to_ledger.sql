-- Cost by posting and by product make the expense of the general ledger, to the penny, in every account and period.
with

ledger as (

    select
        gl_entries.account_id,
        dates.fiscal_period as reporting_fiscal_period,
        gl_entries.fiscal_period,
        gl_entries.entity_id,
        gl_entries.reporting_natural_amount as ledger_amount
    from {{ ref('int_gl_entries_converted') }} as gl_entries
    left join {{ ref('dim_date') }} as dates on gl_entries.posted_on = dates.date_day
    where gl_entries.polarity = -1

),

differences as (

    select
        'fct_cost_entries' as mart,
        account_id || ' ' || entity_id || ' ' || fiscal_period as place,
        ledger_amount as difference
    from ledger

    union all

    select
        'fct_cost_entries' as mart,
        account_id || ' ' || entity_id || ' ' || fiscal_period as place,
        -reporting_amount as difference
    from {{ ref('fct_cost_entries') }}

    union all

    select
        'rpt_product_cost' as mart,
        reporting_fiscal_period as place,
        ledger_amount as difference
    from ledger
    where reporting_fiscal_period is not null

    union all

    select
        'rpt_product_cost' as mart,
        fiscal_period as place,
        -ledger_amount as difference
    from {{ ref('rpt_product_cost') }}

)

select
    mart,
    place,
    sum(difference) as difference
from differences
group by
    mart,
    place
having sum(difference) <> 0
