-- One row per extract, series and month without a single row between its first and its last expected month.
{% set monthly_extracts = {
    'gl_entries': (ref('int_gl_entries_converted'), 'posted_on', "''"),
    'cloud_costs': (ref('stg_cost__cloud_costs'), 'charge_period_start', "''"),
    'payroll': (ref('stg_cost__payroll'), 'period_month', "''"),
    'timesheets': (ref('stg_cost__timesheets'), 'work_date', "''"),
    'usage_drivers': (ref('stg_cost__usage_drivers'), 'period_month', 'driver_id'),
    'feature_usage': (ref('int_feature_usage_months'), 'last_used_on', "''"),
    'invoice_lines': (ref('stg_revenue__invoice_lines'), 'invoiced_on', "''"),
    'payments': (ref('stg_revenue__payments'), 'paid_on', "''"),
    'marketing_spend': (ref('stg_revenue__marketing_spend'), 'spend_date', "''"),
} -%}
with

calendar_months as (

    select distinct month_date
    from {{ ref('dim_date') }}

),

-- The last month the books of the reporting entity are closed for.
last_closed_month as (

    select max({{ period_month('end_on') }}) as month_date
    from {{ ref('dim_fiscal_period') }}
    where
        is_closed
        and is_reporting_entity

),

present_months as (
    {% for extract_name, (relation, dated, series) in monthly_extracts.items() %}
    select
        '{{ extract_name }}' as extract_name,
        {{ series }} as series_id,
        cast(date_trunc('month', {{ dated }}) as date) as month_date
    from {{ relation }}
    where cast({{ dated }} as date) <= cast(known_at as date)
    group by all
    {% if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
),

ranges as (

    select
        present_months.extract_name,
        present_months.series_id,
        min(present_months.month_date) as first_month,
        greatest(
            max(present_months.month_date),
            coalesce(max(last_closed_month.month_date), max(present_months.month_date))
        ) as last_month
    from present_months
    cross join last_closed_month
    group by present_months.extract_name, present_months.series_id

),

final as (

    select
        'missing_month' as rule_id,
        'error' as severity,
        ranges.extract_name,
        'month=' || substr(cast(calendar_months.month_date as string), 1, 7)
        || case when ranges.series_id = '' then '' else ', series=' || ranges.series_id end as record_key,
        cast(null as string) as source_file,
        cast(null as bigint) as source_row,
        cast(null as decimal(38, 2)) as amount,
        'No row in ' || substr(cast(calendar_months.month_date as string), 1, 7) || ', between '
        || substr(cast(ranges.first_month as string), 1, 7) || ' and '
        || substr(cast(ranges.last_month as string), 1, 7) || '. Deliver the month.' as message
    from ranges
    inner join calendar_months
        on calendar_months.month_date between ranges.first_month and ranges.last_month
    left join present_months
        on
            ranges.extract_name = present_months.extract_name
            and ranges.series_id = present_months.series_id
            and calendar_months.month_date = present_months.month_date
    where present_months.month_date is null

)

select * from final
