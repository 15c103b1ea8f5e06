-- One row per initiative with an approved case.
with

initiatives as (

    select
        initiative_id,
        initiative_name,
        initiative_type,
        product_id,
        objective_id,
        status,
        owner,
        approved_on,
        planned_end_on,
        ready_for_use_on
    from {{ ref('dim_initiative') }}

),

policy as (

    select
        reporting_on,
        benefit_cutoff_month,
        first_review_months,
        last_review_months
    from {{ ref('int_investment_policy') }}

),

progress as (

    select
        initiative_id,
        is_ready,
        run_cost_status,
        actual_build_cost,
        cost_overrun_rate,
        cost_overrun_rate_reason,
        benefit_ratio,
        class_size,
        class_cost_ratio,
        class_duration_ratio,
        class_benefit_ratio
    from {{ ref('int_initiative_progress') }}

),

bridges as (

    select
        initiative_id,
        slip_months,
        approved_npv_amount,
        build_cost_effect_amount,
        run_cost_effect_amount,
        cost_effect_amount,
        timing_effect_amount,
        benefit_volume_effect_amount,
        benefit_value_effect_amount,
        discount_rate_effect_amount,
        forecast_npv_amount
    from {{ ref('int_npv_bridges_split') }}

),

cash_flows as (

    select
        initiative_id,
        case_version,
        version_role,
        month_date,
        build_cost_amount,
        benefit_amount,
        time_released_amount
    from {{ ref('fct_initiative_cash_flows') }}

),

approved_versions as (

    select distinct
        initiative_id,
        case_version,
        locked_at
    from {{ ref('int_initiative_case_flows') }}
    where is_baseline and locked_at is not null

),

benefits as (

    select
        initiative_id,
        month_date,
        is_counted,
        confirmed_at
    from {{ ref('fct_benefits') }}

),

promises as (

    select
        approved_versions.initiative_id,
        approved_versions.case_version,
        approved_versions.locked_at,
        sum(cash_flows.build_cost_amount) as build_cost_amount,
        sum(cash_flows.benefit_amount) as benefit_amount,
        sum(case when cash_flows.month_date <= policy.benefit_cutoff_month then cash_flows.benefit_amount else 0 end)
            as benefit_to_date_amount,
        max(case when cash_flows.benefit_amount <> 0 then cash_flows.month_date end) as last_benefit_month
    from approved_versions
    cross join policy
    inner join cash_flows
        on
            approved_versions.initiative_id = cash_flows.initiative_id
            and approved_versions.case_version = cash_flows.case_version
    group by approved_versions.initiative_id, approved_versions.case_version, approved_versions.locked_at

),

outcomes as (

    select
        initiative_id,
        sum(case when version_role = 'forecast' then build_cost_amount else 0 end) as forecast_build_cost_amount,
        sum(case when version_role = 'forecast' then benefit_amount else 0 end) as forecast_benefit_amount,
        sum(case when version_role = 'realised' then benefit_amount else 0 end) as realised_benefit_amount,
        sum(case when version_role = 'realised' then coalesce(time_released_amount, 0) else 0 end)
            as time_released_amount
    from cash_flows
    group by initiative_id

),

-- Finance confirming the benefit of a month in the review window is the review.
reviews as (

    select
        benefits.initiative_id,
        cast(min(benefits.confirmed_at) as date) as reviewed_on
    from benefits
    cross join policy
    inner join initiatives
        on benefits.initiative_id = initiatives.initiative_id
    where
        benefits.is_counted
        and benefits.month_date
        >= {{ dbt.dateadd('month', 'policy.first_review_months', "date_trunc('month', initiatives.ready_for_use_on)") }}
    group by benefits.initiative_id

),

joined as (

    select
        initiatives.initiative_id,
        initiatives.initiative_name,
        initiatives.initiative_type,
        initiatives.product_id,
        initiatives.objective_id,
        initiatives.status,
        initiatives.owner,
        initiatives.approved_on,
        initiatives.planned_end_on,
        initiatives.ready_for_use_on,
        promises.case_version as baseline_version,
        promises.locked_at as baseline_locked_at,
        promises.build_cost_amount as approved_build_cost_amount,
        promises.benefit_amount as approved_benefit_amount,
        promises.benefit_to_date_amount as planned_benefit_to_date_amount,
        outcomes.forecast_build_cost_amount,
        outcomes.forecast_benefit_amount,
        outcomes.realised_benefit_amount,
        outcomes.time_released_amount,
        progress.actual_build_cost,
        progress.cost_overrun_rate,
        progress.cost_overrun_rate_reason,
        progress.is_ready,
        progress.run_cost_status,
        progress.benefit_ratio,
        progress.class_size,
        progress.class_cost_ratio,
        progress.class_duration_ratio,
        progress.class_benefit_ratio,
        bridges.approved_npv_amount,
        bridges.build_cost_effect_amount,
        bridges.run_cost_effect_amount,
        bridges.cost_effect_amount,
        bridges.timing_effect_amount,
        bridges.benefit_volume_effect_amount,
        bridges.benefit_value_effect_amount,
        bridges.discount_rate_effect_amount,
        bridges.forecast_npv_amount,
        reviews.reviewed_on,
        policy.reporting_on,
        case
            when initiatives.status in ('abandoned', 'rejected') then null
            when progress.is_ready
                then {{ dbt.datediff('initiatives.planned_end_on', 'initiatives.ready_for_use_on', 'day') }}
            else {{ dbt.datediff('initiatives.planned_end_on', 'policy.reporting_on', 'day') }}
        end as slip_days,
        case
            when progress.is_ready
                then cast(
                        {{ dbt.dateadd('month', 'policy.first_review_months', 'initiatives.ready_for_use_on') }} as date
                    )
        end as first_review_on,
        case
            when progress.is_ready
                then cast(
                        {{ dbt.dateadd('month', 'policy.last_review_months', 'initiatives.ready_for_use_on') }} as date
                    )
        end as review_due_on,
        case
            when progress.is_ready
                then cast({{ dbt.dateadd('month', 'greatest(bridges.slip_months, 0) + 1', 'promises.last_benefit_month') }} as date)
        end as final_review_due_on
    from promises
    cross join policy
    inner join initiatives
        on promises.initiative_id = initiatives.initiative_id
    inner join progress
        on promises.initiative_id = progress.initiative_id
    inner join bridges
        on promises.initiative_id = bridges.initiative_id
    left join outcomes
        on promises.initiative_id = outcomes.initiative_id
    left join reviews
        on promises.initiative_id = reviews.initiative_id

),

final as (

    select
        initiative_id,
        initiative_name,
        initiative_type,
        product_id,
        objective_id,
        status,
        owner,
        baseline_version,
        baseline_locked_at,
        approved_on,
        planned_end_on,
        ready_for_use_on,
        cast(
            case when status not in ('abandoned', 'rejected') and (is_ready or slip_days > 0) then slip_days end as integer
        ) as slip_days,
        case
            when status in ('abandoned', 'rejected') then 'stopped'
            when not is_ready and slip_days <= 0 then 'not_due'
        end as slip_days_reason,
        cast(approved_build_cost_amount as decimal(18, 2)) as approved_build_cost_amount,
        {{ round_amount('actual_build_cost') }} as actual_build_cost_amount,
        cast(forecast_build_cost_amount as decimal(18, 2)) as forecast_build_cost_amount,
        cost_overrun_rate,
        cost_overrun_rate_reason,
        -- What a stopped initiative spent is no forecast of the whole.
        case
            when approved_build_cost_amount > 0 and (is_ready or status not in ('abandoned', 'rejected'))
                then cast(forecast_build_cost_amount as double) / cast(approved_build_cost_amount as double) - 1
        end as forecast_cost_overrun_rate,
        case
            when not approved_build_cost_amount > 0 then 'no_approved_cost'
            when not is_ready and status in ('abandoned', 'rejected') then 'stopped'
            when forecast_build_cost_amount is null then 'no_cost'
        end as forecast_cost_overrun_rate_reason,
        run_cost_status,
        cast(planned_benefit_to_date_amount as decimal(18, 2)) as planned_benefit_to_date_amount,
        cast(realised_benefit_amount as decimal(18, 2)) as realised_benefit_amount,
        cast(time_released_amount as decimal(18, 2)) as time_released_amount,
        case
            when planned_benefit_to_date_amount > 0
                then cast(realised_benefit_amount as double) / cast(planned_benefit_to_date_amount as double)
        end as realisation_rate,
        case when planned_benefit_to_date_amount <= 0 then 'no_benefit_planned_yet' end as realisation_rate_reason,
        cast(approved_benefit_amount as decimal(18, 2)) as approved_benefit_amount,
        cast(forecast_benefit_amount as decimal(18, 2)) as forecast_benefit_amount,
        approved_npv_amount,
        build_cost_effect_amount,
        run_cost_effect_amount,
        cost_effect_amount,
        timing_effect_amount,
        benefit_volume_effect_amount,
        benefit_value_effect_amount,
        discount_rate_effect_amount,
        forecast_npv_amount,
        forecast_npv_amount >= 0 as is_hurdle_met,
        first_review_on,
        review_due_on,
        final_review_due_on,
        reviewed_on,
        case
            when status in ('abandoned', 'rejected') then 'stopped'
            when not is_ready then 'not_ready_for_use'
            when reviewed_on is not null then 'held'
            when reporting_on > review_due_on then 'overdue'
            when reporting_on >= first_review_on then 'due'
            else 'not_due'
        end as review_state,
        cast(class_size as integer) as reference_class_size,
        class_cost_ratio as reference_cost_ratio,
        class_duration_ratio as reference_duration_ratio,
        class_benefit_ratio as reference_benefit_ratio
    from joined

)

select * from final
