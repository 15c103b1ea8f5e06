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
        sum(case when is_current then reporting_natural_amount else 0 end) as current_amount,
        sum(
            case when is_current and not was_reported and adjustment_id is not null then reporting_natural_amount else 0 end
        ) as authorised_amount,
        count(distinct case when was_reported <> is_current then journal_id end) as changed_journal_count,
        -- A line left the report when its successor came, and entered it when it became known itself.
        min(
            case
                when was_reported and not is_current then superseded_at
                when is_current and not was_reported then known_at
            end
        ) as first_changed_at,
        max(
            case
                when was_reported and not is_current then superseded_at
                when is_current and not was_reported then known_at
            end
        ) as last_changed_at,
        array_sort(
            array_agg(distinct source_file) filter (where is_current and not was_reported)
        ) as changed_by_files,
        array_sort(
            array_agg(distinct journal_id) filter (where was_reported <> is_current)
        ) as changed_journals
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

final as (

    select
        entity_id,
        fiscal_period,
        cost_center_id,
        account_id,
        product_id,
        cast(reported_amount as decimal(18, 2)) as reported_amount,
        cast(current_amount as decimal(18, 2)) as current_amount,
        cast(current_amount - reported_amount as decimal(18, 2)) as restatement_amount,
        cast(authorised_amount as decimal(18, 2)) as authorised_amount,
        cast(changed_journal_count as integer) as changed_journal_count,
        changed_journal_count > 0 as is_restated,
        is_taken_over,
        nullif(replace(replace(cast(changed_by_files as string), '[', ''), ']', ''), '') as changed_by_files,
        nullif(replace(replace(cast(changed_journals as string), '[', ''), ']', ''), '') as changed_journals,
        closed_at,
        first_changed_at,
        last_changed_at
    from lines

)

select * from final
