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

placed as (

    select
        standing_lines.*,
        fiscal_periods.fiscal_year
    from standing_lines
    left join fiscal_periods
        on
            standing_lines.entity_id = fiscal_periods.entity_id
            and standing_lines.fiscal_period = fiscal_periods.fiscal_period

),

named_originals as (

    select
        fiscal_year,
        budget_version,
        min(locked_at) as first_locked_at
    from placed
    where
        budget_version like '%original%'
        and budget_version not like '%forecast%'
        and budget_version not like '%revised%'
    group by fiscal_year, budget_version

),

-- A year has one original: of several so named the one locked first.
originals as (

    select
        fiscal_year,
        budget_version
    from named_originals
    qualify row_number() over (partition by fiscal_year order by first_locked_at asc nulls last, budget_version asc) = 1

),

final as (

    select
        placed.budget_version,
        placed.fiscal_period,
        placed.cost_center_id,
        placed.account_id,
        placed.product_id,
        placed.initiative_id,
        placed.objective_id,
        placed.entity_id,
        case
            when placed.budget_version like '%forecast%' then 'forecast'
            when placed.budget_version like '%revised%' then 'revised'
            when originals.budget_version is not null then 'original'
            else 'other'
        end as version_type,
        placed.owner,
        placed.prepared_by,
        placed.approved_by,
        placed.fiscal_year,
        accounts.polarity,
        placed.amount as budget_amount,
        placed.currency,
        budget_rates.budget_rate,
        {{ convert_amount('placed.amount', 'budget_rates.budget_rate') }} as reporting_budget_amount,
        placed.locked_at is not null as is_locked,
        placed.locked_at,
        placed.known_at,
        placed.source_file,
        placed.source_row
    from placed
    left join accounts on placed.account_id = accounts.account_id
    left join originals
        on
            placed.budget_version = originals.budget_version
            and placed.fiscal_year is not distinct from originals.fiscal_year
    left join budget_rates
        on
            placed.entity_id = budget_rates.entity_id
            and placed.fiscal_year = budget_rates.fiscal_year
            and placed.currency = budget_rates.from_currency

)

select * from final
