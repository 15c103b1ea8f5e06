-- One row per general-ledger journal line, as last known.
with

source as (

    select *
    from {{ source('cost', 'gl_entries') }}

),

latest as (

    {{ latest_version(['journal_id', 'line_number']) }}

),

final as (

    select
        journal_id,
        line_number,
        posted_on,
        account_id,
        cost_center_id,
        product_id,
        initiative_id,
        vendor,
        description,
        amount,
        currency,
        posted_by,
        approved_by,
        adjustment_id,
        _known_at as known_at,
        _loaded_at as loaded_at,
        _file as source_file,
        _row as source_row,
        _extra as extra
    from latest

)

select * from final
