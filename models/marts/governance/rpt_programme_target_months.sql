-- One row per target measured by items (T1 to T3) and closed fiscal period of the reporting entity.
with

target_items as (

    select * from {{ ref('int_target_items') }}

),

programme_targets as (

    select * from {{ ref('programme_targets') }}

),

target_scores as (

    select * from {{ ref('stg_governance__target_scores') }}

),

measured as (

    select
        target_id,
        fiscal_period,
        month_date,
        true as is_current,
        cast(count(*) as bigint) as item_count,
        cast(count_if(is_passed) as bigint) as passed_item_count,
        cast(sum(amount) as decimal(28, 2)) as amount,
        cast(sum(passed_amount) as decimal(28, 2)) as passed_amount
    from target_items
    group by target_id, fiscal_period, month_date

),

-- What is known as of a build alone is remembered for the months before: of the last build that had the month for its latest.
remembered as (

    select target_scores.*
    from target_scores
    left join measured
        on
            target_scores.target_id = measured.target_id
            and target_scores.month_date = measured.month_date
    where measured.target_id is null
    qualify
        row_number() over (
            partition by target_scores.target_id, target_scores.month_date
            order by target_scores.build_number desc
        ) = 1

),

counted as (

    select * from measured
    union all
    select
        target_id,
        fiscal_period,
        month_date,
        false as is_current,
        item_count,
        passed_item_count,
        null as amount,
        null as passed_amount
    from remembered

),

rated as (

    select
        *,
        cast(passed_item_count as double) / item_count as item_rate,
        cast(passed_amount as double) / nullif(cast(amount as double), 0) as amount_rate
    from counted

),

-- The lower of money and count is the headline.
headlined as (

    select
        *,
        least(item_rate, coalesce(amount_rate, item_rate)) as headline_rate,
        case when coalesce(amount_rate, item_rate) < item_rate then 'amount' else 'items' end as headline_basis
    from rated

),

-- Wilson's interval at 95 %; items are the observations, also where money is the headline.
bounded as (

    select
        *,
        (
            headline_rate + 1.959964 * 1.959964 / (2 * item_count)
            - 1.959964 * sqrt(
                headline_rate * (1 - headline_rate) / item_count + 1.959964 * 1.959964 / (4.0 * item_count * item_count)
            )
        ) / (1 + 1.959964 * 1.959964 / item_count) as lower_bound,
        (
            headline_rate + 1.959964 * 1.959964 / (2 * item_count)
            + 1.959964 * sqrt(
                headline_rate * (1 - headline_rate) / item_count + 1.959964 * 1.959964 / (4.0 * item_count * item_count)
            )
        ) / (1 + 1.959964 * 1.959964 / item_count) as upper_bound
    from headlined

),

compared as (

    select
        bounded.*,
        cast(programme_targets.target_value as double) as target_value,
        bounded.headline_rate >= cast(programme_targets.target_value as double) as is_at_target
    from bounded
    inner join programme_targets on bounded.target_id = programme_targets.target_id

),

followed as (

    select
        *,
        coalesce(
            lag(month_date) over (partition by target_id order by month_date)
            = cast({{ dbt.dateadd('month', -1, 'month_date') }} as date),
            false
        ) as follows_a_month
    from compared

),

-- Misses and gaps so far name the run a month belongs to; within a run every month after the miss is at target.
runs as (

    select
        *,
        count_if(not is_at_target or not follows_a_month) over (
            partition by target_id order by month_date rows between unbounded preceding and current row
        ) as run_number
    from followed

),

counted_runs as (

    select
        *,
        count_if(is_at_target) over (
            partition by target_id, run_number order by month_date rows between unbounded preceding and current row
        ) as months_in_run
    from runs

),

final as (

    select
        target_id,
        fiscal_period,
        month_date,
        is_current,
        item_count,
        passed_item_count,
        amount,
        passed_amount,
        item_rate,
        amount_rate,
        case when amount_rate is null then 'no_money' end as amount_rate_reason,
        headline_basis,
        headline_rate,
        greatest(0.0, lower_bound) as lower_bound,
        least(1.0, upper_bound) as upper_bound,
        target_value,
        is_at_target,
        cast(case when is_at_target then months_in_run else 0 end as integer) as consecutive_months
    from counted_runs

)

select * from final
