-- One row per initiative with a forecast: what its present value is made of, known flows apart from those to come.
with

cash_flows as (

    select
        initiative_id,
        month_date,
        build_cost_amount,
        run_cost_amount,
        benefit_amount,
        net_amount
    from {{ ref('fct_initiative_cash_flows') }}
    where version_role = 'forecast'

),

returns as (

    select
        initiative_id,
        discount_rate,
        valuation_on
    from {{ ref('rpt_initiative_returns') }}
    where version_role = 'forecast'

),

policy as (

    select
        cutoff_month,
        benefit_cutoff_month
    from {{ ref('int_investment_policy') }}

),

members as (

    select
        initiative_id,
        member_id
    from {{ ref('int_portfolio_members') }}
    where dimension = 'funding'

),

choices as (

    select
        initiative_id,
        is_selected
    from {{ ref('rpt_capital_allocation') }}

),

discounted as (

    select
        cash_flows.initiative_id,
        returns.discount_rate,
        cash_flows.month_date > policy.cutoff_month as is_to_come,
        cash_flows.month_date > policy.benefit_cutoff_month as is_benefit_to_come,
        cash_flows.build_cost_amount,
        cash_flows.run_cost_amount,
        cash_flows.benefit_amount,
        cash_flows.net_amount,
        power(
            1 + returns.discount_rate,
            -{{ dbt.datediff('returns.valuation_on', 'cash_flows.month_date', 'day') }} / cast(365 as double)
        ) as discount_factor
    from cash_flows
    inner join returns on cash_flows.initiative_id = returns.initiative_id
    cross join policy
    where returns.discount_rate is not null

),

valued as (

    select
        initiative_id,
        max(discount_rate) as discount_rate,
        sum(
            case
                when is_to_come then 0
                when is_benefit_to_come then cast(net_amount - benefit_amount as double) * discount_factor
                else cast(net_amount as double) * discount_factor
            end
        ) as known_amount,
        sum(case when is_to_come then cast(build_cost_amount as double) * discount_factor else 0 end) as build_cost_amount,
        sum(case when is_to_come then cast(run_cost_amount as double) * discount_factor else 0 end) as run_cost_amount,
        sum(case when is_benefit_to_come then cast(benefit_amount as double) * discount_factor else 0 end) as benefit_amount
    from discounted
    group by initiative_id

),

final as (

    select
        valued.initiative_id,
        coalesce(members.member_id = 'funded', false) as is_funded,
        coalesce(choices.is_selected, false) and coalesce(members.member_id <> 'funded', true) as is_selected,
        valued.discount_rate,
        valued.known_amount,
        valued.build_cost_amount,
        valued.run_cost_amount,
        valued.benefit_amount,
        valued.known_amount - valued.build_cost_amount - valued.run_cost_amount + valued.benefit_amount as npv_amount
    from valued
    left join members on valued.initiative_id = members.initiative_id
    left join choices on valued.initiative_id = choices.initiative_id

)

select * from final
