-- One row per budget version, fiscal period, cost center, account and product.
with

budget_lines as (

    select * from {{ ref('fct_budget_lines') }}

),

actuals as (

    select * from {{ ref('int_budget_actuals') }}

),

fiscal_periods as (

    select * from {{ ref('dim_fiscal_period') }}

),

accounts as (

    select * from {{ ref('chart_of_accounts') }}

),

materiality_rules as (

    select * from {{ ref('materiality_rules') }}

),

explanations as (

    select * from {{ ref('stg_budget__variance_explanations') }}

),

reporting_date as (

    select * from {{ ref('int_reporting_date') }}

),

budgets as (

    select
        budget_version,
        version_type,
        entity_id,
        fiscal_year,
        fiscal_period,
        cost_center_id,
        account_id,
        product_id,
        sum(reporting_budget_amount) as budget_amount
    from budget_lines
    where
        polarity <> 0
        and fiscal_year is not null
    group by all

),

versions as (

    select distinct
        fiscal_year,
        budget_version,
        version_type
    from budgets

),

actual_years as (

    select distinct
        entity_id,
        fiscal_year,
        cost_center_id,
        account_id,
        product_id
    from actuals

),

-- Spending is set against every version of its year, or against none where nothing was budgeted.
line_years as (

    select distinct
        budget_version,
        version_type,
        entity_id,
        fiscal_year,
        cost_center_id,
        account_id,
        product_id
    from budgets

    union

    select
        coalesce(versions.budget_version, 'none') as budget_version,
        coalesce(versions.version_type, 'none') as version_type,
        actual_years.entity_id,
        actual_years.fiscal_year,
        actual_years.cost_center_id,
        actual_years.account_id,
        actual_years.product_id
    from actual_years
    left join versions on actual_years.fiscal_year = versions.fiscal_year

),

lines as (

    select
        line_years.budget_version,
        line_years.version_type,
        line_years.entity_id,
        line_years.fiscal_year,
        line_years.cost_center_id,
        line_years.account_id,
        line_years.product_id,
        accounts.account_type,
        accounts.polarity,
        fiscal_periods.fiscal_period,
        fiscal_periods.fiscal_quarter,
        fiscal_periods.period_number,
        cast(fiscal_periods.fiscal_year - 1 as string)
        || substr(fiscal_periods.fiscal_period, 5) as prior_fiscal_period,
        fiscal_periods.is_closed,
        fiscal_periods.closed_at,
        -- A period that has not begun has a budget but nothing to compare it with.
        coalesce(
            fiscal_periods.is_closed or fiscal_periods.start_on <= reporting_date.reporting_on, false
        ) as has_begun,
        reporting_date.reporting_on
    from line_years
    inner join accounts on line_years.account_id = accounts.account_id
    inner join fiscal_periods
        on
            line_years.entity_id = fiscal_periods.entity_id
            and line_years.fiscal_year = fiscal_periods.fiscal_year
    cross join reporting_date

),

reported_actuals as (

    select
        entity_id,
        fiscal_period,
        cost_center_id,
        account_id,
        product_id,
        sum(actual_amount) as actual_amount
    from actuals
    group by all

),

comparable_actuals as (

    select
        entity_id,
        comparable_fiscal_period as fiscal_period,
        cost_center_id,
        account_id,
        product_id,
        sum(actual_amount) as actual_amount
    from actuals
    group by all

),

measured as (

    select
        lines.*,
        coalesce(budgets.budget_amount, 0) as budget_amount,
        coalesce(reported.actual_amount, case when lines.has_begun then 0 end) as actual_amount,
        coalesce(prior_year.actual_amount, 0) as prior_year_amount,
        coalesce(comparable.actual_amount, 0) as prior_year_comparable_amount
    from lines
    left join budgets
        on
            lines.budget_version = budgets.budget_version
            and lines.fiscal_period = budgets.fiscal_period
            and lines.entity_id = budgets.entity_id
            and lines.cost_center_id is not distinct from budgets.cost_center_id
            and lines.account_id = budgets.account_id
            and lines.product_id is not distinct from budgets.product_id
    left join reported_actuals as reported
        on
            lines.fiscal_period = reported.fiscal_period
            and lines.entity_id = reported.entity_id
            and lines.cost_center_id is not distinct from reported.cost_center_id
            and lines.account_id = reported.account_id
            and lines.product_id is not distinct from reported.product_id
    left join reported_actuals as prior_year
        on
            lines.prior_fiscal_period = prior_year.fiscal_period
            and lines.entity_id = prior_year.entity_id
            and lines.cost_center_id is not distinct from prior_year.cost_center_id
            and lines.account_id = prior_year.account_id
            and lines.product_id is not distinct from prior_year.product_id
    left join comparable_actuals as comparable
        on
            lines.prior_fiscal_period = comparable.fiscal_period
            and lines.entity_id = comparable.entity_id
            and lines.cost_center_id is not distinct from comparable.cost_center_id
            and lines.account_id = comparable.account_id
            and lines.product_id is not distinct from comparable.product_id

),

cumulated as (

    select
        *,
        actual_amount - budget_amount as variance_amount,
        sum(actual_amount) over quarter_to_date as actual_qtd_amount,
        sum(budget_amount) over quarter_to_date as budget_qtd_amount,
        sum(actual_amount) over year_to_date as actual_ytd_amount,
        sum(budget_amount) over year_to_date as budget_ytd_amount,
        sum(prior_year_amount) over year_to_date as prior_year_ytd_amount,
        sum(budget_amount) over (
            partition by budget_version, entity_id, fiscal_year, cost_center_id, account_id, product_id
        ) as budget_full_year_amount
    from measured
    window
        quarter_to_date as (
            partition by
                budget_version, entity_id, fiscal_year, cost_center_id, account_id, product_id, fiscal_quarter
            order by period_number
        ),
        year_to_date as (
            partition by budget_version, entity_id, fiscal_year, cost_center_id, account_id, product_id
            order by period_number
        )

),

judged as (

    select
        cumulated.*,
        materiality_rules.sla_days,
        case
            when cumulated.variance_amount is null then null
            when
                abs(cumulated.variance_amount) >= materiality_rules.override_amount
                then 'override_amount'
            when
                abs(cumulated.variance_amount) >= materiality_rules.threshold_amount
                and abs(cumulated.variance_amount)
                >= materiality_rules.threshold_rate
                * greatest(abs(cumulated.budget_amount), materiality_rules.rate_floor_amount)
                then 'amount_and_rate'
            when cumulated.actual_amount * cumulated.budget_amount < 0 then 'sign_flip'
        end as materiality_reason
    from cumulated
    left join materiality_rules on cumulated.account_type = materiality_rules.account_type

),

explained as (

    select
        judged.*,
        explanations.explanation,
        explanations.action,
        explanations.action_owner,
        explanations.explained_at,
        explanations.action_due_on,
        explanations.action_done_on,
        case
            when judged.materiality_reason is not null
                then cast(judged.closed_at + judged.sla_days * interval '1' day as date)
        end as explanation_due_on
    from judged
    left join explanations
        on
            judged.fiscal_period = explanations.fiscal_period
            and judged.cost_center_id is not distinct from explanations.cost_center_id
            and judged.account_id = explanations.account_id
            and judged.product_id is not distinct from explanations.product_id

),

final as (

    select
        budget_version,
        fiscal_period,
        cost_center_id,
        account_id,
        product_id,
        entity_id,
        version_type,
        account_type,
        fiscal_year,
        fiscal_quarter,
        period_number,
        polarity,
        cast(actual_amount as decimal(18, 2)) as actual_amount,
        cast(budget_amount as decimal(18, 2)) as budget_amount,
        cast(variance_amount as decimal(18, 2)) as variance_amount,
        cast(variance_amount * polarity as decimal(18, 2)) as variance_favourable_amount,
        case
            when budget_amount > 0 then cast(variance_amount as double) / cast(budget_amount as double)
        end as variance_rate,
        case
            when variance_amount is null then 'period_not_begun'
            when budget_amount = 0 then 'no_budget'
            when budget_amount < 0 then 'negative_budget'
        end as variance_rate_reason,
        cast(prior_year_amount as decimal(18, 2)) as prior_year_amount,
        cast(prior_year_comparable_amount as decimal(18, 2)) as prior_year_comparable_amount,
        cast(actual_qtd_amount as decimal(18, 2)) as actual_qtd_amount,
        cast(budget_qtd_amount as decimal(18, 2)) as budget_qtd_amount,
        cast(actual_ytd_amount as decimal(18, 2)) as actual_ytd_amount,
        cast(budget_ytd_amount as decimal(18, 2)) as budget_ytd_amount,
        cast(prior_year_ytd_amount as decimal(18, 2)) as prior_year_ytd_amount,
        cast(budget_full_year_amount as decimal(18, 2)) as budget_full_year_amount,
        is_closed,
        materiality_reason is not null as is_material,
        materiality_reason,
        explanation,
        action,
        action_owner,
        explained_at,
        explanation_due_on,
        coalesce(
            explanation_due_on < coalesce(cast(explained_at as date), reporting_on), false
        ) as is_explanation_overdue,
        action_due_on,
        action_done_on,
        coalesce(action_due_on < coalesce(action_done_on, reporting_on), false) as is_action_overdue
    from explained

)

select * from final
