-- One row per entity and fiscal period, with its first and last day.
with

fiscal_calendars as (

    select
        entity_id,
        pattern,
        start_month,
        year_end_weekday,
        anchor_rule,
        week53_period,
        label_rule,
        first_fiscal_year,
        last_fiscal_year
    from {{ ref('fiscal_calendars') }}

),

-- Weeks of the first two periods of a quarter, read from the digits of 4-4-5, 4-5-4 or 5-4-4.
week_rules as (

    select
        entity_id,
        start_month,
        anchor_rule,
        label_rule,
        first_fiscal_year,
        last_fiscal_year,
        pattern = 'calendar_month' as is_calendar_month,
        case when pattern = 'calendar_month' then 4 else cast(substr(pattern, 1, 1) as integer) end as weeks_1,
        case when pattern = 'calendar_month' then 4 else cast(substr(pattern, 3, 1) as integer) end as weeks_2,
        coalesce(week53_period, 12) as week53_period,
        case year_end_weekday
            when 'monday' then 0
            when 'tuesday' then 1
            when 'wednesday' then 2
            when 'thursday' then 3
            when 'friday' then 4
            when 'saturday' then 5
            when 'sunday' then 6
        end as end_weekday
    from fiscal_calendars

),

-- The day after the last nominal month of each year; one year more at the front, as its end is the first one's start.
nominal_years as (

    select
        week_rules.entity_id,
        cast(week_rules.first_fiscal_year - 1 + years.year_number as integer) as fiscal_year,
        week_rules.is_calendar_month,
        week_rules.anchor_rule,
        week_rules.end_weekday,
        case
            when week_rules.label_rule = 'end' and week_rules.start_month > 1
                then
                    make_date(
                        cast(week_rules.first_fiscal_year - 1 + years.year_number as integer),
                        cast(week_rules.start_month as integer),
                        1
                    )
            else
                make_date(
                    cast(week_rules.first_fiscal_year + years.year_number as integer),
                    cast(week_rules.start_month as integer),
                    1
                )
        end as next_month_on
    from week_rules
    cross join range(0, 200) as years (year_number)
    where week_rules.first_fiscal_year - 1 + years.year_number <= week_rules.last_fiscal_year

),

-- Latest day a year may end on: its last nominal day, or three days later where the nearest weekday is sought.
latest_ends as (

    select
        entity_id,
        fiscal_year,
        is_calendar_month,
        end_weekday,
        cast(
            next_month_on
            + (case when not is_calendar_month and anchor_rule = 'nearest' then 2 else -1 end) * interval '1' day
            as date
        ) as latest_end_on
    from nominal_years

),

counted_ends as (

    select
        entity_id,
        fiscal_year,
        is_calendar_month,
        end_weekday,
        latest_end_on,
        {{ dbt.datediff("cast('2001-01-01' as date)", "latest_end_on", "day") }} as days_since_monday
    from latest_ends

),

-- 2001-01-01 was a Monday; 70000000 keeps the remainder positive before it.
year_ends as (

    select
        entity_id,
        fiscal_year,
        case
            when is_calendar_month then latest_end_on
            else
                cast(latest_end_on - ((days_since_monday - end_weekday + 70000000) % 7) * interval '1' day as date)
        end as year_end_on
    from counted_ends

),

fiscal_years as (

    select
        entity_id,
        fiscal_year,
        year_end_on,
        cast(
            lag(year_end_on) over (partition by entity_id order by fiscal_year) + interval '1' day as date
        ) as year_start_on
    from year_ends

),

measured_years as (

    select
        fiscal_years.entity_id,
        fiscal_years.fiscal_year,
        fiscal_years.year_start_on,
        fiscal_years.year_end_on,
        week_rules.is_calendar_month,
        week_rules.weeks_1,
        week_rules.weeks_2,
        week_rules.week53_period,
        {{ dbt.datediff("fiscal_years.year_start_on", "fiscal_years.year_end_on", "day") }} + 1 as days_in_year
    from fiscal_years
    inner join week_rules on fiscal_years.entity_id = week_rules.entity_id
    where fiscal_years.year_start_on is not null

),

periods as (

    select
        measured_years.entity_id,
        measured_years.fiscal_year,
        measured_years.year_start_on,
        measured_years.year_end_on,
        measured_years.is_calendar_month,
        measured_years.week53_period,
        not measured_years.is_calendar_month and measured_years.days_in_year = 371 as is_53_week_year,
        cast(numbers.number as integer) as period_number,
        case numbers.number % 3
            when 1 then measured_years.weeks_1
            when 2 then measured_years.weeks_2
            else 13 - measured_years.weeks_1 - measured_years.weeks_2
        end as standard_weeks
    from measured_years
    cross join range(1, 13) as numbers (number)

),

weeks as (

    select
        entity_id,
        fiscal_year,
        period_number,
        year_start_on,
        year_end_on,
        is_calendar_month,
        is_53_week_year,
        standard_weeks,
        sum(standard_weeks) over (partition by entity_id, fiscal_year order by period_number) as standard_end_week,
        case when is_53_week_year and period_number = week53_period then 1 else 0 end as extra_weeks,
        case when is_53_week_year and period_number >= week53_period then 1 else 0 end as extra_weeks_by_end
    from periods

),

-- Days counted from the first of the year; a comparative year of 53 weeks drops its first week.
day_offsets as (

    select
        entity_id,
        fiscal_year,
        period_number,
        year_start_on,
        year_end_on,
        is_calendar_month,
        is_53_week_year,
        case when not is_calendar_month then standard_weeks + extra_weeks end as weeks,
        7 * (standard_end_week + extra_weeks_by_end - standard_weeks - extra_weeks) as first_offset,
        7 * (standard_end_week + extra_weeks_by_end) - 1 as last_offset,
        7 * (standard_end_week - standard_weeks + case when is_53_week_year then 1 else 0 end) as comparable_first_offset,
        7 * (standard_end_week + case when is_53_week_year then 1 else 0 end) - 1 as comparable_last_offset
    from weeks

),

bounded as (

    select
        entity_id,
        fiscal_year,
        period_number,
        weeks,
        year_start_on,
        year_end_on,
        is_calendar_month,
        is_53_week_year,
        case
            when is_calendar_month then cast({{ dbt.dateadd("month", "period_number - 1", "year_start_on") }} as date)
            else cast(year_start_on + first_offset * interval '1' day as date)
        end as start_on,
        case
            when is_calendar_month
                then cast({{ dbt.dateadd("month", "period_number", "year_start_on") }} - interval '1' day as date)
            else cast(year_start_on + last_offset * interval '1' day as date)
        end as end_on,
        case
            when is_calendar_month then cast({{ dbt.dateadd("month", "period_number - 1", "year_start_on") }} as date)
            else cast(year_start_on + comparable_first_offset * interval '1' day as date)
        end as comparable_start_on,
        case
            when is_calendar_month
                then cast({{ dbt.dateadd("month", "period_number", "year_start_on") }} - interval '1' day as date)
            else cast(year_start_on + comparable_last_offset * interval '1' day as date)
        end as comparable_end_on
    from day_offsets

),

final as (

    select
        entity_id,
        cast(fiscal_year as string) || '-P' || lpad(cast(period_number as string), 2, '0') as fiscal_period,
        fiscal_year,
        cast(floor((period_number - 1) / 3) as integer) + 1 as fiscal_quarter,
        period_number,
        cast(row_number() over (partition by entity_id order by start_on) as integer) as period_sequence,
        cast({{ dbt.datediff("start_on", "end_on", "day") }} + 1 as integer) as days,
        cast(weeks as integer) as weeks,
        is_53_week_year,
        start_on,
        end_on,
        comparable_start_on,
        comparable_end_on,
        year_start_on,
        year_end_on
    from bounded

)

select * from final
