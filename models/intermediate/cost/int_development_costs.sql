-- One row per initiative, fiscal period, entity, kind of cost and the reason it is expensed, if it is.
with

labour_costs as (

    select * from {{ ref('fct_labour_costs') }}

),

cost_entries as (

    select * from {{ ref('fct_cost_entries') }}

),

initiatives as (

    select * from {{ ref('dim_initiative') }}

),

fiscal_months as (

    select * from {{ ref('int_fiscal_months') }}

),

regimes as (

    select * from {{ ref('capitalisation_regimes') }}

),

decisions as (

    select * from {{ ref('capitalisation_decisions') }}

),

capitalisation_accounts as (

    select * from {{ ref('capitalisation_accounts') }}

),

policies as (

    select payroll_accounts_hold_tools_and_space
    from {{ ref('cost_policies') }}

),

-- Work counts in the fiscal period of its month, as the ledger's payroll does.
people_costs as (

    select
        labour_costs.initiative_id,
        fiscal_months.fiscal_period,
        labour_costs.entity_id,
        'people' as cost_type,
        labour_costs.work_date as cost_date,
        labour_costs.is_capitalisable_activity as is_eligible,
        'activity_not_eligible' as not_eligible_reason,
        labour_costs.hours,
        case
            when policies.payroll_accounts_hold_tools_and_space then labour_costs.fully_loaded_amount
            else labour_costs.payroll_amount
        end as cash_amount,
        labour_costs.fully_loaded_amount,
        labour_costs.capitalisable_amount,
        cast(round(
            cast(labour_costs.hours as decimal(19, 2)) * labour_costs.tools_rate, 2
        ) as decimal(18, 2)) as tools_amount
    from labour_costs
    cross join policies
    inner join fiscal_months on labour_costs.period_month = fiscal_months.month_date
    where
        labour_costs.line_type = 'timesheet'
        and labour_costs.initiative_id is not null

),

other_costs as (

    select
        cost_entries.initiative_id,
        cost_entries.reporting_fiscal_period as fiscal_period,
        cost_entries.entity_id,
        case when cost_entries.detail_source = 'cloud' then 'cloud' else 'vendor' end as cost_type,
        cost_entries.posted_on as cost_date,
        capitalisation_accounts.account_id is not null as is_eligible,
        'account_not_eligible' as not_eligible_reason,
        cast(0 as decimal(18, 2)) as hours,
        cost_entries.reporting_amount as cash_amount,
        cost_entries.reporting_amount as fully_loaded_amount,
        cost_entries.reporting_amount as capitalisable_amount,
        cast(0 as decimal(18, 2)) as tools_amount
    from cost_entries
    left join capitalisation_accounts
        on
            cost_entries.account_id = capitalisation_accounts.account_id
            and capitalisation_accounts.role = 'eligible_external_cost'
    where
        cost_entries.initiative_id is not null
        and cost_entries.is_cash_cost
        and cost_entries.entry_type in ('ledger', 'cloud')

),

all_costs as (

    select * from people_costs

    union all

    select * from other_costs

),

decision_spans as (

    select
        initiative_id,
        is_capitalisable,
        valid_from,
        lead(valid_from) over (partition by initiative_id order by valid_from) as next_from
    from decisions

),

-- All conditions must hold on the day; without a decision the cost is expensed, and never taken back later.
judged as (

    select
        all_costs.*,
        regimes.regime,
        case
            when regimes.regime is null then 'no_regime'
            when not all_costs.is_eligible then all_costs.not_eligible_reason
            when coalesce(initiatives.approved_on > all_costs.cost_date, true) then 'not_authorised'
            when decision_spans.initiative_id is null then 'no_decision'
            when not decision_spans.is_capitalisable then 'decided_against'
            when initiatives.ready_for_use_on <= all_costs.cost_date then 'ready_for_use'
        end as expense_reason,
        case when regimes.admits_tools then all_costs.tools_amount else 0 end as admitted_tools_amount
    from all_costs
    left join initiatives on all_costs.initiative_id = initiatives.initiative_id
    left join regimes
        on
            all_costs.entity_id = regimes.entity_id
            and all_costs.cost_date >= regimes.valid_from
            and (all_costs.cost_date <= regimes.valid_to or regimes.valid_to is null)
    left join decision_spans
        on
            all_costs.initiative_id = decision_spans.initiative_id
            and all_costs.cost_date >= decision_spans.valid_from
            and (all_costs.cost_date < decision_spans.next_from or decision_spans.next_from is null)

),

final as (

    select
        initiative_id,
        fiscal_period,
        entity_id,
        cost_type,
        regime,
        expense_reason,
        sum(hours) as hours,
        cast(sum(cash_amount) as decimal(18, 2)) as cash_amount,
        cast(sum(fully_loaded_amount) as decimal(18, 2)) as fully_loaded_amount,
        cast(sum(
            case when expense_reason is null then capitalisable_amount + admitted_tools_amount else 0 end
        ) as decimal(18, 2)) as capitalised_amount
    from judged
    group by
        initiative_id,
        fiscal_period,
        entity_id,
        cost_type,
        regime,
        expense_reason

)

select * from final
