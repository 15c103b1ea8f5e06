-- One row per record that names a product no product extract knows.
with

products as (

    select * from {{ ref('stg_product__products') }}

),

gl_entries as (

    select * from {{ ref('int_gl_entries_converted') }}

),
{% set keyed_extracts = {
    'purchase_orders': ('stg_cost__purchase_orders', ['po_id', 'line_number']),
    'timesheets': ('stg_cost__timesheets', ['entry_id']),
    'budget_lines': ('stg_budget__budget_lines', [
        'budget_version', 'fiscal_period', 'cost_center_id', 'account_id', 'product_id', 'initiative_id'
    ]),
    'revenue_budgets': ('stg_budget__revenue_budgets', [
        'budget_version', 'period_month', 'product_id', 'plan_id', 'segment'
    ]),
    'labour_standards': ('stg_budget__labour_standards', ['period_month', 'product_id', 'activity_type']),
    'features': ('stg_product__features', ['feature_id']),
    'initiatives': ('stg_product__initiatives', ['initiative_id']),
    'support_tickets': ('stg_product__support_tickets', ['ticket_id']),
    'survey_responses': ('stg_product__survey_responses', ['response_id']),
    'subscriptions': ('stg_revenue__subscriptions', ['subscription_id', 'valid_from']),
    'invoice_lines': ('stg_revenue__invoice_lines', ['invoice_id', 'line_number']),
    'conversions': ('stg_revenue__conversions', ['conversion_id']),
} %}
product_references as (

    select
        'gl_entries' as extract_name,
        'journal_id=' || journal_id || ', line_number=' || cast(line_number as string) as record_key,
        product_id,
        source_file,
        source_row,
        cast(reporting_amount as decimal(38, 2)) as amount
    from gl_entries
    {%- for extract_name, (model, key) in keyed_extracts.items() %}

    union all

    select
        '{{ extract_name }}' as extract_name,
        {{ record_key(key) }} as record_key,
        product_id,
        source_file,
        source_row,
        cast(null as decimal(38, 2)) as amount
    from {{ ref(model) }}
    {%- endfor %}

),

-- Who has sent no products at all is not told so for every record.
product_extract as (

    select count(*) > 0 as has_rows
    from products

),

final as (

    select
        'unknown_product' as rule_id,
        'error' as severity,
        product_references.extract_name,
        product_references.record_key,
        product_references.source_file,
        product_references.source_row,
        product_references.amount,
        'Product ' || product_references.product_id
        || ' is not in the products extract. Add it there, or correct the record.' as message
    from product_references
    cross join product_extract
    left join products on product_references.product_id = products.product_id
    where
        product_references.product_id is not null
        and products.product_id is null
        and product_extract.has_rows

)

select * from final
