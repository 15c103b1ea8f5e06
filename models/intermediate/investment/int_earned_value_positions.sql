-- One row per initiative, locked case version and month of its plan or work: cumulative planned, earned and actual cost.
with

case_flows as (

    select
        initiative_id,
        case_version,
        month_date,
        locked_at,
        is_baseline,
        is_current,
        build_cost_amount
    from {{ ref('int_initiative_case_flows') }}
    where locked_at is not null and build_cost_amount > 0

),

actual_costs as (

    select
        initiative_id,
        month_date,
        build_cost_amount
    from {{ ref('int_initiative_actual_costs') }}

),

milestones as (

    select
        initiative_id,
        planned_on,
        accepted_on,
        cast(budget_weight as double)
        / nullif(cast(sum(budget_weight) over (partition by initiative_id) as double), 0) as budget_share,
        lag(planned_on) over (partition by initiative_id order by planned_on, milestone_id) as previous_planned_on,
        lag(accepted_on) over (partition by initiative_id order by planned_on, milestone_id) as previous_accepted_on,
        row_number() over (partition by initiative_id order by planned_on, milestone_id) as place
    from {{ ref('stg_product__milestones') }}

),

initiatives as (

    select
        initiative_id,
        status,
        planned_start_on,
        started_on,
        ready_for_use_on
    from {{ ref('dim_initiative') }}

),

policy as (

    select
        reporting_on,
        cutoff_month,
        cast(milestone_start_share as double) as milestone_start_share
    from {{ ref('int_investment_policy') }}

),

versions as (

    select
        initiative_id,
        case_version,
        max(locked_at) as locked_at,
        bool_or(is_baseline) as is_baseline,
        bool_or(is_current) as is_current,
        min(month_date) as first_month,
        cast({{ dbt.dateadd('month', 1, 'max(month_date)') }} as date) as end_on,
        cast(sum(build_cost_amount) as double) as budget_amount
    from case_flows
    group by initiative_id, case_version

),

baselines as (

    select
        initiative_id,
        first_month,
        end_on
    from versions
    where is_baseline

),

-- Work on a milestone starts when the one before is due, and really when it is accepted.
milestone_events as (

    select
        milestones.initiative_id,
        milestones.budget_share * policy.milestone_start_share as budget_share,
        case when milestones.place = 1 then initiatives.planned_start_on else milestones.previous_planned_on end
            as planned_on,
        least(
            case when milestones.place = 1 then initiatives.started_on else milestones.previous_accepted_on end,
            milestones.accepted_on
        ) as earned_on
    from milestones
    cross join policy
    inner join initiatives
        on milestones.initiative_id = initiatives.initiative_id

    union all

    select
        milestones.initiative_id,
        milestones.budget_share * (1 - policy.milestone_start_share) as budget_share,
        milestones.planned_on,
        milestones.accepted_on as earned_on
    from milestones
    cross join policy

),

-- A later version stretches the plan over its own months, in proportion.
planned_events as (

    select
        versions.initiative_id,
        versions.case_version,
        milestone_events.budget_share,
        milestone_events.earned_on,
        cast(
            {{ dbt.dateadd(
                'day',
                "cast(floor("
                ~ dbt.datediff('baselines.first_month', 'milestone_events.planned_on', 'day')
                ~ " * cast(" ~ dbt.datediff('versions.first_month', 'versions.end_on', 'day') ~ " as double) / "
                ~ dbt.datediff('baselines.first_month', 'baselines.end_on', 'day')
                ~ ") as integer)",
                'versions.first_month'
            ) }} as date
        ) as planned_on
    from versions
    inner join milestone_events
        on versions.initiative_id = milestone_events.initiative_id
    inner join baselines
        on versions.initiative_id = baselines.initiative_id

),

last_costs as (

    select
        initiative_id,
        max(month_date) as last_month
    from actual_costs
    where build_cost_amount <> 0
    group by initiative_id

),

-- From the first planned month to the end of plan or work, whichever is later.
calendars as (

    select
        versions.initiative_id,
        versions.case_version,
        versions.locked_at,
        versions.is_baseline,
        versions.is_current,
        versions.budget_amount,
        steps.i + 1 as elapsed_months,
        cast({{ dbt.dateadd('month', 'steps.i', 'versions.first_month') }} as date) as month_date,
        cast({{ dbt.dateadd('month', 'steps.i + 1', 'versions.first_month') }} as date) as next_month,
        versions.end_on
    from versions
    cross join policy
    inner join initiatives
        on versions.initiative_id = initiatives.initiative_id
    left join last_costs
        on versions.initiative_id = last_costs.initiative_id
    inner join range(0, 600) as steps (i)
        on
            {{ dbt.dateadd('month', 'steps.i', 'versions.first_month') }}
            < greatest(
                versions.end_on,
                case
                    when initiatives.status = 'in_progress' then policy.reporting_on
                    else coalesce(initiatives.ready_for_use_on, last_costs.last_month, versions.end_on)
                end
            )

),

planned_values as (

    select
        calendars.initiative_id,
        calendars.case_version,
        calendars.month_date,
        sum(case when planned_events.planned_on < calendars.next_month then planned_events.budget_share else 0 end)
            as planned_share,
        sum(case when planned_events.earned_on < calendars.next_month then planned_events.budget_share else 0 end)
            as earned_share
    from calendars
    inner join planned_events
        on
            calendars.initiative_id = planned_events.initiative_id
            and calendars.case_version = planned_events.case_version
    group by calendars.initiative_id, calendars.case_version, calendars.month_date

),

actual_values as (

    select
        calendars.initiative_id,
        calendars.case_version,
        calendars.month_date,
        sum(actual_costs.build_cost_amount) as actual_cost_amount
    from calendars
    inner join actual_costs
        on
            calendars.initiative_id = actual_costs.initiative_id
            and calendars.month_date >= actual_costs.month_date
    group by calendars.initiative_id, calendars.case_version, calendars.month_date

),

-- What the newest case known at the time says is still to spend; a case that only repeats the baseline is no estimate.
re_estimates as (

    select
        calendars.initiative_id,
        calendars.case_version,
        calendars.month_date,
        newer.case_version as newer_version,
        sum(case when case_flows.month_date > calendars.month_date then case_flows.build_cost_amount else 0 end)
            as remaining_cost_amount,
        row_number() over (
            partition by calendars.initiative_id, calendars.case_version, calendars.month_date
            order by newer.locked_at desc, newer.case_version desc
        ) as place
    from calendars
    inner join versions as newer
        on
            calendars.initiative_id = newer.initiative_id
            and calendars.next_month > cast(newer.locked_at as date)
            and not newer.is_baseline
    inner join case_flows
        on
            newer.initiative_id = case_flows.initiative_id
            and newer.case_version = case_flows.case_version
    group by
        calendars.initiative_id,
        calendars.case_version,
        calendars.month_date,
        newer.case_version,
        newer.locked_at

),

final as (

    select
        calendars.initiative_id,
        calendars.case_version,
        calendars.month_date,
        calendars.is_baseline,
        calendars.is_current,
        calendars.elapsed_months,
        calendars.month_date <= policy.cutoff_month as is_reported,
        cast(calendars.budget_amount as decimal(18, 2)) as budget_amount,
        {{ round_amount('calendars.budget_amount * planned_values.planned_share') }} as planned_value_amount,
        case
            when calendars.month_date <= policy.cutoff_month
                then {{ round_amount('calendars.budget_amount * planned_values.earned_share') }}
        end as earned_value_amount,
        case
            when calendars.month_date <= policy.cutoff_month
                then cast(coalesce(actual_values.actual_cost_amount, 0) as decimal(18, 2))
        end as actual_cost_amount,
        cast(re_estimates.remaining_cost_amount as decimal(18, 2)) as remaining_cost_amount
    from calendars
    cross join policy
    inner join planned_values
        on
            calendars.initiative_id = planned_values.initiative_id
            and calendars.case_version = planned_values.case_version
            and calendars.month_date = planned_values.month_date
    left join actual_values
        on
            calendars.initiative_id = actual_values.initiative_id
            and calendars.case_version = actual_values.case_version
            and calendars.month_date = actual_values.month_date
    left join re_estimates
        on
            calendars.initiative_id = re_estimates.initiative_id
            and calendars.case_version = re_estimates.case_version
            and calendars.month_date = re_estimates.month_date
            and re_estimates.place = 1

)

select * from final
