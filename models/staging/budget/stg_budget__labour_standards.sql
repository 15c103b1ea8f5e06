-- One row per month, product and type of work, as last known.
with

source as {{ inlined() }} (

    select *
    from {{ source('budget', 'labour_standards') }}

),

latest as (

    {{ latest_version(['period_month', 'product_id', 'activity_type']) }}

),

final as (

    select
        period_month,
        product_id,
        activity_type,
        budget_hours,
        standard_hours_per_unit,
        standard_rate,
        output_units,
        currency,
        _known_at as known_at,
        _loaded_at as loaded_at,
        _file as source_file,
        _row as source_row,
        _extra as extra
    from latest

)

select * from final
