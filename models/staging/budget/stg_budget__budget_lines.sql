-- One row per budget version, fiscal period, cost center, account, product and initiative, as last known.
with

source as {{ inlined() }} (

    select *
    from {{ source('budget', 'budget_lines') }}

),

latest as (

    {{ latest_version([
        'budget_version', 'fiscal_period', 'cost_center_id', 'account_id', 'product_id', 'initiative_id'
    ]) }}

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
        _extra as extra
    from latest

)

select * from final
