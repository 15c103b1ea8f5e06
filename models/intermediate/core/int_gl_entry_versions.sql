-- One row per general-ledger line and delivery of it, in reporting currency, with the time it was the valid one.
with

entry_versions as (

    select * from {{ ref('stg_cost__gl_entry_versions') }}

),

accounts as (

    select * from {{ ref('chart_of_accounts') }}

),

cost_centers as (

    select * from {{ ref('cost_centers') }}

),

fiscal_dates as (

    select * from {{ ref('int_fiscal_dates') }}

),

fx_rates as (

    select * from {{ ref('int_fx_rates') }}

),

reporting_entity as (

    select max(entity_id) as entity_id
    from {{ ref('fiscal_calendars') }}
    where is_reporting

),

-- A delivery for a whole scope, say a month, replaces what earlier ones brought for it.
scope_deliveries as (

    select
        scope_id,
        delivery_id,
        lead(min(known_at)) over (partition by scope_id order by delivery_id) as replaced_at
    from entry_versions
    where scope_id is not null
    group by scope_id, delivery_id

),

contested as (

    {{ contested_keys('entry_versions', ['journal_id', 'line_number']) }}

),

succeeded as (

    select
        *,
        cast(null as timestamp) as succeeded_at
    from entry_versions
    where {{ key_hash(['journal_id', 'line_number']) }} not in (select contested.key_hash from contested)

    union all

    select
        *,
        lead(known_at) over (
            partition by journal_id, line_number
            order by known_at, loaded_at, source_file, source_row
        ) as succeeded_at
    from entry_versions
    where {{ key_hash(['journal_id', 'line_number']) }} in (select contested.key_hash from contested)

),

ordered as (

    select
        succeeded.*,
        scope_deliveries.replaced_at
    from succeeded
    left join scope_deliveries
        on
            succeeded.scope_id = scope_deliveries.scope_id
            and succeeded.delivery_id = scope_deliveries.delivery_id

),

validities as (

    select
        *,
        least(coalesce(succeeded_at, replaced_at), coalesce(replaced_at, succeeded_at)) as superseded_at
    from ordered
    where not coalesce(is_deleted, false)

),

-- The same placing and conversion as of the standing lines in int_gl_entries_converted.
placed as (

    select
        validities.*,
        accounts.account_type,
        accounts.polarity,
        coalesce(cost_centers.entity_id, reporting_entity.entity_id) as entity_id,
        case when accounts.polarity = 1 then -validities.amount else validities.amount end as natural_amount
    from validities
    cross join reporting_entity
    inner join accounts on validities.account_id = accounts.account_id
    left join cost_centers on validities.cost_center_id = cost_centers.cost_center_id
    -- What the same delivery or the same day replaced was never valid.
    where coalesce(validities.superseded_at > validities.known_at, true)

),

final as (

    select
        placed.journal_id,
        placed.line_number,
        placed.entity_id,
        placed.account_id,
        placed.cost_center_id,
        placed.product_id,
        placed.initiative_id,
        placed.adjustment_id,
        fiscal_dates.fiscal_year,
        fiscal_dates.fiscal_period,
        fiscal_dates.period_number,
        placed.posted_on,
        placed.account_type,
        placed.polarity,
        {{ convert_amount(
            'placed.natural_amount',
            'case when placed.polarity = 0 then fx_rates.closing_rate else fx_rates.average_rate end'
        ) }} as reporting_natural_amount,
        placed.known_at,
        placed.superseded_at,
        placed.source_file,
        placed.source_row
    from placed
    inner join fiscal_dates
        on
            placed.entity_id = fiscal_dates.entity_id
            and placed.posted_on = fiscal_dates.calendar_date
    left join fx_rates
        on
            placed.currency = fx_rates.from_currency
            and cast(date_trunc('month', placed.posted_on) as date) = fx_rates.rate_month

)

select * from final
