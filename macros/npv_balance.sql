{#- Weighs present inflows against present outflows at each point (flow_set_id, clock, horizon, log_rate) of `points`:
    balance = ln(inflows / outflows), which is zero exactly where the net present value is, and its first and second
    derivative by log_rate = ln(1 + rate). Late flows are discounted to the end when the rate is negative, so that
    nothing overflows. Expects weighted_flows in scope; `carried` names further columns of `points` to keep. -#}
{% macro npv_balance(points, carried=[]) -%}
    {%- set kept = (['flow_set_id', 'clock', 'horizon', 'log_rate'] + carried) | join(', ') -%}
    select
        {{ kept }},
        ln(inflow) - ln(outflow) as balance,
        outflow_delay / outflow - inflow_delay / inflow as balance_slope,
        (inflow_delay_squared / inflow - power(inflow_delay / inflow, 2))
        - (outflow_delay_squared / outflow - power(outflow_delay / outflow, 2)) as balance_curvature
    from (
        select
            {{ kept }},
            greatest(sum(case when present > 0 then present else 0 end), 1e-300) as inflow,
            greatest(sum(case when present < 0 then -present else 0 end), 1e-300) as outflow,
            sum(case when present > 0 then present * delay else 0 end) as inflow_delay,
            sum(case when present < 0 then -present * delay else 0 end) as outflow_delay,
            sum(case when present > 0 then present * delay * delay else 0 end) as inflow_delay_squared,
            sum(case when present < 0 then -present * delay * delay else 0 end) as outflow_delay_squared
        from (
            select
                {{ kept }},
                delay,
                weight * exp(-log_rate * delay) as present
            from (
                select
                    points.*,
                    weighted_flows.weight,
                    weighted_flows.elapsed - case when points.log_rate < 0 then points.horizon else 0 end as delay
                from {{ points }} as points
                inner join weighted_flows
                    on
                        points.flow_set_id = weighted_flows.flow_set_id
                        and points.clock = weighted_flows.clock
            ) as placed
        ) as discounted
        group by {{ kept }}
    ) as summed
{%- endmacro %}
