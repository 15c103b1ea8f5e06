-- One row per closed fiscal period, registered cost center, account and product with budget or actual.
with

asked as (

    select * from {{ ref('int_target_controls') }}
    where target_id = 'T2'

),

fiscal_periods as (

    select
        entity_id,
        fiscal_period,
        start_on
    from {{ ref('dim_fiscal_period') }}

),

variances as (

    select * from {{ ref('rpt_budget_variance') }}
    where version_type in ('original', 'none')

),

budget_lines as (

    select * from {{ ref('fct_budget_lines') }}

),

posted_periods as (

    select distinct
        entity_id,
        fiscal_period
    from {{ ref('fct_cost_entries') }}

),

ordered_years as (

    select distinct
        entity_id,
        fiscal_year
    from {{ ref('fct_encumbrances') }}

),

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

judged as (

    select
        asked.target_id,
        asked.fiscal_period,
        asked.month_date,
        asked.item_type,
        asked.item_id as control_id,
        concat_ws('/', variances.cost_center_id, variances.account_id, variances.product_id) as item_id,
        cast(greatest(abs(variances.budget_amount), abs(variances.actual_amount)) as decimal(18, 2)) as amount,
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
            asked.month_date = variances.month_date
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
        variances.budget_amount <> 0
        or variances.actual_amount <> 0

),

final as (

    select
        target_id,
        fiscal_period,
        month_date,
        item_type,
        control_id,
        item_id,
        amount,
        case when failed_conditions = '' then amount else 0 end as passed_amount,
        failed_conditions
    from judged

)

select * from final
