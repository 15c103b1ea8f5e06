-- One row per channel and attribution model, over all months.
with

channel_attribution as (

    select * from {{ ref('rpt_channel_attribution') }}

),

channels as (

    select distinct
        channel,
        channel_group
    from channel_attribution

),

models as (

    select attribution_model
    from {{ ref('attribution_models') }}
    where is_enabled

),

markov_orders as (

    select * from {{ ref('int_markov_orders') }}

),

removal_effects as (

    select * from {{ ref('int_markov_removal_effects') }}

),

shapley_values as (

    select * from {{ ref('int_shapley_values') }}

),

credited as (

    select
        attribution_model,
        channel,
        sum(credited_conversions) as credited_conversions,
        sum(credited_amount) as credited_amount,
        sum(spend_amount) as spend_amount,
        count(spend_amount) = count(*) as is_spend_complete,
        case when count(contribution_amount) = count(*) then sum(contribution_amount) end as contribution_amount
    from channel_attribution
    group by attribution_model, channel

),

-- A channel a model gives nothing stands in the comparison at zero.
complete as (

    select
        models.attribution_model,
        channels.channel,
        channels.channel_group,
        true as is_credited,
        coalesce(credited.credited_conversions, 0) as credited_conversions,
        coalesce(credited.credited_amount, 0) as credited_amount,
        coalesce(credited.spend_amount, 0) as spend_amount,
        coalesce(credited.is_spend_complete, true) as is_spend_complete,
        case when credited.channel is null then 0 else credited.contribution_amount end as contribution_amount
    from models
    cross join channels
    left join credited
        on
            models.attribution_model = credited.attribution_model
            and channels.channel = credited.channel

),

-- The worth from conversion rates can make a channel's value negative: it informs, but credits nothing.
with_rate_shapley as (

    select * from complete
    union all
    select
        'shapley_conversion_rate' as attribution_model,
        channels.channel,
        channels.channel_group,
        false as is_credited,
        cast(null as double) as credited_conversions,
        {{ round_amount('shapley_values.shapley_amount') }} as credited_amount,
        null as spend_amount,
        null as is_spend_complete,
        null as contribution_amount
    from channels
    inner join shapley_values
        on
            channels.channel = shapley_values.channel
            and shapley_values.worth_basis = 'conversion_rate'

),

ranked as (

    select
        *,
        rank() over (partition by attribution_model order by credited_amount desc) as channel_rank,
        sum(credited_amount) over (partition by attribution_model) as all_credited_amount
    from with_rate_shapley

),

ranges as (

    select
        channel,
        min(credited_amount) as lowest_amount,
        max(credited_amount) as highest_amount,
        min(channel_rank) as best_rank,
        max(channel_rank) as worst_rank,
        max(spend_amount) as spend_amount,
        bool_and(is_spend_complete) as is_spend_complete,
        case when count(contribution_amount) = count(*) then min(contribution_amount) end as lowest_contribution_amount,
        max(contribution_amount) as highest_contribution_amount
    from ranked
    where is_credited
    group by channel

),

orders as (

    select
        max(case when is_selected then markov_order end) as markov_order,
        max(case when is_improving and refusal_reason is null then markov_order end) as best_markov_order,
        max(refusal_reason) as refusal_reason,
        max(case when markov_order = 1 then held_out_log_loss end) as log_loss_order_1,
        max(case when markov_order = 2 then held_out_log_loss end) as log_loss_order_2,
        max(case when markov_order = 3 then held_out_log_loss end) as log_loss_order_3
    from markov_orders

),

shapley_errors as (

    select
        case
            when worth_basis = 'revenue' then 'shapley' else 'shapley_conversion_rate'
        end as attribution_model,
        channel,
        method,
        standard_error
    from shapley_values

),

final as (

    select
        ranked.channel,
        ranked.attribution_model,
        ranked.channel_group,
        case when ranked.attribution_model = 'markov' then orders.refusal_reason end as refusal_reason,
        case when ranked.attribution_model = 'shapley' then 'exact' else shapley_errors.method end as shapley_method,
        case
            when ranges.spend_amount <= 0 then 'no_spend'
            when ranges.lowest_contribution_amount is null then 'no_margin'
            when ranges.lowest_contribution_amount > ranges.spend_amount then 'earns_under_every_model'
            when ranges.highest_contribution_amount <= ranges.spend_amount then 'loses_under_every_model'
            else 'depends_on_the_model'
        end as spend_verdict,
        cast(ranked.channel_rank as integer) as channel_rank,
        cast(ranges.worst_rank - ranges.best_rank as integer) as rank_range,
        ranked.credited_conversions,
        cast(ranked.credited_amount as decimal(18, 2)) as credited_amount,
        cast(ranked.credited_amount as double)
        / nullif(cast(ranked.all_credited_amount as double), 0) as credited_ratio,
        cast(ranges.lowest_amount as decimal(18, 2)) as lowest_amount,
        cast(ranges.highest_amount as decimal(18, 2)) as highest_amount,
        cast(ranges.highest_amount - ranges.lowest_amount as decimal(18, 2)) as at_stake_amount,
        cast(ranges.spend_amount as decimal(18, 2)) as spend_amount,
        case when ranked.attribution_model = 'markov' then removal_effects.removal_effect end as removal_effect,
        case
            when ranked.attribution_model = 'markov' then removal_effects.credited_conversions
        end as model_conversions,
        case
            when ranked.attribution_model = 'shapley' then 0 else shapley_errors.standard_error
        end as standard_error_amount,
        case when ranked.attribution_model = 'markov' then orders.markov_order end as markov_order,
        case when ranked.attribution_model = 'markov' then orders.best_markov_order end as best_markov_order,
        case when ranked.attribution_model = 'markov' then orders.log_loss_order_1 end as log_loss_order_1,
        case when ranked.attribution_model = 'markov' then orders.log_loss_order_2 end as log_loss_order_2,
        case when ranked.attribution_model = 'markov' then orders.log_loss_order_3 end as log_loss_order_3,
        ranked.is_credited,
        ranges.is_spend_complete,
        false as is_causal
    from ranked
    inner join ranges on ranked.channel = ranges.channel
    cross join orders
    left join removal_effects on ranked.channel = removal_effects.channel
    left join shapley_errors
        on
            ranked.channel = shapley_errors.channel
            and ranked.attribution_model = shapley_errors.attribution_model

)

select * from final
