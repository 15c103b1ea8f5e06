-- One row per timesheet entry, as last known.
with

source as {{ inlined() }} (

    select *
    from {{ source('cost', 'timesheets') }}

),

latest as (

    {{ latest_version(['entry_id']) }}

),

final as (

    select
        entry_id,
        person_id,
        work_date,
        product_id,
        initiative_id,
        activity_type,
        hours,
        _known_at as known_at,
        _loaded_at as loaded_at,
        _file as source_file,
        _row as source_row,
        _extra as extra
    from latest

)

select * from final
