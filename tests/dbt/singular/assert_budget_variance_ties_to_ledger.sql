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

versions as (

    select distinct
        fiscal_year,
        budget_version
    from {{ ref('rpt_budget_variance') }}

),

reported as (

    select
        budget_version,
        fiscal_period,
        sum(actual_amount) as actual_amount
    from {{ ref('rpt_budget_variance') }}
    group by all

),

in_force as (

    select
        fiscal_period,
        sum(actual_amount) as actual_amount
    from {{ ref('rpt_budget_variance') }}
    where is_in_force
    group by fiscal_period

)

select
    ledger.fiscal_period,
    versions.budget_version,
    ledger.ledger_amount,
    reported.actual_amount,
    in_force.actual_amount as in_force_amount
from ledger
left join versions on ledger.fiscal_year = versions.fiscal_year
left join reported
    on
        versions.budget_version = reported.budget_version
        and ledger.fiscal_period = reported.fiscal_period
left join in_force on ledger.fiscal_period = in_force.fiscal_period
where
    ledger.ledger_amount <> coalesce(reported.actual_amount, 0)
    or ledger.ledger_amount <> coalesce(in_force.actual_amount, 0)
