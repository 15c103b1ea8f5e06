-- One row per won conversion, attribution model and credited touch; revenue no touch explains is one row of the
-- channel unattributed.
with

journey_touches as (

    select *
    from {{ ref('int_attribution_journey_touches') }}
    where outcome = 'won'

),

journeys as (

    select
        journey_id,
        channel_set,
        touch_count
    from {{ ref('int_attribution_journeys') }}
    where outcome = 'won'

),

conversions as (

    select
        conversion_id,
        customer_id,
        product_id,
        revenue_reason,
        recognised_reason,
        month_date,
        is_first_win,
        is_window_complete,
        cast(reporting_revenue_amount * 100 as bigint) as revenue_cents,
        cast(recognised_amount * 100 as bigint) as recognised_cents
    from {{ ref('int_attribution_conversions') }}
    where is_won

),

models as (

    select attribution_model
    from {{ ref('attribution_models') }}
    where is_enabled

),

policies as (

    select
        half_life_days,
        position_first_share,
        position_last_share
    from {{ ref('attribution_policies') }}

),

markov_shares as (

    select * from {{ ref('int_markov_set_shares') }}

),

markov_orders as (

    select refusal_reason
    from {{ ref('int_markov_orders') }}
    where is_selected

),

placed as (

    select
        journey_touches.*,
        markov_shares.credit_share as markov_share,
        cast(
            count(*) over (partition by journey_touches.journey_id, journey_touches.channel) as integer
        ) as channel_touch_count,
        max(case when not journey_touches.is_direct then journey_touches.touch_position end) over (
            partition by journey_touches.journey_id
        ) as last_non_direct_position,
        min(journey_touches.age_days) over (partition by journey_touches.journey_id) as youngest_age_days
    from journey_touches
    inner join journeys on journey_touches.journey_id = journeys.journey_id
    left join markov_shares
        on
            journeys.channel_set = markov_shares.channel_set
            and journey_touches.channel = markov_shares.channel

),

-- Weights are relative within a conversion. The penny split works with nine decimals: large weights keep digits,
-- and 720,720 divides evenly by every number of touches up to sixteen.
weighted as (

    select
        models.attribution_model,
        placed.conversion_id,
        placed.touch_id,
        placed.channel,
        placed.campaign,
        placed.touch_position,
        placed.touch_count,
        cast(
            case models.attribution_model
                when 'first_touch' then case when placed.touch_position = 1 then 1 else 0 end
                when 'last_touch' then case when placed.touch_position = placed.touch_count then 1 else 0 end
                when 'last_non_direct'
                    then
                        case
                            when placed.touch_position
                                = coalesce(placed.last_non_direct_position, placed.touch_count) then 1
                            else 0
                        end
                when 'linear' then 1
                when 'position_based'
                    then
                        case
                            when placed.touch_count = 1 then 1
                            when placed.touch_position = 1
                                then policies.position_first_share * greatest(placed.touch_count - 2, 1)
                            when placed.touch_position = placed.touch_count
                                then policies.position_last_share * greatest(placed.touch_count - 2, 1)
                            else 1 - policies.position_first_share - policies.position_last_share
                        end
                when 'time_decay'
                    then
                        round(
                            1e6 * power(
                                2, (placed.youngest_age_days - placed.age_days) / policies.half_life_days
                            ),
                            9
                        )
                when 'markov' then round(1e6 * placed.markov_share / placed.channel_touch_count, 9)
                when 'shapley' then round(720720.0 / placed.channel_touch_count, 9)
            end as decimal(21, 9)
        ) as weight
    from placed
    cross join models
    cross join policies

),

credited as (

    select
        *,
        sum(weight) over (partition by attribution_model, conversion_id) as weight_total
    from weighted
    where weight > 0

),

-- One touch that takes everything needs no split, and most splits of a million journeys are that.
undivided as (

    select
        credited.*,
        conversions.revenue_cents as credited_cents,
        conversions.recognised_cents
    from credited
    inner join conversions on credited.conversion_id = conversions.conversion_id
    where credited.weight = credited.weight_total

),

divided as (

    select
        credited.*,
        conversions.revenue_cents,
        conversions.recognised_cents
    from credited
    inner join conversions on credited.conversion_id = conversions.conversion_id
    where credited.weight < credited.weight_total

),

floored as (

    select
        *,
        {{ share_floor('revenue_cents', 'weight', 'weight_total') }} as revenue_floor,
        {{ share_floor('recognised_cents', 'weight', 'weight_total') }} as recognised_floor
    from divided

),

remaining as (

    select
        *,
        {{ share_remainder('revenue_cents', 'weight', 'weight_total', 'revenue_floor') }} as revenue_remainder,
        {{ share_remainder('recognised_cents', 'weight', 'weight_total', 'recognised_floor') }} as recognised_remainder
    from floored

),

split as (

    select
        *,
        {{
            largest_remainder(
                'revenue_cents', 'revenue_floor', 'revenue_remainder',
                ['attribution_model', 'conversion_id'], ['touch_position']
            )
        }} as credited_cents,
        {{
            largest_remainder(
                'recognised_cents', 'recognised_floor', 'recognised_remainder',
                ['attribution_model', 'conversion_id'], ['touch_position']
            )
        }} as credited_recognised_cents
    from remaining

),

shared as (

    select
        attribution_model,
        conversion_id,
        touch_id,
        channel,
        campaign,
        touch_position,
        touch_count,
        weight,
        weight_total,
        credited_cents,
        recognised_cents
    from undivided
    union all
    select
        attribution_model,
        conversion_id,
        touch_id,
        channel,
        campaign,
        touch_position,
        touch_count,
        weight,
        weight_total,
        credited_cents,
        credited_recognised_cents as recognised_cents
    from split

),

markov_explained as (

    select distinct conversion_id
    from placed
    where markov_share > 0

),

unexplained as (

    select
        models.attribution_model,
        conversions.conversion_id,
        case
            when journeys.journey_id is null then 'no_eligible_touch'
            else coalesce(markov_orders.refusal_reason, 'no_weight')
        end as unattributed_reason,
        coalesce(journeys.touch_count, 0) as touch_count,
        conversions.revenue_cents as credited_cents,
        conversions.recognised_cents
    from conversions
    cross join models
    cross join markov_orders
    left join journeys on conversions.conversion_id = journeys.journey_id
    left join markov_explained on conversions.conversion_id = markov_explained.conversion_id
    where
        journeys.journey_id is null
        or (models.attribution_model = 'markov' and markov_explained.conversion_id is null)

),

all_credits as (

    select
        attribution_model,
        conversion_id,
        touch_id,
        channel,
        campaign,
        cast(null as string) as unattributed_reason,
        touch_position,
        touch_count,
        cast(weight as double) / cast(weight_total as double) as credit_share,
        credited_cents,
        recognised_cents
    from shared
    union all
    select
        attribution_model,
        conversion_id,
        'unattributed' as touch_id,
        'unattributed' as channel,
        'unattributed' as campaign,
        unattributed_reason,
        0 as touch_position,
        touch_count,
        cast(1 as double) as credit_share,
        credited_cents,
        recognised_cents
    from unexplained

),

final as (

    select
        all_credits.attribution_model,
        all_credits.conversion_id,
        all_credits.touch_id,
        all_credits.channel,
        all_credits.campaign,
        conversions.customer_id,
        conversions.product_id,
        all_credits.unattributed_reason,
        conversions.revenue_reason as credited_amount_reason,
        conversions.recognised_reason as recognised_amount_reason,
        'D' as evidence_grade,
        cast(all_credits.touch_position as integer) as touch_position,
        cast(all_credits.touch_count as integer) as touch_count,
        all_credits.credit_share,
        cast(cast(all_credits.credited_cents as decimal(20, 0)) * 0.01 as decimal(18, 2)) as credited_amount,
        cast(cast(all_credits.recognised_cents as decimal(20, 0)) * 0.01 as decimal(18, 2)) as recognised_amount,
        conversions.is_window_complete,
        conversions.is_first_win,
        false as is_causal,
        conversions.month_date
    from all_credits
    inner join conversions on all_credits.conversion_id = conversions.conversion_id

)

select * from final
