-- One row per set of flows whose return is asked for: initiative × version.
with

cash_flows as (

    select distinct
        initiative_id,
        case_version
    from {{ ref('fct_initiative_cash_flows') }}

),

initiatives as (

    select
        initiative_id,
        discount_rate
    from {{ ref('dim_initiative') }}

),

policy as (

    select
        valuation_on,
        hurdle_rate,
        finance_rate,
        reinvestment_rate
    from {{ ref('int_investment_policy') }}

),

final as (

    select
        'initiative|' || cash_flows.initiative_id || '|' || cash_flows.case_version as flow_set_id,
        12 as periods_per_year,
        coalesce(initiatives.discount_rate, policy.hurdle_rate) as discount_rate,
        policy.finance_rate,
        policy.reinvestment_rate,
        policy.hurdle_rate,
        policy.valuation_on
    from cash_flows
    left join initiatives
        on cash_flows.initiative_id = initiatives.initiative_id
    cross join policy

)

select * from final
