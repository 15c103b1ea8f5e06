-- What looks ahead starts from what is published, and findings are made of their drivers: to the cent.
with

forecasts as (

    select
        series_level,
        member_id,
        target_month,
        sum(case when measure = 'revenue' then forecast_amount else 0 end) as revenue_amount,
        sum(case when measure = 'cost' then forecast_amount else 0 end) as cost_amount
    from {{ ref('fct_forecasts') }}
    group by series_level, member_id, target_month

),

base as (

    select
        scope_type,
        scope_id,
        target_month,
        revenue_amount,
        cost_amount
    from {{ ref('rpt_scenarios') }}
    where scenario = 'base'

),

driver_sums as (

    select
        insight_id,
        sum(driver_amount) as driver_amount
    from {{ ref('rpt_insight_drivers') }}
    group by insight_id

)

select
    'base scenario is not the forecast' as broken_tie,
    coalesce(forecasts.series_level, base.scope_type) || ' ' || coalesce(forecasts.member_id, base.scope_id) as subject,
    coalesce(forecasts.revenue_amount, 0) - coalesce(base.revenue_amount, 0) as difference_amount
from forecasts
full outer join base
    on
        forecasts.series_level = base.scope_type
        and forecasts.member_id = base.scope_id
        and forecasts.target_month = base.target_month
where
    forecasts.revenue_amount <> base.revenue_amount
    or forecasts.cost_amount <> base.cost_amount
    or forecasts.member_id is null
    or base.scope_id is null
union all
select
    'sensitivity does not start from the published NPV' as broken_tie,
    sensitivities.subject_id as subject,
    sensitivities.base_amount - returns.valuation_npv_amount as difference_amount
from {{ ref('rpt_sensitivity') }} as sensitivities
inner join {{ ref('rpt_initiative_returns') }} as returns
    on
        sensitivities.subject_type = 'initiative'
        and sensitivities.subject_id = returns.initiative_id
        and returns.version_role = 'forecast'
where abs(sensitivities.base_amount - returns.valuation_npv_amount) > 0.01
union all
select
    'drivers do not sum to the difference' as broken_tie,
    insights.insight_id as subject,
    insights.delta_amount - coalesce(driver_sums.driver_amount, 0) as difference_amount
from {{ ref('rpt_insights') }} as insights
left join driver_sums on insights.insight_id = driver_sums.insight_id
where insights.delta_amount <> coalesce(driver_sums.driver_amount, 0)
