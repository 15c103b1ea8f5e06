-- One row per last three channels, what came next, and side of the held-out split, over closed journeys.
with

journey_touches as (

    select *
    from {{ ref('int_attribution_journey_touches') }}
    where outcome <> 'open'

),

-- ^ stands before the first touch.
moves as (

    select
        coalesce(channel_before_last, '^') as context_1,
        coalesce(last_channel, '^') as context_2,
        channel as context_3,
        coalesce(next_channel, case when outcome = 'won' then '(conversion)' else '(null)' end) as next_step,
        is_held_out,
        count(*) as observations
    from journey_touches
    group by
        channel_before_last, last_channel, channel,
        coalesce(next_channel, case when outcome = 'won' then '(conversion)' else '(null)' end),
        is_held_out

),

-- Only a first touch has nothing before it.
starts as (

    select
        '^' as context_1,
        '^' as context_2,
        '^' as context_3,
        context_3 as next_step,
        is_held_out,
        sum(observations) as observations
    from moves
    where context_2 = '^'
    group by context_3, is_held_out

),

final as (

    select
        context_1,
        context_2,
        context_3,
        next_step,
        is_held_out,
        cast(observations as bigint) as observations
    from starts
    union all
    select
        context_1,
        context_2,
        context_3,
        next_step,
        is_held_out,
        observations
    from moves

)

select * from final
