-- One row per candidate and limit it draws on.
with

candidates as (

    select initiative_id
    from {{ ref('int_funding_candidates_prepared') }}

),

cash_flows as (

    select
        initiative_id,
        month_date,
        cost_amount
    from {{ ref('fct_initiative_cash_flows') }}
    where version_role = 'forecast'

),

capital_budgets as (

    select
        capital_budget_id,
        start_on,
        end_on,
        budget_amount
    from {{ ref('capital_budgets') }}

),

skill_demands as (

    select
        initiative_id,
        skill,
        demand_hours
    from {{ ref('initiative_skill_demands') }}

),

capacity_limits as (

    select
        skill,
        sum(capacity_hours) as capacity_hours
    from {{ ref('capacity_limits') }}
    group by skill

),

budget_demands as (

    select
        cash_flows.initiative_id,
        'budget ' || capital_budgets.capital_budget_id as constraint_id,
        'budget' as constraint_type,
        cast(sum(cash_flows.cost_amount) as double) as demand_amount,
        cast(max(capital_budgets.budget_amount) as double) as limit_amount
    from cash_flows
    inner join candidates
        on cash_flows.initiative_id = candidates.initiative_id
    inner join capital_budgets
        on cash_flows.month_date between capital_budgets.start_on and capital_budgets.end_on
    group by cash_flows.initiative_id, capital_budgets.capital_budget_id

),

capacity_demands as (

    select
        skill_demands.initiative_id,
        'skill ' || skill_demands.skill as constraint_id,
        'capacity' as constraint_type,
        cast(skill_demands.demand_hours as double) as demand_amount,
        cast(capacity_limits.capacity_hours as double) as limit_amount
    from skill_demands
    inner join candidates
        on skill_demands.initiative_id = candidates.initiative_id
    inner join capacity_limits
        on skill_demands.skill = capacity_limits.skill

),

final as (

    select
        initiative_id,
        constraint_id,
        constraint_type,
        demand_amount,
        limit_amount
    from budget_demands

    union all

    select
        initiative_id,
        constraint_id,
        constraint_type,
        demand_amount,
        limit_amount
    from capacity_demands

)

select * from final
