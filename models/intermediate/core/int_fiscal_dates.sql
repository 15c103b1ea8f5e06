-- One row per entity and calendar date, with the fiscal year, quarter, period and week it belongs to.
with

fiscal_periods as (

    select * from {{ ref('int_fiscal_periods') }}

),

dated as (

    select
        fiscal_periods.entity_id,
        fiscal_periods.fiscal_period,
        fiscal_periods.fiscal_year,
        fiscal_periods.fiscal_quarter,
        fiscal_periods.period_number,
        fiscal_periods.is_53_week_year,
        fiscal_periods.start_on,
        fiscal_periods.end_on,
        fiscal_periods.year_start_on,
        fiscal_periods.year_end_on,
        cast(fiscal_periods.start_on + days.day_number * interval '1' day as date) as calendar_date
    from fiscal_periods
    cross join range(0, 42) as days (day_number)
    where days.day_number < fiscal_periods.days

),

final as (

    select
        dated.entity_id,
        dated.calendar_date,
        dated.fiscal_year,
        dated.fiscal_quarter,
        dated.period_number,
        cast(
            floor({{ dbt.datediff("dated.year_start_on", "dated.calendar_date", "day") }} / 7) + 1 as integer
        ) as week_number,
        dated.fiscal_period,
        comparables.fiscal_period as comparable_fiscal_period,
        dated.is_53_week_year,
        dated.start_on as period_start_on,
        dated.end_on as period_end_on,
        dated.year_start_on,
        dated.year_end_on
    from dated
    left join fiscal_periods as comparables
        on
            dated.entity_id = comparables.entity_id
            and dated.fiscal_year = comparables.fiscal_year
            and dated.calendar_date between comparables.comparable_start_on and comparables.comparable_end_on

)

select * from final
