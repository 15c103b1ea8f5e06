-- Actuals of each budget version, and of what is in force, are the ledger's profit and loss by period, to the penny; so is
-- the year before.
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

-- Of periods that the entity has a year later.
ledger_before as (

    select
        fiscal_periods.fiscal_year,
        fiscal_periods.fiscal_period,
        sum(entries.reporting_natural_amount) as ledger_amount
    from {{ ref('int_gl_entries_converted') }} as entries
    inner join {{ ref('dim_fiscal_period') }} as fiscal_periods
        on
            entries.entity_id = fiscal_periods.entity_id
            and entries.fiscal_year + 1 = fiscal_periods.fiscal_year
            and substr(entries.fiscal_period, 5) = substr(fiscal_periods.fiscal_period, 5)
    where
        entries.polarity <> 0
        and entries.reporting_natural_amount is not null
    group by all

),

reported as (

    select
        budget_version,
        is_in_force,
        fiscal_year,
        fiscal_period,
        sum(actual_amount) as actual_amount,
        sum(prior_year_amount) as prior_year_amount
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

    union all

    select
        'year before ' || versions.budget_version as budget_version,
        ledger_before.fiscal_period,
        ledger_before.ledger_amount as difference
    from ledger_before
    inner join versions on ledger_before.fiscal_year = versions.fiscal_year

    union all

    select
        'year before ' || budget_version as budget_version,
        fiscal_period,
        -prior_year_amount as difference
    from reported

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
