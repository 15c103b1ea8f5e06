{#- One round of grid refinement towards the zero of `height` (balance or balance_slope), on every bracket of `state` at
    once: 2,048 steps across the bracket, of which the last on the side of its low end and the next after it become the
    new bracket. Expects weighted_flows in scope. -#}
{% macro irr_grid_round(state, height='balance') -%}
    {%- set points -%}
        (
            select
                *,
                low + (high - low) * i / 2048 as log_rate
            from {{ state }}
            cross join range(1, 2048) as steps (i)
        )
    {%- endset -%}
    select
        solve_id,
        horizon,
        bracket_number,
        sign_at_low,
        low + (high - low) * last_step / 2048 as low,
        low + (high - low) * (last_step + 1) / 2048 as high
    from (
        select
            solve_id,
            horizon,
            bracket_number,
            sign_at_low,
            low,
            high,
            coalesce(max(case when ({{ height }} >= 0) = (sign_at_low > 0) then i end), 0) as last_step
        from ({{ npv_balance(points, ['bracket_number', 'sign_at_low', 'low', 'high', 'i']) }}) as balanced
        group by all
    ) as found
{%- endmacro %}
