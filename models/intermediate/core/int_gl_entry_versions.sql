-- One row per general-ledger line, delivery of it and time it was the valid one, in reporting currency.
with

entry_versions as {{ inlined() }} (

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

replaceable as {{ inlined() }} (

    select
        *,
        cast(null as timestamp) as replaced_at
    from entry_versions
    where scope_id is null

    union all

    select
        entry_versions.*,
        scope_deliveries.replaced_at
    from entry_versions
    inner join scope_deliveries
        on
            entry_versions.scope_id = scope_deliveries.scope_id
            and entry_versions.delivery_id = scope_deliveries.delivery_id
    where entry_versions.scope_id is not null

),

-- The order of the macro latest_version.
contested_versions as (

    select
        *,
        lead(known_at) over (
            partition by journal_id, line_number
            order by known_at, loaded_at, source_file, source_row
        ) as succeeded_at,
        replaced_at is null
        and lead(known_at) over (
            partition by journal_id, line_number, replaced_at is null
            order by known_at, loaded_at, source_file, source_row
        ) is null as is_last,
        max(replaced_at) over (partition by journal_id, line_number) as last_replaced_at
    from replaceable
    where {{ key_hash(['journal_id', 'line_number']) }} in (select contested.key_hash from contested)

),

validities as (

    select
        *,
        cast(null as timestamp) as succeeded_at,
        replaced_at is null as is_last,
        cast(null as timestamp) as last_replaced_at,
        known_at as valid_from,
        replaced_at as superseded_at
    from replaceable
    where {{ key_hash(['journal_id', 'line_number']) }} not in (select contested.key_hash from contested)

    union all

    -- What succeeded a line and was itself replaced by less lets it stand again.
    select
        *,
        case when is_last and succeeded_at is not null then last_replaced_at else known_at end as valid_from,
        case
            when not is_last
                then least(coalesce(succeeded_at, replaced_at), coalesce(replaced_at, succeeded_at))
        end as superseded_at
    from contested_versions

    union all

    -- Until it was succeeded it had stood already.
    select
        *,
        known_at as valid_from,
        succeeded_at as superseded_at
    from contested_versions
    where
        is_last
        and succeeded_at is not null

),

-- A line without a cost center (a balance-sheet line) follows the reporting entity's calendar.
placed as (

    select
        validities.*,
        coalesce(cost_centers.entity_id, reporting_entity.entity_id) as entity_id,
        cast(date_trunc('month', validities.posted_on) as date) as posting_month
    from validities
    cross join reporting_entity
    left join cost_centers on validities.cost_center_id = cost_centers.cost_center_id
    -- What the same delivery or the same day replaced was never valid.
    where
        not coalesce(validities.is_deleted, false)
        and coalesce(validities.superseded_at > validities.valid_from, true)

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
        fiscal_dates.period_number,
        fiscal_dates.comparable_fiscal_period,
        case when accounts.polarity = 0 then fx_rates.closing_rate else fx_rates.average_rate end as fx_rate
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

converted as (

    select
        *,
        {{ convert_amount('amount', 'fx_rate') }} as reporting_amount
    from rated

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
        period_number,
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
        case when polarity = 1 then -amount else amount end as natural_amount,
        currency,
        fx_rate,
        reporting_amount,
        case when polarity = 1 then -reporting_amount else reporting_amount end as reporting_natural_amount,
        posted_by,
        approved_by,
        valid_from as known_at,
        loaded_at,
        superseded_at,
        source_file,
        source_row
    from converted

)

select * from final
