-- One row per general-ledger journal line and delivery of it, superseded ones included.
with

source as (

    select *
    from {{ source('cost', 'gl_entries') }}

),

known as (

    select *
    from source
    where {{ as_known() }}

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
        _scope as scope_id,
        _delivery as delivery_id,
        coalesce(_is_deleted, false) as is_deleted,
        _extra as extra
    from known

)

select * from final
