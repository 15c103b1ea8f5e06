-- One row per worth basis and coalition of channels, a bit mask over channel numbers; none above the exact limit.
with

channel_sets as (

    select * from {{ ref('int_attribution_channel_sets') }}

),

policies as (

    select shapley_max_exact_channels
    from {{ ref('attribution_policies') }}

),

channel_totals as (

    select
        count(distinct channel) as channel_count,
        cast(power(2, count(distinct channel)) as bigint) as coalition_count
    from channel_sets

),

masks as (

    select
        channel_set,
        cast(sum(power(2, channel_number)) as bigint) as mask,
        max(journeys) as journeys,
        max(won_journeys) as won_journeys,
        max(revenue_amount) as revenue_amount
    from channel_sets
    group by channel_set

),

set_totals as (

    select
        sum(journeys) as journeys,
        sum(won_journeys) as won_journeys,
        sum(revenue_amount) as revenue_amount
    from masks

),

-- 4,096 coalitions are those of twelve channels.
coalitions as (

    select cast(numbers.coalition as bigint) as coalition
    from range(0, 4096) as numbers (coalition)
    cross join channel_totals
    cross join policies
    where
        numbers.coalition < channel_totals.coalition_count
        and channel_totals.channel_count <= least(policies.shapley_max_exact_channels, 12)

),

-- What happened on journeys that met no channel outside the coalition.
within_coalition as (

    select
        coalitions.coalition,
        coalesce(sum(masks.journeys), 0) as journeys,
        coalesce(sum(masks.won_journeys), 0) as won_journeys,
        coalesce(sum(masks.revenue_amount), 0) as revenue_amount
    from coalitions
    left join masks on (masks.mask & coalitions.coalition) = masks.mask
    group by coalitions.coalition

),

final as (

    select
        'revenue' as worth_basis,
        coalition,
        cast(revenue_amount as double) as worth_amount
    from within_coalition
    union all
    select
        'conversion_rate' as worth_basis,
        within_coalition.coalition,
        coalesce(cast(within_coalition.won_journeys as double) / nullif(within_coalition.journeys, 0), 0)
        * set_totals.journeys * set_totals.revenue_amount / nullif(set_totals.won_journeys, 0) as worth_amount
    from within_coalition
    cross join set_totals

)

select * from final
