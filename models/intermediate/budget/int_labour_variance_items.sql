-- One row per fiscal period, product and type of work, with planned, standard and actual hours and cost.
with

labour_standards as (

    select * from {{ ref('stg_budget__labour_standards') }}

),

labour_costs as (

    select * from {{ ref('fct_labour_costs') }}

),

fiscal_months as (

    select * from {{ ref('int_fiscal_months') }}

),

reporting_entity as (

    select max(entity_id) as entity_id
    from {{ ref('fiscal_calendars') }}
    where is_reporting

),

budget_rates as (

    select budget_rates.*
    from {{ ref('int_budget_rates') }} as budget_rates
    inner join reporting_entity on budget_rates.entity_id = reporting_entity.entity_id

),

standards as (

    select
        fiscal_months.month_date,
        fiscal_months.fiscal_year,
        fiscal_months.fiscal_period,
        labour_standards.product_id,
        labour_standards.activity_type,
        cast(labour_standards.budget_hours as double) as budget_hours,
        cast(labour_standards.standard_hours_per_unit as double)
        * cast(labour_standards.output_units as double) as standard_hours,
        cast(labour_standards.standard_rate as double) * cast(budget_rates.budget_rate as double) as standard_rate
    from labour_standards
    inner join fiscal_months on labour_standards.period_month = fiscal_months.month_date
    left join budget_rates
        on
            fiscal_months.fiscal_year = budget_rates.fiscal_year
            and labour_standards.currency = budget_rates.from_currency

),

-- Types of work without any standard in a month are outside the bridge.
planned_activities as (

    select distinct
        month_date,
        activity_type
    from standards

),

-- Pay is the average of a group of people, never one person's; hours without pay have no place in a cost bridge.
actuals as (

    select
        labour_costs.period_month as month_date,
        labour_costs.product_id,
        labour_costs.activity_type,
        cast(sum(labour_costs.hours) as double) as actual_hours,
        sum(labour_costs.payroll_amount) as actual_amount
    from labour_costs
    inner join planned_activities
        on
            labour_costs.period_month = planned_activities.month_date
            and labour_costs.activity_type = planned_activities.activity_type
    where
        labour_costs.line_type = 'timesheet'
        and labour_costs.is_productive
        and labour_costs.payroll_amount is not null
        and labour_costs.product_id is not null
    group by
        labour_costs.period_month,
        labour_costs.product_id,
        labour_costs.activity_type

),

joined as (

    select
        coalesce(standards.month_date, actuals.month_date) as month_date,
        coalesce(standards.product_id, actuals.product_id) as product_id,
        coalesce(standards.activity_type, actuals.activity_type) as activity_type,
        standards.product_id is not null as is_planned,
        coalesce(standards.budget_hours, 0) as budget_hours,
        coalesce(standards.standard_hours, 0) as standard_hours,
        standards.standard_rate,
        coalesce(actuals.actual_hours, 0) as actual_hours,
        coalesce(actuals.actual_amount, 0) as actual_amount
    from standards
    full outer join actuals
        on
            standards.month_date = actuals.month_date
            and standards.product_id = actuals.product_id
            and standards.activity_type = actuals.activity_type

),

final as (

    select
        'standard' as budget_version,
        fiscal_months.fiscal_year,
        fiscal_months.fiscal_period,
        joined.product_id,
        joined.activity_type,
        joined.is_planned,
        joined.budget_hours,
        joined.standard_hours,
        joined.actual_hours,
        joined.standard_rate,
        {{ round_amount(
            'cast(joined.budget_hours as decimal(19, 2)) * coalesce(joined.standard_rate, 0)'
        ) }} as budget_amount,
        cast(joined.actual_amount as decimal(18, 2)) as actual_amount
    from joined
    inner join fiscal_months on joined.month_date = fiscal_months.month_date

)

select * from final
