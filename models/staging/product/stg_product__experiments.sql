-- One row per experiment and randomised unit, as last known.
with

source as {{ inlined() }} (

    select *
    from {{ source('product', 'experiments') }}

),

latest as (

    {{ latest_version(['experiment_id', 'unit_id']) }}

),

final as (

    select
        experiment_id,
        unit_id,
        initiative_id,
        variant,
        assigned_on,
        pre_value,
        outcome_value,
        _known_at as known_at,
        _loaded_at as loaded_at,
        _file as source_file,
        _row as source_row,
        _extra as extra
    from latest

)

select * from final
