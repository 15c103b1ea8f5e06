-- One row per initiative and version (each business case by its name, forecast, realised).
with

cash_flows as (

    select
        initiative_id,
        case_version,
        version_role,
        verified_benefit_amount,
        time_released_amount
    from {{ ref('fct_initiative_cash_flows') }}

),

progress as (

    select
        initiative_id,
        run_cost_status
    from {{ ref('int_initiative_progress') }}

),

measures as (

    select * from {{ ref('int_return_measures_computed') }}

),

sets as (

    select
        flow_set_id,
        discount_rate,
        hurdle_rate,
        valuation_on
    from {{ ref('int_return_sets_defined') }}

),

versions as (

    select
        initiative_id,
        case_version,
        max(version_role) as version_role,
        sum(verified_benefit_amount) as verified_benefit_amount,
        sum(time_released_amount) as time_released_amount
    from cash_flows
    group by initiative_id, case_version

),

final as (

    select
        versions.initiative_id,
        versions.case_version,
        versions.version_role,
        measures.first_flow_on,
        measures.last_flow_on,
        cast(sets.discount_rate as double) as discount_rate,
        cast(sets.hurdle_rate as double) as hurdle_rate,
        sets.valuation_on,
        case
            when versions.version_role in ('realised', 'forecast') then coalesce(progress.run_cost_status, 'not_in_use')
            else 'planned'
        end as run_cost_status,
        measures.cost_amount,
        measures.benefit_amount,
        measures.net_benefit_amount,
        cast(versions.verified_benefit_amount as decimal(18, 2)) as verified_benefit_amount,
        cast(versions.time_released_amount as decimal(18, 2)) as time_released_amount,
        measures.roi_rate,
        measures.roi_rate_reason,
        measures.roi_annual_rate,
        measures.roi_annual_rate_reason,
        measures.npv_amount,
        measures.xnpv_amount,
        measures.valuation_npv_amount,
        measures.npv_amount_reason,
        measures.value_created_amount,
        measures.irr_rate,
        measures.irr_annual_rate,
        measures.irr_status,
        measures.irr_roots,
        measures.xirr_rate,
        measures.xirr_status,
        measures.mirr_rate,
        measures.mirr_annual_rate,
        measures.mirr_rate_reason,
        measures.payback_periods as payback_months,
        measures.payback_periods_reason as payback_months_reason,
        measures.discounted_payback_periods as discounted_payback_months,
        measures.discounted_payback_periods_reason as discounted_payback_months_reason,
        measures.profitability_index,
        measures.profitability_index_reason,
        measures.moic_ratio,
        measures.moic_ratio_reason,
        measures.inflow_duration_periods as inflow_duration_months
    from versions
    inner join measures
        on 'initiative|' || versions.initiative_id || '|' || versions.case_version = measures.flow_set_id
    inner join sets
        on measures.flow_set_id = sets.flow_set_id
    left join progress
        on versions.initiative_id = progress.initiative_id

)

select * from final
