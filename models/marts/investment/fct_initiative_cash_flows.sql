-- One row per initiative, version (each business case by its name, forecast, realised) and month with a flow.
with

case_flows as (

    select
        initiative_id,
        case_version,
        month_date,
        locked_at,
        is_baseline,
        is_current,
        build_cost_amount,
        run_cost_amount,
        benefit_amount
    from {{ ref('int_initiative_case_flows') }}

),

actual_costs as (

    select
        initiative_id,
        month_date,
        build_cost_amount,
        run_cost_amount
    from {{ ref('int_initiative_actual_costs') }}

),

benefits as (

    select
        initiative_id,
        month_date,
        cash_amount,
        time_released_amount,
        is_verified
    from {{ ref('fct_benefits') }}

),

policy as (

    select
        cutoff_month,
        benefit_cutoff_month
    from {{ ref('int_investment_policy') }}

),

progress as (

    select
        initiative_id,
        is_ready,
        complete_share,
        current_build_cost,
        current_last_month,
        cash_share,
        cost_factor,
        benefit_factor,
        remaining_first_month,
        remaining_build_months,
        expected_ready_month
    from {{ ref('int_initiative_progress') }}
    where status not in ('abandoned', 'rejected')

),

realised_benefits as (

    select
        benefits.initiative_id,
        benefits.month_date,
        sum(benefits.cash_amount) as benefit_amount,
        sum(case when benefits.is_verified then benefits.cash_amount end) as verified_benefit_amount,
        sum(benefits.time_released_amount) as time_released_amount
    from benefits
    cross join policy
    where benefits.month_date <= policy.benefit_cutoff_month
    group by benefits.initiative_id, benefits.month_date

),

realised as (

    select
        coalesce(actual_costs.initiative_id, realised_benefits.initiative_id) as initiative_id,
        coalesce(actual_costs.month_date, realised_benefits.month_date) as month_date,
        coalesce(actual_costs.build_cost_amount, 0) as build_cost_amount,
        coalesce(actual_costs.run_cost_amount, 0) as run_cost_amount,
        coalesce(realised_benefits.benefit_amount, 0) as benefit_amount,
        coalesce(realised_benefits.verified_benefit_amount, 0) as verified_benefit_amount,
        coalesce(realised_benefits.time_released_amount, 0) as time_released_amount
    from actual_costs
    full outer join realised_benefits
        on
            actual_costs.initiative_id = realised_benefits.initiative_id
            and actual_costs.month_date = realised_benefits.month_date

),

-- Work not accepted yet, at the cost its record and its reference class suggest, spread evenly.
outlook_builds as (

    select
        progress.initiative_id,
        cast({{ dbt.dateadd('month', 'steps.i', 'progress.remaining_first_month') }} as date) as month_date,
        {{ round_amount(
            '(1 - progress.complete_share) * progress.current_build_cost * progress.cost_factor'
            ~ ' / progress.remaining_build_months'
        ) }} as build_cost_amount
    from progress
    inner join range(0, 600) as steps (i)
        on progress.remaining_build_months > steps.i
    where not progress.is_ready

),

current_flows as (

    select
        initiative_id,
        month_date,
        run_cost_amount,
        benefit_amount
    from case_flows
    where is_current

),

-- The rest of the plan, moved by the slip and corrected by what was measured so far.
outlook_plans as (

    select
        current_flows.initiative_id,
        cast(
            {{ dbt.dateadd(
                'month',
                dbt.datediff('progress.current_last_month', 'progress.expected_ready_month', 'month'),
                'current_flows.month_date'
            ) }} as date
        ) as month_date,
        current_flows.run_cost_amount,
        current_flows.benefit_amount * progress.benefit_factor as benefit_amount,
        progress.cash_share
    from current_flows
    inner join progress
        on current_flows.initiative_id = progress.initiative_id
    where progress.current_last_month is not null

),

outlooks as (

    select
        outlook_plans.initiative_id,
        outlook_plans.month_date,
        0 as build_cost_amount,
        case when outlook_plans.month_date > policy.cutoff_month then outlook_plans.run_cost_amount else 0 end
            as run_cost_amount,
        {{ round_amount('outlook_plans.benefit_amount * outlook_plans.cash_share') }} as benefit_amount,
        {{ round_amount('outlook_plans.benefit_amount * (1 - outlook_plans.cash_share)') }}
            as time_released_amount
    from outlook_plans
    inner join policy
        on outlook_plans.month_date > policy.benefit_cutoff_month

    union all

    select
        initiative_id,
        month_date,
        build_cost_amount,
        0 as run_cost_amount,
        0 as benefit_amount,
        0 as time_released_amount
    from outlook_builds

),

forecasts as (

    select
        initiative_id,
        month_date,
        sum(build_cost_amount) as build_cost_amount,
        sum(run_cost_amount) as run_cost_amount,
        sum(benefit_amount) as benefit_amount,
        sum(verified_benefit_amount) as verified_benefit_amount,
        sum(time_released_amount) as time_released_amount
    from (
        select
            initiative_id,
            month_date,
            build_cost_amount,
            run_cost_amount,
            benefit_amount,
            verified_benefit_amount,
            time_released_amount
        from realised

        union all

        select
            initiative_id,
            month_date,
            build_cost_amount,
            run_cost_amount,
            benefit_amount,
            0 as verified_benefit_amount,
            time_released_amount
        from outlooks
    ) as realised_and_outlooks
    group by initiative_id, month_date

),

versions as (

    select
        initiative_id,
        case_version,
        case when is_baseline then 'baseline' when is_current then 'current' else 'earlier' end as version_role,
        month_date,
        build_cost_amount,
        run_cost_amount,
        benefit_amount,
        null as verified_benefit_amount,
        null as time_released_amount
    from case_flows

    union all

    select
        initiative_id,
        'realised' as case_version,
        'realised' as version_role,
        month_date,
        build_cost_amount,
        run_cost_amount,
        benefit_amount,
        verified_benefit_amount,
        time_released_amount
    from realised

    union all

    select
        initiative_id,
        'forecast' as case_version,
        'forecast' as version_role,
        month_date,
        build_cost_amount,
        run_cost_amount,
        benefit_amount,
        verified_benefit_amount,
        time_released_amount
    from forecasts

),

final as (

    select
        initiative_id,
        case_version,
        month_date,
        version_role,
        cast(build_cost_amount as decimal(18, 2)) as build_cost_amount,
        cast(run_cost_amount as decimal(18, 2)) as run_cost_amount,
        cast(build_cost_amount + run_cost_amount as decimal(18, 2)) as cost_amount,
        cast(benefit_amount as decimal(18, 2)) as benefit_amount,
        cast(verified_benefit_amount as decimal(18, 2)) as verified_benefit_amount,
        cast(time_released_amount as decimal(18, 2)) as time_released_amount,
        cast(benefit_amount - build_cost_amount - run_cost_amount as decimal(18, 2)) as net_amount
    from versions
    where build_cost_amount <> 0 or run_cost_amount <> 0 or benefit_amount <> 0 or time_released_amount <> 0

)

select * from final
