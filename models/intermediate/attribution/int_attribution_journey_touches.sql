-- One row per journey and touch: the touches before each decision, and those no decision followed.
with

touches as (

    select * from {{ ref('int_attribution_touches') }}

),

conversions as (

    select
        conversion_id,
        customer_id,
        is_won,
        previous_decided_at,
        decided_at
    from {{ ref('int_attribution_conversions') }}

),

policies as (

    select
        lookback_days,
        direct_handling,
        touch_sharing
    from {{ ref('attribution_policies') }}

),

-- Under next_decision a touch counts for the first decision after it alone. A quarter of the customers, chosen by
-- hash, is held out to judge Markov orders; it is told here, where rows are journeys and not yet touches.
windowed as (

    select
        conversions.conversion_id,
        conversions.customer_id,
        conversions.is_won,
        conversions.decided_at,
        conversions.decided_at - policies.lookback_days * interval '1' day as opens_at,
        substr({{ dbt.hash('conversions.customer_id') }}, 1, 1) in ('0', '1', '2', '3') as is_held_out,
        case when policies.touch_sharing = 'next_decision' then conversions.previous_decided_at end as opens_after
    from conversions
    cross join policies

),

decided as (

    select
        windowed.conversion_id as journey_id,
        windowed.conversion_id,
        touches.touch_id,
        touches.channel,
        touches.campaign,
        touches.touch_rank,
        touches.is_direct,
        touches.occurred_at,
        windowed.decided_at,
        windowed.is_held_out,
        case when windowed.is_won then 'won' else 'lost' end as outcome
    from windowed
    inner join touches
        on
            windowed.customer_id = touches.customer_id
            and windowed.opens_at <= touches.occurred_at
            and windowed.decided_at >= touches.occurred_at
    where windowed.opens_after is null or windowed.opens_after < touches.occurred_at

),

undecided as (

    select
        touches.*,
        policies.lookback_days,
        lag(touches.occurred_at) over (partition by touches.customer_id order by touches.touch_rank) as previous_at
    from touches
    cross join policies
    where
        not exists (
            select 1
            from decided
            where decided.touch_id = touches.touch_id
        )

),

-- A silence longer than the lookback ends a journey.
undecided_starts as (

    select
        *,
        case
            when previous_at is null or occurred_at > previous_at + lookback_days * interval '1' day then touch_rank
        end as start_rank
    from undecided

),

undecided_journeys as (

    select
        *,
        max(start_rank) over (
            partition by customer_id
            order by touch_rank
            rows between unbounded preceding and current row
        ) as journey_rank
    from undecided_starts

),

moments as (

    select occurred_at as seen_at
    from touches
    union all
    select decided_at as seen_at
    from conversions

),

data_end as (

    select max(seen_at) as seen_at
    from moments

),

-- Whoever was touched within a lookback of the last data may still decide: not yet a journey without conversion.
undecided_outcomes as (

    select
        'undecided-' || undecided_journeys.customer_id
        || '-' || cast(undecided_journeys.journey_rank as string) as journey_id,
        cast(null as string) as conversion_id,
        undecided_journeys.touch_id,
        undecided_journeys.channel,
        undecided_journeys.campaign,
        undecided_journeys.touch_rank,
        undecided_journeys.is_direct,
        undecided_journeys.occurred_at,
        cast(null as timestamp) as decided_at,
        substr({{ dbt.hash('undecided_journeys.customer_id') }}, 1, 1) in ('0', '1', '2', '3') as is_held_out,
        case
            when
                max(undecided_journeys.occurred_at) over (
                    partition by undecided_journeys.customer_id, undecided_journeys.journey_rank
                ) + undecided_journeys.lookback_days * interval '1' day > data_end.seen_at
                then 'open'
            else 'none'
        end as outcome
    from undecided_journeys
    cross join data_end

),

all_journeys as (

    select * from decided
    union all
    select * from undecided_outcomes

),

judged as (

    select
        all_journeys.*,
        policies.direct_handling,
        min(case when all_journeys.is_direct then 1 else 0 end) over (
            partition by all_journeys.journey_id
        ) = 1 as is_all_direct
    from all_journeys
    cross join policies

),

eligible as (

    select *
    from judged
    where
        not is_direct
        or direct_handling = 'keep'
        or (direct_handling = 'ignore_if_other' and is_all_direct)

),

final as (

    select
        journey_id,
        conversion_id,
        touch_id,
        channel,
        campaign,
        outcome,
        cast(row_number() over journey as integer) as touch_position,
        cast(count(*) over (partition by journey_id) as integer) as touch_count,
        {{ seconds_between('occurred_at', 'decided_at') }} / 86400 as age_days,
        lag(channel, 2) over journey as channel_before_last,
        lag(channel, 1) over journey as last_channel,
        lead(channel, 1) over journey as next_channel,
        is_direct,
        is_held_out,
        occurred_at
    from eligible
    window journey as (partition by journey_id order by touch_rank)

)

select * from final
