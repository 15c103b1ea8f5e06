-- One row per set of channels that met in a closed journey, and channel of the set.
with

journey_touches as (

    select * from {{ ref('int_attribution_journey_touches') }}

),

journeys as (

    select *
    from {{ ref('int_attribution_journeys') }}
    where outcome <> 'open'

),

set_totals as (

    select
        channel_set,
        row_number() over (order by channel_set) as set_number,
        count(*) as journeys,
        count_if(outcome = 'won') as won_journeys,
        cast(coalesce(sum(reporting_revenue_amount), 0) as double) as revenue_amount,
        min(journey_id) as example_journey_id
    from journeys
    group by channel_set

),

-- One journey of the set names its channels.
members as (

    select distinct
        set_totals.channel_set,
        journey_touches.channel
    from set_totals
    inner join journey_touches on set_totals.example_journey_id = journey_touches.journey_id

),

channels as (

    select
        channel,
        row_number() over (order by channel) - 1 as channel_number
    from (select distinct channel from members) as distinct_channels

),

final as (

    select
        members.channel_set,
        members.channel,
        cast(set_totals.set_number as integer) as set_number,
        cast(channels.channel_number as integer) as channel_number,
        set_totals.journeys,
        set_totals.won_journeys,
        set_totals.revenue_amount
    from members
    inner join set_totals on members.channel_set = set_totals.channel_set
    inner join channels on members.channel = channels.channel

)

select * from final
