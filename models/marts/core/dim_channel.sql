-- One row per marketing channel.
with

channel_groups as (

    select * from {{ ref('channel_groups') }}

),

final as (

    select
        channel,
        channel_group,
        is_paid,
        is_direct
    from channel_groups

)

select * from final
