-- One row per removed channel and move between two states of the Markov chain of that scenario.
with

contexts as (

    select
        context_1,
        context_2,
        context_3,
        next_step,
        sum(observations) as observations
    from {{ ref('int_markov_contexts') }}
    group by context_1, context_2, context_3, next_step

),

orders as (

    select markov_order
    from {{ ref('int_markov_orders') }}
    where is_selected and refusal_reason is null

),

policies as (

    select
        markov_min_observations,
        markov_max_states
    from {{ ref('attribution_policies') }}

),

visits as (

    select
        context_1,
        context_2,
        context_3,
        sum(observations) as observations
    from contexts
    group by context_1, context_2, context_3

),

long_contexts as (

    select
        visits.*,
        orders.markov_order,
        policies.markov_min_observations,
        policies.markov_max_states,
        visits.context_3 <> '^'
        and orders.markov_order = 3
        and visits.observations >= policies.markov_min_observations
        and row_number() over (
            order by -visits.observations, visits.context_1, visits.context_2, visits.context_3
        ) <= policies.markov_max_states / 2 as is_kept
    from visits
    cross join orders
    cross join policies

),

-- What longer contexts left over, not all visits of the shorter one: so every visit belongs to one state,
-- flows balance, and the chain reproduces the observed conversion rate exactly.
pairs as (

    select
        context_2,
        context_3,
        context_3 <> '^'
        and max(markov_order) >= 2
        and sum(observations) >= max(markov_min_observations)
        and row_number() over (order by -sum(observations), context_2, context_3)
        <= max(markov_max_states) / 2 as is_kept
    from long_contexts
    where not is_kept
    group by context_2, context_3

),

states as (

    select
        long_contexts.context_1,
        long_contexts.context_2,
        long_contexts.context_3,
        case when long_contexts.is_kept then long_contexts.context_1 end as state_1,
        case when long_contexts.is_kept or coalesce(pairs.is_kept, false) then long_contexts.context_2 end as state_2,
        long_contexts.context_3 as state_3
    from long_contexts
    left join pairs
        on
            long_contexts.context_2 = pairs.context_2
            and long_contexts.context_3 = pairs.context_3

),

numbered_states as (

    select
        context_1,
        context_2,
        context_3,
        state_1,
        state_2,
        state_3,
        case
            when state_3 = '^' then 0
            else cast(dense_rank() over (order by state_3, coalesce(state_2, ''), coalesce(state_1, '')) as integer)
        end as state
    from states

),

-- State 0 is the start, −1 a conversion; what goes to no state is lost, the null state needs no row.
moves as (

    select
        departed.state as from_state,
        departed.state_1 as from_1,
        departed.state_2 as from_2,
        departed.state_3 as from_3,
        case when contexts.next_step = '(conversion)' then -1 else reached.state end as to_state,
        reached.state_1 as to_1,
        reached.state_2 as to_2,
        reached.state_3 as to_3,
        contexts.observations
    from contexts
    inner join numbered_states as departed
        on
            contexts.context_1 = departed.context_1
            and contexts.context_2 = departed.context_2
            and contexts.context_3 = departed.context_3
    left join numbered_states as reached
        on
            contexts.context_2 = reached.context_1
            and contexts.context_3 = reached.context_2
            and contexts.next_step = reached.context_3

),

departures as (

    select
        from_state,
        sum(observations) as observations
    from moves
    group by from_state

),

probabilities as (

    select
        moves.from_state,
        moves.to_state,
        max(moves.from_1) as from_1,
        max(moves.from_2) as from_2,
        max(moves.from_3) as from_3,
        max(moves.to_1) as to_1,
        max(moves.to_2) as to_2,
        max(moves.to_3) as to_3,
        cast(sum(moves.observations) as double) / max(departures.observations) as probability
    from moves
    inner join departures on moves.from_state = departures.from_state
    where moves.to_state is not null
    group by moves.from_state, moves.to_state

),

-- Removing nothing is a scenario too: it gives the base rate.
scenarios as (

    select distinct context_3 as removed_channel
    from contexts
    where context_3 <> '^'
    union all
    select '' as removed_channel

),

-- Whatever reaches a state that contains the removed channel is lost.
scenario_moves as (

    select
        scenarios.removed_channel,
        probabilities.from_state,
        probabilities.to_state,
        probabilities.probability
    from probabilities
    cross join scenarios
    where
        scenarios.removed_channel not in (
            coalesce(probabilities.from_1, '^'), coalesce(probabilities.from_2, '^'), probabilities.from_3,
            coalesce(probabilities.to_1, '^'), coalesce(probabilities.to_2, '^'), coalesce(probabilities.to_3, '^')
        )

),

-- A conversion stays a conversion: that makes the power of the matrix the chance to have converted by then.
absorbed as (

    select
        removed_channel,
        -1 as from_state,
        -1 as to_state,
        cast(1 as double) as probability
    from scenarios

),

final as (

    select
        removed_channel,
        from_state,
        to_state,
        probability
    from scenario_moves
    union all
    select
        removed_channel,
        from_state,
        to_state,
        probability
    from absorbed

)

select * from final
