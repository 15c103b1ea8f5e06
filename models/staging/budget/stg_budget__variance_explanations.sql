-- One row per explained variance, as last known.
with

source as {{ inlined() }} (

    select *
    from {{ source('budget', 'variance_explanations') }}

),

latest as (

    {{ latest_version(['fiscal_period', 'cost_center_id', 'account_id', 'product_id']) }}

),

final as (

    select
        fiscal_period,
        cost_center_id,
        account_id,
        product_id,
        explanation,
        action,
        action_owner,
        explained_at,
        action_due_on,
        action_done_on,
        _known_at as known_at,
        _loaded_at as loaded_at,
        _file as source_file,
        _row as source_row,
        _extra as extra
    from latest

)

select * from final
