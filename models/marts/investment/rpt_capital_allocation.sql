-- One row per initiative that asks for money.
with

choices as (

    select
        initiative_id,
        selection_method,
        npv_amount,
        cost_amount,
        is_eligible,
        is_selected,
        solution_status,
        upper_bound_amount
    from {{ ref('int_funding_choices_solved') }}
    where budget_level = 1

),

candidates as (

    select
        initiative_id,
        depends_on_initiative_id,
        exclusive_group,
        is_mandatory,
        is_available
    from {{ ref('int_funding_candidates_prepared') }}

),

returns as (

    select
        initiative_id,
        valuation_npv_amount
    from {{ ref('rpt_initiative_returns') }}
    where version_role = 'baseline'

),

optimum as (

    select
        initiative_id,
        npv_amount,
        cost_amount,
        is_eligible,
        is_selected,
        solution_status,
        upper_bound_amount,
        sum(case when is_selected then npv_amount else 0 end) over () as selected_npv_amount,
        sum(case when is_selected then cost_amount else 0 end) over () as selected_cost_amount,
        max(case when is_selected then 1 else 0 end) over () as has_selection
    from choices
    where selection_method = 'optimum'

),

by_index as (

    select
        initiative_id,
        is_selected,
        sum(case when is_selected then npv_amount else 0 end) over () as selected_npv_amount
    from choices
    where selection_method = 'profitability_index'

),

selected_groups as (

    select distinct candidates.exclusive_group
    from candidates
    inner join optimum
        on
            candidates.initiative_id = optimum.initiative_id
            and optimum.is_selected
    where candidates.exclusive_group is not null

),

explained as (

    select
        optimum.initiative_id,
        optimum.is_selected,
        by_index.is_selected as is_selected_by_index,
        optimum.npv_amount,
        optimum.cost_amount,
        optimum.selected_npv_amount,
        optimum.selected_cost_amount,
        optimum.solution_status,
        optimum.upper_bound_amount,
        by_index.selected_npv_amount as index_npv_amount,
        returns.valuation_npv_amount as case_npv_amount,
        candidates.depends_on_initiative_id,
        candidates.exclusive_group,
        candidates.is_mandatory,
        cast(optimum.npv_amount as double) / nullif(cast(optimum.cost_amount as double), 0) as npv_per_cost_ratio,
        case
            when optimum.solution_status = 'infeasible' then 'no_selection_fits'
            when optimum.is_selected and candidates.is_mandatory then 'mandatory'
            when optimum.is_selected then 'funded'
            when not candidates.is_available then 'alternative_already_funded'
            when selected_groups.exclusive_group is not null then 'alternative_funded'
            when not optimum.is_eligible and optimum.npv_amount <= 0 then 'destroys_value'
            when not optimum.is_eligible then 'prerequisite_not_available'
            when prerequisites.is_selected = false then 'prerequisite_not_funded'
            else 'limits_reached'
        end as decision_reason
    from optimum
    inner join by_index
        on optimum.initiative_id = by_index.initiative_id
    inner join candidates
        on optimum.initiative_id = candidates.initiative_id
    left join returns
        on optimum.initiative_id = returns.initiative_id
    left join optimum as prerequisites
        on candidates.depends_on_initiative_id = prerequisites.initiative_id
    left join selected_groups
        on candidates.exclusive_group = selected_groups.exclusive_group

),

final as (

    select
        initiative_id,
        is_selected,
        decision_reason,
        is_selected_by_index,
        cast(row_number() over (order by npv_per_cost_ratio desc nulls last, initiative_id asc) as integer) as index_rank,
        npv_amount,
        case_npv_amount,
        cost_amount,
        npv_per_cost_ratio,
        case when npv_per_cost_ratio is null then 'no_cost' end as npv_per_cost_ratio_reason,
        depends_on_initiative_id,
        exclusive_group,
        is_mandatory,
        solution_status,
        cast(selected_npv_amount as decimal(18, 2)) as selected_npv_amount,
        cast(selected_cost_amount as decimal(18, 2)) as selected_cost_amount,
        cast(index_npv_amount as decimal(18, 2)) as index_npv_amount,
        case
            when solution_status = 'exact' then 0
            when solution_status = 'heuristic'
                then
                    greatest(upper_bound_amount - cast(selected_npv_amount as double), 0)
                    / nullif(abs(upper_bound_amount), 0)
        end as gap_rate,
        case when solution_status = 'infeasible' then 'no_selection_fits' end as gap_rate_reason
    from explained

)

select * from final
