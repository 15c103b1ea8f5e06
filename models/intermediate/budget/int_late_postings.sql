-- One row per ledger line that reached a closed period without an authorised adjustment.
with

gl_entries as {{ inlined() }} (

    select * from {{ ref('int_gl_entries_converted') }}

),

period_closes as (

    select * from {{ ref('stg_budget__period_closes') }}

),

first_known as (

    select
        entity_id,
        fiscal_period,
        min(known_at) as first_known_at
    from gl_entries
    group by entity_id, fiscal_period

),

-- A period loaded as a whole after its close is history taken over, not a late posting.
periods as (

    select
        period_closes.entity_id,
        period_closes.fiscal_period,
        period_closes.closed_at
    from period_closes
    inner join first_known
        on
            period_closes.entity_id = first_known.entity_id
            and period_closes.fiscal_period = first_known.fiscal_period
    where first_known.first_known_at <= period_closes.closed_at

),

late_lines as (

    select
        gl_entries.*,
        periods.closed_at
    from gl_entries
    inner join periods
        on
            gl_entries.entity_id = periods.entity_id
            and gl_entries.fiscal_period = periods.fiscal_period
    where
        gl_entries.known_at > periods.closed_at
        and gl_entries.adjustment_id is null

),

final as (

    select
        journal_id,
        line_number,
        entity_id,
        fiscal_period,
        cost_center_id,
        account_id,
        reporting_amount,
        known_at,
        closed_at,
        source_file,
        source_row
    from late_lines

)

select * from final
