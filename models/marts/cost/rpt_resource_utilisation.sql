-- One row per cost center and month.
with

people as (

    select * from {{ ref('int_payroll_people') }}

),

timesheets as (

    select * from {{ ref('stg_cost__timesheets') }}

),

activity_types as (

    select * from {{ ref('activity_types') }}

),

labour_costs as (

    select * from {{ ref('fct_labour_costs') }}

),

cost_centers as (

    select * from {{ ref('dim_cost_center') }}

),

policies as (

    select queueing_utilisation_limit
    from {{ ref('cost_policies') }}

),

dated_timesheets as (

    select
        timesheets.person_id,
        cast(date_trunc('month', timesheets.work_date) as date) as period_month,
        timesheets.hours,
        timesheets.initiative_id,
        coalesce(activity_types.is_productive, true) as is_productive
    from timesheets
    left join activity_types on timesheets.activity_type = activity_types.activity_type

),

used_time as (

    select
        person_id,
        period_month,
        sum(case when is_productive then hours else 0 end) as used_hours,
        sum(case when is_productive and initiative_id is not null then hours else 0 end) as initiative_hours
    from dated_timesheets
    group by
        person_id,
        period_month

),

person_months as (

    select
        people.cost_center_id,
        people.period_month,
        people.is_timed,
        people.contracted_hours,
        people.leave_hours,
        people.contracted_hours - people.leave_hours as available_hours,
        greatest(people.contracted_hours - people.leave_hours - people.meeting_hours, 0) as practical_hours,
        coalesce(used_time.used_hours, 0) as used_hours,
        coalesce(used_time.initiative_hours, 0) as initiative_hours
    from people
    left join used_time
        on
            people.person_id = used_time.person_id
            and people.period_month = used_time.period_month

),

center_months as (

    select
        cost_center_id,
        period_month,
        count(*) as people_count,
        count_if(is_timed) as timed_people_count,
        sum(contracted_hours) as contracted_hours,
        sum(available_hours) as available_hours,
        sum(practical_hours) as practical_hours,
        sum(case when is_timed then available_hours else 0 end) as timed_available_hours,
        sum(case when is_timed then practical_hours else 0 end) as timed_practical_hours,
        sum(used_hours) as used_hours,
        sum(initiative_hours) as initiative_hours,
        count_if(is_timed and used_hours > practical_hours) as overallocated_people_count
    from person_months
    group by
        cost_center_id,
        period_month

),

unused as (

    select
        cost_center_id,
        period_month,
        sum(hours) as unused_hours,
        sum(fully_loaded_amount) as unused_amount
    from labour_costs
    where line_type = 'unused_capacity'
    group by
        cost_center_id,
        period_month

),

-- Too few people for a rate: their hours would be one person's.
measured as (

    select
        center_months.*,
        unused.unused_hours,
        unused.unused_amount,
        case
            when center_months.timed_people_count = 0 then 'no_timesheets'
            when center_months.timed_people_count < {{ var('minimum_group_size') }} then 'small_group'
            when center_months.timed_available_hours <= 0 then 'no_capacity'
        end as rate_reason
    from center_months
    left join unused
        on
            center_months.cost_center_id = unused.cost_center_id
            and center_months.period_month = unused.period_month

),

rated as (

    select
        *,
        case
            when rate_reason is null then cast(used_hours as double) / cast(timed_available_hours as double)
        end as utilisation_rate,
        case
            when rate_reason is null and timed_practical_hours > 0
                then cast(used_hours as double) / cast(timed_practical_hours as double)
        end as capacity_use_rate
    from measured

),

-- Above the limit three months in a row, work waits for people.
sustained as (

    select
        *,
        min(utilisation_rate) over (
            partition by cost_center_id
            order by period_month
            rows between 2 preceding and current row
        ) as lowest_rate,
        count(utilisation_rate) over (
            partition by cost_center_id
            order by period_month
            rows between 2 preceding and current row
        ) as months_measured
    from rated

),

final as (

    select
        sustained.cost_center_id,
        sustained.period_month,
        cost_centers.cost_center_name,
        cost_centers.entity_id,
        sustained.people_count,
        cast(sustained.timed_people_count as bigint) as timed_people_count,
        cast(sustained.contracted_hours as decimal(18, 2)) as contracted_hours,
        cast(sustained.available_hours as decimal(18, 2)) as available_hours,
        cast(sustained.practical_hours as decimal(18, 2)) as practical_hours,
        cast(case when sustained.rate_reason is null then sustained.used_hours end as decimal(18, 2)) as used_hours,
        cast(case when sustained.rate_reason is null then sustained.initiative_hours end as decimal(18, 2))
            as initiative_hours,
        cast(case when sustained.rate_reason is null then sustained.unused_hours end as decimal(18, 2)) as unused_hours,
        cast(case when sustained.rate_reason is null then sustained.unused_amount end as decimal(18, 2))
            as unused_amount,
        cast('{{ var("reporting_currency") }}' as {{ dbt.type_string() }}) as currency,
        sustained.utilisation_rate,
        sustained.capacity_use_rate,
        sustained.rate_reason,
        case when sustained.rate_reason is null then cast(sustained.overallocated_people_count as bigint) end
            as overallocated_people_count,
        coalesce(sustained.overallocated_people_count > 0 and sustained.rate_reason is null, false)
            as is_overallocated,
        sustained.months_measured = 3
        and coalesce(sustained.lowest_rate > policies.queueing_utilisation_limit, false) as is_queueing_risk
    from sustained
    cross join policies
    left join cost_centers on sustained.cost_center_id = cost_centers.cost_center_id

)

select * from final
