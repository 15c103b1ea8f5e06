-- One row per marketing touch that counts; repeats within the de-duplication window are one touch.
with

touchpoints as (

    select
        touch_id,
        customer_id,
        occurred_at,
        trim(channel) as named_channel,
        coalesce(nullif(trim(campaign), ''), 'not_tracked') as campaign
    from {{ ref('stg_revenue__touchpoints') }}

),

channel_groups as (

    select
        channel,
        is_direct
    from {{ ref('channel_groups') }}

),

policies as (

    select
        duplicate_window_minutes,
        tie_break
    from {{ ref('attribution_policies') }}

),

-- Known channels take the spelling of channel_groups, whatever case a source writes them in.
grouped as (

    select
        touchpoints.touch_id,
        touchpoints.customer_id,
        touchpoints.occurred_at,
        touchpoints.campaign,
        coalesce(channel_groups.channel, touchpoints.named_channel) as channel,
        coalesce(channel_groups.is_direct, false) as is_direct
    from touchpoints
    left join channel_groups on lower(touchpoints.named_channel) = lower(channel_groups.channel)

),

-- Touches of the same moment stand in the order the policy names, so that every run ranks them alike.
ranked as (

    select
        grouped.*,
        policies.duplicate_window_minutes,
        row_number() over (
            partition by grouped.customer_id
            order by
                grouped.occurred_at asc,
                case when policies.tie_break = 'touch_id_ascending' then grouped.touch_id end asc,
                grouped.touch_id desc
        ) as touch_rank
    from grouped
    cross join policies

),

compared as (

    select
        *,
        lag(occurred_at) over (partition by customer_id, channel, campaign order by touch_rank) as repeated_at
    from ranked

),

unrepeated as (

    select *
    from compared
    where
        repeated_at is null
        or duplicate_window_minutes is null
        or occurred_at > repeated_at + duplicate_window_minutes * interval '1' minute

),

final as (

    select
        touch_id,
        customer_id,
        channel,
        campaign,
        touch_rank,
        is_direct,
        occurred_at
    from unrepeated

)

select * from final
