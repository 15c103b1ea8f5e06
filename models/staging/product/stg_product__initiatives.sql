-- One row per investment initiative, as last known.
with

source as {{ inlined() }} (

    select *
    from {{ source('product', 'initiatives') }}

),

latest as (

    {{ latest_version(['initiative_id']) }}

),

final as (

    select
        initiative_id,
        product_id,
        feature_id,
        initiative_name,
        initiative_type,
        objective_id,
        status,
        sponsor,
        owner,
        approved_by,
        approved_on,
        planned_start_on,
        planned_end_on,
        started_on,
        ready_for_use_on,
        discount_rate,
        useful_life_months,
        depends_on_initiative_id,
        exclusive_group,
        is_mandatory,
        _known_at as known_at,
        _loaded_at as loaded_at,
        _file as source_file,
        _row as source_row,
        _extra as extra
    from latest

)

select * from final
