-- One row per set of flows and clock (periods or days): every rate at which its net present value is zero.
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
        flow_set_id,
        clock,
        elapsed,
        sum(net_amount) as net_amount
    from clocked_flows
    group by flow_set_id, clock, elapsed

),

-- Scaled to sum to one in absolute value, so that pennies and billions meet the same tolerances.
weighted_flows as (

    select
        flow_set_id,
        clock,
        elapsed,
        net_amount / sum(abs(net_amount)) over (partition by flow_set_id, clock) as weight
    from netted_flows
    where net_amount <> 0

),

running_flows as (

    select
        flow_set_id,
        clock,
        elapsed,
        weight,
        case when weight > 0 then 1 else -1 end as side,
        lag(case when weight > 0 then 1 else -1 end) over (partition by flow_set_id, clock order by elapsed) as previous_side,
        sum(weight) over (partition by flow_set_id, clock order by elapsed rows unbounded preceding) as sum_before,
        sum(weight) over (partition by flow_set_id, clock order by elapsed desc rows unbounded preceding) as sum_after
    from weighted_flows

),

-- Laguerre: the partial sums change sign at least as often as there are positive rates (summed from the start)
-- and as there are negative rates (summed from the end).
partial_sums as (

    select
        flow_set_id,
        clock,
        elapsed,
        case when sum_before > 0 then 1 else -1 end as side,
        1 as direction
    from running_flows
    where abs(sum_before) > 1e-12

    union all

    select
        flow_set_id,
        clock,
        -elapsed as elapsed,
        case when sum_after > 0 then 1 else -1 end as side,
        -1 as direction
    from running_flows
    where abs(sum_after) > 1e-12

),

turned_sums as (

    select
        flow_set_id,
        clock,
        side,
        lag(side) over (partition by flow_set_id, clock, direction order by elapsed) as previous_side
    from partial_sums

),

sum_changes as (

    select
        flow_set_id,
        clock,
        count_if(side <> previous_side) as root_bound
    from turned_sums
    group by flow_set_id, clock

),

-- Descartes: as many sign changes of the flows themselves as rates, or an even number more.
flow_changes as (

    select
        flow_set_id,
        clock,
        max(elapsed) as horizon,
        sum(weight) as weight_total,
        count_if(side <> previous_side) as sign_changes,
        max(case when previous_side is null then side end) as first_side
    from running_flows
    group by flow_set_id, clock

),

profiles as (

    select
        flow_changes.flow_set_id,
        flow_changes.clock,
        flow_changes.horizon,
        flow_changes.sign_changes,
        flow_changes.first_side,
        case
            when flow_changes.sign_changes <= 1 then flow_changes.sign_changes
            when abs(flow_changes.weight_total) <= 1e-9 then flow_changes.sign_changes
            else sum_changes.root_bound
        end as root_bound
    from flow_changes
    left join sum_changes
        on
            flow_changes.flow_set_id = sum_changes.flow_set_id
            and flow_changes.clock = sum_changes.clock

),

-- Exactly one rate exists: it lies in the range when the ends of the range lie on different sides.
end_points as (

    select
        profiles.flow_set_id,
        profiles.clock,
        profiles.horizon,
        case when ends.i = 0 then ln(0.01) else ln(11) end as log_rate
    from profiles
    cross join range(0, 2) as ends (i)
    where profiles.root_bound = 1

),

end_balances as (

    {{ npv_balance('end_points') }}

),

single_brackets as (

    select
        flow_set_id,
        clock,
        horizon,
        0 as bracket_number,
        'crossing' as kind,
        max(case when log_rate < 0 and balance >= 0 then 1 when log_rate < 0 then -1 end) as sign_at_low,
        ln(0.01) as low,
        ln(11) as high,
        cast(0 as double) as log_rate
    from end_balances
    group by flow_set_id, clock, horizon
    having count_if(balance >= 0) = 1

),

-- Several rates are possible: 4,096 steps across the range, walked in two levels.
coarse_points as (

    select
        profiles.flow_set_id,
        profiles.clock,
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
        flow_set_id,
        clock,
        horizon,
        cell_number,
        balance,
        lead(balance) over (partition by flow_set_id, clock order by cell_number) as next_balance
    from coarse_balances

),

-- The balance never moves faster than the horizon per step of log rate: cells it cannot reach zero in are skipped.
reachable_cells as (

    select
        flow_set_id,
        clock,
        horizon,
        cell_number
    from coarse_cells
    where
        (balance >= 0) <> (next_balance >= 0)
        or abs(balance) + abs(next_balance) <= horizon * (ln(11) - ln(0.01)) / 64

),

fine_points as (

    select
        reachable_cells.flow_set_id,
        reachable_cells.clock,
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
        flow_set_id,
        clock,
        horizon,
        cell_number * 64 + step_number + 1 as bracket_number,
        log_rate as low,
        balance,
        balance_slope,
        lead(log_rate) over (partition by flow_set_id, clock, cell_number order by step_number) as high,
        lead(balance) over (partition by flow_set_id, clock, cell_number order by step_number) as next_balance,
        lead(balance_slope) over (partition by flow_set_id, clock, cell_number order by step_number) as next_balance_slope
    from fine_balances

),

-- A zero lies where the balance changes side, and may lie where it approaches zero and turns away.
grid_brackets as (

    select
        flow_set_id,
        clock,
        horizon,
        bracket_number,
        case when (balance >= 0) <> (next_balance >= 0) then 'crossing' else 'turning' end as kind,
        case
            when (balance >= 0) <> (next_balance >= 0) and balance >= 0 then 1
            when (balance >= 0) <> (next_balance >= 0) then -1
            when balance >= 0 then -1
            else 1
        end as sign_at_low,
        low,
        high,
        (low + high) / 2 as log_rate
    from fine_cells
    where
        (balance >= 0) <> (next_balance >= 0)
        or (
            abs(balance) + abs(next_balance) <= horizon * (high - low)
            and case when balance >= 0 then balance_slope < 0 else balance_slope > 0 end
            and case when balance >= 0 then next_balance_slope >= 0 else next_balance_slope <= 0 end
        )

),

brackets as (

    select
        flow_set_id,
        clock,
        horizon,
        bracket_number,
        kind,
        sign_at_low,
        low,
        high,
        log_rate
    from single_brackets

    union all

    select
        flow_set_id,
        clock,
        horizon,
        bracket_number,
        kind,
        sign_at_low,
        low,
        high,
        log_rate
    from grid_brackets

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

round_6 as (

    {{ irr_newton_round('round_5') }}

),

round_7 as (

    {{ irr_newton_round('round_6') }}

),

round_8 as (

    {{ irr_newton_round('round_7') }}

),

turning_points as (

    select
        flow_set_id,
        clock,
        horizon,
        bracket_number,
        log_rate
    from round_8
    where kind = 'turning'

),

turning_balances as (

    {{ npv_balance('turning_points', ['bracket_number']) }}

),

turns as (

    select
        turning_balances.flow_set_id,
        turning_balances.clock,
        turning_balances.horizon,
        turning_balances.bracket_number,
        turning_balances.log_rate,
        turning_balances.balance,
        -grid_brackets.sign_at_low as sign_at_low,
        grid_brackets.low,
        grid_brackets.high
    from turning_balances
    inner join grid_brackets
        on
            turning_balances.flow_set_id = grid_brackets.flow_set_id
            and turning_balances.clock = grid_brackets.clock
            and turning_balances.bracket_number = grid_brackets.bracket_number

),

-- A turn beyond zero hides two rates in one step of the grid; slow crossings are those of higher multiplicity.
stubborn_brackets as (

    select
        flow_set_id,
        clock,
        horizon,
        bracket_number,
        sign_at_low,
        low,
        high
    from round_8
    where kind = 'crossing' and step > 1e-12

    union all

    select
        turns.flow_set_id,
        turns.clock,
        turns.horizon,
        turns.bracket_number + halves.i * 10000 as bracket_number,
        case when halves.i = 0 then turns.sign_at_low else -turns.sign_at_low end as sign_at_low,
        case when halves.i = 0 then turns.low else turns.log_rate end as low,
        case when halves.i = 0 then turns.log_rate else turns.high end as high
    from turns
    cross join range(0, 2) as halves (i)
    where abs(turns.balance) > 1e-12 and (turns.balance >= 0) <> (turns.sign_at_low > 0)

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

grid_5 as (

    {{ irr_grid_round('grid_4') }}

),

grid_6 as (

    {{ irr_grid_round('grid_5') }}

),

grid_7 as (

    {{ irr_grid_round('grid_6') }}

),

found_rates as (

    select
        flow_set_id,
        clock,
        log_rate,
        false as is_touch
    from round_8
    where kind = 'crossing' and step <= 1e-12

    union all

    select
        flow_set_id,
        clock,
        (low + high) / 2 as log_rate,
        false as is_touch
    from grid_7

    union all

    select
        flow_set_id,
        clock,
        log_rate,
        true as is_touch
    from turns
    where abs(balance) <= 1e-12

),

neighboured_rates as (

    select
        flow_set_id,
        clock,
        log_rate,
        is_touch,
        lag(log_rate) over (partition by flow_set_id, clock order by log_rate) as previous_log_rate,
        lead(log_rate) over (partition by flow_set_id, clock order by log_rate) as next_log_rate
    from found_rates

),

-- Two crossings that cannot be told apart are one touch.
roots as (

    select
        flow_set_id,
        clock,
        count(*) as root_count,
        bool_or(is_touch or coalesce(next_log_rate - log_rate <= 1e-8, false)) as has_touch,
        max(exp(log_rate) - 1) as highest_rate,
        cast(array_sort(array_agg(cast(exp(log_rate) - 1 as decimal(20, 10)))) as string) as root_rates
    from neighboured_rates
    where coalesce(log_rate - previous_log_rate > 1e-8, true)
    group by flow_set_id, clock

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
        on
            profiles.flow_set_id = roots.flow_set_id
            and profiles.clock = roots.clock

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
