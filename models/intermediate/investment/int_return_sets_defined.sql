-- One row per set of flows whose return is asked for, with the rates it is measured at.
with

flow_sets as (

    select distinct flow_set_id
    from {{ ref('int_return_flows_pooled') }}

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

-- Sets of one initiative take its rate; pools take the hurdle rate.
final as (

    select
        flow_sets.flow_set_id,
        12 as periods_per_year,
        coalesce(initiatives.discount_rate, policy.hurdle_rate) as discount_rate,
        policy.finance_rate,
        policy.reinvestment_rate,
        policy.hurdle_rate,
        policy.valuation_on
    from flow_sets
    cross join policy
    left join initiatives
        on
            split_part(flow_sets.flow_set_id, '|', 2) = initiatives.initiative_id
            and split_part(flow_sets.flow_set_id, '|', 1) in ('initiative', 'to_go')

)

select * from final
