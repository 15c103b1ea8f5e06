-- One row per registered output, in the latest closed fiscal period: what an output stands on is known as of this build alone.
with

asked as (

    select * from {{ ref('int_target_controls') }}
    where
        target_id = 'T3'
        and is_latest

),

rule_results as (

    select * from {{ ref('stg_governance__rule_results') }}

),

programme_targets as (

    select
        target_id,
        tolerance_share
    from {{ ref('programme_targets') }}

),

kpi_values as (

    select
        kpi_id,
        month_date
    from {{ ref('fct_kpi_values') }}

),

kpi_catalog as (

    select
        kpi_id,
        source_model
    from {{ ref('kpi_catalog') }}

),

forecast_accuracy as (

    select * from {{ ref('rpt_forecast_accuracy') }}
    where is_selected

),

channel_attributions as (

    select distinct
        attribution_model,
        month_date
    from {{ ref('rpt_channel_attribution') }}

),

control_registry as (

    select * from {{ ref('control_registry') }}

),

exposed_marts as (
    {{ exposed_marts() }}
),

output_marts as (

    select
        'exposure' as item_type,
        exposure_name as item_id,
        mart_name
    from exposed_marts
    union all
    select
        'metric' as item_type,
        kpi_id as item_id,
        regexp_extract(source_model, '^([^;]+)', 1) as mart_name
    from kpi_catalog
    union all
    select
        'metric' as item_type,
        kpi_id as item_id,
        regexp_extract(source_model, ';(.+)$', 1) as mart_name
    from kpi_catalog
    where source_model like '%;%'
    union all
    select
        item_type,
        item_id,
        case item_type when 'forecast' then 'rpt_forecast_accuracy' else 'rpt_channel_attribution' end as mart_name
    from control_registry
    where item_type in ('forecast', 'attribution')

),

mart_states as (

    select
        dataset,
        max(checked_rows) as row_count,
        bool_or(is_critical and state <> 'passed') as has_failed,
        bool_or(rule_id = 'inputs_delivered_in_time' and state <> 'passed') as has_late_inputs
    from rule_results
    where dataset_type = 'mart'
    group by dataset

),

output_states as (

    select
        output_marts.item_type,
        output_marts.item_id,
        bool_and(coalesce(mart_states.row_count > 0, false)) as is_built,
        bool_or(coalesce(mart_states.has_failed, true)) as has_failed,
        bool_or(coalesce(mart_states.has_late_inputs, false)) as has_late_inputs
    from output_marts
    left join mart_states on output_marts.mart_name = mart_states.dataset
    group by output_marts.item_type, output_marts.item_id

),

-- An output is fresh for a period when it has a row for its month, be it a reason why there is no value.
fresh_outputs as (

    select distinct
        'metric' as item_type,
        kpi_id as item_id,
        month_date
    from kpi_values
    union all
    select
        'attribution' as item_type,
        attribution_model as item_id,
        month_date
    from channel_attributions

),

final as (

    select
        asked.target_id,
        asked.fiscal_period,
        asked.month_date,
        asked.item_type,
        asked.item_id as control_id,
        asked.item_id,
        cast(null as decimal(18, 2)) as amount,
        cast(null as decimal(18, 2)) as passed_amount,
        concat_ws(
            ', ',
            case when not coalesce(output_states.is_built, false) then 'not_built' end,
            case when output_states.has_failed then 'failed_test' end,
            case when output_states.has_late_inputs then 'late_inputs' end,
            case
                when asked.item_type in ('metric', 'attribution') and fresh_outputs.item_id is null then 'not_fresh'
            end,
            case when asked.item_type = 'metric' and kpi_catalog.kpi_id is null then 'no_definition' end,
            case when asked.item_type = 'forecast' and forecast_accuracy.coverage_80_rate is null then 'not_backtested' end,
            case
                when
                    asked.item_type = 'forecast'
                    and forecast_accuracy.coverage_80_rate
                    not between 0.8 - programme_targets.tolerance_share and 0.8 + programme_targets.tolerance_share
                    then 'coverage_outside_tolerance'
            end
        ) as failed_conditions
    from asked
    inner join programme_targets on asked.target_id = programme_targets.target_id
    left join output_states
        on
            asked.item_type = output_states.item_type
            and asked.item_id = output_states.item_id
    left join fresh_outputs
        on
            asked.item_type = fresh_outputs.item_type
            and asked.item_id = fresh_outputs.item_id
            and asked.month_date = fresh_outputs.month_date
    left join kpi_catalog on asked.item_id = kpi_catalog.kpi_id
    left join forecast_accuracy on asked.item_id = forecast_accuracy.series_id

)

select * from final
