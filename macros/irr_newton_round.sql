{#- One round of Newton's method towards the zero of the balance, on every bracket of `state` at once. Every evaluation
    shrinks the bracket; a step that would leave it becomes a bisection. Expects weighted_flows in scope. -#}
{% macro irr_newton_round(state) -%}
    select
        solve_id,
        horizon,
        bracket_number,
        sign_at_low,
        low,
        high,
        case when is_inside then least(greatest(proposed, low), high) else (low + high) / 2 end as log_rate,
        case when is_inside then abs(proposed - log_rate) else high - low end as step
    from (
        select
            *,
            coalesce(proposed between low - 1e-13 and high + 1e-13, false) as is_inside
        from (
            select
                solve_id,
                horizon,
                bracket_number,
                sign_at_low,
                log_rate,
                case when (balance >= 0) = (sign_at_low > 0) then log_rate else low end as low,
                case when (balance >= 0) = (sign_at_low > 0) then high else log_rate end as high,
                log_rate - balance / nullif(balance_slope, 0) as proposed
            from ({{ npv_balance(state, ['bracket_number', 'sign_at_low', 'low', 'high']) }}) as balanced
        ) as narrowed
    ) as stepped
{%- endmacro %}
