-- One row per closed fiscal period of an entity, as last known.
with

source as {{ inlined() }} (

    select *
    from {{ source('budget', 'period_closes') }}

),

latest as (

    {{ latest_version(['entity_id', 'fiscal_period']) }}

),

final as (

    select
        entity_id,
        fiscal_period,
        closed_at,
        closed_by,
        _known_at as known_at,
        _loaded_at as loaded_at,
        _file as source_file,
        _row as source_row,
        _extra as extra
    from latest

)

select * from final
