-- One row per budget line and period, with an amount and the reports (by running period number) it was known for.
with

gl_entry_versions as (

    select *
    from {{ ref('int_gl_entry_versions') }}
    where
        polarity <> 0
        and fiscal_period is not null

),

budget_lines as (

    select * from {{ ref('fct_budget_lines') }}

),

cutoffs as (

    select * from {{ ref('int_budget_cutoffs') }}

),

-- Initiatives make lines of their own where they are budgeted so.
initiative_budgets as (

    select distinct
        fiscal_year,
        cost_center_id,
        account_id
    from budget_lines
    where initiative_id is not null

),

-- The first report that knew a posting, and the first that knew better.
known as (

    select
        gl_entry_versions.entity_id,
        gl_entry_versions.fiscal_year,
        gl_entry_versions.period_number,
        gl_entry_versions.cost_center_id,
        gl_entry_versions.account_id,
        gl_entry_versions.product_id,
        case
            when initiative_budgets.account_id is not null then gl_entry_versions.initiative_id
        end as initiative_id,
        gl_entry_versions.account_type,
        gl_entry_versions.polarity,
        known_for.period_sequence as known_from_sequence,
        superseded_for.period_sequence as known_to_sequence,
        gl_entry_versions.reporting_natural_amount
    from gl_entry_versions
    inner join cutoffs as known_for
        on
            gl_entry_versions.entity_id = known_for.entity_id
            and gl_entry_versions.known_at <= known_for.known_until
            and coalesce(gl_entry_versions.known_at > known_for.previous_known_until, true)
    left join cutoffs as superseded_for
        on
            gl_entry_versions.entity_id = superseded_for.entity_id
            and gl_entry_versions.superseded_at <= superseded_for.known_until
            and coalesce(gl_entry_versions.superseded_at > superseded_for.previous_known_until, true)
    left join initiative_budgets
        on
            gl_entry_versions.fiscal_year = initiative_budgets.fiscal_year
            and gl_entry_versions.cost_center_id = initiative_budgets.cost_center_id
            and gl_entry_versions.account_id = initiative_budgets.account_id

),

final as (

    select
        entity_id,
        fiscal_year,
        period_number,
        cost_center_id,
        account_id,
        product_id,
        initiative_id,
        known_from_sequence,
        known_to_sequence,
        max(account_type) as account_type,
        max(polarity) as polarity,
        sum(reporting_natural_amount) as actual_amount
    from known
    where coalesce(known_to_sequence > known_from_sequence, true)
    group by
        entity_id,
        fiscal_year,
        period_number,
        cost_center_id,
        account_id,
        product_id,
        initiative_id,
        known_from_sequence,
        known_to_sequence

)

select * from final
