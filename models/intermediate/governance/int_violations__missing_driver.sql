-- One row per pool and closed fiscal period with cost and nobody who takes it.
with

pool_costs as (

    select * from {{ ref('int_allocation_pool_costs') }}

),

rules as (

    select * from {{ ref('allocation_rules') }}

),

drivers as (

    select * from {{ ref('int_allocation_drivers') }}

),

periods as (

    select * from {{ ref('dim_fiscal_period') }}
    where is_reporting_entity

),

driven_periods as (

    select distinct
        driver_id,
        fiscal_period
    from drivers
    where quantity > 0

),

final as (

    select
        'missing_driver' as rule_id,
        'error' as severity,
        'usage_drivers' as extract_name,
        'driver_id=' || coalesce(rules.driver_id, '') || ', fiscal_period=' || pool_costs.fiscal_period
        || ', pool_id=' || pool_costs.pool_id as record_key,
        cast(null as string) as source_file,
        cast(null as bigint) as source_row,
        cast(cast(sum(pool_costs.amount_units) as decimal(19, 0)) * 0.01 as decimal(38, 2)) as amount,
        'Pool ' || pool_costs.pool_id || ' has cost but no quantity of its driver '
        || coalesce(rules.driver_id, '(none)') || ', so it stays unallocated. Deliver the driver.' as message
    from pool_costs
    inner join rules on pool_costs.rule_id = rules.rule_id
    inner join periods
        on
            pool_costs.fiscal_period = periods.fiscal_period
            and periods.is_closed
    left join driven_periods
        on
            rules.driver_id = driven_periods.driver_id
            and pool_costs.fiscal_period = driven_periods.fiscal_period
    where
        rules.pool_type <> 'retained'
        and driven_periods.driver_id is null
    group by
        rules.driver_id,
        pool_costs.fiscal_period,
        pool_costs.pool_id

)

select * from final
