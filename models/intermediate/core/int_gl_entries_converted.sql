-- One row per general-ledger line, with its entity, fiscal period, account attributes and reporting amount.
with

gl_entries as (

    select * from {{ ref('stg_cost__gl_entries') }}

),

accounts as (

    select * from {{ ref('chart_of_accounts') }}

),

cost_centers as (

    select * from {{ ref('cost_centers') }}

),

fiscal_calendars as (

    select * from {{ ref('fiscal_calendars') }}

),

fiscal_dates as (

    select * from {{ ref('int_fiscal_dates') }}

),

fx_rates as (

    select * from {{ ref('int_fx_rates') }}

),

reporting_entity as (

    select max(entity_id) as entity_id
    from fiscal_calendars
    where is_reporting

),

-- A line without a cost center (a balance-sheet line) follows the reporting entity's calendar.
placed as (

    select
        gl_entries.journal_id,
        gl_entries.line_number,
        gl_entries.posted_on,
        gl_entries.account_id,
        gl_entries.cost_center_id,
        gl_entries.product_id,
        gl_entries.initiative_id,
        gl_entries.vendor,
        gl_entries.description,
        gl_entries.amount,
        gl_entries.currency,
        gl_entries.posted_by,
        gl_entries.approved_by,
        gl_entries.adjustment_id,
        gl_entries.known_at,
        gl_entries.source_file,
        gl_entries.source_row,
        coalesce(cost_centers.entity_id, reporting_entity.entity_id) as entity_id,
        cast(date_trunc('month', gl_entries.posted_on) as date) as posting_month
    from gl_entries
    cross join reporting_entity
    left join cost_centers on gl_entries.cost_center_id = cost_centers.cost_center_id

),

-- Profit-and-loss lines convert at the average rate, balance-sheet lines at the closing rate.
rated as (

    select
        placed.*,
        accounts.account_type,
        accounts.polarity,
        accounts.cost_class,
        accounts.cost_behaviour,
        accounts.detail_source,
        fiscal_dates.fiscal_year,
        fiscal_dates.fiscal_period,
        fiscal_dates.comparable_fiscal_period,
        case when accounts.polarity = 0 then fx_rates.closing_rate else fx_rates.average_rate end as fx_rate,
        case when accounts.polarity = 1 then -placed.amount else placed.amount end as natural_amount
    from placed
    left join accounts on placed.account_id = accounts.account_id
    left join fiscal_dates
        on
            placed.entity_id = fiscal_dates.entity_id
            and placed.posted_on = fiscal_dates.calendar_date
    left join fx_rates
        on
            placed.currency = fx_rates.from_currency
            and placed.posting_month = fx_rates.rate_month

),

final as (

    select
        journal_id,
        line_number,
        entity_id,
        account_id,
        cost_center_id,
        product_id,
        initiative_id,
        adjustment_id,
        fiscal_year,
        fiscal_period,
        comparable_fiscal_period,
        posting_month,
        posted_on,
        vendor,
        description,
        account_type,
        cost_class,
        cost_behaviour,
        detail_source,
        polarity,
        amount,
        natural_amount,
        currency,
        fx_rate,
        {{ convert_amount('amount', 'fx_rate') }} as reporting_amount,
        {{ convert_amount('natural_amount', 'fx_rate') }} as reporting_natural_amount,
        posted_by,
        approved_by,
        known_at,
        source_file,
        source_row
    from rated

)

select * from final
