-- One row per budget level.
with

choices as (

    select
        budget_level,
        selection_method,
        initiative_id,
        npv_amount,
        cost_amount,
        is_selected,
        solution_status,
        upper_bound_amount
    from {{ ref('int_funding_choices_solved') }}

),

demands as (

    select
        constraint_id,
        max(limit_amount) as limit_amount
    from {{ ref('int_funding_demands_measured') }}
    where constraint_type = 'budget'
    group by constraint_id

),

budgets as (

    select sum(limit_amount) as budget_amount
    from demands

),

levels as (

    select
        budget_level,
        max(case when selection_method = 'optimum' then solution_status end) as solution_status,
        max(upper_bound_amount) as upper_bound_amount,
        sum(case when selection_method = 'optimum' and is_selected then npv_amount else 0 end) as npv_amount,
        sum(case when selection_method = 'optimum' and is_selected then cost_amount else 0 end) as cost_amount,
        sum(case when selection_method = 'profitability_index' and is_selected then npv_amount else 0 end)
            as index_npv_amount,
        count_if(selection_method = 'optimum' and is_selected) as initiative_count,
        cast(
            array_sort(
                array_agg(initiative_id) filter (where selection_method = 'optimum' and is_selected)
            ) as string
        ) as initiative_ids
    from choices
    group by budget_level

),

stepped as (

    select
        levels.budget_level,
        levels.solution_status,
        levels.upper_bound_amount,
        levels.npv_amount,
        levels.cost_amount,
        levels.index_npv_amount,
        levels.initiative_count,
        levels.initiative_ids,
        levels.budget_level * coalesce(budgets.budget_amount, 0) as budget_amount,
        lag(case when levels.solution_status <> 'infeasible' then levels.npv_amount end)
            over (order by levels.budget_level) as previous_npv_amount,
        lag(levels.budget_level * coalesce(budgets.budget_amount, 0))
            over (order by levels.budget_level) as previous_budget_amount
    from levels
    cross join budgets

),

final as (

    select
        budget_level,
        {{ round_amount('budget_amount') }} as budget_amount,
        budget_level = 1 as is_current_budget,
        solution_status,
        cast(initiative_count as integer) as initiative_count,
        coalesce(initiative_ids, '[]') as initiative_ids,
        cast(case when solution_status <> 'infeasible' then npv_amount end as decimal(18, 2)) as npv_amount,
        cast(case when solution_status <> 'infeasible' then cost_amount end as decimal(18, 2)) as cost_amount,
        cast(case when solution_status <> 'infeasible' then index_npv_amount end as decimal(18, 2)) as index_npv_amount,
        case
            when solution_status <> 'infeasible'
                then cast(npv_amount - previous_npv_amount as double) / nullif(budget_amount - previous_budget_amount, 0)
        end as marginal_npv_ratio,
        case
            when solution_status = 'infeasible' then 'no_selection_fits'
            when previous_npv_amount is null then 'no_level_below'
            when budget_amount = previous_budget_amount then 'same_budget'
        end as marginal_npv_ratio_reason,
        case
            when solution_status = 'exact' then 0
            when solution_status = 'heuristic'
                then greatest(upper_bound_amount - cast(npv_amount as double), 0) / nullif(abs(upper_bound_amount), 0)
        end as gap_rate
    from stepped

)

select * from final
