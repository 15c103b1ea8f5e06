-- One row per problem, half of its open candidates, subset of that half and limit: what the subset brings and uses.
with

placed as (

    select * from {{ ref('int_funding_candidates_placed') }}

),

problems as (

    select * from {{ ref('int_funding_problems') }}

),

demands as (

    select
        initiative_id,
        constraint_id,
        constraint_type,
        cast(demand_amount as double) as demand_amount,
        cast(limit_amount as double) as limit_amount
    from {{ ref('int_funding_demands_measured') }}

),

problem_ids as (

    select distinct problem_id
    from problems

),

bits as (

    select *
    from placed
    where candidate_role = 'core'

),

funded_demands as (

    select
        placed.problem_id,
        demands.constraint_id,
        sum(demands.demand_amount) as demand_amount
    from placed
    inner join demands
        on placed.initiative_id = demands.initiative_id
    where placed.candidate_role = 'funded'
    group by placed.problem_id, demands.constraint_id

),

funded_groups as (

    select distinct
        problem_id,
        exclusive_group
    from placed
    where candidate_role = 'funded' and exclusive_group is not null

),

constraints as (

    select
        constraint_id,
        max(constraint_type) as constraint_type,
        max(limit_amount) as limit_amount
    from demands
    group by constraint_id

),

limits as (

    select
        problem_ids.problem_id,
        constraints.constraint_id,
        constraints.constraint_type,
        constraints.limit_amount,
        coalesce(funded_demands.demand_amount, 0) as funded_amount
    from problem_ids
    cross join constraints
    left join funded_demands
        on
            problem_ids.problem_id = funded_demands.problem_id
            and constraints.constraint_id = funded_demands.constraint_id

),

half_sizes as (

    select
        problem_ids.problem_id,
        sides.half,
        cast(power(2, count(bits.id_bit)) as bigint) as set_count
    from problem_ids
    cross join range(0, 2) as sides (half)
    left join bits
        on
            problem_ids.problem_id = bits.problem_id
            and sides.half = bits.half
    group by problem_ids.problem_id, sides.half

),

-- Every subset of each half of the candidates: two times 1,024 instead of a million rows to add up.
half_sets as (

    select
        half_sizes.problem_id,
        half_sizes.half,
        numbers.i as half_number
    from half_sizes
    inner join range(0, 1024) as numbers (i)
        on half_sizes.set_count > numbers.i

),

half_members as (

    select
        half_sets.problem_id,
        half_sets.half,
        half_sets.half_number,
        bits.initiative_id,
        bits.npv_cents,
        bits.cost_cents,
        bits.id_bit,
        bits.index_bit,
        bits.required_bit,
        bits.group_bit,
        bits.exclusive_group
    from half_sets
    inner join bits
        on
            half_sets.problem_id = bits.problem_id
            and half_sets.half = bits.half
            and cast(floor(half_sets.half_number / power(2, bits.position)) as bigint) % 2 = 1

),

half_totals as (

    select
        half_sets.problem_id,
        half_sets.half,
        half_sets.half_number,
        coalesce(sum(half_members.npv_cents), 0) as npv_cents,
        coalesce(sum(half_members.cost_cents), 0) as cost_cents,
        coalesce(sum(half_members.id_bit), 0) as id_mask,
        coalesce(sum(half_members.index_bit), 0) as index_score,
        coalesce(bit_or(half_members.required_bit), 0) as required_mask,
        coalesce(bit_or(half_members.group_bit), 0) as group_mask
    from half_sets
    left join half_members
        on
            half_sets.problem_id = half_members.problem_id
            and half_sets.half = half_members.half
            and half_sets.half_number = half_members.half_number
    left join funded_groups
        on
            half_members.problem_id = funded_groups.problem_id
            and half_members.exclusive_group = funded_groups.exclusive_group
    group by half_sets.problem_id, half_sets.half, half_sets.half_number
    having
        count(half_members.exclusive_group) = count(distinct half_members.exclusive_group)
        and count(funded_groups.exclusive_group) = 0

),

half_demands as (

    select
        half_members.problem_id,
        half_members.half,
        half_members.half_number,
        demands.constraint_id,
        sum(demands.demand_amount) as demand_amount
    from half_members
    inner join demands
        on half_members.initiative_id = demands.initiative_id
    group by half_members.problem_id, half_members.half, half_members.half_number, demands.constraint_id

),

-- The share of each limit a half uses; for budgets this is the budget level it needs.
final as (

    select
        half_totals.problem_id,
        half_totals.half,
        half_totals.half_number,
        half_totals.npv_cents,
        half_totals.cost_cents,
        half_totals.id_mask,
        half_totals.index_score,
        half_totals.required_mask,
        half_totals.group_mask,
        limits.constraint_id,
        limits.constraint_type,
        case
            when coalesce(half_demands.demand_amount, 0) = 0 and (half_totals.half = 1 or limits.funded_amount = 0) then 0
            when limits.limit_amount <= 0 then 1e9
            else
                (
                    coalesce(half_demands.demand_amount, 0)
                    + case when half_totals.half = 0 then limits.funded_amount else 0 end
                )
                / limits.limit_amount
        end as used_share
    from half_totals
    left join limits
        on half_totals.problem_id = limits.problem_id
    left join half_demands
        on
            half_totals.problem_id = half_demands.problem_id
            and half_totals.half = half_demands.half
            and half_totals.half_number = half_demands.half_number
            and limits.constraint_id = half_demands.constraint_id

)

select * from final
