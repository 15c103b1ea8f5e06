-- One row per initiative, locked case version and month that is over.
with

positions as (

    select
        initiative_id,
        case_version,
        month_date,
        is_baseline,
        is_current,
        is_reported,
        elapsed_months,
        budget_amount,
        planned_value_amount,
        earned_value_amount,
        actual_cost_amount,
        remaining_cost_amount,
        lead(planned_value_amount) over (
            partition by initiative_id, case_version
            order by elapsed_months
        ) as next_planned_value_amount
    from {{ ref('int_earned_value_positions') }}

),

policies as (

    select
        index_reliable_from_share,
        index_reliable_to_share
    from {{ ref('int_investment_policy') }}

),

reported as (

    select
        initiative_id,
        case_version,
        month_date,
        is_baseline,
        is_current,
        elapsed_months,
        budget_amount,
        planned_value_amount,
        earned_value_amount,
        actual_cost_amount,
        remaining_cost_amount
    from positions
    where is_reported

),

-- Earned schedule: the months of the plan whose planned value is earned. On a plateau of the plan between two
-- milestones, being where the plan is counts as being on time.
earned_months as (

    select
        reported.initiative_id,
        reported.case_version,
        reported.month_date,
        coalesce(max(positions.elapsed_months), 0) as last_month,
        coalesce(
            min(
                case
                    when positions.planned_value_amount = reported.earned_value_amount then positions.elapsed_months
                end
            ),
            0
        ) as first_equal_month,
        coalesce(max(positions.planned_value_amount), 0) as reached_value_amount,
        max_by(positions.next_planned_value_amount, positions.elapsed_months)
        filter (where positions.next_planned_value_amount is not null) as next_value_amount
    from reported
    left join positions
        on
            reported.initiative_id = positions.initiative_id
            and reported.case_version = positions.case_version
            and reported.earned_value_amount >= positions.planned_value_amount
    group by reported.initiative_id, reported.case_version, reported.month_date

),

first_values as (

    select
        initiative_id,
        case_version,
        planned_value_amount as first_value_amount
    from positions
    where elapsed_months = 1

),

measured as (

    select
        reported.initiative_id,
        reported.case_version,
        reported.month_date,
        reported.is_baseline,
        reported.is_current,
        reported.elapsed_months,
        reported.budget_amount,
        reported.planned_value_amount,
        reported.earned_value_amount,
        reported.actual_cost_amount,
        reported.remaining_cost_amount,
        cast(reported.budget_amount as double) as budget,
        cast(reported.planned_value_amount as double) as planned,
        cast(reported.earned_value_amount as double) as earned,
        cast(reported.actual_cost_amount as double) as spent,
        policies.index_reliable_from_share,
        policies.index_reliable_to_share,
        case
            when reported.earned_value_amount >= reported.budget_amount then cast(earned_months.first_equal_month as double)
            when earned_months.last_month = 0
                then
                    cast(reported.earned_value_amount as double)
                    / nullif(cast(first_values.first_value_amount as double), 0)
            when earned_months.reached_value_amount = reported.earned_value_amount
                then
                    cast(
                        least(
                            greatest(reported.elapsed_months, earned_months.first_equal_month), earned_months.last_month
                        ) as double
                    )
            else
                earned_months.last_month
                + cast(reported.earned_value_amount - earned_months.reached_value_amount as double)
                / nullif(cast(earned_months.next_value_amount - earned_months.reached_value_amount as double), 0)
        end as earned_schedule_months
    from reported
    cross join policies
    inner join earned_months
        on
            reported.initiative_id = earned_months.initiative_id
            and reported.case_version = earned_months.case_version
            and reported.month_date = earned_months.month_date
    left join first_values
        on
            reported.initiative_id = first_values.initiative_id
            and reported.case_version = first_values.case_version

),

indexed as (

    select
        *,
        earned / nullif(spent, 0) as cpi,
        earned / nullif(planned, 0) as spi,
        budget * spent / nullif(earned, 0) as eac_cpi,
        spent + budget - earned as eac_remaining_at_budget,
        spent + (budget - earned) * spent * planned / nullif(earned * earned, 0) as eac_cpi_spi,
        -- Work left when the months of a re-estimate are over is work it says nothing about.
        case
            when remaining_cost_amount > 0 or earned >= budget then spent + cast(remaining_cost_amount as double)
        end as eac_bottom_up
    from measured

),

final as (

    select
        initiative_id,
        case_version,
        month_date,
        is_baseline,
        is_current,
        cast(elapsed_months as integer) as elapsed_months,
        budget_amount,
        planned_value_amount,
        earned_value_amount,
        actual_cost_amount,
        earned / nullif(budget, 0) as complete_share,
        cast(earned_value_amount - actual_cost_amount as decimal(18, 2)) as cost_variance_amount,
        cast(earned_value_amount - planned_value_amount as decimal(18, 2)) as schedule_variance_amount,
        cpi as cost_performance_index,
        case when cpi is null then 'no_cost' end as cost_performance_index_reason,
        spi as schedule_performance_index,
        case when spi is null then 'nothing_planned' end as schedule_performance_index_reason,
        earned_schedule_months,
        earned_schedule_months / elapsed_months as time_performance_index,
        {{ round_amount('case when spent > 0 then eac_cpi end') }} as eac_cpi_amount,
        {{ round_amount('eac_remaining_at_budget') }} as eac_remaining_at_budget_amount,
        {{ round_amount('case when spent > 0 and planned > 0 then eac_cpi_spi end') }} as eac_cpi_spi_amount,
        case
            when earned = 0 then 'nothing_earned'
            when spent = 0 then 'no_cost'
            when planned = 0 then 'nothing_planned'
        end as eac_index_reason,
        {{ round_amount('eac_bottom_up') }} as eac_bottom_up_amount,
        case
            when remaining_cost_amount is null then 'not_re_estimated'
            when eac_bottom_up is null then 're_estimate_expired'
        end as eac_bottom_up_amount_reason,
        least(
            coalesce(eac_cpi_amount, eac_remaining_at_budget_amount),
            eac_remaining_at_budget_amount,
            coalesce(eac_cpi_spi_amount, eac_remaining_at_budget_amount),
            coalesce(eac_bottom_up_amount, eac_remaining_at_budget_amount)
        ) as eac_low_amount,
        greatest(
            coalesce(eac_cpi_amount, eac_remaining_at_budget_amount),
            eac_remaining_at_budget_amount,
            coalesce(eac_cpi_spi_amount, eac_remaining_at_budget_amount),
            coalesce(eac_bottom_up_amount, eac_remaining_at_budget_amount)
        ) as eac_high_amount,
        {{ round_amount('case when spent > 0 then eac_cpi - spent end') }} as etc_cpi_amount,
        {{ round_amount('case when spent > 0 then budget - eac_cpi end') }} as vac_cpi_amount,
        {{ round_amount('budget - eac_remaining_at_budget') }} as vac_remaining_at_budget_amount,
        {{ round_amount('case when spent > 0 and planned > 0 then budget - eac_cpi_spi end') }}
            as vac_cpi_spi_amount,
        case when earned < budget and spent < budget then (budget - earned) / (budget - spent) end as tcpi_budget_index,
        case
            when earned >= budget then 'work_complete'
            when spent >= budget then 'budget_exhausted'
        end as tcpi_budget_index_reason,
        case
            when earned < budget and spent > 0 then (budget - earned) / nullif(eac_cpi - spent, 0)
        end as tcpi_estimate_index,
        case
            when earned >= budget then 'work_complete'
            when earned = 0 then 'nothing_earned'
            when spent = 0 then 'no_cost'
        end as tcpi_estimate_index_reason,
        earned >= index_reliable_from_share * budget and earned <= index_reliable_to_share * budget as is_index_reliable
    from indexed

)

select * from final
