-- One row per budget version, fiscal period, cost center, account, product and initiative.
with

budget_line_versions as (

    select * from {{ ref('int_budget_line_versions') }}

),

cost_centers as (

    select * from {{ ref('cost_centers') }}

),

fiscal_calendars as (

    select * from {{ ref('fiscal_calendars') }}

),

accounts as (

    select * from {{ ref('chart_of_accounts') }}

),

fiscal_periods as (

    select * from {{ ref('int_fiscal_periods') }}

),

budget_rates as (

    select * from {{ ref('int_budget_rates') }}

),

reporting_entity as (

    select max(entity_id) as entity_id
    from fiscal_calendars
    where is_reporting

),

standing_lines as (

    select
        budget_line_versions.*,
        coalesce(cost_centers.entity_id, reporting_entity.entity_id) as entity_id
    from budget_line_versions
    cross join reporting_entity
    left join cost_centers on budget_line_versions.cost_center_id = cost_centers.cost_center_id
    where budget_line_versions.is_standing

),

final as (

    select
        standing_lines.budget_version,
        standing_lines.fiscal_period,
        standing_lines.cost_center_id,
        standing_lines.account_id,
        standing_lines.product_id,
        standing_lines.initiative_id,
        standing_lines.objective_id,
        standing_lines.entity_id,
        case
            when standing_lines.budget_version like '%forecast%' then 'forecast'
            when standing_lines.budget_version like '%revised%' then 'revised'
            when standing_lines.budget_version like '%original%' then 'original'
            else 'other'
        end as version_type,
        standing_lines.owner,
        standing_lines.prepared_by,
        standing_lines.approved_by,
        fiscal_periods.fiscal_year,
        accounts.polarity,
        standing_lines.amount as budget_amount,
        standing_lines.currency,
        budget_rates.budget_rate,
        {{ convert_amount('standing_lines.amount', 'budget_rates.budget_rate') }} as reporting_budget_amount,
        standing_lines.locked_at is not null as is_locked,
        standing_lines.locked_at,
        standing_lines.known_at,
        standing_lines.source_file,
        standing_lines.source_row
    from standing_lines
    left join accounts on standing_lines.account_id = accounts.account_id
    left join fiscal_periods
        on
            standing_lines.entity_id = fiscal_periods.entity_id
            and standing_lines.fiscal_period = fiscal_periods.fiscal_period
    left join budget_rates
        on
            standing_lines.entity_id = budget_rates.entity_id
            and fiscal_periods.fiscal_year = budget_rates.fiscal_year
            and standing_lines.currency = budget_rates.from_currency

)

select * from final
