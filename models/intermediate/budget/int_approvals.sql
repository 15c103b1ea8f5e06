-- One row per ledger line whose poster approved it, purchase-order line and budget line, with approver and limit.
with

-- Journals have no limit: all there is to say of them is who approved their own.
gl_entries as (

    select *
    from {{ ref('int_gl_entries_converted') }}
    where posted_by = approved_by

),

budget_lines as (

    select * from {{ ref('fct_budget_lines') }}

),

purchase_orders as (

    select * from {{ ref('stg_cost__purchase_orders') }}

),

encumbrances as (

    select *
    from {{ ref('fct_encumbrances') }}
    where event_number = 1

),

approval_limits as (

    select * from {{ ref('approval_limits') }}

),

documents as (

    select
        'journal' as document_type,
        'gl_entries' as extract_name,
        'journal_id=' || journal_id || ', line_number=' || cast(line_number as string) as record_key,
        entity_id,
        fiscal_period,
        cost_center_id,
        account_id,
        posted_by as doer,
        approved_by as approver,
        reporting_amount as amount,
        cast(null as decimal(38, 2)) as document_amount,
        source_file,
        source_row
    from gl_entries

    union all

    select
        'budget_line' as document_type,
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
        entity_id,
        fiscal_period,
        cost_center_id,
        account_id,
        prepared_by as doer,
        approved_by as approver,
        reporting_budget_amount as amount,
        abs(reporting_budget_amount) as document_amount,
        source_file,
        source_row
    from budget_lines

    union all

    -- The limit holds for the whole order, however many lines it is split into.
    select
        'purchase_order' as document_type,
        'purchase_orders' as extract_name,
        'po_id=' || purchase_orders.po_id
        || ', line_number=' || cast(purchase_orders.line_number as string) as record_key,
        encumbrances.entity_id,
        encumbrances.fiscal_period,
        purchase_orders.cost_center_id,
        purchase_orders.account_id,
        purchase_orders.requested_by as doer,
        purchase_orders.approved_by as approver,
        encumbrances.reporting_open_amount as amount,
        sum(encumbrances.reporting_open_amount) over (partition by purchase_orders.po_id) as document_amount,
        purchase_orders.source_file,
        purchase_orders.source_row
    from purchase_orders
    inner join encumbrances
        on
            purchase_orders.po_id = encumbrances.po_id
            and purchase_orders.line_number = encumbrances.line_number

),

approvers as (

    select distinct
        approver,
        document_type
    from documents
    where document_type <> 'journal'

),

-- The nearest row of approval_limits: by name, then by kind of document.
limits as (

    select
        approvers.approver,
        approvers.document_type,
        approval_limits.limit_amount,
        row_number() over (
            partition by approvers.approver, approvers.document_type
            order by
                case approval_limits.approver when '*' then 2 else 1 end,
                case approval_limits.document_type when '*' then 2 else 1 end
        ) as nearness
    from approvers
    inner join approval_limits
        on
            approval_limits.approver in (approvers.approver, '*')
            and approval_limits.document_type in (approvers.document_type, '*')

),

final as (

    select
        documents.document_type,
        documents.extract_name,
        documents.record_key,
        documents.entity_id,
        documents.fiscal_period,
        documents.cost_center_id,
        documents.account_id,
        documents.doer,
        documents.approver,
        cast(documents.amount as decimal(38, 2)) as amount,
        cast(documents.document_amount as decimal(38, 2)) as document_amount,
        limits.limit_amount,
        coalesce(documents.doer = documents.approver, false) as is_self_approval,
        coalesce(documents.document_amount > limits.limit_amount, false) as is_over_authority,
        documents.source_file,
        documents.source_row
    from documents
    left join limits
        on
            documents.approver = limits.approver
            and documents.document_type = limits.document_type
            and limits.nearness = 1

)

select * from final
