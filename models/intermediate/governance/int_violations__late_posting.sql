-- One row per ledger line that reached a closed period without an authorised adjustment.
with

gl_entries as (

    select * from {{ ref('int_gl_entries_converted') }}

),

period_closes as (

    select * from {{ ref('stg_budget__period_closes') }}

),

closed_lines as (

    select
        gl_entries.journal_id,
        gl_entries.line_number,
        gl_entries.entity_id,
        gl_entries.fiscal_period,
        gl_entries.adjustment_id,
        gl_entries.reporting_amount,
        gl_entries.known_at,
        gl_entries.source_file,
        gl_entries.source_row,
        period_closes.closed_at,
        -- A period loaded as a whole after its close is history taken over, not a late posting.
        min(gl_entries.known_at) over (
            partition by gl_entries.entity_id, gl_entries.fiscal_period
        ) <= period_closes.closed_at as was_known_at_close
    from gl_entries
    inner join period_closes
        on
            gl_entries.entity_id = period_closes.entity_id
            and gl_entries.fiscal_period = period_closes.fiscal_period

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
    from closed_lines
    where
        was_known_at_close
        and known_at > closed_at
        and adjustment_id is null

)

select * from final
