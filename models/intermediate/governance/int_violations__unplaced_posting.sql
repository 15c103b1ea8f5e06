-- One row per ledger or budget line without a known account, cost center or fiscal period, and other record of no period.
{% set dated_extracts = {
    'payroll': (ref('stg_cost__payroll'), ['source_file', 'source_row'], 'period_month'),
    'timesheets': (ref('stg_cost__timesheets'), ['entry_id'], 'work_date'),
    'cloud_costs': (ref('stg_cost__cloud_costs'), ['source_file', 'source_row'], 'charge_period_start'),
    'usage_drivers': (ref('stg_cost__usage_drivers'), ['driver_id', 'period_month', 'consumer_id'], 'period_month'),
    'invoice_lines': (ref('stg_revenue__invoice_lines'), ['invoice_id', 'line_number'], 'invoiced_on'),
    'marketing_spend': (
        ref('stg_revenue__marketing_spend'), ['spend_date', 'channel', 'campaign'], 'spend_date'
    ),
} -%}
with

gl_entries as (

    select * from {{ ref('int_gl_entries_converted') }}

),

budget_lines as (

    select * from {{ ref('fct_budget_lines') }}

),

cost_centers as (

    select * from {{ ref('cost_centers') }}

),

-- The days of the reporting entity's calendar, by which products are reported.
dates as (

    select date_day
    from {{ ref('dim_date') }}

),

examined as (

    select
        'gl_entries' as extract_name,
        'journal_id=' || gl_entries.journal_id
        || ', line_number=' || cast(gl_entries.line_number as string) as record_key,
        gl_entries.source_file,
        gl_entries.source_row,
        gl_entries.reporting_amount,
        case
            when gl_entries.account_type is null
                then
                    'Account ' || gl_entries.account_id || ' is not in chart_of_accounts. Add it, or correct the line.'
            when gl_entries.cost_center_id is not null and cost_centers.cost_center_id is null
                then
                    'Cost center ' || gl_entries.cost_center_id
                    || ' is not in cost_centers. Add it, or correct the line.'
            when gl_entries.cost_center_id is null and gl_entries.polarity = -1
                then 'An expense without a cost center belongs to no budget. Correct the line.'
            when gl_entries.fiscal_period is null or dates.date_day is null
                then
                    'Posting date ' || cast(gl_entries.posted_on as string)
                    || ' is outside fiscal_calendars. Correct the date, or extend the calendar.'
        end as message
    from gl_entries
    left join cost_centers on gl_entries.cost_center_id = cost_centers.cost_center_id
    left join dates on gl_entries.posted_on = dates.date_day

    union all

    select
        'budget_lines' as extract_name,
        concat_ws(
            ', ',
            'budget_version=' || budget_lines.budget_version,
            'fiscal_period=' || budget_lines.fiscal_period,
            'cost_center_id=' || budget_lines.cost_center_id,
            'account_id=' || budget_lines.account_id,
            'product_id=' || coalesce(budget_lines.product_id, ''),
            'initiative_id=' || coalesce(budget_lines.initiative_id, '')
        ) as record_key,
        budget_lines.source_file,
        budget_lines.source_row,
        budget_lines.reporting_budget_amount as reporting_amount,
        case
            when budget_lines.polarity is null
                then
                    'Account ' || budget_lines.account_id || ' is not in chart_of_accounts. Add it, or correct the line.'
            when cost_centers.cost_center_id is null
                then
                    'Cost center ' || budget_lines.cost_center_id
                    || ' is not in cost_centers. Add it, or correct the line.'
            when budget_lines.fiscal_year is null
                then
                    'Period ' || budget_lines.fiscal_period || ' is not in the fiscal calendar of '
                    || budget_lines.entity_id || '. Correct it, or extend the calendar.'
        end as message
    from budget_lines
    left join cost_centers on budget_lines.cost_center_id = cost_centers.cost_center_id
    {% for extract_name, (relation, key, dated) in dated_extracts.items() %}
    union all

    select
        '{{ extract_name }}' as extract_name,
        {{ record_key(key, 'records') }} as record_key,
        records.source_file,
        records.source_row,
        cast(null as decimal(38, 2)) as reporting_amount,
        'Date ' || substr(cast(records.{{ dated }} as string), 1, 10)
        || ' is outside fiscal_calendars. Correct the date, or extend the calendar.' as message
    from {{ relation }} as records
    left join dates on cast(records.{{ dated }} as date) = dates.date_day
    where
        dates.date_day is null
        and records.{{ dated }} is not null
    {% endfor %}
),

final as (

    select
        'unplaced_posting' as rule_id,
        'error' as severity,
        extract_name,
        record_key,
        source_file,
        source_row,
        cast(reporting_amount as decimal(38, 2)) as amount,
        message
    from examined
    where message is not null

)

select * from final
