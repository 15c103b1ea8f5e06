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

policies as (

    select unclosed_report_days
    from {{ ref('forecast_policies') }}

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

ended_periods as (

    select
        fiscal_periods.*,
        cast(fiscal_periods.end_on + interval '1' day as timestamp) as ended_at,
        cast(fiscal_periods.end_on + policies.unclosed_report_days * interval '1' day as timestamp) as assumed_at,
        reporting_date.reporting_on
    from fiscal_periods
    cross join policies
    inner join reporting_date on fiscal_periods.end_on < reporting_date.reporting_on

),

-- History taken over later was as complete when it came as it ever was at the close.
known_periods as (

    select
        ended_periods.*,
        last_closes.last_closed_sequence,
        coalesce(first_knowledge.first_known_at > ended_periods.closed_at, false) as is_taken_over,
        coalesce(first_knowledge.first_known_at >= ended_periods.ended_at, false) as came_as_a_whole,
        greatest(
            coalesce(
                ended_periods.closed_at,
                case when first_knowledge.first_known_at >= ended_periods.ended_at then first_knowledge.first_known_at end,
                ended_periods.assumed_at
            ),
            coalesce(first_knowledge.first_known_at, cast(ended_periods.end_on as timestamp))
        ) as report_at
    from ended_periods
    left join first_knowledge
        on
            ended_periods.entity_id = first_knowledge.entity_id
            and ended_periods.fiscal_period = first_knowledge.fiscal_period
    left join last_closes on ended_periods.entity_id = last_closes.entity_id

),

-- Between its end and its close a period still gathers postings. Where none is closed they are taken to be in some days
-- after its end, or when they came, if they came as a whole after it.
reported_periods as (

    select *
    from known_periods
    where
        coalesce(
            period_sequence <= last_closed_sequence,
            came_as_a_whole or cast(assumed_at as date) <= reporting_on
        )

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
