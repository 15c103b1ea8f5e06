-- One row per removed channel and pair of states: the chance to go from one to the other in 32 steps.
-- Half of the ten squarings: engines that inline CTEs would otherwise plan a thousand joins.
with

chain as (

    select * from {{ ref('int_markov_chain') }}

),

steps_2 as (

    {{ squared_moves('chain') }}

),

steps_4 as (

    {{ squared_moves('steps_2') }}

),

steps_8 as (

    {{ squared_moves('steps_4') }}

),

steps_16 as (

    {{ squared_moves('steps_8') }}

),

steps_32 as (

    {{ squared_moves('steps_16') }}

),

final as (

    select
        removed_channel,
        from_state,
        to_state,
        probability
    from steps_32

)

select * from final
