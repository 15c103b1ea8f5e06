-- One row per budget version, month, product, plan and segment, as last known.
with

source as {{ inlined() }} (

    select *
    from {{ source('budget', 'revenue_budgets') }}

),

latest as (

    {{ latest_version(['budget_version', 'period_month', 'product_id', 'plan_id', 'segment']) }}

),

final as (

    select
        budget_version,
        period_month,
        product_id,
        plan_id,
        segment,
        quantity,
        unit_price,
        currency,
        _known_at as known_at,
        _loaded_at as loaded_at,
        _file as source_file,
        _row as source_row,
        _extra as extra
    from latest

)

select * from final
