-- One row per finding that holds, or held until lately.
with

candidates as (

    select * from {{ ref('int_insight_candidates') }}

),

rules as (

    select * from {{ ref('insight_rules') }}

),

periods as (

    select {{ period_month('max(end_on)') }} as closed_month
    from {{ ref('dim_fiscal_period') }}
    where
        is_reporting_entity
        and is_closed

),

reporting_date as (

    select reporting_on
    from {{ ref('int_reporting_date') }}

),

finding_months as (

    select
        insight_id,
        month_date,
        max(since_on) as since_on,
        sum(driver_amount) as delta_amount
    from candidates
    group by insight_id, month_date

),

-- What holds in the last closed month is open; without a ledger, in the newest month of any finding.
newest as (

    select coalesce(max(periods.closed_month), max(candidates.month_date)) as newest_month
    from candidates
    cross join periods

),

marked as (

    select
        *,
        case
            when
                lag(month_date) over (partition by insight_id order by month_date)
                >= {{ dbt.dateadd('month', -1, 'month_date') }}
                then 0
            else 1
        end as starts_run
    from finding_months

),

runs as (

    select
        *,
        sum(starts_run) over (partition by insight_id order by month_date rows between unbounded preceding and current row) as run
    from marked

),

latest_months as (

    select
        insight_id,
        max(month_date) as last_month
    from runs
    group by insight_id

),

-- A finding that went away and came back is as old as its last unbroken run of months.
spans as (

    select
        insight_id,
        run,
        min(coalesce(since_on, month_date)) as first_seen_on,
        max(month_date) as last_month
    from runs
    group by insight_id, run

),

driver_texts as (

    select
        candidates.insight_id,
        candidates.driver,
        candidates.driver_amount,
        candidates.driver || ' ' || {{ amount_text('candidates.driver_amount', true) }} as driver_text,
        row_number() over (
            partition by candidates.insight_id order by abs(candidates.driver_amount) desc, candidates.driver asc
        ) as driver_rank,
        count(*) over (partition by candidates.insight_id) as drivers,
        sum(candidates.driver_amount) over (
            partition by candidates.insight_id
            order by abs(candidates.driver_amount) asc, candidates.driver desc
            rows between unbounded preceding and current row
        ) as remaining_amount
    from candidates
    inner join latest_months
        on
            candidates.insight_id = latest_months.insight_id
            and candidates.month_date = latest_months.last_month
    where candidates.driver_amount <> 0

),

-- Four parts fit a sentence: the three largest and the rest, or four.
summaries as (

    select
        insight_id,
        max(case when driver_rank = 1 then driver_text end)
        || coalesce('; ' || max(case when driver_rank = 2 then driver_text end), '')
        || coalesce('; ' || max(case when driver_rank = 3 then driver_text end), '')
        || coalesce(
            '; ' || max(
                case
                    when driver_rank = 4 and drivers = 4 then driver_text
                    when driver_rank = 4
                        then 'the rest ' || {{ amount_text('remaining_amount', true) }}
                end
            ),
            ''
        ) as driver_summary
    from driver_texts
    group by insight_id

),

facts as (

    select distinct
        candidates.insight_id,
        candidates.rule_id,
        candidates.scope_type,
        candidates.scope_id,
        candidates.product_id,
        candidates.month_date,
        candidates.period_start_on,
        candidates.period_end_on,
        candidates.metric,
        candidates.actual_amount,
        candidates.reference_amount,
        candidates.stake_amount,
        candidates.is_favourable,
        candidates.evidence_grade,
        candidates.is_causal,
        candidates.owner,
        candidates.statement,
        candidates.evidence_mart,
        candidates.evidence_filter
    from candidates
    inner join latest_months
        on
            candidates.insight_id = latest_months.insight_id
            and candidates.month_date = latest_months.last_month

),

described as (

    select
        facts.*,
        rules.rule_name,
        rules.topic,
        rules.threshold_amount,
        coalesce(facts.owner, rules.owner) as suggested_owner,
        rules.action as suggested_action,
        finding_months.delta_amount,
        summaries.driver_summary,
        spans.first_seen_on,
        facts.month_date >= newest.newest_month as is_open,
        row_number() over (partition by facts.rule_id order by facts.stake_amount desc, facts.insight_id asc) as rule_rank
    from facts
    inner join rules on facts.rule_id = rules.rule_id
    inner join newest
        on facts.month_date >= {{ dbt.dateadd('month', '-rules.listed_months', 'newest.newest_month') }}
    inner join finding_months
        on
            facts.insight_id = finding_months.insight_id
            and facts.month_date = finding_months.month_date
    inner join spans
        on
            facts.insight_id = spans.insight_id
            and facts.month_date = spans.last_month
    inner join summaries on facts.insight_id = summaries.insight_id

),

-- The second finding of a rule counts a quarter, the third a ninth, so that the top shows more than one kind.
ranked as (

    select
        *,
        row_number() over (
            order by cast(stake_amount as double) / (rule_rank * rule_rank) desc, insight_id asc
        ) as insight_rank
    from described

),

final as (

    select
        ranked.insight_id,
        cast(ranked.insight_rank as integer) as insight_rank,
        ranked.rule_id,
        ranked.rule_name,
        ranked.topic,
        ranked.scope_type,
        ranked.scope_id,
        ranked.product_id,
        ranked.metric,
        ranked.period_start_on,
        ranked.period_end_on,
        ranked.statement,
        ranked.driver_summary,
        ranked.actual_amount,
        ranked.reference_amount,
        cast(ranked.delta_amount as decimal(18, 2)) as delta_amount,
        ranked.stake_amount,
        cast(ranked.threshold_amount as decimal(18, 2)) as threshold_amount,
        ranked.is_favourable,
        ranked.evidence_grade,
        ranked.is_causal,
        ranked.evidence_mart,
        'select * from ' || ranked.evidence_mart || ' where ' || ranked.evidence_filter as evidence_query,
        ranked.suggested_owner,
        ranked.suggested_action,
        ranked.first_seen_on,
        ranked.month_date as last_seen_month,
        cast(
            1 + greatest(
                12 * (extract(year from ranked.month_date) - extract(year from ranked.first_seen_on))
                + extract(month from ranked.month_date) - extract(month from ranked.first_seen_on),
                0
            ) as integer
        ) as age_months,
        ranked.is_open,
        reporting_date.reporting_on as known_at
    from ranked
    cross join reporting_date

)

select * from final
