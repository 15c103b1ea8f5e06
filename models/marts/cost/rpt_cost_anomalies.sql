-- One row per day, service and sub-account whose cloud cost is out of line.
with

cloud_charges as (

    select * from {{ ref('int_cloud_charges') }}

),

parameters as (

    select * from {{ ref('anomaly_parameters') }}

),

-- Corrections and charges over many days say nothing about the day they start on.
daily_costs as (

    select
        charge_date,
        service_name,
        coalesce(sub_account_id, 'none') as sub_account_id,
        min(product_id) as product_id,
        sum(reporting_effective_cost) as actual_amount,
        count(*) as charge_count,
        max(known_at) as known_at
    from cloud_charges
    where
        charge_category = 'Usage'
        and charge_class is null
        and charge_days <= 1
    group by
        charge_date,
        service_name,
        coalesce(sub_account_id, 'none')
    having sum(reporting_effective_cost) > 0

),

levels as (

    select
        daily_costs.*,
        parameters.is_log,
        parameters.is_weekday_adjusted,
        parameters.window_days,
        parameters.minimum_days,
        parameters.z_threshold,
        cast(parameters.money_floor as double) as money_floor,
        parameters.day_over_day_threshold,
        parameters.completeness_threshold,
        {{ dbt.datediff("cast('2001-01-01' as date)", "daily_costs.charge_date", "day") }} % 7 as weekday,
        case
            when parameters.is_log then ln(cast(daily_costs.actual_amount as double))
            else cast(daily_costs.actual_amount as double)
        end as cost_level
    from daily_costs
    cross join parameters

),

-- Against the week around it, a day shows its weekday and no trend.
detrended as (

    select
        *,
        cost_level - avg(cost_level) over (
            partition by service_name, sub_account_id
            order by charge_date
            rows between 3 preceding and 3 following
        ) as detrended_level
    from levels

),

weekday_patterns as (

    select
        service_name,
        sub_account_id,
        weekday,
        median(detrended_level) as weekday_level
    from detrended
    group by
        service_name,
        sub_account_id,
        weekday
    having count(*) >= 3

),

adjusted as (

    select
        levels.*,
        case when levels.is_weekday_adjusted then coalesce(weekday_patterns.weekday_level, 0) else 0 end as weekday_level,
        levels.cost_level
        - case when levels.is_weekday_adjusted then coalesce(weekday_patterns.weekday_level, 0) else 0 end
            as remainder
    from levels
    left join weekday_patterns
        on
            levels.service_name = weekday_patterns.service_name
            and levels.sub_account_id = weekday_patterns.sub_account_id
            and levels.weekday = weekday_patterns.weekday

),

-- Only the days before count: a score never changes when later days arrive, but for the weekday pattern.
baseline_days as (

    select
        judged.service_name,
        judged.sub_account_id,
        judged.charge_date,
        earlier.remainder
    from adjusted as judged
    inner join adjusted as earlier
        on
            judged.service_name = earlier.service_name
            and judged.sub_account_id = earlier.sub_account_id
            and judged.charge_date > earlier.charge_date
            and earlier.charge_date >= cast(judged.charge_date - judged.window_days * interval '1' day as date)

),

centres as (

    select
        service_name,
        sub_account_id,
        charge_date,
        count(*) as baseline_days,
        median(remainder) as centre
    from baseline_days
    group by
        service_name,
        sub_account_id,
        charge_date

),

spreads as (

    select
        baseline_days.service_name,
        baseline_days.sub_account_id,
        baseline_days.charge_date,
        median(abs(baseline_days.remainder - centres.centre)) as median_deviation,
        avg(abs(baseline_days.remainder - centres.centre)) as mean_deviation
    from baseline_days
    inner join centres
        on
            baseline_days.service_name = centres.service_name
            and baseline_days.sub_account_id = centres.sub_account_id
            and baseline_days.charge_date = centres.charge_date
    group by
        baseline_days.service_name,
        baseline_days.sub_account_id,
        baseline_days.charge_date

),

daily_counts as (

    select
        charge_date,
        sum(charge_count) as charge_count
    from daily_costs
    group by charge_date

),

-- A day with fewer charges than the four weeks before is not billed in full yet.
completeness as (

    select
        judged.charge_date,
        cast(max(judged.charge_count) as double) / median(cast(earlier.charge_count as double)) as completeness_rate
    from daily_counts as judged
    inner join daily_counts as earlier
        on
            judged.charge_date > earlier.charge_date
            and earlier.charge_date >= cast(judged.charge_date - interval '28' day as date)
    group by judged.charge_date

),

compared as (

    select
        adjusted.*,
        completeness.completeness_rate,
        centres.baseline_days,
        case
            when centres.baseline_days >= adjusted.minimum_days then centres.centre
            else
                lag(adjusted.remainder) over (
                    partition by adjusted.service_name, adjusted.sub_account_id
                    order by adjusted.charge_date
                )
        end as expected_remainder,
        case
            when coalesce(centres.baseline_days, 0) < adjusted.minimum_days then 'day_over_day'
            when spreads.median_deviation > 0 then 'robust_z'
            when spreads.mean_deviation > 0 then 'mean_deviation'
            else 'money_only'
        end as detection_rule,
        case
            when centres.baseline_days < adjusted.minimum_days then null
            when spreads.median_deviation > 0
                then 0.6745 * (adjusted.remainder - centres.centre) / spreads.median_deviation
            when spreads.mean_deviation > 0
                then (adjusted.remainder - centres.centre) / (1.253314 * spreads.mean_deviation)
        end as robust_z
    from adjusted
    left join centres
        on
            adjusted.service_name = centres.service_name
            and adjusted.sub_account_id = centres.sub_account_id
            and adjusted.charge_date = centres.charge_date
    left join spreads
        on
            adjusted.service_name = spreads.service_name
            and adjusted.sub_account_id = spreads.sub_account_id
            and adjusted.charge_date = spreads.charge_date
    left join completeness on adjusted.charge_date = completeness.charge_date

),

expected as (

    select
        *,
        case
            when is_log then exp(expected_remainder + weekday_level)
            else expected_remainder + weekday_level
        end as expected_level
    from compared
    where expected_remainder is not null

),

scored as (

    select
        *,
        cast(actual_amount as double) - expected_level as excess_level
    from expected

),

flagged as (

    select *
    from scored
    where
        abs(excess_level) >= money_floor
        and case detection_rule
            when 'day_over_day' then abs(excess_level) >= day_over_day_threshold * expected_level
            when 'money_only' then true
            else abs(robust_z) > z_threshold
        end

),

-- Days in a row on the same service are one event.
numbered as (

    select
        *,
        {{ dbt.datediff("cast('2001-01-01' as date)", "charge_date", "day") }}
        - row_number() over (
            partition by service_name, sub_account_id, excess_level > 0
            order by charge_date
        ) as run_number
    from flagged

),

final as (

    select
        charge_date,
        service_name,
        sub_account_id,
        product_id,
        service_name || ' ' || sub_account_id || ' '
        || cast(
            min(charge_date) over (
                partition by service_name, sub_account_id, excess_level > 0, run_number
            ) as {{ dbt.type_string() }}
        ) as anomaly_event_id,
        case when excess_level > 0 then 'increase' else 'decrease' end as direction,
        detection_rule,
        case
            when coalesce(completeness_rate < completeness_threshold, false) then 'suppressed_late_billing'
            else 'open'
        end as anomaly_status,
        cast(round(actual_amount, 2) as decimal(18, 2)) as actual_amount,
        cast(round(cast(expected_level as decimal(18, 6)), 2) as decimal(18, 2)) as expected_amount,
        cast(round(cast(excess_level as decimal(18, 6)), 2) as decimal(18, 2)) as excess_amount,
        cast('{{ var("reporting_currency") }}' as {{ dbt.type_string() }}) as currency,
        round(robust_z, 6) as robust_z,
        case when robust_z is null then detection_rule end as robust_z_reason,
        coalesce(baseline_days, 0) as baseline_days,
        completeness_rate,
        known_at
    from numbered

)

select * from final
