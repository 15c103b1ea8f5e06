-- One row per transaction that was changed once it was known.
with

superseded_rows as (

    select * from {{ ref('stg_governance__superseded_rows') }}

),

final as (

    select
        'corrected_row' as rule_id,
        'warning' as severity,
        extract_name,
        record_key,
        source_file,
        source_row,
        cast(null as decimal(38, 2)) as amount,
        'Changed by row ' || cast(next_source_row as string) || ' of ' || next_source_file
        || '; the later row counts. Correct a posted record by a new one that reverses it.' as message
    from superseded_rows
    where
        (known_at < next_known_at or (source_file = next_source_file and loaded_at < next_loaded_at))
        and not is_identical
        -- Budget lines have a rule of their own; plans, tickets and benefits are meant to change.
        and extract_name not in ('budget_lines', 'revenue_budgets', 'benefits', 'support_tickets')

)

select * from final
