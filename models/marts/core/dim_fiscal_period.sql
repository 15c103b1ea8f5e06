-- One row per entity and fiscal period.
with

fiscal_periods as (

    select * from {{ ref('int_fiscal_periods') }}

),

fiscal_calendars as (

    select * from {{ ref('fiscal_calendars') }}

),

period_closes as (

    select * from {{ ref('stg_budget__period_closes') }}

),

final as (

    select
        fiscal_periods.entity_id,
        fiscal_periods.fiscal_period,
        fiscal_calendars.entity_name,
        period_closes.closed_by,
        fiscal_periods.fiscal_year,
        fiscal_periods.fiscal_quarter,
        fiscal_periods.period_number,
        fiscal_periods.period_sequence,
        fiscal_periods.days,
        fiscal_periods.weeks,
        fiscal_periods.is_53_week_year,
        fiscal_calendars.is_reporting as is_reporting_entity,
        period_closes.closed_at is not null as is_closed,
        fiscal_periods.start_on,
        fiscal_periods.end_on,
        fiscal_periods.year_start_on,
        fiscal_periods.year_end_on,
        period_closes.closed_at
    from fiscal_periods
    inner join fiscal_calendars on fiscal_periods.entity_id = fiscal_calendars.entity_id
    left join period_closes
        on
            fiscal_periods.entity_id = period_closes.entity_id
            and fiscal_periods.fiscal_period = period_closes.fiscal_period

)

select * from final
