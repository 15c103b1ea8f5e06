-- One row per journey with at least one eligible touch, whether it ended in a conversion or not.
with

journey_touches as (

    select * from {{ ref('int_attribution_journey_touches') }}

),

conversions as (

    select
        conversion_id,
        reporting_revenue_amount
    from {{ ref('int_attribution_conversions') }}

),

journeys as (

    select
        journey_id,
        max(conversion_id) as conversion_id,
        max(outcome) as outcome,
        cast(array_sort(array_agg(distinct channel)) as string) as channel_set,
        cast(count(distinct channel) as integer) as channel_count,
        cast(count(*) as integer) as touch_count
    from journey_touches
    group by journey_id

),

final as (

    select
        journeys.journey_id,
        journeys.conversion_id,
        journeys.outcome,
        journeys.channel_set,
        journeys.channel_count,
        journeys.touch_count,
        case when journeys.outcome = 'won' then conversions.reporting_revenue_amount end as reporting_revenue_amount
    from journeys
    left join conversions on journeys.conversion_id = conversions.conversion_id

)

select * from final
