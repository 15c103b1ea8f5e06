-- Actuals of each budget version, and of what is in force, are the ledger's profit and loss by period, to the penny.
with

ledger as (

    select
        fiscal_year,
        fiscal_period,
        sum(reporting_natural_amount) as ledger_amount
    from {{ ref('int_gl_entries_converted') }}
    where
        polarity <> 0
        and fiscal_period is not null
        and reporting_natural_amount is not null
    group by all

),

reported as (

    select
        budget_version,
        is_in_force,
        fiscal_year,
        fiscal_period,
        sum(actual_amount) as actual_amount
    from {{ ref('rpt_budget_variance') }}
    group by all

),

versions as (

    select distinct
        fiscal_year,
        budget_version
    from reported

),

differences as (

    select
        versions.budget_version,
        ledger.fiscal_period,
        ledger.ledger_amount as difference
    from ledger
    inner join versions on ledger.fiscal_year = versions.fiscal_year

    union all

    select
        budget_version,
        fiscal_period,
        -actual_amount as difference
    from reported

    union all

    select
        'in force' as budget_version,
        fiscal_period,
        ledger_amount as difference
    from ledger

    union all

    select
        'in force' as budget_version,
        fiscal_period,
        -actual_amount as difference
    from reported
    where is_in_force

)

select
    budget_version,
    fiscal_period,
    sum(difference) as difference
from differences
group by
    budget_version,
    fiscal_period
having sum(difference) <> 0
