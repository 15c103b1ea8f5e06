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
    where measure <> 'mrr'
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

initiative_drivers as (

    select
        returns.initiative_id,
        distributions.driver,
        returns.valuation_npv_amount
    from {{ ref('rpt_initiative_returns') }} as returns
    cross join {{ ref('driver_distributions') }} as distributions
    where
        returns.version_role = 'forecast'
        and returns.valuation_npv_amount is not null
        and distributions.subject_type = 'initiative'

),

sensitivities as (

    select
        subject_id,
        driver,
        base_amount
    from {{ ref('rpt_sensitivity') }}
    where subject_type = 'initiative'

),

finding_differences as (

    select
        insight_id,
        delta_amount as difference_amount
    from {{ ref('rpt_insights') }}

    union all

    select
        insight_id,
        -driver_amount as difference_amount
    from {{ ref('rpt_insight_drivers') }}

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
    coalesce(initiative_drivers.initiative_id, sensitivities.subject_id) as subject,
    sensitivities.base_amount - initiative_drivers.valuation_npv_amount as difference_amount
from initiative_drivers
full outer join sensitivities
    on
        initiative_drivers.initiative_id = sensitivities.subject_id
        and initiative_drivers.driver = sensitivities.driver
where coalesce(abs(sensitivities.base_amount - initiative_drivers.valuation_npv_amount) > 0.01, true)
union all
select
    'drivers do not sum to the difference' as broken_tie,
    insight_id as subject,
    sum(difference_amount) as difference_amount
from finding_differences
group by insight_id
having sum(difference_amount) <> 0
