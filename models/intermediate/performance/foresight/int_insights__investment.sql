-- One row per possible finding about an initiative, month it is looked at and driver.
with

realisations as (

    select * from {{ ref('rpt_benefit_realisation') }}
    where forecast_npv_amount is not null

),

cash_flows as (

    select
        initiative_id,
        version_role,
        month_date,
        net_amount
    from {{ ref('fct_initiative_cash_flows') }}
    where version_role in ('baseline', 'realised')

),

earned_values as (

    select * from {{ ref('rpt_earned_value') }}
    where
        is_baseline
        and actual_cost_amount > 0

),

incrementalities as (

    select * from {{ ref('rpt_incrementality') }}
    where
        is_headline
        and blocked_reason is null
        and lower_80_value_amount > 0

),

initiatives as (

    select
        initiative_id,
        initiative_name,
        product_id,
        owner
    from {{ ref('dim_initiative') }}

),

policy as (

    select
        cutoff_month,
        benefit_cutoff_month,
        cast({{ dbt.dateadd('day', -1, dbt.dateadd('month', 1, 'cutoff_month')) }} as date) as cutoff_on
    from {{ ref('int_investment_policy') }}

),

rules as (

    select
        rule_id,
        threshold_amount
    from {{ ref('insight_rules') }}

),

flow_gaps as (

    select
        cash_flows.initiative_id,
        cash_flows.month_date,
        sum(
            sum(case when cash_flows.version_role = 'baseline' then cash_flows.net_amount else -cash_flows.net_amount end)
        ) over (partition by cash_flows.initiative_id order by cash_flows.month_date) as gap_amount
    from cash_flows
    cross join policy
    where cash_flows.month_date <= policy.benefit_cutoff_month
    group by cash_flows.initiative_id, cash_flows.month_date

),

-- The first month whose flows so far fell short of the case by the amount that makes it a finding.
first_gaps as (

    select
        flow_gaps.initiative_id,
        min(flow_gaps.month_date) as since_on
    from flow_gaps
    inner join rules
        on
            rules.rule_id = 'case_shortfall'
            and flow_gaps.gap_amount >= rules.threshold_amount
    group by flow_gaps.initiative_id

),

shortfalls as (

    select
        'case_shortfall' as rule_id,
        'initiative' as scope_type,
        realisations.initiative_id as scope_id,
        cast(null as {{ dbt.type_string() }}) as event_id,
        realisations.product_id,
        policy.cutoff_month as month_date,
        first_gaps.since_on,
        coalesce(realisations.approved_on, cast(realisations.baseline_locked_at as date)) as period_start_on,
        policy.cutoff_on as period_end_on,
        'NPV' as metric,
        realisations.forecast_npv_amount as actual_amount,
        realisations.approved_npv_amount as reference_amount,
        cast(realisations.approved_npv_amount - realisations.forecast_npv_amount as double) as stake_amount,
        cast(realisations.approved_npv_amount - realisations.forecast_npv_amount as double)
        / nullif(abs(cast(realisations.approved_npv_amount as double)), 0) as measure,
        false as is_favourable,
        'D' as evidence_grade,
        false as is_causal,
        realisations.owner,
        realisations.initiative_name || ' (' || realisations.initiative_id || ') is now expected to be worth '
        || {{ amount_text('realisations.approved_npv_amount - realisations.forecast_npv_amount') }}
        || ' less than approved: NPV ' || {{ amount_text('realisations.forecast_npv_amount') }} || ' instead of '
        || {{ amount_text('realisations.approved_npv_amount') }} || '.'
        || case
            when realisations.slip_days > 30
                then ' It slipped by ' || cast(realisations.slip_days as {{ dbt.type_string() }}) || ' days.'
            else ''
        end
        || case
            when realisations.cost_overrun_rate >= 0.1
                then ' Building it cost ' || {{ percent_text('realisations.cost_overrun_rate') }} || ' more than approved.'
            when realisations.forecast_cost_overrun_rate >= 0.1
                then
                    ' Building it is expected to cost '
                    || {{ percent_text('realisations.forecast_cost_overrun_rate') }} || ' more than approved.'
            else ''
        end
        || case
            when realisations.realisation_rate = 0 then ' None of the benefits planned so far has come.'
            when realisations.realisation_rate < 0.9
                then ' Benefits so far are ' || {{ percent_text('realisations.realisation_rate') }} || ' of those planned.'
            else ''
        end
        || case when realisations.run_cost_status = 'not_measured' then ' What it costs to run is not measured.' else '' end
            as statement,
        'rpt_benefit_realisation' as evidence_mart,
        'initiative_id = ''' || realisations.initiative_id || '''' as evidence_filter,
        case
            when effects.driver = 'cost of running' and realisations.run_cost_status = 'not_measured'
                then 'run cost not measured'
            else effects.driver
        end as driver,
        case effects.driver
            when 'cost of building' then realisations.build_cost_effect_amount
            when 'cost of running' then realisations.run_cost_effect_amount
            when 'timing' then realisations.timing_effect_amount
            when 'volume of benefits' then realisations.benefit_volume_effect_amount
            when 'value of benefits' then realisations.benefit_value_effect_amount
            when 'discount rate' then realisations.discount_rate_effect_amount
        end as driver_amount
    from realisations
    cross join policy
    cross join (
        values
        ('cost of building'), ('cost of running'), ('timing'), ('volume of benefits'), ('value of benefits'), ('discount rate')
    ) as effects (driver)
    left join first_gaps on realisations.initiative_id = first_gaps.initiative_id
    where
        realisations.forecast_npv_amount < realisations.approved_npv_amount
        and coalesce(realisations.approved_on, cast(realisations.baseline_locked_at as date)) <= policy.cutoff_on

),

-- Index estimates hold in the middle of the work; at its ends what is left is taken at budget.
estimates as (

    select
        *,
        case
            when is_index_reliable then eac_cpi_amount
            else eac_remaining_at_budget_amount
        end as estimate_amount
    from earned_values

),

overruns as (

    select
        'delivery_overrun' as rule_id,
        'initiative' as scope_type,
        estimates.initiative_id as scope_id,
        cast(null as {{ dbt.type_string() }}) as event_id,
        initiatives.product_id,
        estimates.month_date,
        cast(null as date) as since_on,
        estimates.month_date as period_start_on,
        cast({{ dbt.dateadd('day', -1, dbt.dateadd('month', 1, 'estimates.month_date')) }} as date) as period_end_on,
        'Cost at completion' as metric,
        estimates.estimate_amount as actual_amount,
        estimates.budget_amount as reference_amount,
        cast(estimates.estimate_amount - estimates.budget_amount as double) as stake_amount,
        cast(estimates.estimate_amount - estimates.budget_amount as double)
        / nullif(cast(estimates.budget_amount as double), 0) as measure,
        false as is_favourable,
        'D' as evidence_grade,
        false as is_causal,
        initiatives.owner,
        initiatives.initiative_name || ' (' || estimates.initiative_id || ') is heading for '
        || {{ amount_text('estimates.estimate_amount') }} || ' against ' || {{ amount_text('estimates.budget_amount') }}
        || ' approved (' || {{ percent_text('estimates.complete_share') }} || ' of the work accepted by '
        || substr(cast(estimates.month_date as {{ dbt.type_string() }}), 1, 7) || ').' as statement,
        'rpt_earned_value' as evidence_mart,
        'initiative_id = ''' || estimates.initiative_id || ''' and is_baseline and month_date = date '''
        || cast(estimates.month_date as {{ dbt.type_string() }}) || '''' as evidence_filter,
        parts.driver,
        case parts.driver
            when 'overrun so far' then estimates.actual_cost_amount - estimates.earned_value_amount
            else
                estimates.estimate_amount - estimates.budget_amount
                - (estimates.actual_cost_amount - estimates.earned_value_amount)
        end as driver_amount
    from estimates
    cross join (values ('overrun so far'), ('the rest at the same cost per unit of work')) as parts (driver)
    inner join initiatives on estimates.initiative_id = initiatives.initiative_id
    where estimates.estimate_amount > estimates.budget_amount

),

-- An effect stays a finding as long as it is taken to last.
effects as (

    select
        'experiment_effect' as rule_id,
        'initiative' as scope_type,
        incrementalities.initiative_id as scope_id,
        incrementalities.experiment_id as event_id,
        initiatives.product_id,
        policy.cutoff_month as month_date,
        incrementalities.assigned_on as since_on,
        incrementalities.assigned_on as period_start_on,
        policy.cutoff_on as period_end_on,
        incrementalities.outcome_name as metric,
        incrementalities.value_amount as actual_amount,
        cast(0 as decimal(18, 2)) as reference_amount,
        cast(incrementalities.lower_80_value_amount as double) as stake_amount,
        cast(incrementalities.effect as double) as measure,
        true as is_favourable,
        incrementalities.evidence_grade,
        incrementalities.is_causal,
        initiatives.owner,
        initiatives.initiative_name || ' (' || incrementalities.initiative_id || ') caused '
        || lower(incrementalities.outcome_name) || ' to rise by '
        || cast({{ round_amount('incrementalities.effect') }} as {{ dbt.type_string() }})
        || ' (80 % interval '
        || cast({{ round_amount('incrementalities.lower_80_effect') }} as {{ dbt.type_string() }}) || ' to '
        || cast({{ round_amount('incrementalities.upper_80_effect') }} as {{ dbt.type_string() }})
        || ', experiment ' || incrementalities.experiment_id || '), worth '
        || {{ amount_text('incrementalities.value_amount') }} || ' over the '
        || cast(incrementalities.persistence_months as {{ dbt.type_string() }}) || ' months it is taken to last.'
            as statement,
        'rpt_incrementality' as evidence_mart,
        'is_headline and experiment_id = ''' || incrementalities.experiment_id || '''' as evidence_filter,
        parts.driver,
        case parts.driver
            when 'certain at 80 %' then incrementalities.lower_80_value_amount
            else incrementalities.value_amount - incrementalities.lower_80_value_amount
        end as driver_amount
    from incrementalities
    cross join policy
    cross join (values ('certain at 80 %'), ('expected beyond that')) as parts (driver)
    inner join initiatives on incrementalities.initiative_id = initiatives.initiative_id
    where
        incrementalities.assigned_on <= policy.cutoff_on
        and {{ dbt.dateadd('month', 'incrementalities.persistence_months', 'incrementalities.assigned_on') }}
        > policy.cutoff_month

),

final as (

    select * from shortfalls
    union all
    select * from overruns
    union all
    select * from effects

)

select * from final
