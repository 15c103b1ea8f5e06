-- One row per person and month of payroll, with the rate group whose average stands for the person's pay. Personal data.
with

payroll as (

    select * from {{ ref('stg_cost__payroll') }}

),

timesheets as (

    select * from {{ ref('stg_cost__timesheets') }}

),

cost_centers as (

    select * from {{ ref('cost_centers') }}

),

fx_rates as (

    select * from {{ ref('int_fx_rates') }}

),

timed_people as (

    select distinct
        person_id,
        cast(date_trunc('month', work_date) as date) as period_month
    from timesheets

),

people as (

    select
        payroll.person_id,
        payroll.period_month,
        payroll.cost_center_id,
        payroll.role,
        cost_centers.entity_id,
        cost_centers.payroll_account_id as account_id,
        timed_people.person_id is not null as is_timed,
        cast(payroll.contracted_hours as decimal(12, 2)) as contracted_hours,
        cast(coalesce(payroll.leave_hours, 0) as decimal(12, 2)) as leave_hours,
        cast(coalesce(payroll.meeting_hours, 0) as decimal(12, 2)) as meeting_hours,
        {{ convert_amount(
            'payroll.base_pay + coalesce(payroll.bonus, 0) + coalesce(payroll.employer_taxes, 0)'
            ~ ' + coalesce(payroll.benefits_cost, 0)',
            'fx_rates.average_rate',
        ) }} as payroll_amount,
        {{ convert_amount('coalesce(payroll.tools_cost, 0)', 'fx_rates.average_rate') }} as tools_amount,
        {{ convert_amount('coalesce(payroll.space_cost, 0)', 'fx_rates.average_rate') }} as space_amount
    from payroll
    left join cost_centers on payroll.cost_center_id = cost_centers.cost_center_id
    left join fx_rates
        on
            payroll.currency = fx_rates.from_currency
            and payroll.period_month = fx_rates.rate_month
    left join timed_people
        on
            payroll.person_id = timed_people.person_id
            and payroll.period_month = timed_people.period_month

),

sized as (

    select
        *,
        count(*) over (partition by period_month, cost_center_id) as cost_center_people,
        count(*) over (partition by period_month, cost_center_id, role) as role_people
    from people

),

-- People of a cost center whose role alone would be too small a group.
remainders as (

    select
        *,
        sum(case when role_people < {{ var('minimum_group_size') }} then 1 else 0 end) over (
            partition by period_month, cost_center_id
        ) as remainder_people
    from sized

),

-- A role stands alone where it and what it leaves behind are both large enough: no group is the difference of two.
own_groups as (

    select
        *,
        case
            when cost_center_people < {{ var('minimum_group_size') }} then null
            when remainder_people between 1 and {{ var('minimum_group_size') - 1 }} then cost_center_id
            when role_people >= {{ var('minimum_group_size') }} then cost_center_id || '/' || role
            else cost_center_id || '/other'
        end as own_group_id
    from remainders

),

group_sizes as (

    select
        period_month,
        entity_id,
        own_group_id,
        count(*) as people
    from own_groups
    where own_group_id is not null
    group by
        period_month,
        entity_id,
        own_group_id

),

-- The smallest group of an entity takes in people of cost centers too small for a group, if they are few.
host_groups as (

    select
        period_month,
        entity_id,
        own_group_id as host_group_id
    from group_sizes
    qualify row_number() over (partition by period_month, entity_id order by people, own_group_id) = 1

),

entity_groups as (

    select
        own_groups.*,
        case
            when own_groups.own_group_id is not null then own_groups.own_group_id
            when
                count(*) over (
                    partition by own_groups.period_month, own_groups.entity_id, own_groups.own_group_id
                ) >= {{ var('minimum_group_size') }}
                then own_groups.entity_id || '/small'
            else host_groups.host_group_id
        end as entity_group_id
    from own_groups
    left join host_groups
        on
            own_groups.period_month = host_groups.period_month
            and own_groups.entity_id = host_groups.entity_id

),

-- The last resort is one group for all who are left; if even they are too few, they have no group and no rate.
grouped as (

    select
        *,
        case
            when entity_group_id is not null then entity_group_id
            when
                count(*) over (partition by period_month, entity_group_id) >= {{ var('minimum_group_size') }}
                then 'company/small'
        end as rate_group_id
    from entity_groups

),

final as (

    select
        person_id,
        period_month,
        rate_group_id,
        cost_center_id,
        entity_id,
        account_id,
        role,
        is_timed,
        contracted_hours,
        leave_hours,
        meeting_hours,
        payroll_amount,
        tools_amount,
        space_amount
    from grouped

)

select * from final
