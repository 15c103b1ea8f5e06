-- One row per budget level, way of choosing (optimum, profitability_index) and candidate: funded or not.
with recursive

candidates as (

    select
        initiative_id,
        npv_amount,
        cost_amount,
        depends_on_initiative_id,
        exclusive_group,
        is_available,
        coalesce(is_mandatory, false) as is_mandatory,
        cast(npv_amount as double) / nullif(cast(cost_amount as double), 0) as profitability_index
    from {{ ref('int_funding_candidates_prepared') }}

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

budget_levels as (

    select cast(budget_level as double) as budget_level
    from {{ ref('budget_levels') }}

),

-- Everything each candidate stands on, itself included.
lineage as (

    select
        initiative_id,
        initiative_id as ancestor_id,
        0 as depth
    from candidates

    union all

    select
        lineage.initiative_id,
        candidates.depends_on_initiative_id as ancestor_id,
        lineage.depth + 1 as depth
    from lineage
    inner join candidates
        on lineage.ancestor_id = candidates.initiative_id
    where candidates.depends_on_initiative_id is not null and lineage.depth < 20

),

groundings as (

    select
        lineage.initiative_id,
        max(lineage.depth) as depth,
        bool_and(coalesce(candidates.is_available, false) and lineage.depth < 20) as is_available
    from lineage
    left join candidates
        on lineage.ancestor_id = candidates.initiative_id
    group by lineage.initiative_id

),

-- A prerequisite ranks at least as high as the best of what stands on it.
rankings as (

    select
        lineage.ancestor_id as initiative_id,
        count(*) > 1 as is_prerequisite,
        bool_or(candidates.is_mandatory) as is_forced,
        max(coalesce(candidates.profitability_index, 1e9)) as ranking_index
    from lineage
    inner join candidates
        on lineage.initiative_id = candidates.initiative_id
    inner join groundings
        on
            candidates.initiative_id = groundings.initiative_id
            and groundings.is_available
    group by lineage.ancestor_id

),

-- What can never help is left out: it destroys value, nothing stands on it and nobody orders it.
eligible as (

    select
        candidates.initiative_id,
        candidates.npv_amount,
        candidates.cost_amount,
        candidates.depends_on_initiative_id,
        candidates.exclusive_group,
        candidates.profitability_index,
        groundings.depth,
        rankings.is_forced,
        rankings.ranking_index,
        case
            when candidates.exclusive_group is null then 1
            else row_number() over (
                    partition by candidates.exclusive_group
                    order by
                        case when rankings.is_forced then 0 else 1 end asc,
                        rankings.ranking_index desc,
                        candidates.cost_amount asc,
                        candidates.initiative_id asc
                )
        end as place_in_group
    from candidates
    inner join groundings
        on
            candidates.initiative_id = groundings.initiative_id
            and groundings.is_available
    inner join rankings
        on candidates.initiative_id = rankings.initiative_id
    where candidates.npv_amount > 0 or rankings.is_forced or rankings.is_prerequisite

),

-- Whoever stands on an alternative that is not the first of its group waits with it.
waiting as (

    select
        lineage.initiative_id,
        bool_or(eligible.place_in_group > 1) as is_waiting
    from lineage
    inner join eligible
        on lineage.ancestor_id = eligible.initiative_id
    group by lineage.initiative_id

),

ordered as (

    select
        eligible.initiative_id,
        eligible.npv_amount,
        eligible.cost_amount,
        eligible.depends_on_initiative_id,
        eligible.exclusive_group,
        eligible.is_forced,
        count(*) over () as candidate_count,
        row_number() over (
            order by
                case when eligible.is_forced then 0 else 1 end asc,
                case when eligible.npv_amount > 0 then 0 else 1 end asc,
                eligible.profitability_index desc nulls first,
                eligible.cost_amount asc,
                eligible.initiative_id asc
        ) as index_rank,
        row_number() over (
            order by
                case when eligible.is_forced then 0 else 1 end asc,
                case when waiting.is_waiting then 1 else 0 end asc,
                eligible.ranking_index desc,
                eligible.depth asc,
                eligible.cost_amount asc,
                eligible.initiative_id asc
        ) as prefix_rank
    from eligible
    inner join waiting
        on eligible.initiative_id = waiting.initiative_id

),

sizes as (

    select
        count(*) as candidate_count,
        coalesce(sum(case when npv_amount > 0 then cast(npv_amount as double) end), 0) as npv_amount
    from eligible

),

-- Up to 20 candidates are one problem, solved for all levels at once; more are one problem a level.
problems as (

    select
        budget_levels.budget_level,
        case when sizes.candidate_count <= 20 then cast(-1 as double) else budget_levels.budget_level end as problem_id
    from budget_levels
    cross join sizes

),

problem_ids as (

    select distinct problem_id
    from problems

),

running_demands as (

    select
        ordered.prefix_rank,
        demands.constraint_id,
        demands.constraint_type,
        demands.limit_amount,
        sum(demands.demand_amount) over (
            partition by demands.constraint_id
            order by ordered.prefix_rank
            rows unbounded preceding
        ) as demand_amount
    from ordered
    inner join demands
        on ordered.initiative_id = demands.initiative_id

),

-- Beyond 20: fund in order of the index until a limit breaks, then reconsider the 14 candidates around the break.
breaks as (

    select
        problems.problem_id,
        coalesce(
            min(
                case
                    when
                        running_demands.demand_amount
                        > running_demands.limit_amount
                        * case when running_demands.constraint_type = 'budget' then problems.budget_level else 1 end
                        * (1 + 1e-9)
                        then running_demands.prefix_rank
                end
            ),
            1000000
        ) as break_rank
    from problems
    left join running_demands
        on problems.problem_id >= 0
    where problems.problem_id >= 0
    group by problems.problem_id

),

core_starts as (

    select
        problem_ids.problem_id,
        case
            when breaks.problem_id is not null
                then greatest(least(breaks.break_rank - 7, sizes.candidate_count - 13), 1)
        end as core_start
    from problem_ids
    cross join sizes
    left join breaks
        on problem_ids.problem_id = breaks.problem_id

),

roles as (

    select
        core_starts.problem_id,
        ordered.initiative_id,
        ordered.npv_amount,
        ordered.cost_amount,
        ordered.depends_on_initiative_id,
        ordered.exclusive_group,
        ordered.is_forced,
        ordered.index_rank,
        case
            when core_starts.core_start is null then 'core'
            when ordered.prefix_rank < core_starts.core_start then 'funded'
            when ordered.prefix_rank < core_starts.core_start + 14 then 'core'
            else 'left_out'
        end as candidate_role
    from ordered
    cross join core_starts

),

core as (

    select
        problem_id,
        initiative_id,
        depends_on_initiative_id,
        exclusive_group,
        is_forced,
        cast(round(cast(npv_amount as double) * 100) as bigint) as npv_cents,
        cast(round(cast(cost_amount as double) * 100) as bigint) as cost_cents,
        row_number() over (partition by problem_id order by initiative_id) as place,
        case
            when row_number() over (partition by problem_id order by initiative_id)
                <= count(*) over (partition by problem_id) / 2
                then 0
            else 1
        end as half,
        cast(power(2, row_number() over (partition by problem_id order by initiative_id desc) - 1) as bigint) as id_bit,
        cast(power(2, row_number() over (partition by problem_id order by index_rank desc) - 1) as bigint)
        * case when npv_amount > 0 or is_forced then 1 else -1 end as index_bit
    from roles
    where candidate_role = 'core'

),

-- Bits stand for candidates: what each needs, which alternatives it shuts out.
bits as (

    select
        core.problem_id,
        core.initiative_id,
        core.half,
        core.is_forced,
        core.npv_cents,
        core.cost_cents,
        core.id_bit,
        core.index_bit,
        core.exclusive_group,
        coalesce(prerequisites.id_bit, 0) as required_bit,
        row_number() over (partition by core.problem_id, core.half order by core.id_bit) - 1 as position,
        case
            when core.exclusive_group is not null
                then
                    cast(
                        power(2, dense_rank() over (
                            partition by core.problem_id
                            order by core.exclusive_group nulls first
                        ) - 1)
                        as bigint
                    )
            else 0
        end as group_bit
    from core
    left join core as prerequisites
        on
            core.problem_id = prerequisites.problem_id
            and core.depends_on_initiative_id = prerequisites.initiative_id

),

-- Standing commitments of the candidates already taken, against which the core competes.
funded_demands as (

    select
        roles.problem_id,
        demands.constraint_id,
        sum(demands.demand_amount) as demand_amount
    from roles
    inner join demands
        on roles.initiative_id = demands.initiative_id
    where roles.candidate_role = 'funded'
    group by roles.problem_id, demands.constraint_id

),

funded_groups as (

    select distinct
        problem_id,
        exclusive_group
    from roles
    where candidate_role = 'funded' and exclusive_group is not null

),

owed as (

    select
        bits.problem_id,
        bits.id_bit,
        bits.is_forced or dependants.initiative_id is not null as is_owed
    from bits
    left join roles as dependants
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
half_uses as (

    select
        half_totals.problem_id,
        half_totals.half,
        half_totals.half_number,
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
    inner join limits
        on half_totals.problem_id = limits.problem_id
    left join half_demands
        on
            half_totals.problem_id = half_demands.problem_id
            and half_totals.half = half_demands.half
            and half_totals.half_number = half_demands.half_number
            and limits.constraint_id = half_demands.constraint_id

),

half_needs as (

    select
        problem_id,
        half,
        half_number,
        max(case when constraint_type = 'budget' then used_share end) as budget_level,
        max(case when constraint_type <> 'budget' then used_share end) as capacity_share
    from half_uses
    group by problem_id, half, half_number

),

highest_level as (

    select max(budget_level) as budget_level
    from budget_levels

),

promising_halves as (

    select
        half_totals.problem_id,
        half_totals.half,
        half_totals.half_number,
        half_totals.npv_cents,
        half_totals.cost_cents,
        half_totals.id_mask,
        half_totals.index_score,
        half_totals.required_mask,
        half_totals.group_mask
    from half_totals
    left join half_needs
        on
            half_totals.problem_id = half_needs.problem_id
            and half_totals.half = half_needs.half
            and half_totals.half_number = half_needs.half_number
    cross join highest_level
    where
        coalesce(half_needs.capacity_share, 0) <= 1 + 1e-9
        and coalesce(half_needs.budget_level, 0) <= highest_level.budget_level + 1e-9

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
levelled_subsets as (

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

),

best_values as (

    select
        problem_id,
        budget_level,
        max(npv_cents) as npv_cents,
        max(index_score) as index_score
    from levelled_subsets
    group by problem_id, budget_level

),

-- Of equally valuable subsets the cheapest, then the one with the first identifiers.
best_subsets as (

    select
        levelled_subsets.problem_id,
        levelled_subsets.budget_level,
        levelled_subsets.npv_cents,
        levelled_subsets.cost_cents,
        levelled_subsets.id_mask,
        row_number() over (
            partition by levelled_subsets.problem_id, levelled_subsets.budget_level
            order by levelled_subsets.cost_cents asc, levelled_subsets.id_mask desc
        ) as place
    from levelled_subsets
    inner join best_values
        on
            levelled_subsets.problem_id = best_values.problem_id
            and levelled_subsets.budget_level = best_values.budget_level
            and levelled_subsets.npv_cents = best_values.npv_cents

),

optima as (

    select
        problems.problem_id,
        problems.budget_level,
        best_subsets.id_mask,
        row_number() over (
            partition by problems.budget_level
            order by best_subsets.npv_cents desc, best_subsets.cost_cents asc, best_subsets.id_mask desc
        ) as place
    from problems
    inner join best_subsets
        on
            problems.problem_id = best_subsets.problem_id
            and problems.budget_level >= best_subsets.budget_level
            and best_subsets.place = 1

),

best_scores as (

    select
        problems.problem_id,
        problems.budget_level,
        max(best_values.index_score) as index_score
    from problems
    inner join best_values
        on
            problems.problem_id = best_values.problem_id
            and problems.budget_level >= best_values.budget_level
    group by problems.problem_id, problems.budget_level

),

-- Bits in order of the index make the highest score what taking everything that still fits, in that order, gives.
by_index as (

    select
        best_scores.problem_id,
        best_scores.budget_level,
        levelled_subsets.id_mask
    from best_scores
    inner join levelled_subsets
        on
            best_scores.problem_id = levelled_subsets.problem_id
            and best_scores.index_score = levelled_subsets.index_score

),

solutions as (

    select
        problem_id,
        budget_level,
        'optimum' as selection_method,
        id_mask as selected_mask
    from optima
    where place = 1

    union all

    select
        problem_id,
        budget_level,
        'profitability_index' as selection_method,
        id_mask as selected_mask
    from by_index

),

-- No selection can beat the fractional one under any single limit.
fractional_order as (

    select
        problems.budget_level,
        demands.constraint_id,
        cast(eligible.npv_amount as double) as npv_amount,
        coalesce(demands.demand_amount, 0) as demand_amount,
        demands.limit_amount
        * case when demands.constraint_type = 'budget' then problems.budget_level else 1 end as limit_amount,
        coalesce(
            sum(demands.demand_amount) over (
                partition by problems.budget_level, demands.constraint_id
                order by
                    cast(eligible.npv_amount as double) / nullif(demands.demand_amount, 0) desc nulls first,
                    eligible.initiative_id asc
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as demand_before
    from problems
    cross join eligible
    inner join demands
        on eligible.initiative_id = demands.initiative_id
    where eligible.npv_amount > 0

),

fractional_values as (

    select
        budget_level,
        constraint_id,
        sum(
            npv_amount
            * case
                when demand_amount = 0 then 1
                else greatest(least((limit_amount - demand_before) / demand_amount, 1), 0)
            end
        ) as npv_amount,
        sum(npv_amount) as demanding_npv_amount
    from fractional_order
    group by budget_level, constraint_id

),

upper_bounds as (

    select
        problems.budget_level,
        coalesce(
            min(sizes.npv_amount - fractional_values.demanding_npv_amount + fractional_values.npv_amount),
            max(sizes.npv_amount)
        ) as upper_bound_amount
    from problems
    cross join sizes
    left join fractional_values
        on problems.budget_level = fractional_values.budget_level
    group by problems.budget_level

),

methods as (

    select 'optimum' as selection_method

    union all

    select 'profitability_index' as selection_method

),

choices as (

    select
        problems.problem_id,
        problems.budget_level,
        methods.selection_method,
        candidates.initiative_id,
        candidates.npv_amount,
        candidates.cost_amount,
        roles.candidate_role is not null as is_eligible,
        solutions.selected_mask is not null as is_solved,
        solutions.selected_mask is not null
        and (
            coalesce(roles.candidate_role = 'funded', false)
            or coalesce((solutions.selected_mask & core.id_bit) <> 0, false)
        ) as is_selected
    from problems
    cross join methods
    cross join candidates
    left join solutions
        on
            problems.budget_level = solutions.budget_level
            and methods.selection_method = solutions.selection_method
    left join roles
        on
            problems.problem_id = roles.problem_id
            and candidates.initiative_id = roles.initiative_id
    left join core
        on
            problems.problem_id = core.problem_id
            and candidates.initiative_id = core.initiative_id

),

final as (

    select
        choices.budget_level,
        choices.selection_method,
        choices.initiative_id,
        choices.npv_amount,
        choices.cost_amount,
        choices.is_eligible,
        choices.is_selected,
        case
            when not choices.is_solved then 'infeasible'
            when choices.selection_method = 'profitability_index' then 'heuristic'
            when choices.problem_id < 0 then 'exact'
            else 'heuristic'
        end as solution_status,
        upper_bounds.upper_bound_amount
    from choices
    inner join upper_bounds
        on choices.budget_level = upper_bounds.budget_level

)

select * from final
