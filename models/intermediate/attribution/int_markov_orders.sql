-- One row per Markov order, 1 to 3: how well it foretells held-out journeys and whether policy chose it.
with

contexts as (

    select * from {{ ref('int_markov_contexts') }}

),

policies as (

    select
        markov_order,
        markov_order_rule,
        markov_min_observations
    from {{ ref('attribution_policies') }}

),

orders as (

    select cast(numbers.order_number as integer) as markov_order
    from range(1, 4) as numbers (order_number)

),

keyed as (

    select
        contexts.context_1 || ' > ' || contexts.context_2 || ' > ' || contexts.context_3 as full_context,
        orders.markov_order,
        case
            when orders.markov_order = 1 or contexts.context_3 = '^' then contexts.context_3
            when orders.markov_order = 2 then contexts.context_2 || ' > ' || contexts.context_3
            else contexts.context_1 || ' > ' || contexts.context_2 || ' > ' || contexts.context_3
        end as context,
        contexts.next_step,
        contexts.is_held_out,
        contexts.observations
    from contexts
    cross join orders

),

learned_contexts as (

    select
        markov_order,
        context,
        sum(observations) as observations
    from keyed
    where not is_held_out
    group by markov_order, context

),

learned_steps as (

    select
        markov_order,
        context,
        next_step,
        sum(observations) as observations
    from keyed
    where not is_held_out
    group by markov_order, context, next_step

),

alphabet as (

    select count(distinct next_step) as step_count
    from contexts

),

-- One observation spread over all steps keeps a step never seen in training from an infinite loss.
scored as (

    select
        keyed.full_context,
        keyed.next_step,
        keyed.markov_order,
        keyed.observations,
        coalesce(learned_contexts.observations, 0) >= policies.markov_min_observations as is_learned,
        ln(coalesce(learned_contexts.observations, 0) + 1.0)
        - ln(coalesce(learned_steps.observations, 0) + 1.0 / alphabet.step_count) as log_loss
    from keyed
    cross join alphabet
    cross join policies
    left join learned_contexts
        on
            keyed.markov_order = learned_contexts.markov_order
            and keyed.context = learned_contexts.context
    left join learned_steps
        on
            keyed.markov_order = learned_steps.markov_order
            and keyed.context = learned_steps.context
            and keyed.next_step = learned_steps.next_step
    where keyed.is_held_out

),

-- A context seen too rarely backs off to the next shorter one.
backed_off as (

    select
        orders.markov_order,
        scored.full_context,
        scored.next_step,
        scored.observations,
        scored.log_loss
    from orders
    inner join scored
        on
            orders.markov_order >= scored.markov_order
            and (scored.is_learned or scored.markov_order = 1)
    qualify row_number() over (
            partition by orders.markov_order, scored.full_context, scored.next_step
            order by scored.markov_order desc
        ) = 1

),

judged as (

    select
        markov_order,
        sum(observations * log_loss) / sum(observations) as held_out_log_loss
    from backed_off
    group by markov_order

),

outcomes as (

    select
        sum(case when next_step = '(conversion)' then observations else 0 end) as won_journeys,
        sum(case when next_step = '(null)' then observations else 0 end) as null_journeys
    from contexts

),

compared as (

    select
        orders.markov_order,
        round(judged.held_out_log_loss, 12) as held_out_log_loss,
        coalesce(
            judged.held_out_log_loss < lag(judged.held_out_log_loss) over (order by orders.markov_order),
            orders.markov_order = 1
        ) as is_better
    from orders
    left join judged on orders.markov_order = judged.markov_order

),

-- An order counts as better only if every order up to it improved on the one before.
ranked as (

    select
        *,
        min(case when is_better then 1 else 0 end) over (
            order by markov_order
            rows between unbounded preceding and current row
        ) = 1 as is_improving
    from compared

),

final as (

    select
        ranked.markov_order,
        case
            when coalesce(outcomes.won_journeys, 0) = 0 then 'no_conversions'
            when outcomes.null_journeys = 0 then 'no_null_paths'
        end as refusal_reason,
        cast(coalesce(outcomes.won_journeys, 0) as bigint) as won_journeys,
        cast(coalesce(outcomes.won_journeys + outcomes.null_journeys, 0) as bigint) as journeys,
        ranked.held_out_log_loss,
        ranked.is_improving,
        ranked.markov_order = max(
            case
                when policies.markov_order_rule = 'fixed' and ranked.markov_order = policies.markov_order
                    then ranked.markov_order
                when
                    policies.markov_order_rule = 'held_out'
                    and ranked.markov_order <= policies.markov_order
                    and ranked.is_improving
                    then ranked.markov_order
            end
        ) over () as is_selected
    from ranked
    cross join outcomes
    cross join policies

)

select * from final
