-- One row per backup, restore drill, restore, roll-back, failed audit and origin of the home.
with

home_events as (

    select * from {{ source('audit', 'home_events') }}

),

final as (

    select
        event_number,
        build_number,
        event_type,
        subject,
        details,
        seconds,
        is_whole,
        occurred_at
    from home_events

)

select * from final
