-- One row per portfolio (dimension and member) and version (baseline, forecast, realised).
with

portfolio_members as (

    select
        dimension,
        member_id,
        initiative_id
    from {{ ref('int_portfolio_members') }}

),

returns as (

    select
        initiative_id,
        version_role,
        cost_amount,
        benefit_amount,
        verified_benefit_amount,
        time_released_amount,
        valuation_npv_amount,
        run_cost_status
    from {{ ref('rpt_initiative_returns') }}
    where version_role in ('baseline', 'forecast', 'realised')

),

measures as (

    select * from {{ ref('int_return_measures_computed') }}

),

member_returns as (

    select
        portfolio_members.dimension,
        portfolio_members.member_id,
        returns.version_role,
        returns.initiative_id,
        returns.verified_benefit_amount,
        returns.time_released_amount,
        returns.valuation_npv_amount,
        returns.run_cost_status,
        cast(returns.cost_amount as double) as cost_amount,
        cast(returns.cost_amount as double)
        / nullif(
            cast(
                sum(returns.cost_amount) over (
                    partition by portfolio_members.dimension, portfolio_members.member_id, returns.version_role
                ) as double
            ),
            0
        ) as cost_share
    from portfolio_members
    inner join returns
        on portfolio_members.initiative_id = returns.initiative_id

),

compositions as (

    select
        dimension,
        member_id,
        version_role,
        count(*) as initiative_count,
        count_if(valuation_npv_amount > 0) as positive_initiative_count,
        count_if(run_cost_status = 'not_measured') as unmeasured_run_cost_count,
        sum(verified_benefit_amount) as verified_benefit_amount,
        sum(time_released_amount) as time_released_amount,
        sum(cost_amount) as cost_amount,
        max(cost_share) as largest_cost_share,
        sum(cost_share * cost_share) as cost_concentration
    from member_returns
    group by dimension, member_id, version_role

),

largest_members as (

    select
        dimension,
        member_id,
        version_role,
        initiative_id as largest_initiative_id
    from member_returns
    qualify row_number() over (
            partition by dimension, member_id, version_role
            order by cost_amount desc, initiative_id asc
        ) = 1

),

funded_costs as (

    select
        version_role,
        cost_amount
    from compositions
    where dimension = 'funding' and member_id = 'funded'

),

final as (

    select
        compositions.dimension,
        compositions.member_id,
        compositions.version_role as case_version,
        cast(compositions.initiative_count as integer) as initiative_count,
        cast(compositions.positive_initiative_count as integer) as positive_initiative_count,
        cast(compositions.unmeasured_run_cost_count as integer) as unmeasured_run_cost_count,
        measures.cost_amount,
        compositions.cost_amount / nullif(funded_costs.cost_amount, 0) as portfolio_cost_share,
        measures.benefit_amount,
        measures.net_benefit_amount,
        cast(compositions.verified_benefit_amount as decimal(18, 2)) as verified_benefit_amount,
        cast(compositions.time_released_amount as decimal(18, 2)) as time_released_amount,
        measures.roi_rate,
        measures.roi_rate_reason,
        measures.npv_amount,
        measures.valuation_npv_amount,
        measures.npv_amount_reason,
        measures.irr_annual_rate,
        measures.irr_status,
        measures.mirr_annual_rate,
        measures.mirr_rate_reason as mirr_annual_rate_reason,
        measures.payback_periods as payback_months,
        measures.payback_periods_reason as payback_months_reason,
        measures.profitability_index,
        measures.profitability_index_reason,
        measures.moic_ratio,
        measures.moic_ratio_reason,
        largest_members.largest_initiative_id,
        compositions.largest_cost_share,
        compositions.cost_concentration
    from compositions
    inner join measures
        on
            'portfolio|' || compositions.dimension || '|' || compositions.member_id || '|' || compositions.version_role
            = measures.flow_set_id
    inner join largest_members
        on
            compositions.dimension = largest_members.dimension
            and compositions.member_id = largest_members.member_id
            and compositions.version_role = largest_members.version_role
    left join funded_costs
        on compositions.version_role = funded_costs.version_role

)

select * from final
