-- One row per allocation driver, fiscal period and consumer.
with

usage_drivers as (

    select * from {{ ref('stg_cost__usage_drivers') }}

),

labour_costs as (

    select * from {{ ref('fct_labour_costs') }}

),

cost_entries as (

    select * from {{ ref('fct_cost_entries') }}

),

support_tickets as (

    select * from {{ ref('stg_product__support_tickets') }}

),

labour_capacity as (

    select * from {{ ref('int_labour_capacity') }}

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

extract_drivers as (

    select
        usage_drivers.driver_id,
        fiscal_months.fiscal_period,
        usage_drivers.consumer_id,
        sum(usage_drivers.quantity) as quantity
    from usage_drivers
    inner join fiscal_months on usage_drivers.period_month = fiscal_months.month_date
    group by
        usage_drivers.driver_id,
        fiscal_months.fiscal_period,
        usage_drivers.consumer_id

),

product_hours as (

    select
        'labour_hours:' || labour_costs.cost_center_id as driver_id,
        dates.fiscal_period,
        labour_costs.product_id as consumer_id,
        sum(labour_costs.hours) as quantity
    from labour_costs
    inner join dates on labour_costs.work_date = dates.date_day
    where
        labour_costs.line_type = 'timesheet'
        and labour_costs.is_productive
        and labour_costs.product_id is not null
        and labour_costs.cost_center_id is not null
    group by
        labour_costs.cost_center_id,
        dates.fiscal_period,
        labour_costs.product_id

),

ticket_hours as (

    select
        'ticket_hours' as driver_id,
        dates.fiscal_period,
        support_tickets.product_id as consumer_id,
        sum(support_tickets.handling_hours) as quantity
    from support_tickets
    inner join dates on cast(support_tickets.opened_at as date) = dates.date_day
    where support_tickets.product_id is not null
    group by
        dates.fiscal_period,
        support_tickets.product_id

),

people as (

    select
        'people' as driver_id,
        fiscal_months.fiscal_period,
        labour_capacity.cost_center_id as consumer_id,
        sum(labour_capacity.people_count) as quantity
    from labour_capacity
    inner join fiscal_months on labour_capacity.period_month = fiscal_months.month_date
    group by
        fiscal_months.fiscal_period,
        labour_capacity.cost_center_id

),

direct_costs as (

    select
        case when detail_source = 'cloud' then 'direct_cloud_cost' else 'direct_other_cost' end as driver_id,
        reporting_fiscal_period as fiscal_period,
        product_id as consumer_id,
        sum(reporting_amount) as quantity
    from cost_entries
    where product_id is not null
    group by
        case when detail_source = 'cloud' then 'direct_cloud_cost' else 'direct_other_cost' end,
        reporting_fiscal_period,
        product_id

),

revenues as (

    select
        'revenue' as driver_id,
        dates.fiscal_period,
        gl_entries.product_id as consumer_id,
        sum(gl_entries.reporting_natural_amount) as quantity
    from gl_entries
    inner join dates on gl_entries.posted_on = dates.date_day
    where
        gl_entries.polarity = 1
        and gl_entries.product_id is not null
    group by
        dates.fiscal_period,
        gl_entries.product_id

),

all_drivers as (

    select * from extract_drivers

    union all

    select * from product_hours

    union all

    select * from ticket_hours

    union all

    select * from people

    union all

    select * from direct_costs

    union all

    select * from revenues

),

final as (

    select
        driver_id,
        fiscal_period,
        consumer_id,
        cast(quantity as decimal(28, 6)) as quantity
    from all_drivers

)

select * from final
