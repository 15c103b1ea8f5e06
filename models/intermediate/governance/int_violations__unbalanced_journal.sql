-- One row per journal and currency whose lines do not sum to zero.
with

gl_entries as {{ inlined() }} (

    select * from {{ ref('int_gl_entries_converted') }}

),

unbalanced as (

    select
        journal_id,
        currency
    from gl_entries
    group by journal_id, currency
    having sum(amount) <> 0

),

journals as (

    select
        gl_entries.journal_id,
        gl_entries.currency,
        sum(gl_entries.amount) as imbalance,
        sum(gl_entries.reporting_amount) as reporting_imbalance,
        count(*) as line_count,
        min(gl_entries.source_file) as source_file,
        min_by(gl_entries.source_row, gl_entries.line_number) as source_row
    from gl_entries
    inner join unbalanced
        on
            gl_entries.journal_id = unbalanced.journal_id
            and gl_entries.currency is not distinct from unbalanced.currency
    group by gl_entries.journal_id, gl_entries.currency

),

final as (

    select
        'unbalanced_journal' as rule_id,
        'error' as severity,
        'gl_entries' as extract_name,
        'journal_id=' || journal_id || ', currency=' || currency as record_key,
        source_file,
        source_row,
        cast(reporting_imbalance as decimal(38, 2)) as amount,
        'The ' || cast(line_count as string) || ' lines sum to ' || cast(imbalance as string) || ' ' || currency
        || ' instead of 0. Post the missing line, or send the journal again.' as message
    from journals

)

select * from final
