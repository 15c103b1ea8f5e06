{#- Weighs present inflows against present outflows at each point (solve_id, horizon, log_rate) of `points`:
    balance = ln(inflows / outflows), zero exactly where the net present value is, and its slope by log_rate =
    ln(1 + rate). Where the rate is negative everything is carried to the end, so that nothing overflows. Expects
    weighted_flows in scope; `carried` names further columns of `points` to keep. -#}
{% macro npv_balance(points, carried=[]) -%}
    {%- set kept = (['solve_id', 'horizon', 'log_rate'] + carried) | join(', ') -%}
    select
        {{ kept }},
        ln(inflow) - ln(outflow) as balance,
        late_outflow / outflow - late_inflow / inflow as balance_slope
    from (
        select
            {{ kept }},
            greatest(sum(greatest(present, 0)), 1e-300) as inflow,
            greatest(sum(greatest(-present, 0)), 1e-300) as outflow,
            sum(greatest(present, 0) * delay) as late_inflow,
            sum(greatest(-present, 0) * delay) as late_outflow
        from (
            select
                *,
                weight * exp(-log_rate * delay) as present
            from (
                select
                    points.*,
                    weighted_flows.weight,
                    weighted_flows.elapsed - case when log_rate < 0 then horizon else 0 end as delay
                from {{ points }} as points
                inner join weighted_flows on points.solve_id = weighted_flows.solve_id
            ) as placed
        ) as discounted
        group by {{ kept }}
    ) as summed
{%- endmacro %}
