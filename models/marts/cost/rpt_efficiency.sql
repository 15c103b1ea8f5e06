-- One row per metric, product, activity and fiscal period.
with

initiatives as (

    select * from {{ ref('dim_initiative') }}

),

milestones as (

    select * from {{ ref('stg_product__milestones') }}

),

development_costs as (

    select * from {{ ref('int_development_costs') }}

),

plans as (

    select * from {{ ref('rpt_development_cost') }}

),

labour_costs as (

    select * from {{ ref('fct_labour_costs') }}

),

policies as (

    select automated_poster
    from {{ ref('cost_policies') }}

),

labour_standards as (

    select * from {{ ref('stg_budget__labour_standards') }}

),

support_tickets as (

    select * from {{ ref('stg_product__support_tickets') }}

),

product_costs as (

    select * from {{ ref('rpt_product_cost') }}

),

products as (

    select * from {{ ref('dim_product') }}

),

gl_entries as (

    select * from {{ ref('int_gl_entries_converted') }}

),

dates as (

    select * from {{ ref('dim_date') }}

),

fiscal_months as (

    select * from {{ ref('int_fiscal_months') }}

),

periods as (

    select * from {{ ref('dim_fiscal_period') }}
    where is_reporting_entity

),

finished as (

    select
        coalesce(initiatives.product_id, 'company') as product_id,
        dates.fiscal_period,
        sum({{ dbt.datediff("initiatives.started_on", "initiatives.ready_for_use_on", "day") }}) as cycle_days,
        sum({{ dbt.datediff("initiatives.planned_end_on", "initiatives.ready_for_use_on", "day") }}) as slip_days,
        count(*) as initiative_count
    from initiatives
    inner join dates on initiatives.ready_for_use_on = dates.date_day
    where initiatives.started_on is not null
    group by
        coalesce(initiatives.product_id, 'company'),
        dates.fiscal_period

),

spent as (

    select
        coalesce(initiatives.product_id, 'company') as product_id,
        development_costs.fiscal_period,
        sum(development_costs.fully_loaded_amount) as spent_amount
    from development_costs
    inner join initiatives on development_costs.initiative_id = initiatives.initiative_id
    group by
        coalesce(initiatives.product_id, 'company'),
        development_costs.fiscal_period

),

-- Scope is worth the part of the approved cost that its milestone carries, once accepted.
accepted as (

    select
        coalesce(plans.product_id, 'company') as product_id,
        dates.fiscal_period,
        sum(cast(milestones.budget_weight as decimal(19, 6)) * plans.planned_amount) as accepted_amount
    from milestones
    inner join plans on milestones.initiative_id = plans.initiative_id
    inner join dates on milestones.accepted_on = dates.date_day
    group by
        coalesce(plans.product_id, 'company'),
        dates.fiscal_period

),

-- A period counts for what was spent in it, for what was accepted in it, or for both.
scope_flows as (

    select
        product_id,
        fiscal_period,
        spent_amount,
        null as accepted_amount
    from spent

    union all

    select
        product_id,
        fiscal_period,
        null as spent_amount,
        accepted_amount
    from accepted

),

-- Money is spent before scope is accepted: four quarters of both even that out.
scope_periods as (

    select
        scope_flows.product_id,
        periods.fiscal_period,
        sum(scope_flows.spent_amount) as spent_amount,
        sum(scope_flows.accepted_amount) as accepted_amount
    from periods
    inner join periods as window_periods
        on
            window_periods.period_sequence between periods.period_sequence - 11 and periods.period_sequence
    inner join scope_flows on window_periods.fiscal_period = scope_flows.fiscal_period
    where periods.is_closed
    group by
        scope_flows.product_id,
        periods.fiscal_period

),

tickets as (

    select
        products.product_id,
        dates.fiscal_period,
        count(*) as ticket_count,
        sum(support_tickets.handling_hours) as handling_hours
    from support_tickets
    inner join products on support_tickets.product_id = products.product_id
    inner join dates on cast(support_tickets.opened_at as date) = dates.date_day
    where support_tickets.resolved_at is not null
    group by
        products.product_id,
        dates.fiscal_period

),

support_costs as (

    select
        product_id,
        fiscal_period,
        sum(pnl_amount) as support_amount
    from product_costs
    where
        cost_class = 'support'
        and product_id <> 'unallocated'
    group by
        product_id,
        fiscal_period

),

standards as (

    select
        labour_standards.product_id,
        labour_standards.activity_type,
        fiscal_months.fiscal_period,
        sum(labour_standards.output_units) as output_units
    from labour_standards
    inner join fiscal_months on labour_standards.period_month = fiscal_months.month_date
    group by
        labour_standards.product_id,
        labour_standards.activity_type,
        fiscal_months.fiscal_period

),

worked as (

    select
        labour_costs.product_id,
        labour_costs.activity_type,
        fiscal_months.fiscal_period,
        sum(labour_costs.hours) as hours,
        sum(labour_costs.fully_loaded_amount) as labour_amount
    from labour_costs
    inner join fiscal_months on labour_costs.period_month = fiscal_months.month_date
    where
        labour_costs.line_type = 'timesheet'
        and labour_costs.product_id is not null
    group by
        labour_costs.product_id,
        labour_costs.activity_type,
        fiscal_months.fiscal_period

),

postings as (

    select
        'company' as product_id,
        dates.fiscal_period,
        count(distinct gl_entries.journal_id) as journal_count,
        count(
            distinct case when gl_entries.posted_by like policies.automated_poster then gl_entries.journal_id end
        ) as automated_count
    from gl_entries
    cross join policies
    inner join dates on gl_entries.posted_on = dates.date_day
    group by dates.fiscal_period

),

metrics as (

    select
        'cycle_time' as metric_id,
        product_id,
        null as activity_type,
        fiscal_period,
        'days per initiative' as unit,
        'lower' as better_direction,
        cast(cycle_days as double) as numerator,
        cast(initiative_count as double) as denominator
    from finished

    union all

    select
        'schedule_slip' as metric_id,
        product_id,
        null as activity_type,
        fiscal_period,
        'days per initiative' as unit,
        'lower' as better_direction,
        cast(slip_days as double) as numerator,
        cast(initiative_count as double) as denominator
    from finished

    union all

    select
        'cost_per_accepted_scope' as metric_id,
        product_id,
        null as activity_type,
        fiscal_period,
        'cost per unit of approved cost, last 12 periods' as unit,
        'lower' as better_direction,
        cast(spent_amount as double) as numerator,
        cast(coalesce(accepted_amount, 0) as double) as denominator
    from scope_periods

    union all

    select
        'handling_hours_per_ticket' as metric_id,
        product_id,
        null as activity_type,
        fiscal_period,
        'hours per ticket' as unit,
        'lower' as better_direction,
        cast(handling_hours as double) as numerator,
        cast(ticket_count as double) as denominator
    from tickets

    union all

    select
        'support_cost_per_ticket' as metric_id,
        coalesce(support_costs.product_id, tickets.product_id) as product_id,
        null as activity_type,
        coalesce(support_costs.fiscal_period, tickets.fiscal_period) as fiscal_period,
        'reporting currency per ticket' as unit,
        'lower' as better_direction,
        cast(support_costs.support_amount as double) as numerator,
        cast(coalesce(tickets.ticket_count, 0) as double) as denominator
    from support_costs
    full outer join tickets
        on
            support_costs.product_id = tickets.product_id
            and support_costs.fiscal_period = tickets.fiscal_period

    union all

    select
        'hours_per_output' as metric_id,
        standards.product_id,
        standards.activity_type,
        standards.fiscal_period,
        'hours per unit of output' as unit,
        'lower' as better_direction,
        cast(worked.hours as double) as numerator,
        cast(standards.output_units as double) as denominator
    from standards
    left join worked
        on
            standards.product_id = worked.product_id
            and standards.activity_type = worked.activity_type
            and standards.fiscal_period = worked.fiscal_period

    union all

    select
        'cost_per_output' as metric_id,
        standards.product_id,
        standards.activity_type,
        standards.fiscal_period,
        'reporting currency per unit of output' as unit,
        'lower' as better_direction,
        cast(worked.labour_amount as double) as numerator,
        cast(standards.output_units as double) as denominator
    from standards
    left join worked
        on
            standards.product_id = worked.product_id
            and standards.activity_type = worked.activity_type
            and standards.fiscal_period = worked.fiscal_period

    union all

    select
        'automation_share' as metric_id,
        product_id,
        null as activity_type,
        fiscal_period,
        'part of journals posted by a system' as unit,
        'higher' as better_direction,
        cast(automated_count as double) as numerator,
        cast(journal_count as double) as denominator
    from postings

),

final as (

    select
        metrics.metric_id,
        metrics.product_id,
        metrics.activity_type,
        metrics.fiscal_period,
        periods.is_closed,
        metrics.unit,
        metrics.better_direction,
        metrics.numerator,
        metrics.denominator,
        case when metrics.denominator > 0 then metrics.numerator / metrics.denominator end as metric_value,
        case
            when metrics.numerator is null and metrics.activity_type is not null then 'no_work'
            when metrics.numerator is null then 'no_cost'
            when not coalesce(metrics.denominator > 0, false) then 'no_output'
        end as metric_value_reason
    from metrics
    left join periods on metrics.fiscal_period = periods.fiscal_period

)

select * from final
