-- One row per indicator and calendar month, or per indicator where it is only known as of now.
with

fiscal_periods as (

    select
        fiscal_period,
        fiscal_year,
        fiscal_quarter,
        end_on,
        closed_at,
        is_closed,
        {{ period_month('end_on') }} as month_date
    from {{ ref('dim_fiscal_period') }}
    where is_reporting_entity

),

-- Years of entities may begin in different months: what is theirs counts in the month, whatever its period is called.
entity_periods as (

    select
        entity_id,
        fiscal_period,
        {{ period_month('end_on') }} as month_date
    from {{ ref('dim_fiscal_period') }}

),

reporting_date as (

    select reporting_on
    from {{ ref('int_reporting_date') }}

),

reconciliations as (

    select * from {{ ref('rpt_reconciliation') }}
    where is_closed

),

restatements as (

    select * from {{ ref('rpt_restatements') }}

),

variances as (

    select * from {{ ref('rpt_budget_variance') }}
    where version_type = 'original'

),

budget_controls as (

    select * from {{ ref('rpt_budget_control') }}

),

product_costs as (

    select * from {{ ref('rpt_product_cost') }}

),

mrr_waterfall as (

    select * from {{ ref('rpt_mrr_waterfall') }}

),

data_quality as (

    select * from {{ ref('rpt_data_quality') }}
    where is_current

),

rule_results as (

    select * from {{ ref('stg_governance__rule_results') }}

),

rule_violations as (

    select * from {{ ref('rpt_rule_violations') }}
    where not is_excepted

),

rule_exceptions as (

    select * from {{ ref('rule_exceptions') }}

),

risk_register as (

    select * from {{ ref('risk_register') }}

),

forecast_accuracy as (

    select * from {{ ref('rpt_forecast_accuracy') }}
    where is_selected

),

benefit_realisations as (

    select * from {{ ref('rpt_benefit_realisation') }}

),

attribution_comparisons as (

    select * from {{ ref('rpt_attribution_comparison') }}

),

analytics_target as (

    select tolerance_share
    from {{ ref('programme_targets') }}
    where target_id = 'T3'

),

home_events as (

    select * from {{ ref('stg_governance__home_events') }}

),

programme_targets as (

    select * from {{ ref('rpt_programme_targets') }}

),

reconciled as (

    select
        month_date,
        cast(count_if(reconciliation_state = 'difference') as double) as unreconciled_items,
        cast(sum(abs(reporting_difference_amount)) as double)
        / nullif(cast(sum(abs(reporting_gl_amount)) as double), 0) as unreconciled_share
    from reconciliations
    group by month_date

),

restated as (

    select
        fiscal_periods.month_date,
        cast(
            count_if(
                coalesce(
                    restatements.is_restated and restatements.restatement_amount <> restatements.authorised_amount, false
                )
            ) as double
        ) as unauthorised_restatements
    from fiscal_periods
    left join entity_periods on fiscal_periods.month_date = entity_periods.month_date
    left join restatements
        on
            entity_periods.entity_id = restatements.entity_id
            and entity_periods.fiscal_period = restatements.fiscal_period
    where fiscal_periods.is_closed
    group by fiscal_periods.month_date

),

explained as (

    select
        fiscal_periods.month_date,
        cast(count_if(variances.is_explanation_overdue and variances.explained_at is null) as double) as overdue_explanations,
        cast(count_if(variances.is_action_overdue) as double) as overdue_actions
    from variances
    inner join fiscal_periods on variances.month_date = fiscal_periods.month_date
    where fiscal_periods.is_closed
    group by fiscal_periods.month_date

),

controlled as (

    select
        fiscal_periods.month_date,
        cast(count_if(budget_controls.is_breach) as double) as budget_breaches
    from budget_controls
    inner join entity_periods
        on
            budget_controls.entity_id = entity_periods.entity_id
            and budget_controls.fiscal_period = entity_periods.fiscal_period
    inner join fiscal_periods on entity_periods.month_date = fiscal_periods.month_date
    where fiscal_periods.is_closed
    group by fiscal_periods.month_date

),

borne as (

    select
        fiscal_periods.month_date,
        cast(sum(abs(product_costs.unallocated_amount)) as double)
        / nullif(
            cast(
                sum(
                    abs(product_costs.direct_amount)
                    + abs(product_costs.allocated_amount)
                    + abs(product_costs.unallocated_amount)
                ) as double
            ),
            0
        ) as unallocated_cost_share
    from product_costs
    inner join fiscal_periods on product_costs.fiscal_period = fiscal_periods.fiscal_period
    where fiscal_periods.is_closed
    group by fiscal_periods.month_date

),

-- What a model credits to one channel it takes from another, so half the spread is what moves.
contested as (

    select
        channel,
        max(at_stake_amount) as at_stake_amount,
        max(case when attribution_model = 'linear' then credited_amount end) as credited_amount
    from attribution_comparisons
    group by channel

),

last_load as (

    select max(loaded_at) as loaded_at
    from data_quality

),

last_backup as (

    select max(occurred_at) as occurred_at
    from home_events
    where event_type = 'backed_up'

),

last_drill as (

    select
        seconds,
        is_whole
    from home_events
    where event_type = 'drilled'
    qualify row_number() over (order by event_number desc) = 1

),

monthly as (

    select
        'unreconciled_items' as indicator_id,
        month_date,
        unreconciled_items as indicator_value
    from reconciled
    union all
    select
        'unreconciled_share' as indicator_id,
        month_date,
        unreconciled_share as indicator_value
    from reconciled
    union all
    select
        'unauthorised_restatements' as indicator_id,
        month_date,
        unauthorised_restatements as indicator_value
    from restated
    union all
    select
        'days_to_close' as indicator_id,
        month_date,
        cast({{ dbt.datediff('end_on', 'closed_at', 'day') }} as double) as indicator_value
    from fiscal_periods
    where is_closed
    union all
    select
        'overdue_explanations' as indicator_id,
        month_date,
        overdue_explanations as indicator_value
    from explained
    union all
    select
        'overdue_actions' as indicator_id,
        month_date,
        overdue_actions as indicator_value
    from explained
    union all
    select
        'budget_breaches' as indicator_id,
        month_date,
        budget_breaches as indicator_value
    from controlled
    union all
    select
        'unallocated_cost_share' as indicator_id,
        month_date,
        unallocated_cost_share as indicator_value
    from borne
    union all
    select
        'mrr_change_rate' as indicator_id,
        month_date,
        cast(closing_mrr_amount as double) / nullif(cast(opening_mrr_amount as double), 0) - 1 as indicator_value
    from mrr_waterfall

),

as_of_now as (

    select
        'red_datasets' as indicator_id,
        cast(count_if(quality_status = 'red') as double) as indicator_value
    from data_quality
    where dimension = 'all'
    union all
    select
        'quarantined_share' as indicator_id,
        cast(sum(failed_rows) as double) / nullif(cast(sum(checked_rows) as double), 0) as indicator_value
    from rule_results
    where
        rule_origin = 'gate'
        and rule_id = 'readable_values'
    union all
    select
        'contested_credit_share' as indicator_id,
        cast(sum(at_stake_amount) as double) / 2 / nullif(cast(sum(credited_amount) as double), 0) as indicator_value
    from contested
    union all
    select
        'self_approvals' as indicator_id,
        cast(count(*) as double) as indicator_value
    from rule_violations
    where rule_id = 'self_approval'
    union all
    select
        'expired_exceptions' as indicator_id,
        cast(count_if(coalesce(rule_exceptions.expires_on < reporting_date.reporting_on, false)) as double) as indicator_value
    from reporting_date
    left join rule_exceptions on reporting_date.reporting_on >= rule_exceptions.granted_on
    union all
    select
        'stale_risks' as indicator_id,
        cast(
            count_if(
                coalesce(
                    {{ dbt.datediff('risk_register.reviewed_on', 'reporting_date.reporting_on', 'day') }}
                    > risk_register.review_interval_days,
                    true
                )
            ) as double
        ) as indicator_value
    from reporting_date
    cross join risk_register
    union all
    select
        'forecast_coverage_share' as indicator_id,
        avg(
            case
                when
                    forecast_accuracy.coverage_80_rate
                    between 0.8 - analytics_target.tolerance_share and 0.8 + analytics_target.tolerance_share
                    then 1e0
                else 0e0
            end
        ) as indicator_value
    from forecast_accuracy
    cross join analytics_target
    where forecast_accuracy.coverage_80_rate is not null
    union all
    select
        'benefit_realisation_rate' as indicator_id,
        cast(sum(realised_benefit_amount) as double)
        / nullif(cast(sum(planned_benefit_to_date_amount) as double), 0) as indicator_value
    from benefit_realisations
    union all
    select
        'overdue_reviews' as indicator_id,
        cast(count_if(review_state = 'overdue') as double) as indicator_value
    from benefit_realisations
    union all
    select
        'recovery_point_days' as indicator_id,
        greatest(0.0, {{ seconds_between('last_backup.occurred_at', 'last_load.loaded_at') }} / 86400.0) as indicator_value
    from last_load
    cross join last_backup
    where last_backup.occurred_at is not null
    union all
    select
        'recovery_time_minutes' as indicator_id,
        seconds / 60.0 as indicator_value
    from last_drill
    union all
    select
        'whole_drills' as indicator_id,
        case when is_whole then 1.0 else 0.0 end as indicator_value
    from last_drill
    union all
    select
        'targets_met' as indicator_id,
        cast(count_if(state = 'met') as double) as indicator_value
    from programme_targets

),

final as (

    select
        indicator_id,
        month_date,
        cast(indicator_value as double) as indicator_value
    from monthly
    where indicator_value is not null
    union all
    select
        indicator_id,
        cast(null as date) as month_date,
        cast(indicator_value as double) as indicator_value
    from as_of_now
    where indicator_value is not null

)

select * from final
