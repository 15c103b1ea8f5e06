-- One row per ledger line that reached a closed period without an authorised adjustment.
with

late_postings as (

    select * from {{ ref('int_late_postings') }}

),

final as (

    select
        'late_posting' as rule_id,
        'error' as severity,
        'gl_entries' as extract_name,
        'journal_id=' || journal_id || ', line_number=' || cast(line_number as string) as record_key,
        source_file,
        source_row,
        cast(reporting_amount as decimal(38, 2)) as amount,
        'Known on ' || substr(cast(known_at as string), 1, 10) || ', but ' || entity_id || ' closed ' || fiscal_period
        || ' on ' || substr(cast(closed_at as string), 1, 10)
        || '. Post it to an open period, or have the adjustment authorised.' as message
    from late_postings

)

select * from final
