-- One row per set of flows, clock (periods or days) and time of a net flow: its weight, timed from the first flow.
with

flows as (

    select
        flow_set_id,
        period_number,
        flow_on,
        net_amount
    from {{ ref('int_return_flows_pooled') }}

),

starts as (

    select
        flow_set_id,
        min(period_number) as first_period,
        min(flow_on) as first_on
    from flows
    group by flow_set_id

),

-- The same flows timed twice: by period for IRR, by days over 365 for XIRR.
clocked_flows as (

    select
        flows.flow_set_id,
        'period' as clock,
        cast(flows.period_number - starts.first_period as double) as elapsed,
        cast(flows.net_amount as double) as net_amount
    from flows
    inner join starts
        on flows.flow_set_id = starts.flow_set_id

    union all

    select
        flows.flow_set_id,
        'day' as clock,
        cast({{ dbt.datediff('starts.first_on', 'flows.flow_on', 'day') }} as double) / 365 as elapsed,
        cast(flows.net_amount as double) as net_amount
    from flows
    inner join starts
        on flows.flow_set_id = starts.flow_set_id

),

netted_flows as (

    select
        clock || '|' || flow_set_id as solve_id,
        flow_set_id,
        clock,
        elapsed,
        sum(net_amount) as net_amount
    from clocked_flows
    group by flow_set_id, clock, elapsed

),

turnovers as (

    select
        solve_id,
        sum(abs(net_amount)) as turnover
    from netted_flows
    group by solve_id

),

-- Scaled to sum to one in absolute value, so that pennies and billions meet the same tolerances.
final as (

    select
        netted_flows.solve_id,
        netted_flows.flow_set_id,
        netted_flows.clock,
        netted_flows.elapsed,
        netted_flows.net_amount / turnovers.turnover as weight
    from netted_flows
    inner join turnovers
        on netted_flows.solve_id = turnovers.solve_id
    where netted_flows.net_amount <> 0

)

select * from final
