-- One row per order or budget line that someone approved beyond their limit.
with

approvals as (

    select * from {{ ref('int_approvals') }}

),

final as (

    select
        'over_authority' as rule_id,
        'error' as severity,
        extract_name,
        record_key,
        source_file,
        source_row,
        amount,
        'Approved ' || cast(document_amount as string) || ' {{ var("reporting_currency") }} with a limit of '
        || cast(limit_amount as string) || '. Have it approved by someone who may, or change approval_limits.' as message
    from approvals
    where is_over_authority

)

select * from final
