-- One row per general-ledger line, with its entity, fiscal period, account attributes and reporting amount.
{{ config(materialized='view') }}
with

entry_versions as (

    select * from {{ ref('int_gl_entry_versions') }}

),

final as (

    select
        journal_id,
        line_number,
        entity_id,
        account_id,
        cost_center_id,
        product_id,
        initiative_id,
        adjustment_id,
        fiscal_year,
        fiscal_period,
        comparable_fiscal_period,
        posting_month,
        posted_on,
        vendor,
        description,
        account_type,
        cost_class,
        cost_behaviour,
        detail_source,
        polarity,
        amount,
        natural_amount,
        currency,
        fx_rate,
        reporting_amount,
        reporting_natural_amount,
        posted_by,
        approved_by,
        known_at,
        loaded_at,
        source_file,
        source_row
    from entry_versions
    where superseded_at is null

)

select * from final
