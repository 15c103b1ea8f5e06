-- One row per set of flows: every measure of return, with a reason beside each that is undefined.
with

sets as (

    select
        flow_set_id,
        periods_per_year,
        discount_rate,
        finance_rate,
        reinvestment_rate,
        hurdle_rate,
        valuation_on
    from {{ ref('int_return_sets_defined') }}

),

flows as (

    select
        flow_set_id,
        period_number,
        flow_on,
        benefit_amount,
        cost_amount,
        net_amount
    from {{ ref('int_return_flows_pooled') }}

),

period_roots as (

    select
        flow_set_id,
        irr_status,
        root_rates,
        irr_rate
    from {{ ref('int_return_roots_solved') }}
    where clock = 'period'

),

day_roots as (

    select
        flow_set_id,
        irr_status as xirr_status,
        irr_rate as xirr_rate
    from {{ ref('int_return_roots_solved') }}
    where clock = 'day'

),

spans as (

    select
        flow_set_id,
        min(period_number) as first_period,
        max(period_number) as last_period,
        min(flow_on) as first_flow_on
    from flows
    group by flow_set_id

),

-- Time zero is the first flow; the rates are annual and effective.
timed_flows as (

    select
        flows.flow_set_id,
        flows.flow_on,
        flows.benefit_amount,
        flows.cost_amount,
        cast(flows.net_amount as decimal(38, 2)) as net_amount,
        flows.period_number - spans.first_period as elapsed_periods,
        spans.last_period - flows.period_number as remaining_periods,
        spans.first_flow_on,
        sets.periods_per_year,
        sets.valuation_on,
        cast(sets.discount_rate as double) as discount_rate,
        cast(sets.finance_rate as double) as finance_rate,
        cast(sets.reinvestment_rate as double) as reinvestment_rate,
        cast(sets.hurdle_rate as double) as hurdle_rate
    from flows
    inner join sets
        on flows.flow_set_id = sets.flow_set_id
    inner join spans
        on flows.flow_set_id = spans.flow_set_id

),

discounted_flows as (

    select
        flow_set_id,
        flow_on,
        first_flow_on,
        elapsed_periods,
        periods_per_year,
        benefit_amount,
        cost_amount,
        net_amount,
        net_amount * power(1 + discount_rate, -elapsed_periods / cast(periods_per_year as double)) as discounted_amount,
        net_amount * power(1 + hurdle_rate, -elapsed_periods / cast(periods_per_year as double)) as hurdle_amount,
        net_amount
        * power(1 + discount_rate, -{{ dbt.datediff('first_flow_on', 'flow_on', 'day') }} / cast(365 as double)) as day_discounted_amount,
        net_amount
        * power(1 + discount_rate, -{{ dbt.datediff('valuation_on', 'flow_on', 'day') }} / cast(365 as double)) as valued_amount,
        case
            when net_amount > 0
                then net_amount * power(1 + reinvestment_rate, remaining_periods / cast(periods_per_year as double))
            else 0
        end as reinvested_amount,
        case
            when net_amount < 0
                then -net_amount * power(1 + finance_rate, -elapsed_periods / cast(periods_per_year as double))
            else 0
        end as financed_amount
    from timed_flows

),

cumulated_flows as (

    select
        flow_set_id,
        elapsed_periods,
        net_amount,
        discounted_amount,
        sum(net_amount) over (partition by flow_set_id order by elapsed_periods rows unbounded preceding) as running_amount,
        sum(discounted_amount)
            over (partition by flow_set_id order by elapsed_periods rows unbounded preceding)
            as running_discounted_amount,
        lead(elapsed_periods) over (partition by flow_set_id order by elapsed_periods) as next_periods,
        lead(net_amount) over (partition by flow_set_id order by elapsed_periods) as next_amount,
        lead(discounted_amount) over (partition by flow_set_id order by elapsed_periods) as next_discounted_amount
    from discounted_flows

),

-- Paid back for good: the last period still under water plus the fraction of the next; -1 marks never.
paybacks as (

    select
        flow_set_id,
        max_by(
            coalesce(next_periods - 1 - cast(running_amount as double) / cast(nullif(next_amount, 0) as double), -1),
            elapsed_periods
        ) filter (where running_amount < 0) as payback_periods
    from cumulated_flows
    group by flow_set_id

),

turnovers as (

    select
        flow_set_id,
        sum(abs(discounted_amount)) as turnover_amount
    from discounted_flows
    group by flow_set_id

),

discounted_paybacks as (

    select
        cumulated_flows.flow_set_id,
        max_by(
            coalesce(
                cumulated_flows.next_periods - 1
                - cumulated_flows.running_discounted_amount / nullif(cumulated_flows.next_discounted_amount, 0),
                -1
            ),
            cumulated_flows.elapsed_periods
        ) filter (
            where cumulated_flows.running_discounted_amount < -1e-12 * turnovers.turnover_amount
        ) as discounted_payback_periods
    from cumulated_flows
    inner join turnovers
        on cumulated_flows.flow_set_id = turnovers.flow_set_id
    group by cumulated_flows.flow_set_id

),

summed_flows as (

    select
        flow_set_id,
        min(flow_on) as first_flow_on,
        max(flow_on) as last_flow_on,
        max(periods_per_year) as periods_per_year,
        max(elapsed_periods) as duration_periods,
        sum(cast(benefit_amount as decimal(38, 2))) as benefit_amount,
        sum(cast(cost_amount as decimal(38, 2))) as cost_amount,
        sum(case when net_amount > 0 then net_amount else 0 end) as inflow_amount,
        sum(case when net_amount < 0 then -net_amount else 0 end) as outflow_amount,
        sum(discounted_amount) as npv_amount,
        sum(day_discounted_amount) as xnpv_amount,
        sum(valued_amount) as valued_npv_amount,
        sum(hurdle_amount) as value_created_amount,
        sum(case when discounted_amount > 0 then discounted_amount end) as present_inflow_amount,
        sum(case when discounted_amount < 0 then -discounted_amount end) as present_outflow_amount,
        sum(case when discounted_amount > 0 then discounted_amount * elapsed_periods end) as present_inflow_periods,
        sum(reinvested_amount) as reinvested_amount,
        sum(financed_amount) as financed_amount
    from discounted_flows
    group by flow_set_id

),

ratios as (

    select
        summed_flows.flow_set_id,
        summed_flows.first_flow_on,
        summed_flows.last_flow_on,
        summed_flows.periods_per_year,
        summed_flows.duration_periods,
        summed_flows.benefit_amount,
        summed_flows.cost_amount,
        summed_flows.inflow_amount,
        summed_flows.outflow_amount,
        summed_flows.npv_amount,
        summed_flows.xnpv_amount,
        summed_flows.valued_npv_amount,
        summed_flows.value_created_amount,
        period_roots.irr_rate,
        coalesce(period_roots.irr_status, 'no_sign_change') as irr_status,
        coalesce(period_roots.root_rates, '[]') as irr_roots,
        day_roots.xirr_rate,
        coalesce(day_roots.xirr_status, 'no_sign_change') as xirr_status,
        case
            when summed_flows.cost_amount > 0
                then cast(summed_flows.benefit_amount as double) / cast(summed_flows.cost_amount as double) - 1
        end as roi_rate,
        case
            when summed_flows.inflow_amount > 0 and summed_flows.outflow_amount > 0 and summed_flows.duration_periods > 0
                then
                    power(
                        summed_flows.reinvested_amount / nullif(summed_flows.financed_amount, 0),
                        1 / cast(summed_flows.duration_periods as double)
                    ) - 1
        end as mirr_rate,
        case
            when summed_flows.outflow_amount = 0 then null
            else coalesce(paybacks.payback_periods, 0)
        end as payback_periods,
        case
            when summed_flows.outflow_amount = 0 or summed_flows.npv_amount is null then null
            else coalesce(discounted_paybacks.discounted_payback_periods, 0)
        end as discounted_payback_periods,
        case
            when summed_flows.outflow_amount > 0
                then coalesce(summed_flows.present_inflow_amount, 0) / summed_flows.present_outflow_amount
        end as profitability_index,
        case
            when summed_flows.outflow_amount > 0
                then cast(summed_flows.inflow_amount as double) / cast(summed_flows.outflow_amount as double)
        end as moic_ratio,
        summed_flows.present_inflow_periods / nullif(summed_flows.present_inflow_amount, 0) as inflow_duration_periods
    from summed_flows
    left join paybacks
        on summed_flows.flow_set_id = paybacks.flow_set_id
    left join discounted_paybacks
        on summed_flows.flow_set_id = discounted_paybacks.flow_set_id
    left join period_roots
        on summed_flows.flow_set_id = period_roots.flow_set_id
    left join day_roots
        on summed_flows.flow_set_id = day_roots.flow_set_id

),

final as (

    select
        flow_set_id,
        first_flow_on,
        last_flow_on,
        duration_periods,
        cast(benefit_amount as decimal(18, 2)) as benefit_amount,
        cast(cost_amount as decimal(18, 2)) as cost_amount,
        cast(benefit_amount - cost_amount as decimal(18, 2)) as net_benefit_amount,
        cast(inflow_amount as decimal(18, 2)) as inflow_amount,
        cast(outflow_amount as decimal(18, 2)) as outflow_amount,
        roi_rate,
        case when roi_rate is null then 'no_cost' end as roi_rate_reason,
        case
            when roi_rate > -1 and duration_periods > 0
                then power(1 + roi_rate, cast(periods_per_year as double) / duration_periods) - 1
        end as roi_annual_rate,
        case
            when roi_rate is null then 'no_cost'
            when duration_periods = 0 then 'no_duration'
            when roi_rate <= -1 then 'total_loss'
        end as roi_annual_rate_reason,
        {{ round_amount('npv_amount') }} as npv_amount,
        {{ round_amount('xnpv_amount') }} as xnpv_amount,
        {{ round_amount('valued_npv_amount') }} as valuation_npv_amount,
        case when npv_amount is null then 'no_discount_rate' end as npv_amount_reason,
        {{ round_amount('value_created_amount') }} as value_created_amount,
        irr_rate,
        power(1 + irr_rate, periods_per_year) - 1 as irr_annual_rate,
        irr_status,
        irr_roots,
        xirr_rate,
        xirr_status,
        mirr_rate,
        power(1 + mirr_rate, periods_per_year) - 1 as mirr_annual_rate,
        case
            when mirr_rate is not null then null
            when inflow_amount = 0 then 'no_inflow'
            when outflow_amount = 0 then 'no_outflow'
            when duration_periods = 0 then 'no_duration'
            else 'no_policy_rate'
        end as mirr_rate_reason,
        nullif(payback_periods, -1) as payback_periods,
        case
            when payback_periods is null then 'no_outflow'
            when payback_periods = -1 then 'never_pays_back'
        end as payback_periods_reason,
        nullif(discounted_payback_periods, -1) as discounted_payback_periods,
        case
            when outflow_amount = 0 then 'no_outflow'
            when npv_amount is null then 'no_discount_rate'
            when discounted_payback_periods = -1 then 'never_pays_back'
        end as discounted_payback_periods_reason,
        profitability_index,
        case
            when profitability_index is not null then null
            when outflow_amount = 0 then 'no_outflow'
            else 'no_discount_rate'
        end as profitability_index_reason,
        moic_ratio,
        case when moic_ratio is null then 'no_outflow' end as moic_ratio_reason,
        inflow_duration_periods
    from ratios

)

select * from final
