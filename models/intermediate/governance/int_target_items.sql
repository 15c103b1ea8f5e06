-- One row per target, closed fiscal period of the reporting entity and item that was asked for or found.
with

control_registry as (

    select * from {{ ref('control_registry') }}

),

fiscal_periods as (

    select
        entity_id,
        fiscal_period,
        fiscal_year,
        start_on,
        is_closed,
        is_reporting_entity,
        cast(date_trunc('month', end_on) as date) as month_date
    from {{ ref('dim_fiscal_period') }}

),

dates as (

    select
        date_day,
        fiscal_period
    from {{ ref('dim_date') }}

),

products as (

    select
        product_id,
        launched_on,
        retired_on
    from {{ ref('dim_product') }}

),

gl_entries as (

    select * from {{ ref('int_gl_entries_converted') }}
    where account_type = 'revenue'

),

cost_entries as (

    select * from {{ ref('fct_cost_entries') }}

),

product_costs as (

    select * from {{ ref('rpt_product_cost') }}

),

reconciliations as (

    select * from {{ ref('rpt_reconciliation') }}

),

rule_violations as (

    select distinct
        source_file,
        source_row,
        rule_id
    from {{ ref('rpt_rule_violations') }}
    where
        severity = 'error'
        and not is_excepted
        and source_file is not null

),

variances as (

    select * from {{ ref('rpt_budget_variance') }}
    where version_type in ('original', 'none')

),

budget_lines as (

    select * from {{ ref('fct_budget_lines') }}

),

encumbrances as (

    select * from {{ ref('fct_encumbrances') }}

),

rule_results as (

    select * from {{ ref('stg_governance__rule_results') }}

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

exposed_marts as (
    {{ exposed_marts() }}
),

closed_periods as (

    select
        fiscal_period,
        fiscal_year,
        month_date
    from fiscal_periods
    where
        is_reporting_entity
        and is_closed

),

-- What was registered for a period is asked for, whether it came or not.
asked as (

    select
        control_registry.target_id,
        control_registry.item_type,
        control_registry.item_id,
        control_registry.expected_amount,
        closed_periods.fiscal_period,
        closed_periods.fiscal_year,
        closed_periods.month_date
    from control_registry
    inner join closed_periods
        on
            control_registry.valid_from <= closed_periods.month_date
            and (control_registry.valid_to >= closed_periods.month_date or control_registry.valid_to is null)

),

-- T1: the ledger in scope, line by line.
ledger_lines as (

    select
        dates.fiscal_period,
        gl_entries.account_id,
        gl_entries.product_id,
        cast(null as string) as initiative_id,
        'revenue' as cost_class,
        'ledger' as entry_type,
        gl_entries.posted_on,
        gl_entries.reporting_amount,
        gl_entries.source_file,
        gl_entries.source_row
    from gl_entries
    inner join dates on gl_entries.posted_on = dates.date_day
    union all
    select
        reporting_fiscal_period as fiscal_period,
        account_id,
        coalesce(product_id, unknown_product_id) as product_id,
        initiative_id,
        cost_class,
        entry_type,
        posted_on,
        reporting_amount,
        source_file,
        source_row
    from cost_entries

),

-- Shared cost is mapped as far as a driver takes it to products.
class_shares as (

    select
        fiscal_period,
        cost_class,
        cast(sum(abs(allocated_amount)) as double)
        / nullif(
            cast(
                sum(
                    abs(allocated_amount)
                    + case when unallocated_reason in ('no_driver', 'retained') then abs(unallocated_amount) else 0 end
                ) as double
            ),
            0
        ) as mapped_share
    from product_costs
    group by fiscal_period, cost_class

),

differing_accounts as (

    select distinct
        account_id,
        fiscal_period
    from reconciliations
    where not is_reconciled

),

broken_rows as (

    select
        source_file,
        source_row,
        max(case when rule_id = 'late_posting' then 1 else 0 end) as is_late,
        max(case when rule_id <> 'late_posting' then 1 else 0 end) as is_broken
    from rule_violations
    group by source_file, source_row

),

judged_lines as (

    select
        asked.fiscal_period,
        asked.month_date,
        ledger_lines.account_id,
        ledger_lines.product_id,
        ledger_lines.initiative_id,
        abs(coalesce(ledger_lines.reporting_amount, 0)) as amount,
        differing_accounts.account_id is not null as is_unreconciled,
        ledger_lines.reporting_amount is null as is_unrated,
        ledger_lines.product_id is not null
        and (
            products.product_id is null
            or coalesce(ledger_lines.posted_on < products.launched_on, false)
            or coalesce(ledger_lines.posted_on > products.retired_on, false)
        ) as is_inactive,
        ledger_lines.cost_class = 'capitalised' and ledger_lines.initiative_id is null as is_uninvested,
        coalesce(broken_rows.is_late = 1, false) as is_late,
        coalesce(broken_rows.is_broken = 1, false) as is_broken,
        case
            when ledger_lines.product_id is not null then 1.0
            when ledger_lines.entry_type in ('unused_capacity', 'pay_averaging', 'unreconciled') then 0.0
            else coalesce(class_shares.mapped_share, 0.0)
        end as mapped_share
    from asked
    inner join ledger_lines
        on
            asked.fiscal_period = ledger_lines.fiscal_period
            and asked.item_id = ledger_lines.account_id
    left join products on ledger_lines.product_id = products.product_id
    left join differing_accounts
        on
            ledger_lines.account_id = differing_accounts.account_id
            and ledger_lines.fiscal_period = differing_accounts.fiscal_period
    left join broken_rows
        on
            ledger_lines.source_file = broken_rows.source_file
            and ledger_lines.source_row = broken_rows.source_row
    left join class_shares
        on
            ledger_lines.fiscal_period = class_shares.fiscal_period
            and ledger_lines.cost_class = class_shares.cost_class
    where asked.target_id = 'T1'

),

ledger_items as (

    select
        'T1' as target_id,
        'account' as item_type,
        fiscal_period,
        month_date,
        account_id,
        concat_ws('/', account_id, coalesce(product_id, 'shared'), initiative_id) as item_id,
        sum(amount) as amount,
        sum(
            case
                when is_unreconciled or is_unrated or is_inactive or is_uninvested or is_late or is_broken then 0
                else cast(amount as double) * mapped_share
            end
        ) as passed_amount,
        bool_or(is_unreconciled) as is_unreconciled,
        bool_or(is_unrated) as is_unrated,
        bool_or(is_inactive) as is_inactive,
        bool_or(is_uninvested) as is_uninvested,
        bool_or(is_late) as is_late,
        bool_or(is_broken) as is_broken,
        min(mapped_share) as mapped_share
    from judged_lines
    group by fiscal_period, month_date, account_id, product_id, initiative_id

),

ledger_judged as (

    select
        target_id,
        fiscal_period,
        month_date,
        item_type,
        item_id,
        amount,
        passed_amount,
        concat_ws(
            ', ',
            case when is_unreconciled then 'not_reconciled' end,
            case when is_unrated then 'no_exchange_rate' end,
            case when is_inactive then 'product_unknown_or_inactive' end,
            case when is_uninvested then 'no_initiative' end,
            case when is_late then 'after_close' end,
            case when is_broken then 'breaks_rule' end,
            -- A thousandth may stay with no product: rounding of what shared cost leaves.
            case when mapped_share < 0.999 then 'not_mapped_to_product' end
        ) as failed_conditions
    from ledger_items

),

arrived_accounts as (

    select distinct
        fiscal_period,
        account_id
    from ledger_items

),

ledger_missing as (

    select
        asked.target_id,
        asked.fiscal_period,
        asked.month_date,
        asked.item_type,
        asked.item_id,
        asked.expected_amount as amount,
        0.0 as passed_amount,
        'missing' as failed_conditions
    from asked
    left join arrived_accounts
        on
            asked.fiscal_period = arrived_accounts.fiscal_period
            and asked.item_id = arrived_accounts.account_id
    where
        asked.target_id = 'T1'
        and asked.expected_amount is not null
        and arrived_accounts.account_id is null

),

-- T2: budget lines of one period, cost center, account and product count as one.
planned_lines as (

    select
        budget_lines.budget_version,
        budget_lines.fiscal_period,
        budget_lines.cost_center_id,
        budget_lines.account_id,
        budget_lines.product_id,
        bool_and(coalesce(budget_lines.locked_at < fiscal_periods.start_on, false)) as is_locked_in_time,
        bool_and(budget_lines.owner is not null) as is_owned,
        bool_and(budget_lines.objective_id is not null or budget_lines.initiative_id is not null) as is_linked
    from budget_lines
    inner join fiscal_periods
        on
            budget_lines.entity_id = fiscal_periods.entity_id
            and budget_lines.fiscal_period = fiscal_periods.fiscal_period
    group by
        budget_lines.budget_version,
        budget_lines.fiscal_period,
        budget_lines.cost_center_id,
        budget_lines.account_id,
        budget_lines.product_id

),

posted_periods as (

    select distinct
        entity_id,
        fiscal_period
    from cost_entries

),

ordered_years as (

    select distinct
        entity_id,
        fiscal_year
    from encumbrances

),

budget_judged as (

    select
        'T2' as target_id,
        asked.fiscal_period,
        asked.month_date,
        'cost_center' as item_type,
        concat_ws('/', variances.cost_center_id, variances.account_id, variances.product_id) as item_id,
        greatest(abs(variances.budget_amount), abs(variances.actual_amount)) as amount,
        concat_ws(
            ', ',
            case when planned_lines.fiscal_period is null then 'unbudgeted' end,
            case when not planned_lines.is_locked_in_time then 'not_locked_in_time' end,
            case when not planned_lines.is_owned then 'no_owner' end,
            case when not planned_lines.is_linked then 'no_objective_or_initiative' end,
            case when posted_periods.entity_id is null then 'actuals_not_loaded' end,
            case when ordered_years.entity_id is null then 'orders_not_loaded' end,
            case when variances.is_explanation_overdue then 'not_explained_in_time' end,
            case when variances.is_action_overdue then 'not_acted_in_time' end
        ) as failed_conditions
    from asked
    inner join variances
        on
            asked.fiscal_period = variances.fiscal_period
            and asked.item_id = variances.cost_center_id
    left join planned_lines
        on
            variances.budget_version = planned_lines.budget_version
            and variances.fiscal_period = planned_lines.fiscal_period
            and variances.cost_center_id = planned_lines.cost_center_id
            and variances.account_id = planned_lines.account_id
            and coalesce(variances.product_id, '') = coalesce(planned_lines.product_id, '')
    left join posted_periods
        on
            variances.entity_id = posted_periods.entity_id
            and variances.fiscal_period = posted_periods.fiscal_period
    left join ordered_years
        on
            variances.entity_id = ordered_years.entity_id
            and variances.fiscal_year = ordered_years.fiscal_year
    where
        asked.target_id = 'T2'
        and (variances.budget_amount <> 0 or variances.actual_amount <> 0)

),

arrived_cost_centers as (

    select distinct
        fiscal_period,
        cost_center_id
    from variances
    where budget_amount <> 0 or actual_amount <> 0

),

budget_missing as (

    select
        asked.target_id,
        asked.fiscal_period,
        asked.month_date,
        asked.item_type,
        asked.item_id,
        asked.expected_amount as amount,
        'missing' as failed_conditions
    from asked
    left join arrived_cost_centers
        on
            asked.fiscal_period = arrived_cost_centers.fiscal_period
            and asked.item_id = arrived_cost_centers.cost_center_id
    where
        asked.target_id = 'T2'
        and asked.expected_amount is not null
        and arrived_cost_centers.cost_center_id is null

),

-- T3: what each registered output stands on.
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

outputs_judged as (

    select
        asked.target_id,
        asked.fiscal_period,
        asked.month_date,
        asked.item_type,
        asked.item_id,
        cast(null as decimal(18, 2)) as amount,
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
                    and forecast_accuracy.coverage_80_rate not between 0.7 and 0.9
                    then 'coverage_outside_70_to_90'
            end
        ) as failed_conditions
    from asked
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
    where asked.target_id = 'T3'

),

items as (

    select
        target_id,
        fiscal_period,
        month_date,
        item_type,
        item_id,
        cast(amount as decimal(18, 2)) as amount,
        cast(round(cast(passed_amount as decimal(28, 6)), 2) as decimal(18, 2)) as passed_amount,
        failed_conditions
    from ledger_judged
    union all
    select
        target_id,
        fiscal_period,
        month_date,
        item_type,
        item_id,
        cast(amount as decimal(18, 2)) as amount,
        cast(0 as decimal(18, 2)) as passed_amount,
        failed_conditions
    from ledger_missing
    union all
    select
        target_id,
        fiscal_period,
        month_date,
        item_type,
        item_id,
        cast(amount as decimal(18, 2)) as amount,
        cast(case when failed_conditions = '' then amount else 0 end as decimal(18, 2)) as passed_amount,
        failed_conditions
    from budget_judged
    union all
    select
        target_id,
        fiscal_period,
        month_date,
        item_type,
        item_id,
        cast(amount as decimal(18, 2)) as amount,
        cast(0 as decimal(18, 2)) as passed_amount,
        failed_conditions
    from budget_missing
    union all
    select
        target_id,
        fiscal_period,
        month_date,
        item_type,
        item_id,
        amount,
        amount as passed_amount,
        failed_conditions
    from outputs_judged

),

final as (

    select
        target_id,
        fiscal_period,
        month_date,
        item_type,
        item_id,
        amount,
        passed_amount,
        failed_conditions = '' as is_passed,
        nullif(failed_conditions, '') as failed_conditions
    from items

)

select * from final
