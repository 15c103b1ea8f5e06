-- One row per set of flows and month, pooled over everything in the set.
with

cash_flows as (

    select
        initiative_id,
        case_version,
        month_date,
        cost_amount,
        benefit_amount,
        net_amount
    from {{ ref('fct_initiative_cash_flows') }}

),

final as (

    select
        'initiative|' || initiative_id || '|' || case_version as flow_set_id,
        extract(year from month_date) * 12 + extract(month from month_date) as period_number,
        month_date as flow_on,
        benefit_amount,
        cost_amount,
        net_amount
    from cash_flows

)

select * from final
