-- One row per milestone of an initiative, as last known.
with

source as {{ inlined() }} (

    select *
    from {{ source('product', 'milestones') }}

),

latest as (

    {{ latest_version(['milestone_id']) }}

),

final as (

    select
        milestone_id,
        initiative_id,
        milestone_name,
        budget_weight,
        planned_on,
        accepted_on,
        _known_at as known_at,
        _loaded_at as loaded_at,
        _file as source_file,
        _row as source_row,
        _extra as extra
    from latest

)

select * from final
