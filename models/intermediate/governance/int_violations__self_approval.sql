-- One row per record that the person who made it also approved.
with

approvals as (

    select * from {{ ref('int_approvals') }}

),

initiatives as (

    select * from {{ ref('stg_product__initiatives') }}

),

benefits as (

    select * from {{ ref('stg_product__benefits') }}

),

deeds as (

    select
        extract_name,
        record_key,
        case document_type when 'journal' then 'posted' when 'budget_line' then 'prepared' else 'requested' end as deed,
        doer,
        approver,
        source_file,
        source_row,
        amount
    from approvals
    where is_self_approval

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
        'Whoever ' || deed || ' it also approved it. Have someone else approve it.' as message
    from deeds
    where doer = approver

)

select * from final
