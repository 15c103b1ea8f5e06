{#- One round of grid refinement on every crossing bracket of `state` at once: 64 steps across the bracket, of which
    the last on the side of its low end and the next after it become the new bracket. Expects weighted_flows in scope. -#}
{% macro irr_grid_round(state) -%}
    {%- set points -%}
        (
            select
                flow_set_id,
                clock,
                horizon,
                bracket_number,
                sign_at_low,
                low,
                high,
                i as step_number,
                low + (high - low) * i / 64 as log_rate
            from {{ state }}
            cross join range(1, 64) as steps (i)
        )
    {%- endset -%}
    select
        flow_set_id,
        clock,
        horizon,
        bracket_number,
        sign_at_low,
        low + (high - low) * coalesce(last_step, 0) / 64 as low,
        low + (high - low) * (coalesce(last_step, 0) + 1) / 64 as high
    from (
        select
            flow_set_id,
            clock,
            horizon,
            bracket_number,
            sign_at_low,
            low,
            high,
            max(case when (balance >= 0) = (sign_at_low > 0) then step_number end) as last_step
        from ({{ npv_balance(points, ['bracket_number', 'sign_at_low', 'low', 'high', 'step_number']) }}) as balanced
        group by flow_set_id, clock, horizon, bracket_number, sign_at_low, low, high
    ) as found
{%- endmacro %}
