-- One row per rate group, month, cost center and whether its people keep time: capacity and what it costs.
with

people as (

    select * from {{ ref('int_payroll_people') }}

),

-- What is left of contracted hours after leave, holidays, training and standing meetings can be sold or built with.
cells as (

    select
        rate_group_id,
        period_month,
        cost_center_id,
        entity_id,
        account_id,
        is_timed,
        count(*) as people_count,
        sum(contracted_hours) as contracted_hours,
        sum(leave_hours) as leave_hours,
        sum(meeting_hours) as meeting_hours,
        sum(contracted_hours - leave_hours) as worked_hours,
        sum(greatest(contracted_hours - leave_hours - meeting_hours, 0)) as practical_hours,
        sum(payroll_amount) as payroll_amount,
        sum(tools_amount + space_amount) as loading_amount,
        sum(tools_amount) as tools_amount
    from people
    where rate_group_id is not null
    group by
        rate_group_id,
        period_month,
        cost_center_id,
        entity_id,
        account_id,
        is_timed

),

measured as (

    select
        *,
        sum(people_count) over (partition by rate_group_id, period_month) as group_people_count,
        cast(sum(worked_hours) over (partition by rate_group_id, period_month) as double) as group_worked_hours,
        cast(sum(practical_hours) over (partition by rate_group_id, period_month) as double) as group_practical_hours,
        cast(
            sum(practical_hours) over (
                partition by rate_group_id, period_month
                order by cost_center_id, is_timed
                rows between unbounded preceding and current row
            ) as double
        ) as running_practical_hours,
        sum(payroll_amount) over (partition by rate_group_id, period_month) as group_payroll_amount,
        sum(loading_amount) over (partition by rate_group_id, period_month) as group_loading_amount,
        sum(tools_amount) over (partition by rate_group_id, period_month) as group_tools_amount
    from cells

),

rated as (

    select
        *,
        cast(round(
            cast(group_payroll_amount as double) / nullif(group_practical_hours, 0), 6
        ) as decimal(18, 6)) as payroll_rate,
        cast(round(
            cast(group_loading_amount as double) / nullif(group_practical_hours, 0), 6
        ) as decimal(18, 6)) as loading_rate,
        cast(round(
            cast(group_payroll_amount as double) / nullif(group_worked_hours, 0), 6
        ) as decimal(18, 6)) as capitalisable_rate,
        cast(round(
            cast(group_tools_amount as double) / nullif(group_worked_hours, 0), 6
        ) as decimal(18, 6)) as tools_rate,
        {{ round_amount(
            'cast(group_payroll_amount as double) * running_practical_hours / nullif(group_practical_hours, 0)'
        ) }} as running_payroll_amount,
        {{ round_amount(
            'cast(group_loading_amount as double) * running_practical_hours / nullif(group_practical_hours, 0)'
        ) }} as running_loading_amount
    from measured

),

-- Differences of rounded running totals: the cost centers of a group carry its cost at its rate, to the penny.
shared as (

    select
        *,
        running_payroll_amount - coalesce(
            lag(running_payroll_amount) over (
                partition by rate_group_id, period_month
                order by cost_center_id, is_timed
            ), 0
        ) as cell_payroll_amount,
        running_loading_amount - coalesce(
            lag(running_loading_amount) over (
                partition by rate_group_id, period_month
                order by cost_center_id, is_timed
            ), 0
        ) as cell_loading_amount
    from rated

),

final as (

    select
        rate_group_id,
        period_month,
        cost_center_id,
        is_timed,
        entity_id,
        account_id,
        cast(people_count as integer) as people_count,
        cast(group_people_count as integer) as group_people_count,
        cast(contracted_hours as decimal(18, 2)) as contracted_hours,
        cast(leave_hours as decimal(18, 2)) as leave_hours,
        cast(meeting_hours as decimal(18, 2)) as meeting_hours,
        cast(practical_hours as decimal(18, 2)) as practical_hours,
        payroll_rate,
        loading_rate,
        capitalisable_rate,
        tools_rate,
        cast(cell_payroll_amount as decimal(18, 2)) as payroll_amount,
        cast(cell_loading_amount as decimal(18, 2)) as loading_amount
    from shared

)

select * from final
