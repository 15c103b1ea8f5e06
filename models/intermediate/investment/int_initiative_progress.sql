-- One row per initiative: where it stands against its cases, and how the outlook corrects the rest of the plan.
with

initiatives as (

    select
        initiative_id,
        initiative_type,
        status,
        planned_start_on,
        planned_end_on,
        started_on,
        ready_for_use_on
    from {{ ref('dim_initiative') }}

),

policy as (

    select
        reporting_on,
        cutoff_month,
        benefit_cutoff_month,
        credibility_months,
        reference_class_size
    from {{ ref('int_investment_policy') }}

),

case_flows as (

    select
        initiative_id,
        month_date,
        locked_at,
        is_baseline,
        is_current,
        build_cost_amount,
        benefit_amount
    from {{ ref('int_initiative_case_flows') }}

),

actual_costs as (

    select
        initiative_id,
        sum(build_cost_amount) as build_cost_amount,
        sum(abs(run_cost_amount)) > 0 as has_run_cost
    from {{ ref('int_initiative_actual_costs') }}
    group by initiative_id

),

earned_values as (

    select
        initiative_id,
        cast(earned_value_amount as double) / nullif(cast(budget_amount as double), 0) as complete_share
    from {{ ref('int_earned_value_positions') }}
    where is_baseline and is_reported
    qualify row_number() over (partition by initiative_id order by elapsed_months desc) = 1

),

benefits as (

    select
        benefits.initiative_id,
        count(distinct case when benefits.is_counted then benefits.month_date end) as measured_months,
        cast(sum(case when benefits.is_counted then benefits.credited_amount else 0 end) as double) as realised_amount,
        cast(
            sum(case when benefits.cashable_class in (1, 2) then benefits.reporting_planned_amount else 0 end) as double
        ) / nullif(cast(sum(benefits.reporting_planned_amount) as double), 0) as cash_share
    from {{ ref('fct_benefits') }} as benefits
    inner join policy
        on benefits.month_date <= policy.benefit_cutoff_month
    group by benefits.initiative_id

),

-- The plan ends building in the last month it budgets for it; benefits follow.
plans as (

    select
        initiative_id,
        min(case when is_baseline and build_cost_amount > 0 then month_date end) as baseline_first_month,
        max(case when is_baseline and build_cost_amount > 0 then month_date end) as baseline_last_month,
        min(case when is_current and build_cost_amount > 0 then month_date end) as current_first_month,
        max(case when is_current and build_cost_amount > 0 then month_date end) as current_last_month,
        cast(sum(case when is_baseline then build_cost_amount else 0 end) as double) as baseline_build_cost,
        cast(sum(case when is_baseline and locked_at is not null then build_cost_amount else 0 end) as double)
            as approved_build_cost,
        cast(sum(case when is_current then build_cost_amount else 0 end) as double) as current_build_cost
    from case_flows
    group by initiative_id

),

standings as (

    select
        initiatives.initiative_id,
        initiatives.initiative_type,
        initiatives.status,
        initiatives.planned_start_on,
        initiatives.planned_end_on,
        initiatives.started_on,
        initiatives.ready_for_use_on,
        policy.cutoff_month,
        policy.benefit_cutoff_month,
        policy.credibility_months,
        policy.reference_class_size,
        plans.baseline_last_month,
        plans.current_first_month,
        plans.current_last_month,
        plans.baseline_build_cost,
        plans.approved_build_cost,
        plans.current_build_cost,
        coalesce(initiatives.ready_for_use_on <= policy.reporting_on, false) as is_ready,
        case
            when actual_costs.has_run_cost then 'measured'
            when policy.cutoff_month > initiatives.ready_for_use_on then 'not_measured'
            else 'not_in_use'
        end as run_cost_status,
        coalesce(cast(actual_costs.build_cost_amount as double), 0) as actual_build_cost,
        coalesce(benefits.measured_months, 0) as measured_months,
        coalesce(benefits.realised_amount, 0) as realised_benefit,
        coalesce(benefits.cash_share, 1) as cash_share,
        -- Without milestones, money spent stands for work done, but never for all of it.
        case
            when initiatives.ready_for_use_on <= policy.reporting_on then 1
            else coalesce(
                    earned_values.complete_share,
                    least(coalesce(cast(actual_costs.build_cost_amount as double), 0) / nullif(plans.current_build_cost, 0), 0.8),
                    0
                )
        end as complete_share,
        {{ dbt.datediff('plans.baseline_last_month', 'initiatives.ready_for_use_on', 'month') }} as baseline_shift_months,
        {{ dbt.datediff('plans.current_last_month', 'initiatives.ready_for_use_on', 'month') }} as current_shift_months,
        {{ dbt.datediff('plans.current_first_month', 'plans.current_last_month', 'month') }} + 1 as current_build_months
    from initiatives
    cross join policy
    left join plans
        on initiatives.initiative_id = plans.initiative_id
    left join actual_costs
        on initiatives.initiative_id = actual_costs.initiative_id
    left join earned_values
        on initiatives.initiative_id = earned_values.initiative_id
    left join benefits
        on initiatives.initiative_id = benefits.initiative_id

),

-- What the plan promised for the same age: its benefits, begun when the initiative was really ready.
aged_plans as (

    select
        standings.initiative_id,
        cast(sum(
            case
                when
                    case_flows.is_baseline
                    and {{ dbt.dateadd('month', 'standings.baseline_shift_months', 'case_flows.month_date') }}
                    <= standings.benefit_cutoff_month
                    then case_flows.benefit_amount
            end
        ) as double) as baseline_benefit,
        cast(sum(
            case
                when
                    case_flows.is_current
                    and {{ dbt.dateadd('month', 'standings.current_shift_months', 'case_flows.month_date') }}
                    <= standings.benefit_cutoff_month
                    then case_flows.benefit_amount
            end
        ) as double) as current_benefit
    from standings
    inner join case_flows
        on standings.initiative_id = case_flows.initiative_id
    where standings.is_ready
    group by standings.initiative_id

),

-- Estimates against results, for finished initiatives only.
outcomes as (

    select
        standings.initiative_id,
        standings.initiative_type,
        standings.reference_class_size,
        standings.actual_build_cost / nullif(standings.baseline_build_cost, 0) as cost_ratio,
        {{ dbt.datediff('standings.started_on', 'standings.ready_for_use_on', 'day') }}
        / nullif(cast({{ dbt.datediff('standings.planned_start_on', 'standings.planned_end_on', 'day') }} as double), 0)
            as duration_ratio,
        case
            when standings.measured_months >= 6
                then standings.realised_benefit / nullif(aged_plans.baseline_benefit, 0)
        end as benefit_ratio
    from standings
    left join aged_plans
        on standings.initiative_id = aged_plans.initiative_id
    where standings.is_ready and standings.status = 'live'

),

-- Small classes lean on all initiatives together, and those on the plan being right.
overall_ratios as (

    select
        1 + (avg(cost_ratio) - 1) * least(count(cost_ratio) / cast(max(reference_class_size) as double), 1) as cost_ratio,
        1 + (avg(duration_ratio) - 1) * least(count(duration_ratio) / cast(max(reference_class_size) as double), 1)
            as duration_ratio,
        1 + (avg(benefit_ratio) - 1) * least(count(benefit_ratio) / cast(max(reference_class_size) as double), 1)
            as benefit_ratio
    from outcomes

),

class_ratios as (

    select
        initiative_type,
        count(*) as class_size,
        avg(cost_ratio) as cost_ratio,
        avg(duration_ratio) as duration_ratio,
        avg(benefit_ratio) as benefit_ratio,
        least(count(cost_ratio) / cast(max(reference_class_size) as double), 1) as cost_weight,
        least(count(duration_ratio) / cast(max(reference_class_size) as double), 1) as duration_weight,
        least(count(benefit_ratio) / cast(max(reference_class_size) as double), 1) as benefit_weight
    from outcomes
    group by initiative_type

),

experienced as (

    select
        standings.initiative_id,
        standings.initiative_type,
        standings.status,
        standings.planned_start_on,
        standings.planned_end_on,
        standings.started_on,
        standings.ready_for_use_on,
        standings.cutoff_month,
        standings.is_ready,
        standings.run_cost_status,
        standings.current_first_month,
        standings.current_build_months,
        standings.baseline_build_cost,
        standings.approved_build_cost,
        standings.current_build_cost,
        standings.actual_build_cost,
        standings.complete_share,
        standings.measured_months,
        standings.realised_benefit,
        standings.cash_share,
        standings.current_last_month,
        standings.measured_months / cast(standings.measured_months + standings.credibility_months as double)
            as benefit_credibility,
        outcomes.cost_ratio,
        outcomes.duration_ratio,
        outcomes.benefit_ratio,
        coalesce(class_ratios.class_size, 0) as class_size,
        coalesce(
            class_ratios.cost_weight * class_ratios.cost_ratio
            + (1 - class_ratios.cost_weight) * overall_ratios.cost_ratio,
            overall_ratios.cost_ratio,
            1
        ) as class_cost_ratio,
        coalesce(
            class_ratios.duration_weight * class_ratios.duration_ratio
            + (1 - class_ratios.duration_weight) * overall_ratios.duration_ratio,
            overall_ratios.duration_ratio,
            1
        ) as class_duration_ratio,
        coalesce(
            class_ratios.benefit_weight * class_ratios.benefit_ratio
            + (1 - class_ratios.benefit_weight) * overall_ratios.benefit_ratio,
            overall_ratios.benefit_ratio,
            1
        ) as class_benefit_ratio,
        standings.realised_benefit / nullif(aged_plans.current_benefit, 0) as own_benefit_ratio,
        standings.actual_build_cost / nullif(standings.complete_share * standings.current_build_cost, 0) as own_cost_ratio
    from standings
    cross join overall_ratios
    left join class_ratios
        on standings.initiative_type = class_ratios.initiative_type
    left join outcomes
        on standings.initiative_id = outcomes.initiative_id
    left join aged_plans
        on standings.initiative_id = aged_plans.initiative_id

),

-- Own record and reference class share the say: by work accepted for cost and time, by months measured for benefits.
factored as (

    select
        *,
        case
            when own_cost_ratio is null then class_cost_ratio
            else complete_share * own_cost_ratio + (1 - complete_share) * class_cost_ratio
        end as cost_factor,
        case
            when own_benefit_ratio is null then class_benefit_ratio
            else benefit_credibility * own_benefit_ratio + (1 - benefit_credibility) * class_benefit_ratio
        end as benefit_factor,
        cast(
            greatest(ceil((1 - complete_share) * current_build_months * class_duration_ratio - 1e-9), 1) as integer
        ) as remaining_build_months
    from experienced

),

scheduled as (

    select
        *,
        case
            when started_on is not null then cast({{ dbt.dateadd('month', 1, 'cutoff_month') }} as date)
            else greatest(current_first_month, cast({{ dbt.dateadd('month', 1, 'cutoff_month') }} as date))
        end as remaining_first_month
    from factored

),

final as (

    select
        initiative_id,
        initiative_type,
        status,
        is_ready,
        run_cost_status,
        complete_share,
        baseline_build_cost,
        current_build_cost,
        actual_build_cost,
        measured_months,
        realised_benefit,
        cash_share,
        case when is_ready and approved_build_cost > 0 then actual_build_cost / approved_build_cost - 1 end
            as cost_overrun_rate,
        case
            when not coalesce(approved_build_cost > 0, false) then 'no_approved_cost'
            when is_ready then null
            when status in ('abandoned', 'rejected') then 'stopped'
            else 'not_ready'
        end as cost_overrun_rate_reason,
        cost_ratio,
        duration_ratio,
        benefit_ratio,
        class_size,
        class_cost_ratio,
        class_duration_ratio,
        class_benefit_ratio,
        benefit_credibility,
        cost_factor,
        benefit_factor,
        remaining_first_month,
        remaining_build_months,
        case
            when is_ready then cast(date_trunc('month', ready_for_use_on) as date)
            else cast({{ dbt.dateadd('month', 'remaining_build_months - 1', 'remaining_first_month') }} as date)
        end as expected_ready_month,
        current_last_month
    from scheduled

)

select * from final
