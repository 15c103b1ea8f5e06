-- One row per closed month in which people kept time whom its payroll does not pay.
with

labour_costs as (

    select * from {{ ref('fct_labour_costs') }}

),

periods as (

    select * from {{ ref('dim_fiscal_period') }}
    where
        is_reporting_entity
        and is_closed

),

closed_until as (

    select max(end_on) as end_on
    from periods

),

final as (

    select
        'work_without_pay' as rule_id,
        'warning' as severity,
        'payroll' as extract_name,
        'period_month=' || cast(labour_costs.period_month as string) as record_key,
        cast(null as string) as source_file,
        cast(null as bigint) as source_row,
        cast(null as decimal(38, 2)) as amount,
        cast(count(*) as string) || ' timesheet entries (' || cast(sum(labour_costs.hours) as string)
        || ' hours) are of people the month''s payroll does not pay, so they carry no cost. Deliver their payroll.'
            as message
    from labour_costs
    inner join closed_until on labour_costs.period_month <= closed_until.end_on
    where labour_costs.rate_reason = 'no_payroll'
    group by labour_costs.period_month

)

select * from final
