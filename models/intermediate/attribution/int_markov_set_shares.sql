-- One row per set of channels that met in a won journey, and channel: the channel's part of the Markov credit.
-- The model's credit is a total per channel; a conversion can only credit touches it had. Fitting the parts to
-- both (each set's conversions, each channel's total) starts from the removal effects and changes them least.
with

channel_sets as (

    select *
    from {{ ref('int_attribution_channel_sets') }}
    where won_journeys > 0

),

removal_effects as (

    select *
    from {{ ref('int_markov_removal_effects') }}
    where removal_effect > 0

),

set_channels as (

    select
        channel_sets.set_number,
        channel_sets.channel_number,
        channel_sets.channel_set,
        channel_sets.channel,
        cast(channel_sets.won_journeys as double) as won_journeys,
        removal_effects.credited_conversions as target_conversions,
        removal_effects.removal_effect
    from channel_sets
    inner join removal_effects on channel_sets.channel = removal_effects.channel

),

fit_0 as (

    select
        channel_number,
        max(removal_effect) as weight
    from set_channels
    group by channel_number

),

fit_1 as (

    {{ proportional_fit('fit_0') }}

),

fit_2 as (

    {{ proportional_fit('fit_1') }}

),

fit_3 as (

    {{ proportional_fit('fit_2') }}

),

fit_4 as (

    {{ proportional_fit('fit_3') }}

),

fit_5 as (

    {{ proportional_fit('fit_4') }}

),

fit_6 as (

    {{ proportional_fit('fit_5') }}

),

fit_7 as (

    {{ proportional_fit('fit_6') }}

),

fit_8 as (

    {{ proportional_fit('fit_7') }}

),

fit_9 as (

    {{ proportional_fit('fit_8') }}

),

fit_10 as (

    {{ proportional_fit('fit_9') }}

),

fit_11 as (

    {{ proportional_fit('fit_10') }}

),

fit_12 as (

    {{ proportional_fit('fit_11') }}

),

fit_13 as (

    {{ proportional_fit('fit_12') }}

),

fit_14 as (

    {{ proportional_fit('fit_13') }}

),

fit_15 as (

    {{ proportional_fit('fit_14') }}

),

fit_16 as (

    {{ proportional_fit('fit_15') }}

),

fit_17 as (

    {{ proportional_fit('fit_16') }}

),

fit_18 as (

    {{ proportional_fit('fit_17') }}

),

fit_19 as (

    {{ proportional_fit('fit_18') }}

),

fit_20 as (

    {{ proportional_fit('fit_19') }}

),

fit_21 as (

    {{ proportional_fit('fit_20') }}

),

fit_22 as (

    {{ proportional_fit('fit_21') }}

),

fit_23 as (

    {{ proportional_fit('fit_22') }}

),

fit_24 as (

    {{ proportional_fit('fit_23') }}

),

weighted as (

    select
        set_channels.channel_set,
        set_channels.channel,
        fit_24.weight,
        sum(fit_24.weight) over (partition by set_channels.set_number) as set_weight
    from set_channels
    inner join fit_24 on set_channels.channel_number = fit_24.channel_number

),

final as (

    select
        channel_set,
        channel,
        round(weight / set_weight, 12) as credit_share
    from weighted

)

select * from final
