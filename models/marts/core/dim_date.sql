-- One row per calendar date, with the fiscal attributes of the reporting entity (fiscal_calendars.is_reporting).
with

fiscal_dates as (

    select * from {{ ref('int_fiscal_dates') }}

),

fiscal_calendars as (

    select * from {{ ref('fiscal_calendars') }}

),

final as (

    select
        fiscal_dates.calendar_date as date_day,
        cast(date_trunc('month', fiscal_dates.calendar_date) as date) as month_date,
        cast(date_trunc('quarter', fiscal_dates.calendar_date) as date) as quarter_date,
        cast(extract(year from fiscal_dates.calendar_date) as integer) as calendar_year,
        fiscal_dates.fiscal_year,
        fiscal_dates.fiscal_quarter,
        fiscal_dates.period_number,
        fiscal_dates.week_number,
        fiscal_dates.fiscal_period,
        fiscal_dates.comparable_fiscal_period,
        {{ dbt.datediff("cast('2001-01-01' as date)", "fiscal_dates.calendar_date", "day") }} % 7 >= 5 as is_weekend,
        fiscal_dates.calendar_date = fiscal_dates.period_end_on as is_period_end
    from fiscal_dates
    inner join fiscal_calendars on fiscal_dates.entity_id = fiscal_calendars.entity_id
    where fiscal_calendars.is_reporting

)

select * from final
