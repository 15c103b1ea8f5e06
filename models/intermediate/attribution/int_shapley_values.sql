-- One row per worth basis and channel: its Shapley value, exact up to the limit of channels, sampled beyond.
with

channel_sets as (

    select * from {{ ref('int_attribution_channel_sets') }}

),

worths as (

    select * from {{ ref('int_shapley_worths') }}

),

policies as (

    select
        shapley_max_exact_channels,
        shapley_samples
    from {{ ref('attribution_policies') }}

),

channels as (

    select distinct
        channel,
        channel_number,
        cast(power(2, channel_number) as bigint) as channel_bit
    from channel_sets

),

channel_totals as (

    select
        count(*) as channel_count,
        count(*) <= least(max(policies.shapley_max_exact_channels), 12) as is_exact
    from channels
    cross join policies

),

factorials as (

    select
        cast(numbers.number as integer) as number,
        case
            when numbers.number = 0 then 1.0
            else exp(sum(ln(greatest(numbers.number, 1))) over (order by numbers.number))
        end as factorial
    from range(0, 13) as numbers (number)

),

coalition_sizes as (

    select
        worths.worth_basis,
        worths.coalition,
        max(worths.worth_amount) as worth_amount,
        sum(case when (worths.coalition & channels.channel_bit) > 0 then 1 else 0 end) as size
    from worths
    cross join channels
    group by worths.worth_basis, worths.coalition

),

-- |S|! (n − |S| − 1)! / n! is the share of orders in which exactly the coalition came before the channel.
marginals as (

    select
        smaller.worth_basis,
        channels.channel,
        size_before.factorial * size_after.factorial / size_all.factorial
        * (larger.worth_amount - smaller.worth_amount) as weighted_gain
    from coalition_sizes as smaller
    cross join channel_totals
    inner join channels on (smaller.coalition & channels.channel_bit) = 0
    inner join coalition_sizes as larger
        on
            smaller.worth_basis = larger.worth_basis
            and larger.coalition = smaller.coalition + channels.channel_bit
    inner join factorials as size_before on smaller.size = size_before.number
    inner join factorials as size_after on channel_totals.channel_count - smaller.size - 1 = size_after.number
    inner join factorials as size_all on channel_totals.channel_count = size_all.number

),

exact_values as (

    select
        worth_basis,
        channel,
        'exact' as method,
        sum(weighted_gain) as shapley_amount,
        cast(0 as double) as standard_error
    from marginals
    group by worth_basis, channel

),

-- The orders of joining are drawn by hash: the same in every run and on every engine.
drawn_orders as (

    select
        samples.sample_number,
        channels.channel,
        channels.channel_number,
        channel_totals.channel_count,
        row_number() over (
            partition by samples.sample_number
            order by {{ dbt.hash("cast(samples.sample_number as string) || ':' || channels.channel") }}, channels.channel
        ) as join_position
    from range(0, 10000) as samples (sample_number)
    cross join policies
    cross join channel_totals
    cross join channels
    where samples.sample_number < policies.shapley_samples and not channel_totals.is_exact

),

-- Each order is also run backwards: what a channel gains by joining early it loses by joining late.
orders as (

    select
        sample_number,
        1 as direction,
        channel,
        channel_number,
        join_position
    from drawn_orders
    union all
    select
        sample_number,
        -1 as direction,
        channel,
        channel_number,
        channel_count + 1 - join_position as join_position
    from drawn_orders

),

-- A journey counts from the moment the last of its channels has joined.
completed_sets as (

    select
        orders.sample_number,
        orders.direction,
        channel_sets.set_number,
        max(orders.join_position) as join_position,
        max(channel_sets.journeys) as journeys,
        max(channel_sets.won_journeys) as won_journeys,
        max(channel_sets.revenue_amount) as revenue_amount
    from orders
    inner join channel_sets on orders.channel_number = channel_sets.channel_number
    group by orders.sample_number, orders.direction, channel_sets.set_number

),

joined as (

    select
        orders.sample_number,
        orders.direction,
        orders.channel,
        orders.join_position,
        coalesce(sum(completed_sets.journeys), 0) as journeys,
        coalesce(sum(completed_sets.won_journeys), 0) as won_journeys,
        coalesce(sum(completed_sets.revenue_amount), 0) as revenue_amount
    from orders
    left join completed_sets
        on
            orders.sample_number = completed_sets.sample_number
            and orders.direction = completed_sets.direction
            and orders.join_position = completed_sets.join_position
    group by orders.sample_number, orders.direction, orders.channel, orders.join_position

),

accumulated as (

    select
        sample_number,
        direction,
        channel,
        join_position,
        sum(journeys) over so_far as journeys,
        sum(won_journeys) over so_far as won_journeys,
        sum(revenue_amount) over so_far as revenue_amount,
        sum(journeys) over (partition by sample_number, direction) as all_journeys,
        sum(won_journeys) over (partition by sample_number, direction) as all_won_journeys,
        sum(revenue_amount) over (partition by sample_number, direction) as all_revenue_amount
    from joined
    window so_far as (
        partition by sample_number, direction order by join_position rows between unbounded preceding and current row
    )

),

sampled_worths as (

    select
        'revenue' as worth_basis,
        sample_number,
        direction,
        channel,
        join_position,
        cast(revenue_amount as double) as worth_amount
    from accumulated
    union all
    select
        'conversion_rate' as worth_basis,
        sample_number,
        direction,
        channel,
        join_position,
        coalesce(cast(won_journeys as double) / nullif(journeys, 0), 0)
        * all_journeys * all_revenue_amount / nullif(all_won_journeys, 0) as worth_amount
    from accumulated

),

gains as (

    select
        worth_basis,
        sample_number,
        channel,
        worth_amount
        - coalesce(
            lag(worth_amount) over (partition by worth_basis, sample_number, direction order by join_position), 0
        ) as gain_amount
    from sampled_worths

),

sample_means as (

    select
        worth_basis,
        sample_number,
        channel,
        avg(gain_amount) as gain_amount
    from gains
    group by worth_basis, sample_number, channel

),

sampled_values as (

    select
        worth_basis,
        channel,
        'sampled' as method,
        avg(gain_amount) as shapley_amount,
        stddev_samp(gain_amount) / sqrt(count(*)) as standard_error
    from sample_means
    group by worth_basis, channel

),

all_values as (

    select * from exact_values
    union all
    select * from sampled_values

),

final as (

    select
        worth_basis,
        channel,
        method,
        round(shapley_amount, 6) as shapley_amount,
        round(standard_error, 6) as standard_error
    from all_values

)

select * from final
