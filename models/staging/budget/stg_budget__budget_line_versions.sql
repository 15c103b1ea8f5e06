-- One row per budget line and delivery of it, superseded ones included.
with

source as (

    select *
    from {{ source('budget', 'budget_lines') }}

),

known as (

    select *
    from source
    where {{ as_known() }}

),

final as (

    select
        budget_version,
        fiscal_period,
        cost_center_id,
        account_id,
        product_id,
        initiative_id,
        objective_id,
        amount,
        currency,
        owner,
        prepared_by,
        approved_by,
        locked_at,
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
