-- One row per record that the person who made it also approved.
with

gl_entries as (

    select * from {{ ref('int_gl_entries_converted') }}

),

budget_lines as (

    select * from {{ ref('fct_budget_lines') }}

),

purchase_orders as (

    select * from {{ ref('stg_cost__purchase_orders') }}

),

initiatives as (

    select * from {{ ref('stg_product__initiatives') }}

),

benefits as (

    select * from {{ ref('stg_product__benefits') }}

),

approvals as (

    select
        'gl_entries' as extract_name,
        'journal_id=' || journal_id || ', line_number=' || cast(line_number as string) as record_key,
        'posted' as deed,
        posted_by as doer,
        approved_by as approver,
        source_file,
        source_row,
        cast(reporting_amount as decimal(38, 2)) as amount
    from gl_entries

    union all

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
        'prepared' as deed,
        prepared_by as doer,
        approved_by as approver,
        source_file,
        source_row,
        cast(reporting_budget_amount as decimal(38, 2)) as amount
    from budget_lines

    union all

    select
        'purchase_orders' as extract_name,
        'po_id=' || po_id || ', line_number=' || cast(line_number as string) as record_key,
        'requested' as deed,
        requested_by as doer,
        approved_by as approver,
        source_file,
        source_row,
        cast(null as decimal(38, 2)) as amount
    from purchase_orders

    union all

    select
        'initiatives' as extract_name,
        'initiative_id=' || initiative_id as record_key,
        'owns' as deed,
        owner as doer,
        approved_by as approver,
        source_file,
        source_row,
        cast(null as decimal(38, 2)) as amount
    from initiatives

    union all

    select
        'benefits' as extract_name,
        'benefit_id=' || benefit_id || ', period_month=' || cast(period_month as string) as record_key,
        'owns' as deed,
        owner as doer,
        confirmed_by as approver,
        source_file,
        source_row,
        cast(null as decimal(38, 2)) as amount
    from benefits

),

final as (

    select
        'self_approval' as rule_id,
        'error' as severity,
        extract_name,
        record_key,
        source_file,
        source_row,
        amount,
        doer || ' ' || deed || ' it and approved it. Have someone else approve it.' as message
    from approvals
    where doer = approver

)

select * from final
