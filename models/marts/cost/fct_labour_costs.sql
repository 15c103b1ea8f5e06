-- One row per timesheet entry, plus one per rate group, cost center and month for capacity unused, and one for people
-- who keep no time.
with

timesheets as (

    select * from {{ ref('stg_cost__timesheets') }}

),

people as (

    select * from {{ ref('int_payroll_people') }}

),

capacity as (

    select * from {{ ref('int_labour_capacity') }}

),

activity_types as (

    select * from {{ ref('activity_types') }}

),

products as (

    select * from {{ ref('dim_product') }}

),

dated as (

    select
        *,
        cast(date_trunc('month', work_date) as date) as period_month
    from timesheets

),

-- Time of people without pay that month (contractors, a payroll that is late) has hours but no rate.
entries as (

    select
        dated.entry_id as labour_cost_id,
        'timesheet' as line_type,
        dated.work_date,
        dated.period_month,
        people.rate_group_id,
        people.cost_center_id,
        people.entity_id,
        people.account_id,
        people.role,
        products.product_id,
        dated.initiative_id,
        dated.activity_type,
        coalesce(activity_types.is_productive, true) as is_productive,
        coalesce(activity_types.is_capitalisable, false) as is_capitalisable_activity,
        dated.hours,
        capacity.group_people_count,
        capacity.payroll_rate,
        capacity.loading_rate,
        capacity.capitalisable_rate,
        capacity.tools_rate,
        case
            when people.person_id is null then 'no_payroll'
            when people.rate_group_id is null then 'small_group'
            when capacity.payroll_rate is null then 'no_capacity'
        end as rate_reason
    from dated
    left join people
        on
            dated.person_id = people.person_id
            and dated.period_month = people.period_month
    left join capacity
        on
            people.rate_group_id = capacity.rate_group_id
            and people.period_month = capacity.period_month
            and people.cost_center_id = capacity.cost_center_id
            and people.is_timed = capacity.is_timed
    left join activity_types on dated.activity_type = activity_types.activity_type
    left join products on dated.product_id = products.product_id

),

-- Unproductive time costs nothing of its own: productive hours carry it in their rate.
costed_entries as (

    select
        *,
        case
            when is_productive
                then cast(round(cast(hours as decimal(19, 2)) * payroll_rate, 2) as decimal(18, 2))
            when rate_reason is null then cast(0 as decimal(18, 2))
        end as payroll_amount,
        case
            when is_productive
                then cast(round(cast(hours as decimal(19, 2)) * loading_rate, 2) as decimal(18, 2))
            when rate_reason is null then cast(0 as decimal(18, 2))
        end as loading_amount,
        case
            when is_productive and is_capitalisable_activity
                then cast(round(cast(hours as decimal(19, 2)) * capitalisable_rate, 2) as decimal(18, 2))
            when rate_reason is null then cast(0 as decimal(18, 2))
        end as capitalisable_amount
    from entries

),

used as (

    select
        rate_group_id,
        period_month,
        cost_center_id,
        sum(case when is_productive then hours else 0 end) as used_hours,
        sum(payroll_amount) as payroll_amount,
        sum(loading_amount) as loading_amount
    from costed_entries
    where rate_group_id is not null
    group by
        rate_group_id,
        period_month,
        cost_center_id

),

-- What the timesheets leave of the pay: unused capacity of those who keep time, all of it for those who do not.
remainders as (

    select
        capacity.rate_group_id,
        capacity.period_month,
        capacity.cost_center_id,
        capacity.entity_id,
        capacity.account_id,
        capacity.group_people_count,
        capacity.payroll_rate,
        capacity.loading_rate,
        capacity.capitalisable_rate,
        capacity.tools_rate,
        case when capacity.is_timed then 'unused_capacity' else 'untimed' end as line_type,
        capacity.practical_hours - coalesce(used.used_hours, 0) as hours,
        capacity.payroll_amount - coalesce(used.payroll_amount, 0) as payroll_amount,
        capacity.loading_amount - coalesce(used.loading_amount, 0) as loading_amount
    from capacity
    left join used
        on
            capacity.is_timed
            and capacity.rate_group_id = used.rate_group_id
            and capacity.period_month = used.period_month
            and capacity.cost_center_id = used.cost_center_id

),

lines as (

    select
        labour_cost_id,
        line_type,
        work_date,
        period_month,
        rate_group_id,
        cost_center_id,
        entity_id,
        account_id,
        product_id,
        initiative_id,
        activity_type,
        is_productive,
        is_capitalisable_activity,
        hours,
        group_people_count,
        payroll_rate,
        loading_rate,
        capitalisable_rate,
        tools_rate,
        payroll_amount,
        loading_amount,
        capitalisable_amount,
        rate_reason
    from costed_entries

    union all

    select
        line_type || ':' || rate_group_id || ':' || cost_center_id || ':'
        || cast(period_month as {{ dbt.type_string() }}) as labour_cost_id,
        line_type,
        cast(period_month + interval '1' month - interval '1' day as date) as work_date,
        period_month,
        rate_group_id,
        cost_center_id,
        entity_id,
        account_id,
        null as product_id,
        null as initiative_id,
        null as activity_type,
        false as is_productive,
        false as is_capitalisable_activity,
        hours,
        group_people_count,
        payroll_rate,
        loading_rate,
        capitalisable_rate,
        tools_rate,
        payroll_amount,
        loading_amount,
        cast(0 as decimal(18, 2)) as capitalisable_amount,
        null as rate_reason
    from remainders

),

fiscal_dates as (

    select * from {{ ref('int_fiscal_dates') }}

),

final as (

    select
        lines.labour_cost_id,
        lines.line_type,
        lines.work_date,
        lines.period_month,
        fiscal_dates.fiscal_period,
        lines.entity_id,
        lines.cost_center_id,
        lines.account_id,
        lines.rate_group_id,
        lines.product_id,
        lines.initiative_id,
        lines.activity_type,
        lines.is_productive,
        lines.is_capitalisable_activity,
        cast(lines.hours as decimal(18, 2)) as hours,
        lines.group_people_count,
        cast(lines.payroll_rate + lines.loading_rate as decimal(18, 6)) as fully_loaded_rate,
        cast(lines.payroll_rate as decimal(18, 6)) as payroll_rate,
        cast(lines.capitalisable_rate as decimal(18, 6)) as capitalisable_rate,
        cast(lines.tools_rate as decimal(18, 6)) as tools_rate,
        lines.rate_reason,
        cast(lines.payroll_amount + lines.loading_amount as decimal(18, 2)) as fully_loaded_amount,
        cast(lines.payroll_amount as decimal(18, 2)) as payroll_amount,
        cast(lines.loading_amount as decimal(18, 2)) as loading_amount,
        cast(lines.capitalisable_amount as decimal(18, 2)) as capitalisable_amount,
        cast('{{ var("reporting_currency") }}' as {{ dbt.type_string() }}) as currency
    from lines
    left join fiscal_dates
        on
            lines.entity_id = fiscal_dates.entity_id
            and lines.work_date = fiscal_dates.calendar_date

)

select * from final
