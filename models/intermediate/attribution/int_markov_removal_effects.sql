-- One row per channel: how much of the conversion rate is lost without it, by the Markov chain.
with

steps_32 as (

    select * from {{ ref('int_markov_powers') }}

),

orders as (

    select *
    from {{ ref('int_markov_orders') }}
    where is_selected

),

steps_64 as (

    {{ squared_moves('steps_32') }}

),

steps_128 as (

    {{ squared_moves('steps_64') }}

),

steps_256 as (

    {{ squared_moves('steps_128') }}

),

steps_512 as (

    {{ squared_moves('steps_256') }}

),

steps_1024 as (

    {{ squared_moves('steps_512') }}

),

conversion_rates as (

    select
        removed_channel,
        max(case when from_state = 0 and to_state = -1 then probability else 0 end) as conversion_rate
    from steps_1024
    group by removed_channel

),

base_rates as (

    select conversion_rate
    from conversion_rates
    where removed_channel = ''

),

effects as (

    select
        conversion_rates.removed_channel as channel,
        orders.markov_order,
        orders.refusal_reason,
        orders.won_journeys,
        cast(orders.won_journeys as double) / nullif(orders.journeys, 0) as observed_conversion_rate,
        case when orders.refusal_reason is null then base_rates.conversion_rate end as conversion_rate,
        case when orders.refusal_reason is null then conversion_rates.conversion_rate end as conversion_rate_without,
        case
            when orders.refusal_reason is null
                then greatest(1 - conversion_rates.conversion_rate / nullif(base_rates.conversion_rate, 0), 0)
        end as removal_effect
    from conversion_rates
    cross join base_rates
    cross join orders
    where conversion_rates.removed_channel <> ''

),

final as (

    select
        channel,
        markov_order,
        refusal_reason,
        observed_conversion_rate,
        conversion_rate,
        conversion_rate_without,
        round(removal_effect, 12) as removal_effect,
        round(removal_effect / nullif(sum(removal_effect) over (), 0), 12) as effect_share,
        round(removal_effect / nullif(sum(removal_effect) over (), 0) * won_journeys, 9) as credited_conversions
    from effects

)

select * from final
