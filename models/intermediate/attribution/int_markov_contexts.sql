-- One row per last three channels, what came next, and side of the held-out split, over closed journeys.
with

journey_touches as (

    select *
    from {{ ref('int_attribution_journey_touches') }}
    where outcome <> 'open'

),

-- ^ stands before the first touch. A quarter of the journeys, chosen by hash, is held out to judge the orders.
steps as (

    select
        coalesce(lag(channel, 2) over journey, '^') as context_1,
        coalesce(lag(channel, 1) over journey, '^') as context_2,
        channel as context_3,
        coalesce(
            lead(channel, 1) over journey, case when outcome = 'won' then '(conversion)' else '(null)' end
        ) as next_step,
        touch_position,
        substr({{ dbt.hash('journey_id') }}, 1, 1) in ('0', '1', '2', '3') as is_held_out
    from journey_touches
    window journey as (partition by journey_id order by touch_position)

),

starts as (

    select
        '^' as context_1,
        '^' as context_2,
        '^' as context_3,
        context_3 as next_step,
        is_held_out,
        count(*) as observations
    from steps
    where touch_position = 1
    group by context_3, is_held_out

),

moves as (

    select
        context_1,
        context_2,
        context_3,
        next_step,
        is_held_out,
        count(*) as observations
    from steps
    group by context_1, context_2, context_3, next_step, is_held_out

),

final as (

    select
        context_1,
        context_2,
        context_3,
        next_step,
        is_held_out,
        observations
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
