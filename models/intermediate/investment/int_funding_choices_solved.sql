-- One row per budget level, way of choosing (optimum, profitability_index) and candidate: funded or not.
with

candidates as (

    select * from {{ ref('int_funding_candidates_prepared') }}

),

eligible as (

    select * from {{ ref('int_funding_candidates_ranked') }}

),

placed as (

    select * from {{ ref('int_funding_candidates_placed') }}

),

problems as (

    select * from {{ ref('int_funding_problems') }}

),

levelled_subsets as (

    select * from {{ ref('int_funding_subsets_levelled') }}

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

sizes as (

    select coalesce(sum(case when npv_amount > 0 then cast(npv_amount as double) end), 0) as npv_amount
    from eligible

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
        placed.candidate_role is not null as is_eligible,
        solutions.selected_mask is not null as is_solved,
        solutions.selected_mask is not null
        and (
            coalesce(placed.candidate_role = 'funded', false)
            or coalesce((solutions.selected_mask & placed.id_bit) <> 0, false)
        ) as is_selected
    from problems
    cross join methods
    cross join candidates
    left join solutions
        on
            problems.budget_level = solutions.budget_level
            and methods.selection_method = solutions.selection_method
    left join placed
        on
            problems.problem_id = placed.problem_id
            and candidates.initiative_id = placed.initiative_id

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
