-- One row per registered control and closed fiscal period of the reporting entity it is asked for in, whether it came or not.
with

control_registry as (

    select * from {{ ref('control_registry') }}

),

closed_periods as (

    select
        fiscal_period,
        fiscal_year,
        {{ period_month('end_on') }} as month_date
    from {{ ref('dim_fiscal_period') }}
    where
        is_reporting_entity
        and is_closed

),

final as (

    select
        control_registry.target_id,
        control_registry.item_type,
        control_registry.item_id,
        control_registry.expected_amount,
        closed_periods.fiscal_period,
        closed_periods.fiscal_year,
        closed_periods.month_date,
        closed_periods.month_date = max(closed_periods.month_date) over () as is_latest
    from control_registry
    inner join closed_periods
        on
            control_registry.valid_from <= closed_periods.month_date
            and (control_registry.valid_to >= closed_periods.month_date or control_registry.valid_to is null)

)

select * from final
