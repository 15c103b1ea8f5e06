-- One row per target of the programme (T1 to T6).
with

programme_targets as (

    select * from {{ ref('programme_targets') }}

),

target_months as (

    select * from {{ ref('rpt_programme_target_months') }}

),

study_results as (

    select * from {{ ref('study_results') }}

),

integration_values as (

    select * from {{ ref('rpt_integration_value') }}

),

home_events as (

    select * from {{ ref('stg_governance__home_events') }}

),

-- A home without own data holds the sample company, whose figures prove nothing.
demo as (

    select count(*) > 0 as is_illustrative
    from home_events
    where
        event_type = 'origin'
        and subject = 'sample'

),

latest_months as (

    select
        *,
        count(*) over (partition by target_id) as months_measured
    from target_months
    qualify row_number() over (partition by target_id order by month_date desc) = 1

),

by_items as (

    select
        latest_months.target_id,
        latest_months.fiscal_period,
        latest_months.headline_basis as measured_by,
        case latest_months.headline_basis
            when 'amount' then cast(latest_months.passed_amount as decimal(28, 6))
            else cast(latest_months.passed_item_count as decimal(28, 6))
        end as numerator,
        case latest_months.headline_basis
            when 'amount' then cast(latest_months.amount as decimal(28, 6))
            else cast(latest_months.item_count as decimal(28, 6))
        end as denominator,
        latest_months.headline_rate as measured_value,
        latest_months.lower_bound,
        latest_months.upper_bound,
        cast(latest_months.item_count as bigint) as observations,
        cast(latest_months.item_count - latest_months.passed_item_count as bigint) as failing_items,
        latest_months.consecutive_months,
        case
            when latest_months.consecutive_months >= programme_targets.months_required then 'met'
            -- Every month so far is at the target, and there are not enough of them yet to say so.
            when latest_months.consecutive_months = latest_months.months_measured then 'not_measurable'
            else 'not_met'
        end as state,
        cast(null as string) as state_reason
    from latest_months
    inner join programme_targets on latest_months.target_id = programme_targets.target_id

),

-- A study on simulated worlds shows that a method recovers a known truth, not that a company's figures improved.
by_study as (

    select
        target_id,
        cast(null as string) as fiscal_period,
        'simulation' as measured_by,
        cast(integrated_error as decimal(28, 6)) as numerator,
        cast(baseline_error as decimal(28, 6)) as denominator,
        error_reduction as measured_value,
        lower_bound,
        upper_bound,
        cast(worlds as bigint) as observations,
        cast(null as bigint) as failing_items,
        cast(null as integer) as consecutive_months,
        'simulated_only' as state,
        case when error_reduction is null then 'baseline_already_accurate' end as state_reason
    from study_results

),

summed as (

    select
        count(*) as components,
        sum(counted_amount) filter (where component_group = 'benefit') as benefit_amount,
        sum(counted_amount) filter (where component_group = 'cost') as cost_amount,
        sum(claimed_amount) filter (where component_group = 'benefit' and is_counted) as claimed_amount,
        count_if(not is_counted) as failing_items,
        count(distinct month_date) as months
    from integration_values
    where is_in_target_window

),

-- The lower bound is what counts; the upper one is what counts as claimed.
valued as (

    select
        components,
        failing_items,
        coalesce(benefit_amount, 0) as benefit_amount,
        -coalesce(cost_amount, 0) as cost_amount,
        coalesce(benefit_amount, 0) + coalesce(cost_amount, 0) as net_amount,
        coalesce(claimed_amount, 0) + coalesce(cost_amount, 0) as claimed_net_amount
    from summed
    where months = 12

),

by_value as (

    select
        programme_targets.target_id,
        cast(null as string) as fiscal_period,
        'amount' as measured_by,
        cast(valued.benefit_amount as decimal(28, 6)) as numerator,
        cast(valued.cost_amount as decimal(28, 6)) as denominator,
        cast(valued.net_amount as double) as measured_value,
        cast(valued.net_amount as double) as lower_bound,
        cast(valued.claimed_net_amount as double) as upper_bound,
        cast(valued.components as bigint) as observations,
        cast(valued.failing_items as bigint) as failing_items,
        cast(null as integer) as consecutive_months,
        case when valued.net_amount >= programme_targets.target_value then 'met' else 'not_met' end as state,
        cast(null as string) as state_reason
    from programme_targets
    cross join valued
    where programme_targets.target_id = 'T6'

),

measured as (

    select * from by_items
    union all
    select * from by_study
    union all
    select * from by_value

),

final as (

    select
        programme_targets.target_id,
        programme_targets.target_name,
        programme_targets.definition,
        programme_targets.numerator_definition,
        programme_targets.denominator_definition,
        programme_targets.unit,
        programme_targets.owner,
        measured.fiscal_period,
        measured.measured_by,
        measured.numerator,
        measured.denominator,
        cast(measured.measured_value as decimal(28, 6)) as value,
        case
            when measured.measured_value is not null then null
            else coalesce(measured.state_reason, 'no_data')
        end as value_reason,
        cast(programme_targets.target_value as decimal(28, 6)) as target_value,
        cast(measured.lower_bound as decimal(28, 6)) as lower_bound,
        cast(measured.upper_bound as decimal(28, 6)) as upper_bound,
        measured.observations,
        measured.failing_items,
        programme_targets.months_required,
        measured.consecutive_months,
        coalesce(measured.state, 'not_measurable') as state,
        case
            when measured.measured_by = 'simulation' then 'simulated'
            when demo.is_illustrative then 'illustrative'
            else 'own_data'
        end as evidence_basis,
        programme_targets.frozen_on
    from programme_targets
    cross join demo
    left join measured on programme_targets.target_id = measured.target_id

)

select * from final
