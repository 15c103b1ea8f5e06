-- One row per set of flows and clock (periods or days): every rate at which its net present value is zero.
with

weighted_flows as (

    select
        solve_id,
        flow_set_id,
        clock,
        elapsed,
        weight
    from {{ ref('int_return_flows_weighted') }}

),

running_flows as (

    select
        solve_id,
        flow_set_id,
        clock,
        elapsed,
        weight,
        case when weight > 0 then 1 else -1 end as side,
        lag(case when weight > 0 then 1 else -1 end) over (partition by solve_id order by elapsed) as previous_side
    from weighted_flows

),

-- Descartes: as many sign changes of the flows themselves as rates, or an even number more.
flow_changes as (

    select
        solve_id,
        flow_set_id,
        clock,
        max(elapsed) as horizon,
        sum(weight) as weight_total,
        count_if(coalesce(side <> previous_side, false)) as sign_changes,
        max(case when previous_side is null then side end) as first_side,
        sum(greatest(weight, 0)) as inflow,
        sum(greatest(-weight, 0)) as outflow,
        sum(greatest(weight, 0) * elapsed) as late_inflow,
        sum(greatest(-weight, 0) * elapsed) as late_outflow
    from running_flows
    group by solve_id, flow_set_id, clock

),

changing_flows as (

    select
        weighted_flows.solve_id,
        weighted_flows.elapsed,
        weighted_flows.weight
    from weighted_flows
    inner join flow_changes
        on weighted_flows.solve_id = flow_changes.solve_id
    where flow_changes.sign_changes > 1

),

summed_flows as (

    select
        solve_id,
        elapsed,
        sum(weight) over (partition by solve_id order by elapsed rows unbounded preceding) as sum_before,
        sum(weight) over (partition by solve_id order by elapsed desc rows unbounded preceding) as sum_after
    from changing_flows

),

-- Laguerre: the partial sums change sign at least as often as there are positive rates (summed from the start)
-- and as there are negative rates (summed from the end).
partial_sums as (

    select
        solve_id,
        elapsed,
        case when sum_before > 0 then 1 else -1 end as side,
        1 as direction
    from summed_flows
    where abs(sum_before) > 1e-12

    union all

    select
        solve_id,
        -elapsed as elapsed,
        case when sum_after > 0 then 1 else -1 end as side,
        -1 as direction
    from summed_flows
    where abs(sum_after) > 1e-12

),

turned_sums as (

    select
        solve_id,
        side,
        lag(side) over (partition by solve_id, direction order by elapsed) as previous_side
    from partial_sums

),

sum_changes as (

    select
        solve_id,
        count_if(coalesce(side <> previous_side, false)) as root_bound
    from turned_sums
    group by solve_id

),

profiles as (

    select
        flow_changes.solve_id,
        flow_changes.flow_set_id,
        flow_changes.clock,
        flow_changes.horizon,
        flow_changes.sign_changes,
        flow_changes.first_side,
        case
            when flow_changes.sign_changes <= 1 or abs(flow_changes.weight_total) <= 1e-9 then flow_changes.sign_changes
            else sum_changes.root_bound
        end as root_bound,
        -- The log of the multiple over the time between money out and money in: a first guess.
        case
            when flow_changes.inflow > 0 and flow_changes.outflow > 0
                then
                    ln(flow_changes.inflow / flow_changes.outflow)
                    / nullif(
                        flow_changes.late_inflow / flow_changes.inflow - flow_changes.late_outflow / flow_changes.outflow,
                        0
                    )
        end as guess
    from flow_changes
    left join sum_changes
        on flow_changes.solve_id = sum_changes.solve_id

),

-- Exactly one rate exists: it lies in the range when the ends of the range lie on different sides.
end_points as (

    select
        profiles.solve_id,
        profiles.horizon,
        profiles.guess,
        case when ends.i = 0 then ln(0.01) else ln(11) end as log_rate
    from profiles
    cross join range(0, 2) as ends (i)
    where profiles.root_bound = 1

),

end_balances as (

    {{ npv_balance('end_points', ['guess']) }}

),

single_brackets as (

    select
        solve_id,
        horizon,
        0 as bracket_number,
        max(case when log_rate < 0 and balance >= 0 then 1 when log_rate < 0 then -1 end) as sign_at_low,
        ln(0.01) as low,
        ln(11) as high,
        least(greatest(coalesce(max(guess), 0), -2), 1) as log_rate
    from end_balances
    group by solve_id, horizon
    having count_if(balance >= 0) = 1

),

-- Several rates are possible: 4,096 steps across the range, walked in two levels.
coarse_points as (

    select
        profiles.solve_id,
        profiles.horizon,
        ends.i as cell_number,
        ln(0.01) + (ln(11) - ln(0.01)) * ends.i / 64 as log_rate
    from profiles
    cross join range(0, 65) as ends (i)
    where profiles.root_bound > 1

),

coarse_balances as (

    {{ npv_balance('coarse_points', ['cell_number']) }}

),

coarse_cells as (

    select
        solve_id,
        horizon,
        cell_number,
        balance,
        lead(balance) over (partition by solve_id order by cell_number) as next_balance
    from coarse_balances

),

-- The balance never moves faster than the horizon per step of log rate: cells it cannot reach zero in are skipped.
reachable_cells as (

    select
        solve_id,
        horizon,
        cell_number
    from coarse_cells
    where
        (balance >= 0) <> (next_balance >= 0)
        or abs(balance) + abs(next_balance) <= horizon * (ln(11) - ln(0.01)) / 64

),

fine_points as (

    select
        reachable_cells.solve_id,
        reachable_cells.horizon,
        reachable_cells.cell_number,
        ends.i as step_number,
        ln(0.01) + (ln(11) - ln(0.01)) * (reachable_cells.cell_number * 64 + ends.i) / 4096 as log_rate
    from reachable_cells
    cross join range(0, 65) as ends (i)

),

fine_balances as (

    {{ npv_balance('fine_points', ['cell_number', 'step_number']) }}

),

fine_cells as (

    select
        solve_id,
        horizon,
        cell_number * 64 + step_number + 1 as bracket_number,
        log_rate as low,
        balance,
        balance_slope,
        lead(log_rate) over (partition by solve_id, cell_number order by step_number) as high,
        lead(balance) over (partition by solve_id, cell_number order by step_number) as next_balance,
        lead(balance_slope) over (partition by solve_id, cell_number order by step_number) as next_balance_slope
    from fine_balances

),

crossing_cells as (

    select
        solve_id,
        horizon,
        bracket_number,
        case when balance >= 0 then 1 else -1 end as sign_at_low,
        low,
        high
    from fine_cells
    where (balance >= 0) <> (next_balance >= 0)

),

-- Where the balance approaches zero and turns away it may touch zero, or cross it twice within one step.
turning_cells as (

    select
        solve_id,
        horizon,
        bracket_number,
        case when balance >= 0 then -1 else 1 end as sign_at_low,
        low,
        high
    from fine_cells
    where
        (balance >= 0) = (next_balance >= 0)
        and abs(balance) + abs(next_balance) <= horizon * (high - low)
        and case when balance >= 0 then balance_slope < 0 else balance_slope > 0 end
        and case when balance >= 0 then next_balance_slope >= 0 else next_balance_slope <= 0 end

),

turn_1 as (

    {{ irr_grid_round('turning_cells', 'balance_slope') }}

),

turn_2 as (

    {{ irr_grid_round('turn_1', 'balance_slope') }}

),

turn_3 as (

    {{ irr_grid_round('turn_2', 'balance_slope') }}

),

turn_points as (

    select
        solve_id,
        horizon,
        bracket_number,
        (low + high) / 2 as log_rate
    from turn_3

),

turn_balances as (

    {{ npv_balance('turn_points', ['bracket_number']) }}

),

turns as (

    select
        turn_balances.solve_id,
        turn_balances.horizon,
        turn_balances.bracket_number,
        turn_balances.log_rate,
        turn_balances.balance,
        -turning_cells.sign_at_low as sign_at_low,
        turning_cells.low,
        turning_cells.high
    from turn_balances
    inner join turning_cells
        on
            turn_balances.solve_id = turning_cells.solve_id
            and turn_balances.bracket_number = turning_cells.bracket_number

),

brackets as (

    select
        solve_id,
        horizon,
        bracket_number,
        sign_at_low,
        low,
        high,
        log_rate
    from single_brackets

    union all

    select
        solve_id,
        horizon,
        bracket_number,
        sign_at_low,
        low,
        high,
        (low + high) / 2 as log_rate
    from crossing_cells

    union all

    select
        turns.solve_id,
        turns.horizon,
        turns.bracket_number + halves.i * 10000 as bracket_number,
        case when halves.i = 0 then turns.sign_at_low else -turns.sign_at_low end as sign_at_low,
        case when halves.i = 0 then turns.low else turns.log_rate end as low,
        case when halves.i = 0 then turns.log_rate else turns.high end as high,
        (turns.log_rate + case when halves.i = 0 then turns.low else turns.high end) / 2 as log_rate
    from turns
    cross join range(0, 2) as halves (i)
    where abs(turns.balance) > 1e-12 and (turns.balance >= 0) <> (turns.sign_at_low > 0)

),

round_1 as (

    {{ irr_newton_round('brackets') }}

),

round_2 as (

    {{ irr_newton_round('round_1') }}

),

round_3 as (

    {{ irr_newton_round('round_2') }}

),

round_4 as (

    {{ irr_newton_round('round_3') }}

),

round_5 as (

    {{ irr_newton_round('round_4') }}

),

-- A step of 1e-8 is followed by an error of its square; what is slower is narrowed down by the grid.
stubborn_brackets as (

    select
        solve_id,
        horizon,
        bracket_number,
        sign_at_low,
        low,
        high
    from round_5
    where step > 1e-8

),

grid_1 as (

    {{ irr_grid_round('stubborn_brackets') }}

),

grid_2 as (

    {{ irr_grid_round('grid_1') }}

),

grid_3 as (

    {{ irr_grid_round('grid_2') }}

),

grid_4 as (

    {{ irr_grid_round('grid_3') }}

),

found_rates as (

    select
        solve_id,
        log_rate,
        false as is_touch
    from round_5
    where step <= 1e-8

    union all

    select
        solve_id,
        (low + high) / 2 as log_rate,
        false as is_touch
    from grid_4

    union all

    select
        solve_id,
        log_rate,
        true as is_touch
    from turns
    where abs(balance) <= 1e-12

),

neighboured_rates as (

    select
        solve_id,
        log_rate,
        is_touch,
        lag(log_rate) over (partition by solve_id order by log_rate) as previous_log_rate,
        lead(log_rate) over (partition by solve_id order by log_rate) as next_log_rate
    from found_rates

),

-- Two crossings that cannot be told apart are one touch.
roots as (

    select
        solve_id,
        count(*) as root_count,
        bool_or(is_touch or coalesce(next_log_rate - log_rate <= 1e-8, false)) as has_touch,
        max(exp(log_rate) - 1) as highest_rate,
        cast(array_sort(array_agg(cast(exp(log_rate) - 1 as decimal(20, 10)))) as string) as root_rates
    from neighboured_rates
    where coalesce(log_rate - previous_log_rate > 1e-8, true)
    group by solve_id

),

statuses as (

    select
        profiles.flow_set_id,
        profiles.clock,
        profiles.sign_changes,
        coalesce(roots.root_count, 0) as root_count,
        roots.highest_rate,
        coalesce(roots.root_rates, '[]') as root_rates,
        case
            when profiles.sign_changes = 0 then 'no_sign_change'
            when roots.root_count > 1 then 'multiple_roots'
            when roots.has_touch then 'double_root'
            when roots.root_count = 1 and profiles.first_side > 0 then 'unique_borrowing_type'
            when roots.root_count = 1 then 'unique'
            when profiles.sign_changes = 1 then 'out_of_range'
            else 'no_real_root'
        end as irr_status
    from profiles
    left join roots
        on profiles.solve_id = roots.solve_id

),

final as (

    select
        flow_set_id,
        clock,
        irr_status,
        root_rates,
        root_count,
        sign_changes,
        case when irr_status in ('unique', 'unique_borrowing_type') then highest_rate end as irr_rate
    from statuses

)

select * from final
