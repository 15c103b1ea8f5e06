-- One row per initiative, life to date.
with

initiatives as (

    select * from {{ ref('dim_initiative') }}

),

development_costs as (

    select * from {{ ref('int_development_costs') }}

),

assets as (

    select * from {{ ref('fct_capitalised_software') }}

),

case_flows as (

    select * from {{ ref('int_initiative_case_flows') }}

),

progress as (

    select * from {{ ref('int_initiative_progress') }}

),

milestones as (

    select * from {{ ref('stg_product__milestones') }}

),

reporting_date as (

    select * from {{ ref('int_reporting_date') }}

),

costs as (

    select
        initiative_id,
        sum(hours) as hours,
        sum(case when cost_type = 'people' and cash_amount is null then hours else 0 end) as hours_without_pay,
        sum(case when cost_type = 'people' then cash_amount else 0 end) as people_amount,
        sum(case when cost_type = 'vendor' then cash_amount else 0 end) as vendor_amount,
        sum(case when cost_type = 'cloud' then cash_amount else 0 end) as cloud_amount,
        sum(fully_loaded_amount) as fully_loaded_amount,
        -- Capitalised cost leaves out what the capitalisable rate does not hold.
        sum(case when expense_reason in ('activity_not_eligible', 'account_not_eligible') then cash_amount else 0 end)
            as expensed_not_eligible_amount,
        sum(case when expense_reason = 'not_authorised' then cash_amount else 0 end) as expensed_not_authorised_amount,
        sum(case when expense_reason = 'no_decision' then cash_amount else 0 end) as expensed_no_decision_amount,
        sum(case when expense_reason = 'decided_against' then cash_amount else 0 end)
            as expensed_decided_against_amount,
        sum(case when expense_reason = 'ready_for_use' then cash_amount else 0 end) as expensed_ready_for_use_amount,
        sum(case when expense_reason = 'no_regime' then cash_amount else 0 end) as expensed_no_regime_amount,
        sum(case when expense_reason is null then cash_amount - capitalised_amount else 0 end)
            as expensed_overhead_amount,
        case when min(regime) = max(regime) then min(regime) else min(regime) || ', ' || max(regime) end as regimes,
        min(fiscal_period) as first_fiscal_period,
        max(fiscal_period) as last_fiscal_period
    from development_costs
    group by initiative_id

),

books as (

    select
        initiative_id,
        sum(case when is_forecast then 0 else capitalised_amount end) as capitalised_amount,
        sum(case when is_forecast then 0 else amortisation_amount end) as amortisation_amount,
        sum(case when is_forecast then amortisation_amount else 0 end) as scheduled_amortisation_amount,
        sum(ledger_capitalised_amount) as ledger_capitalised_amount,
        sum(ledger_amortisation_amount) as ledger_amortisation_amount,
        bool_or(is_impairment_flagged) as is_impairment_flagged
    from assets
    group by initiative_id

),

-- The first locked case is what was approved; later ones say what it became.
planned as (

    select
        case_flows.initiative_id,
        case_flows.case_version,
        sum(case_flows.build_cost_amount) as planned_amount,
        sum(case when case_flows.month_date <= reporting_date.reporting_on then case_flows.build_cost_amount else 0 end)
            as planned_to_date_amount
    from case_flows
    cross join reporting_date
    where
        case_flows.is_baseline
        and case_flows.locked_at is not null
    group by
        case_flows.initiative_id,
        case_flows.case_version

),

scope as (

    select
        initiative_id,
        sum(case when accepted_on is not null then budget_weight else 0 end) as accepted_scope_share
    from milestones
    group by initiative_id

),

final as (

    select
        initiatives.initiative_id,
        initiatives.product_id,
        initiatives.initiative_name,
        initiatives.initiative_type,
        initiatives.status,
        planned.case_version,
        initiatives.planned_start_on,
        initiatives.planned_end_on,
        initiatives.started_on,
        initiatives.ready_for_use_on,
        {{ dbt.datediff("initiatives.planned_start_on", "initiatives.started_on", "day") }} as start_slip_days,
        -- An unfinished initiative slips by the day once its planned end has passed.
        {{ dbt.datediff(
            "initiatives.planned_end_on",
            "coalesce(initiatives.ready_for_use_on, case when initiatives.status = 'in_progress' "
            ~ "and reporting_date.reporting_on > initiatives.planned_end_on then reporting_date.reporting_on end)",
            "day",
        ) }} as end_slip_days,
        costs.regimes,
        costs.first_fiscal_period,
        costs.last_fiscal_period,
        cast(coalesce(scope.accepted_scope_share, 0) as double) as accepted_scope_share,
        cast(coalesce(costs.hours, 0) as decimal(18, 2)) as hours,
        cast(coalesce(costs.hours_without_pay, 0) as decimal(18, 2)) as hours_without_pay,
        cast(planned.planned_amount as decimal(18, 2)) as planned_amount,
        cast(planned.planned_to_date_amount as decimal(18, 2)) as planned_to_date_amount,
        cast(coalesce(costs.people_amount, 0) as decimal(18, 2)) as people_amount,
        cast(coalesce(costs.vendor_amount, 0) as decimal(18, 2)) as vendor_amount,
        cast(coalesce(costs.cloud_amount, 0) as decimal(18, 2)) as cloud_amount,
        cast(
            coalesce(costs.people_amount, 0) + coalesce(costs.vendor_amount, 0) + coalesce(costs.cloud_amount, 0)
            as decimal(18, 2)
        ) as cash_amount,
        {{ round_amount('progress.actual_build_cost') }} as actual_build_cost_amount,
        cast(coalesce(costs.fully_loaded_amount, 0) as decimal(18, 2)) as fully_loaded_amount,
        cast(coalesce(books.capitalised_amount, 0) as decimal(18, 2)) as capitalised_amount,
        cast(
            coalesce(costs.people_amount, 0) + coalesce(costs.vendor_amount, 0) + coalesce(costs.cloud_amount, 0)
            - coalesce(books.capitalised_amount, 0)
            as decimal(18, 2)
        ) as expensed_amount,
        cast(coalesce(costs.expensed_not_eligible_amount, 0) as decimal(18, 2)) as expensed_not_eligible_amount,
        cast(coalesce(costs.expensed_not_authorised_amount, 0) as decimal(18, 2)) as expensed_not_authorised_amount,
        cast(coalesce(costs.expensed_no_decision_amount, 0) as decimal(18, 2)) as expensed_no_decision_amount,
        cast(coalesce(costs.expensed_decided_against_amount, 0) as decimal(18, 2)) as expensed_decided_against_amount,
        cast(coalesce(costs.expensed_ready_for_use_amount, 0) as decimal(18, 2)) as expensed_ready_for_use_amount,
        cast(coalesce(costs.expensed_no_regime_amount, 0) as decimal(18, 2)) as expensed_no_regime_amount,
        cast(coalesce(costs.expensed_overhead_amount, 0) as decimal(18, 2)) as expensed_overhead_amount,
        cast(coalesce(books.amortisation_amount, 0) as decimal(18, 2)) as amortisation_amount,
        cast(
            coalesce(costs.people_amount, 0) + coalesce(costs.vendor_amount, 0) + coalesce(costs.cloud_amount, 0)
            - coalesce(books.capitalised_amount, 0) + coalesce(books.amortisation_amount, 0)
            as decimal(18, 2)
        ) as pnl_amount,
        cast(coalesce(books.capitalised_amount, 0) - coalesce(books.amortisation_amount, 0) as decimal(18, 2))
            as carrying_amount,
        cast(coalesce(books.scheduled_amortisation_amount, 0) as decimal(18, 2)) as scheduled_amortisation_amount,
        cast(coalesce(books.ledger_capitalised_amount, 0) as decimal(18, 2)) as ledger_capitalised_amount,
        cast(coalesce(books.ledger_amortisation_amount, 0) as decimal(18, 2)) as ledger_amortisation_amount,
        cast('{{ var("reporting_currency") }}' as {{ dbt.type_string() }}) as currency,
        coalesce(books.is_impairment_flagged, false) as is_impairment_flagged,
        progress.cost_overrun_rate,
        progress.cost_overrun_rate_reason,
        case
            when costs.people_amount + costs.vendor_amount + costs.cloud_amount > 0
                then
                    cast(coalesce(books.capitalised_amount, 0) as double)
                    / cast(costs.people_amount + costs.vendor_amount + costs.cloud_amount as double)
        end as capitalised_rate,
        case
            when not coalesce(costs.people_amount + costs.vendor_amount + costs.cloud_amount > 0, false) then 'no_cost'
        end as capitalised_rate_reason
    from initiatives
    cross join reporting_date
    inner join progress on initiatives.initiative_id = progress.initiative_id
    left join costs on initiatives.initiative_id = costs.initiative_id
    left join books on initiatives.initiative_id = books.initiative_id
    left join planned on initiatives.initiative_id = planned.initiative_id
    left join scope on initiatives.initiative_id = scope.initiative_id

)

select * from final
