-- One row per problem and subset of its open candidates that can be chosen: the lowest budget level it fits in.
with

half_uses as (

    select * from {{ ref('int_funding_halves_weighed') }}

),

placed as (

    select * from {{ ref('int_funding_candidates_placed') }}

),

problems as (

    select * from {{ ref('int_funding_problems') }}

),

bits as (

    select *
    from placed
    where candidate_role = 'core'

),

highest_level as (

    select max(budget_level) as budget_level
    from problems

),

promising_halves as (

    select
        half_uses.problem_id,
        half_uses.half,
        half_uses.half_number,
        max(half_uses.npv_cents) as npv_cents,
        max(half_uses.cost_cents) as cost_cents,
        max(half_uses.id_mask) as id_mask,
        max(half_uses.index_score) as index_score,
        max(half_uses.required_mask) as required_mask,
        max(half_uses.group_mask) as group_mask
    from half_uses
    cross join highest_level
    group by half_uses.problem_id, half_uses.half, half_uses.half_number
    having
        coalesce(max(case when half_uses.constraint_type <> 'budget' then half_uses.used_share end), 0) <= 1 + 1e-9
        and coalesce(max(case when half_uses.constraint_type = 'budget' then half_uses.used_share end), 0)
        <= max(highest_level.budget_level) + 1e-9

),

owed as (

    select
        bits.problem_id,
        bits.id_bit,
        bits.is_forced or dependants.initiative_id is not null as is_owed
    from bits
    left join placed as dependants
        on
            bits.problem_id = dependants.problem_id
            and bits.initiative_id = dependants.depends_on_initiative_id
            and dependants.candidate_role = 'funded'

),

-- Mandatory candidates, and those a candidate already taken stands on.
must_haves as (

    select
        problem_id,
        bit_or(case when is_owed then id_bit else 0 end) as owed_mask
    from owed
    group by problem_id

),

subsets as (

    select
        first_half.problem_id,
        first_half.half_number as first_number,
        second_half.half_number as second_number,
        first_half.npv_cents + second_half.npv_cents as npv_cents,
        first_half.cost_cents + second_half.cost_cents as cost_cents,
        first_half.id_mask + second_half.id_mask as id_mask,
        first_half.index_score + second_half.index_score as index_score
    from promising_halves as first_half
    inner join promising_halves as second_half
        on
            first_half.problem_id = second_half.problem_id
            and first_half.half = 0
            and second_half.half = 1
            and (first_half.group_mask & second_half.group_mask) = 0
            and ((first_half.required_mask | second_half.required_mask) & (first_half.id_mask | second_half.id_mask))
            = (first_half.required_mask | second_half.required_mask)
    left join must_haves
        on first_half.problem_id = must_haves.problem_id
    where
        must_haves.problem_id is null
        or (must_haves.owed_mask & (first_half.id_mask | second_half.id_mask)) = must_haves.owed_mask

),

subset_needs as (

    select
        subsets.problem_id,
        subsets.first_number,
        subsets.second_number,
        max(
            case when first_uses.constraint_type = 'budget' then first_uses.used_share + second_uses.used_share else 0 end
        ) as budget_level,
        max(
            case when first_uses.constraint_type <> 'budget' then first_uses.used_share + second_uses.used_share else 0 end
        ) as capacity_share
    from subsets
    inner join half_uses as first_uses
        on
            subsets.problem_id = first_uses.problem_id
            and first_uses.half = 0
            and subsets.first_number = first_uses.half_number
    inner join half_uses as second_uses
        on
            subsets.problem_id = second_uses.problem_id
            and second_uses.half = 1
            and subsets.second_number = second_uses.half_number
            and first_uses.constraint_id = second_uses.constraint_id
    group by subsets.problem_id, subsets.first_number, subsets.second_number

),

-- The lowest budget level each subset fits in.
final as (

    select
        subsets.problem_id,
        subsets.npv_cents,
        subsets.cost_cents,
        subsets.id_mask,
        subsets.index_score,
        min(problems.budget_level) as budget_level
    from subsets
    left join subset_needs
        on
            subsets.problem_id = subset_needs.problem_id
            and subsets.first_number = subset_needs.first_number
            and subsets.second_number = subset_needs.second_number
    inner join problems
        on
            subsets.problem_id = problems.problem_id
            and coalesce(subset_needs.budget_level, 0) <= problems.budget_level + 1e-9
    where coalesce(subset_needs.capacity_share, 0) <= 1 + 1e-9
    group by
        subsets.problem_id,
        subsets.npv_cents,
        subsets.cost_cents,
        subsets.id_mask,
        subsets.index_score

)

select * from final
