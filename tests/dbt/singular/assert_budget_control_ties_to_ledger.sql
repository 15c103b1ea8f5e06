-- Per entity and period, budget control holds the expense of the ledger since the year began and the whole budget in force.
with

control as (

    select
        entity_id,
        fiscal_year,
        fiscal_period,
        period_number,
        max(budget_version) as budget_version,
        sum(budget_amount) as budget_amount,
        sum(actual_ytd_amount) as actual_ytd_amount
    from {{ ref('rpt_budget_control') }}
    group by all

),

ledger as (

    select
        entity_id,
        fiscal_year,
        cast(substr(fiscal_period, 7) as integer) as period_number,
        sum(reporting_natural_amount) as ledger_amount
    from {{ ref('int_gl_entries_converted') }}
    where
        polarity = -1
        and fiscal_period is not null
    group by all

),

ledger_to_date as (

    select
        control.entity_id,
        control.fiscal_period,
        sum(ledger.ledger_amount) as ledger_amount
    from control
    inner join ledger
        on
            control.entity_id = ledger.entity_id
            and control.fiscal_year = ledger.fiscal_year
            and control.period_number >= ledger.period_number
    group by all

),

budgets as (

    select
        entity_id,
        fiscal_year,
        budget_version,
        sum(reporting_budget_amount) as budget_amount
    from {{ ref('fct_budget_lines') }}
    where polarity = -1
    group by all

)

select
    control.entity_id,
    control.fiscal_period,
    control.budget_version,
    control.budget_amount,
    budgets.budget_amount as planned_amount,
    control.actual_ytd_amount,
    ledger_to_date.ledger_amount
from control
left join ledger_to_date
    on
        control.entity_id = ledger_to_date.entity_id
        and control.fiscal_period = ledger_to_date.fiscal_period
left join budgets
    on
        control.entity_id = budgets.entity_id
        and control.fiscal_year = budgets.fiscal_year
        and control.budget_version = budgets.budget_version
where
    control.actual_ytd_amount <> coalesce(ledger_to_date.ledger_amount, 0)
    or control.budget_amount <> coalesce(budgets.budget_amount, 0)
