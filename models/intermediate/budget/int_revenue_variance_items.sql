-- One row per budget version, fiscal period, product, plan and segment, with planned and actual units and revenue.
with

revenue_budgets as (

    select * from {{ ref('stg_budget__revenue_budgets') }}

),

revenue as (

    select * from {{ ref('fct_revenue') }}

),

service_periods as (

    select
        invoice_id,
        line_number,
        fiscal_period,
        period_sequence,
        recognised_amount,
        cast(service_days as double) / ({{ dbt.datediff('start_on', 'end_on', 'day') }} + 1) as service_share
    from {{ ref('int_revenue_line_periods') }}
    where
        charge_type = 'recurring'
        and not is_credit

),

subscription_terms as (

    select * from {{ ref('int_subscription_terms') }}

),

customers as (

    select * from {{ ref('dim_customer') }}

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

reporting_date as (

    select * from {{ ref('int_reporting_date') }}

),

month_periods as (

    select
        month_date,
        fiscal_year,
        fiscal_period,
        cast(month_date + interval '1' month as date) as next_month_date
    from fiscal_months

),

planned as (

    select
        revenue_budgets.budget_version,
        month_periods.fiscal_year,
        month_periods.fiscal_period,
        revenue_budgets.product_id,
        revenue_budgets.plan_id,
        revenue_budgets.segment,
        sum(revenue_budgets.quantity) as budget_quantity,
        sum(
            {{ round_amount(
                'cast(revenue_budgets.quantity as double) * cast(revenue_budgets.unit_price as double)'
                ~ ' * cast(budget_rates.budget_rate as double)'
            ) }}
        ) as budget_amount
    from revenue_budgets
    inner join month_periods on revenue_budgets.period_month = month_periods.month_date
    left join budget_rates
        on
            month_periods.fiscal_year = budget_rates.fiscal_year
            and revenue_budgets.currency = budget_rates.from_currency
    group by all

),

versions as (

    select distinct
        fiscal_year,
        budget_version
    from planned

),

planned_years as (

    select distinct fiscal_year
    from versions

),

-- Seats of a month, by the days they were under contract.
actual_quantities as (

    select
        month_periods.fiscal_period,
        subscription_terms.product_id,
        subscription_terms.plan_id,
        customers.segment,
        sum(
            cast(subscription_terms.quantity as double)
            * {{ dbt.datediff(
                "greatest(subscription_terms.valid_from, month_periods.month_date)",
                "least(subscription_terms.ended_on, month_periods.next_month_date)",
                "day"
            ) }}
            / {{ dbt.datediff("month_periods.month_date", "month_periods.next_month_date", "day") }}
        ) as actual_quantity
    from subscription_terms
    inner join month_periods
        on
            subscription_terms.valid_from < month_periods.next_month_date
            and subscription_terms.ended_on > month_periods.month_date
    inner join planned_years on month_periods.fiscal_year = planned_years.fiscal_year
    left join customers on subscription_terms.customer_id = customers.customer_id
    group by
        month_periods.fiscal_period,
        subscription_terms.product_id,
        subscription_terms.plan_id,
        customers.segment

),

-- Revenue is earned by the day, budgets and prices are by the period: what a line has earned so far, less what it would
-- have earned were all periods of its service alike.
calendar_to_date as (

    select
        invoice_id,
        line_number,
        fiscal_period,
        period_sequence,
        sum(recognised_amount) over service_so_far
        - {{ round_amount(
            'cast(sum(recognised_amount) over whole_service as double) * sum(service_share) over service_so_far'
            ~ ' / nullif(sum(service_share) over whole_service, 0)'
        ) }} as calendar_to_date_amount
    from service_periods
    window
        whole_service as (partition by invoice_id, line_number),
        service_so_far as (partition by invoice_id, line_number order by period_sequence)

),

calendar_effects as (

    select
        invoice_id,
        line_number,
        fiscal_period,
        calendar_to_date_amount
        - coalesce(
            lag(calendar_to_date_amount) over (partition by invoice_id, line_number order by period_sequence), 0
        ) as calendar_amount
    from calendar_to_date

),

actual_revenue as (

    select
        revenue.fiscal_period,
        revenue.product_id,
        revenue.plan_id,
        customers.segment,
        sum(revenue.reporting_amount) as actual_amount,
        sum(
            {{ convert_amount('revenue.recognised_amount', 'budget_rates.budget_rate') }}
        ) as actual_at_budget_rate_amount,
        sum(
            {{ convert_amount('coalesce(calendar_effects.calendar_amount, 0)', 'budget_rates.budget_rate') }}
        ) as calendar_amount
    from revenue
    left join calendar_effects
        on
            revenue.invoice_id = calendar_effects.invoice_id
            and revenue.line_number = calendar_effects.line_number
            and revenue.fiscal_period = calendar_effects.fiscal_period
    inner join month_periods on revenue.month_date = month_periods.month_date
    left join customers on revenue.customer_id = customers.customer_id
    left join budget_rates
        on
            month_periods.fiscal_year = budget_rates.fiscal_year
            and revenue.currency = budget_rates.from_currency
    where
        revenue.charge_type = 'recurring'
        and not revenue.is_scheduled
    group by
        revenue.fiscal_period,
        revenue.product_id,
        revenue.plan_id,
        customers.segment

),

actual as (

    select
        versions.budget_version,
        versions.fiscal_year,
        actual_revenue.fiscal_period,
        actual_revenue.product_id,
        actual_revenue.plan_id,
        coalesce(actual_revenue.segment, 'unknown') as segment,
        coalesce(actual_quantities.actual_quantity, 0) as actual_quantity,
        actual_revenue.actual_amount,
        actual_revenue.actual_at_budget_rate_amount,
        actual_revenue.calendar_amount
    from actual_revenue
    inner join month_periods on actual_revenue.fiscal_period = month_periods.fiscal_period
    inner join versions on month_periods.fiscal_year = versions.fiscal_year
    left join actual_quantities
        on
            actual_revenue.fiscal_period = actual_quantities.fiscal_period
            and actual_revenue.product_id = actual_quantities.product_id
            and actual_revenue.plan_id is not distinct from actual_quantities.plan_id
            and actual_revenue.segment is not distinct from actual_quantities.segment

),

begun_periods as (

    select distinct fiscal_periods.fiscal_period
    from {{ ref('int_fiscal_periods') }} as fiscal_periods
    inner join reporting_entity on fiscal_periods.entity_id = reporting_entity.entity_id
    inner join reporting_date on fiscal_periods.start_on <= reporting_date.reporting_on

),

final as (

    select
        coalesce(planned.budget_version, actual.budget_version) as budget_version,
        coalesce(planned.fiscal_year, actual.fiscal_year) as fiscal_year,
        coalesce(planned.fiscal_period, actual.fiscal_period) as fiscal_period,
        coalesce(planned.product_id, actual.product_id) as product_id,
        coalesce(planned.plan_id, actual.plan_id) as plan_id,
        coalesce(planned.segment, actual.segment) as segment,
        cast(coalesce(planned.budget_quantity, 0) as double) as budget_quantity,
        cast(coalesce(actual.actual_quantity, 0) as double) as actual_quantity,
        cast(coalesce(planned.budget_amount, 0) as decimal(18, 2)) as budget_amount,
        cast(coalesce(actual.actual_amount, 0) as decimal(18, 2)) as actual_amount,
        cast(coalesce(actual.actual_at_budget_rate_amount, 0) as decimal(18, 2)) as actual_at_budget_rate_amount,
        cast(coalesce(actual.calendar_amount, 0) as decimal(18, 2)) as calendar_amount
    from planned
    full outer join actual
        on
            planned.budget_version = actual.budget_version
            and planned.fiscal_period = actual.fiscal_period
            and planned.product_id = actual.product_id
            and planned.plan_id is not distinct from actual.plan_id
            and planned.segment = actual.segment
    inner join begun_periods
        on begun_periods.fiscal_period = coalesce(planned.fiscal_period, actual.fiscal_period)

)

select * from final
