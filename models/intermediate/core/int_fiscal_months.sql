-- One row per calendar month: the fiscal period and year of the reporting entity that hold its middle.
with

calendar_dates as (

    select
        date_day,
        month_date,
        fiscal_year,
        fiscal_period
    from {{ ref('dim_date') }}

),

final as (

    select
        month_date,
        fiscal_year,
        fiscal_period
    from calendar_dates
    where extract(day from date_day) = 15

)

select * from final
