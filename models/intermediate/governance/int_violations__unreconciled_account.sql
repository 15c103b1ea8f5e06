-- One row per account and closed period in which the ledger and its detail differ.
with

reconciliation as (

    select * from {{ ref('rpt_reconciliation') }}
    where reconciliation_state = 'difference'

),

final as (

    select
        'unreconciled_account' as rule_id,
        'error' as severity,
        'gl_entries' as extract_name,
        'account_id=' || account_id || ', fiscal_period=' || fiscal_period || ', currency=' || currency
        || ', subledger=' || subledger as record_key,
        cast(null as string) as source_file,
        cast(null as bigint) as source_row,
        cast(reporting_difference_amount as decimal(38, 2)) as amount,
        'The ' || subledger || ' detail makes ' || cast(subledger_amount as string) || ' ' || currency
        || ', the ledger ' || cast(gl_amount as string)
        || '. Find the posting without detail, or deliver the detail without posting.' as message
    from reconciliation

)

select * from final
