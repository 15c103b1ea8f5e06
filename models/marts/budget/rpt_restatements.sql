-- One row per closed fiscal period, cost center, account and product.
with

gl_entry_versions as (

    select *
    from {{ ref('int_gl_entry_versions') }}
    where account_type is not null

),

cutoffs as (

    select *
    from {{ ref('int_budget_cutoffs') }}
    where is_closed

),

-- What was valid when the period was closed, and what is valid now.
marked as (

    select
        gl_entry_versions.journal_id,
        gl_entry_versions.line_number,
        cutoffs.entity_id,
        cutoffs.fiscal_period,
        gl_entry_versions.cost_center_id,
        gl_entry_versions.account_id,
        gl_entry_versions.product_id,
        gl_entry_versions.adjustment_id,
        gl_entry_versions.reporting_natural_amount,
        gl_entry_versions.source_file,
        gl_entry_versions.known_at,
        gl_entry_versions.superseded_at,
        cutoffs.closed_at,
        cutoffs.is_taken_over,
        gl_entry_versions.known_at <= cutoffs.report_at
        and coalesce(gl_entry_versions.superseded_at > cutoffs.report_at, true) as was_reported,
        gl_entry_versions.superseded_at is null as is_current
    from gl_entry_versions
    inner join cutoffs
        on
            gl_entry_versions.entity_id = cutoffs.entity_id
            and gl_entry_versions.fiscal_period = cutoffs.fiscal_period

),

lines as (

    select
        entity_id,
        fiscal_period,
        cost_center_id,
        account_id,
        product_id,
        max(closed_at) as closed_at,
        bool_or(is_taken_over) as is_taken_over,
        sum(case when was_reported then reporting_natural_amount else 0 end) as reported_amount,
        sum(case when is_current then reporting_natural_amount else 0 end) as current_amount
    from marked
    where
        was_reported
        or is_current
    group by
        entity_id,
        fiscal_period,
        cost_center_id,
        account_id,
        product_id

),

-- A line left the report when its successor came, and entered it when it became known itself.
changes as (

    select
        entity_id,
        fiscal_period,
        cost_center_id,
        account_id,
        product_id,
        sum(case when is_current and adjustment_id is not null then reporting_natural_amount else 0 end) as authorised_amount,
        count(distinct journal_id) as changed_journal_count,
        min(case when is_current then known_at else superseded_at end) as first_changed_at,
        max(case when is_current then known_at else superseded_at end) as last_changed_at,
        array_sort(array_agg(distinct source_file) filter (where is_current)) as changed_by_files,
        array_sort(array_agg(distinct journal_id)) as changed_journals
    from marked
    where was_reported <> is_current
    group by
        entity_id,
        fiscal_period,
        cost_center_id,
        account_id,
        product_id

),

final as (

    select
        lines.entity_id,
        lines.fiscal_period,
        lines.cost_center_id,
        lines.account_id,
        lines.product_id,
        cast(lines.reported_amount as decimal(18, 2)) as reported_amount,
        cast(lines.current_amount as decimal(18, 2)) as current_amount,
        cast(lines.current_amount - lines.reported_amount as decimal(18, 2)) as restatement_amount,
        cast(coalesce(changes.authorised_amount, 0) as decimal(18, 2)) as authorised_amount,
        cast(coalesce(changes.changed_journal_count, 0) as integer) as changed_journal_count,
        changes.changed_journal_count is not null as is_restated,
        lines.is_taken_over,
        nullif(replace(replace(cast(changes.changed_by_files as string), '[', ''), ']', ''), '') as changed_by_files,
        nullif(replace(replace(cast(changes.changed_journals as string), '[', ''), ']', ''), '') as changed_journals,
        lines.closed_at,
        changes.first_changed_at,
        changes.last_changed_at
    from lines
    left join changes
        on
            lines.entity_id = changes.entity_id
            and lines.fiscal_period = changes.fiscal_period
            and lines.cost_center_id is not distinct from changes.cost_center_id
            and lines.account_id = changes.account_id
            and lines.product_id is not distinct from changes.product_id

)

select * from final
