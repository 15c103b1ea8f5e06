-- One row per record whose amount cannot be stated in the reporting currency.
with

fx_rates as (

    select * from {{ ref('int_fx_rates') }}

),

-- Budgets convert at a rate of their own, fixed for the year.
budget_lines as (

    select *
    from {{ ref('fct_budget_lines') }}
    where
        budget_rate is null
        and fiscal_year is not null

),
{% set dated_extracts = {
    'gl_entries': (ref('int_gl_entries_converted'), ['journal_id', 'line_number'], 'posted_on', 'currency'),
    'payroll': (ref('stg_cost__payroll'), ['source_file', 'source_row'], 'period_month', 'currency'),
    'cloud_costs': (ref('stg_cost__cloud_costs'), ['source_file', 'source_row'], 'charge_period_start', 'billing_currency'),
    'purchase_orders': (ref('stg_cost__purchase_orders'), ['po_id', 'line_number'], 'ordered_on', 'currency'),
    'po_invoices': (ref('stg_cost__po_invoices'), ['invoice_id', 'po_id', 'line_number'], 'invoiced_on', 'currency'),
    'revenue_budgets': (
        ref('stg_budget__revenue_budgets'),
        ['budget_version', 'period_month', 'product_id', 'plan_id', 'segment'], 'period_month', 'currency'
    ),
    'business_cases': (
        ref('stg_product__business_cases'),
        ['initiative_id', 'case_version', 'period_month', 'flow_class'], 'period_month', 'currency'
    ),
    'benefits': (ref('stg_product__benefits'), ['benefit_id', 'period_month'], 'period_month', 'currency'),
    'invoice_lines': (ref('stg_revenue__invoice_lines'), ['invoice_id', 'line_number'], 'invoiced_on', 'currency'),
    'payments': (ref('stg_revenue__payments'), ['payment_id'], 'paid_on', 'currency'),
    'conversions': (ref('stg_revenue__conversions'), ['conversion_id'], 'occurred_at', 'currency'),
    'marketing_spend': (
        ref('stg_revenue__marketing_spend'), ['spend_date', 'channel', 'campaign'], 'spend_date', 'currency'
    ),
} %}
unrated as (
    {% for extract_name, (relation, key, dated, currency) in dated_extracts.items() %}
    select
        '{{ extract_name }}' as extract_name,
        {{ record_key(key, 'records') }} as record_key,
        records.{{ currency }}{{ ' as currency' if currency != 'currency' }},
        substr(cast(records.{{ dated }} as string), 1, 7) as needed_for,
        records.source_file,
        records.source_row
    from {{ relation }} as records
    left join fx_rates
        on
            records.{{ currency }} = fx_rates.from_currency
            and cast(date_trunc('month', records.{{ dated }}) as date) = fx_rates.rate_month
    where
        records.{{ currency }} is not null
        and fx_rates.from_currency is null

    union all
    {% endfor %}
    select
        'budget_lines' as extract_name,
        concat_ws(
            ', ',
            'budget_version=' || budget_version,
            'fiscal_period=' || fiscal_period,
            'cost_center_id=' || cost_center_id,
            'account_id=' || account_id,
            'product_id=' || coalesce(product_id, ''),
            'initiative_id=' || coalesce(initiative_id, '')
        ) as record_key,
        currency,
        'the budget of ' || substr(fiscal_period, 1, 4) as needed_for,
        source_file,
        source_row
    from budget_lines

),

final as (

    select
        'missing_fx_rate' as rule_id,
        'error' as severity,
        extract_name,
        record_key,
        source_file,
        source_row,
        cast(null as decimal(38, 2)) as amount,
        'No rate from ' || currency || ' to {{ var("reporting_currency") }} for ' || needed_for
        || '; its reporting amount is empty. Add the rate to fx_rates.' as message
    from unrated

)

select * from final
