{#- One round of Newton's method on every bracket of `state` at once: towards the zero of the balance (kind crossing)
    or of its slope (kind turning). Every evaluation shrinks the bracket; a step that would leave it becomes a
    bisection. Expects weighted_flows in scope. -#}
{% macro irr_newton_round(state) -%}
    select
        flow_set_id,
        clock,
        horizon,
        bracket_number,
        kind,
        sign_at_low,
        low,
        high,
        case
            when proposed >= low - 1e-13 and proposed <= high + 1e-13 then least(greatest(proposed, low), high)
            else (low + high) / 2
        end as log_rate,
        case
            when proposed >= low - 1e-13 and proposed <= high + 1e-13 then abs(proposed - log_rate)
            else high - low
        end as step
    from (
        select
            flow_set_id,
            clock,
            horizon,
            bracket_number,
            kind,
            sign_at_low,
            log_rate,
            log_rate - height / nullif(height_slope, 0) as proposed,
            case when (height >= 0) = (sign_at_low > 0) then log_rate else low end as low,
            case when (height >= 0) = (sign_at_low > 0) then high else log_rate end as high
        from (
            select
                flow_set_id,
                clock,
                horizon,
                bracket_number,
                kind,
                sign_at_low,
                low,
                high,
                log_rate,
                case when kind = 'crossing' then balance else balance_slope end as height,
                case when kind = 'crossing' then balance_slope else balance_curvature end as height_slope
            from ({{ npv_balance(state, ['bracket_number', 'kind', 'sign_at_low', 'low', 'high']) }}) as balanced
        ) as measured
    ) as narrowed
{%- endmacro %}
