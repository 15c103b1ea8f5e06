-- One row per initiative with an approved case: the change of its net present value since approval, by cause.
with

cash_flows as (

    select
        initiative_id,
        version_role,
        month_date,
        cast(build_cost_amount as double) as build_cost_amount,
        cast(run_cost_amount as double) as run_cost_amount,
        cast(benefit_amount as double) as benefit_amount
    from {{ ref('fct_initiative_cash_flows') }}
    where version_role in ('baseline', 'forecast')

),

initiatives as (

    select
        initiative_id,
        status,
        ready_for_use_on,
        cast(discount_rate as double) as discount_rate
    from {{ ref('dim_initiative') }}

),

policy as (

    select
        benefit_cutoff_month,
        cast(hurdle_rate as double) as hurdle_rate
    from {{ ref('int_investment_policy') }}

),

progress as (

    select
        initiative_id,
        expected_ready_month
    from {{ ref('int_initiative_progress') }}

),

benefits as (

    select
        initiative_id,
        month_date,
        reporting_planned_amount,
        is_counted
    from {{ ref('fct_benefits') }}

),

-- Everything is discounted to the month the approved case begins, so that one step follows the other.
approvals as (

    select
        initiative_id,
        min(month_date) as first_month,
        max(case when build_cost_amount > 0 then month_date end) as last_build_month
    from cash_flows
    where version_role = 'baseline'
    group by initiative_id

),

terms as (

    select
        approvals.initiative_id,
        approvals.first_month,
        initiatives.status,
        coalesce(initiatives.discount_rate, policy.hurdle_rate) as approved_rate,
        policy.hurdle_rate,
        case
            when initiatives.status in ('abandoned', 'rejected') then 0
            else coalesce({{ dbt.datediff('approvals.last_build_month', 'progress.expected_ready_month', 'month') }}, 0)
        end as slip_months
    from approvals
    cross join policy
    inner join initiatives
        on approvals.initiative_id = initiatives.initiative_id
    left join progress
        on approvals.initiative_id = progress.initiative_id

),

-- Of the money planned for the months since it was ready: the part delivered and confirmed at all.
deliveries as (

    select
        benefits.initiative_id,
        cast(sum(case when benefits.is_counted then benefits.reporting_planned_amount else 0 end) as double)
        / nullif(cast(sum(benefits.reporting_planned_amount) as double), 0) as delivered_share
    from benefits
    inner join policy
        on benefits.month_date <= policy.benefit_cutoff_month
    inner join initiatives
        on
            benefits.initiative_id = initiatives.initiative_id
            and benefits.month_date > initiatives.ready_for_use_on
    group by benefits.initiative_id

),

dated_flows as (

    select
        cash_flows.initiative_id,
        cash_flows.version_role,
        cash_flows.build_cost_amount,
        cash_flows.run_cost_amount,
        cash_flows.benefit_amount,
        terms.approved_rate,
        terms.hurdle_rate,
        {{ dbt.datediff('terms.first_month', 'cash_flows.month_date', 'month') }} / cast(12 as double) as elapsed_years
    from cash_flows
    inner join terms
        on cash_flows.initiative_id = terms.initiative_id

),

present_values as (

    select
        initiative_id,
        sum(case when version_role = 'baseline' then build_cost_amount else 0 end) as approved_build_cost,
        sum(case when version_role = 'forecast' then build_cost_amount else 0 end) as forecast_build_cost,
        sum(case when version_role = 'baseline' then run_cost_amount else 0 end) as approved_run_cost,
        sum(case when version_role = 'forecast' then run_cost_amount else 0 end) as forecast_run_cost,
        sum(case when version_role = 'baseline' then build_cost_amount * power(1 + approved_rate, -elapsed_years) else 0 end)
            as approved_present_build_cost,
        sum(case when version_role = 'forecast' then build_cost_amount * power(1 + approved_rate, -elapsed_years) else 0 end)
            as forecast_present_build_cost,
        sum(case when version_role = 'baseline' then run_cost_amount * power(1 + approved_rate, -elapsed_years) else 0 end)
            as approved_present_run_cost,
        sum(case when version_role = 'forecast' then run_cost_amount * power(1 + approved_rate, -elapsed_years) else 0 end)
            as forecast_present_run_cost,
        sum(case when version_role = 'baseline' then benefit_amount * power(1 + approved_rate, -elapsed_years) else 0 end)
            as approved_present_benefit,
        sum(case when version_role = 'forecast' then benefit_amount * power(1 + approved_rate, -elapsed_years) else 0 end)
            as forecast_present_benefit,
        sum(
            case
                when version_role = 'forecast'
                    then (benefit_amount - build_cost_amount - run_cost_amount) * power(1 + hurdle_rate, -elapsed_years)
                else 0
            end
        ) as forecast_value
    from dated_flows
    group by initiative_id

),

-- The total of each kind of cost at its forecast, in the months it was planned for; what was never planned has no other
-- months than its own.
restated_costs as (

    select
        *,
        approved_present_build_cost + approved_present_run_cost as approved_present_cost,
        forecast_present_build_cost + forecast_present_run_cost as forecast_present_cost,
        coalesce(
            approved_present_build_cost * (forecast_build_cost / nullif(approved_build_cost, 0)), forecast_present_build_cost
        ) as restated_build_cost,
        coalesce(approved_present_run_cost * (forecast_run_cost / nullif(approved_run_cost, 0)), forecast_present_run_cost)
            as restated_run_cost
    from present_values

),

-- One assumption after the other gives way to what happened; the order is fixed.
steps as (

    select
        terms.initiative_id,
        terms.slip_months,
        terms.approved_rate,
        terms.hurdle_rate,
        case when terms.status in ('abandoned', 'rejected') then 0 else coalesce(deliveries.delivered_share, 1) end
            as delivered_share,
        round(restated_costs.approved_present_benefit - restated_costs.approved_present_cost, 2) as approved_npv,
        round(
            restated_costs.approved_present_benefit
            - restated_costs.restated_build_cost
            - restated_costs.approved_present_run_cost,
            2
        ) as after_build_cost,
        round(
            restated_costs.approved_present_benefit - restated_costs.restated_build_cost - restated_costs.restated_run_cost, 2
        ) as after_cost,
        round(
            restated_costs.approved_present_benefit * power(1 + terms.approved_rate, -terms.slip_months / cast(12 as double))
            - restated_costs.forecast_present_cost,
            2
        ) as after_timing,
        round(
            restated_costs.approved_present_benefit * power(1 + terms.approved_rate, -terms.slip_months / cast(12 as double))
            * case when terms.status in ('abandoned', 'rejected') then 0 else coalesce(deliveries.delivered_share, 1) end
            - restated_costs.forecast_present_cost,
            2
        ) as after_volume,
        round(restated_costs.forecast_present_benefit - restated_costs.forecast_present_cost, 2) as after_value,
        round(restated_costs.forecast_value, 2) as after_rate
    from terms
    inner join restated_costs
        on terms.initiative_id = restated_costs.initiative_id
    left join deliveries
        on terms.initiative_id = deliveries.initiative_id

),

amounts as (

    select
        initiative_id,
        slip_months,
        approved_rate,
        hurdle_rate,
        delivered_share,
        cast(approved_npv as decimal(18, 2)) as approved_npv,
        cast(after_build_cost as decimal(18, 2)) as after_build_cost,
        cast(after_cost as decimal(18, 2)) as after_cost,
        cast(after_timing as decimal(18, 2)) as after_timing,
        cast(after_volume as decimal(18, 2)) as after_volume,
        cast(after_value as decimal(18, 2)) as after_value,
        cast(after_rate as decimal(18, 2)) as after_rate
    from steps

),

final as (

    select
        initiative_id,
        slip_months,
        delivered_share,
        approved_rate,
        hurdle_rate,
        approved_npv as approved_npv_amount,
        cast(after_build_cost - approved_npv as decimal(18, 2)) as build_cost_effect_amount,
        cast(after_cost - after_build_cost as decimal(18, 2)) as run_cost_effect_amount,
        cast(after_cost - approved_npv as decimal(18, 2)) as cost_effect_amount,
        cast(after_timing - after_cost as decimal(18, 2)) as timing_effect_amount,
        cast(after_volume - after_timing as decimal(18, 2)) as benefit_volume_effect_amount,
        cast(after_value - after_volume as decimal(18, 2)) as benefit_value_effect_amount,
        cast(after_rate - after_value as decimal(18, 2)) as discount_rate_effect_amount,
        after_rate as forecast_npv_amount
    from amounts

)

select * from final
