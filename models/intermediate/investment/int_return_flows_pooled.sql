-- One row per set of flows and month, pooled over everything in the set.
with

cash_flows as (

    select
        initiative_id,
        case_version,
        version_role,
        month_date,
        cost_amount,
        benefit_amount
    from {{ ref('fct_initiative_cash_flows') }}

),

policy as (

    select cutoff_month
    from {{ ref('int_investment_policy') }}

),

portfolio_members as (

    select
        dimension,
        member_id,
        initiative_id
    from {{ ref('int_portfolio_members') }}

),

product_months as (

    select
        product_id,
        month_date,
        revenue_amount,
        direct_cost_amount,
        allocated_cost_amount
    from {{ ref('int_product_flow_months') }}
    where product_id <> 'unallocated'

),

initiative_flows as (

    select
        'initiative|' || initiative_id || '|' || case_version as flow_set_id,
        month_date,
        benefit_amount,
        cost_amount
    from cash_flows

),

-- The decision view: what is spent is spent, only what is still to come counts.
to_go_flows as (

    select
        'to_go|' || cash_flows.initiative_id as flow_set_id,
        cash_flows.month_date,
        cash_flows.benefit_amount,
        cash_flows.cost_amount
    from cash_flows
    inner join policy
        on cash_flows.month_date > policy.cutoff_month
    where cash_flows.version_role = 'forecast'

),

portfolio_flows as (

    select
        'portfolio|' || portfolio_members.dimension || '|' || portfolio_members.member_id || '|' || cash_flows.version_role
            as flow_set_id,
        cash_flows.month_date,
        cash_flows.benefit_amount,
        cash_flows.cost_amount
    from cash_flows
    inner join portfolio_members
        on cash_flows.initiative_id = portfolio_members.initiative_id
    where cash_flows.version_role in ('baseline', 'forecast', 'realised')

),

-- The life of a product up to each month: revenue against all its cash cost, shared cost included.
product_flows as (

    select
        'product|' || reported.product_id || '|' || substr(cast(reported.month_date as string), 1, 7) as flow_set_id,
        product_months.month_date,
        product_months.revenue_amount as benefit_amount,
        product_months.direct_cost_amount + product_months.allocated_cost_amount as cost_amount
    from product_months as reported
    inner join product_months
        on
            reported.product_id = product_months.product_id
            and reported.month_date >= product_months.month_date

),

all_flows as (

    select
        flow_set_id,
        month_date,
        benefit_amount,
        cost_amount
    from initiative_flows

    union all

    select
        flow_set_id,
        month_date,
        benefit_amount,
        cost_amount
    from to_go_flows

    union all

    select
        flow_set_id,
        month_date,
        benefit_amount,
        cost_amount
    from portfolio_flows

    union all

    select
        flow_set_id,
        month_date,
        benefit_amount,
        cost_amount
    from product_flows

),

final as (

    select
        flow_set_id,
        extract(year from month_date) * 12 + extract(month from month_date) as period_number,
        month_date as flow_on,
        cast(sum(benefit_amount) as decimal(18, 2)) as benefit_amount,
        cast(sum(cost_amount) as decimal(18, 2)) as cost_amount,
        cast(sum(benefit_amount) - sum(cost_amount) as decimal(18, 2)) as net_amount
    from all_flows
    group by flow_set_id, month_date

)

select * from final
