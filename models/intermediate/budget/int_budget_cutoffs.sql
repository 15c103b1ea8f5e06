-- One row per entity and fiscal period that is reported on, with the moment its report was drawn up.
with

fiscal_periods as (

    select * from {{ ref('dim_fiscal_period') }}

),

gl_entry_versions as (

    select *
    from {{ ref('int_gl_entry_versions') }}
    where account_type is not null

),

reporting_date as (

    select * from {{ ref('int_reporting_date') }}

),

last_closes as (

    select
        entity_id,
        max(period_sequence) as last_closed_sequence
    from fiscal_periods
    where is_closed
    group by entity_id

),

first_knowledge as (

    select
        entity_id,
        fiscal_period,
        min(known_at) as first_known_at
    from gl_entry_versions
    group by entity_id, fiscal_period

),

-- Between its end and its close a period still gathers postings. Whoever closes no periods reports on what has ended.
reported_periods as (

    select
        fiscal_periods.entity_id,
        fiscal_periods.fiscal_period,
        fiscal_periods.fiscal_year,
        fiscal_periods.period_number,
        fiscal_periods.period_sequence,
        fiscal_periods.start_on,
        fiscal_periods.end_on,
        fiscal_periods.year_start_on,
        fiscal_periods.year_end_on,
        fiscal_periods.is_closed,
        fiscal_periods.closed_at,
        coalesce(first_knowledge.first_known_at > fiscal_periods.closed_at, false) as is_taken_over,
        greatest(
            coalesce(fiscal_periods.closed_at, cast(fiscal_periods.end_on + interval '1' day as timestamp)),
            -- History taken over later was as complete when it came as it ever was at the close.
            coalesce(first_knowledge.first_known_at, cast(fiscal_periods.end_on as timestamp))
        ) as report_at
    from fiscal_periods
    left join first_knowledge
        on
            fiscal_periods.entity_id = first_knowledge.entity_id
            and fiscal_periods.fiscal_period = first_knowledge.fiscal_period
    left join last_closes on fiscal_periods.entity_id = last_closes.entity_id
    inner join reporting_date on fiscal_periods.end_on < reporting_date.reporting_on
    where coalesce(fiscal_periods.period_sequence <= last_closes.last_closed_sequence, true)

),

-- Reports follow each other: nothing known for one is unknown for the next.
running as (

    select
        *,
        max(report_at) over (partition by entity_id order by period_sequence) as known_until
    from reported_periods

),

final as (

    select
        entity_id,
        fiscal_period,
        fiscal_year,
        period_number,
        period_sequence,
        start_on,
        end_on,
        year_start_on,
        year_end_on,
        is_closed,
        closed_at,
        is_taken_over,
        report_at,
        known_until,
        lag(known_until) over (partition by entity_id order by period_sequence) as previous_known_until
    from running

)

select * from final
