-- One row per subledger, account, fiscal period of the reporting entity and currency.
with

subledger_totals as (

    select * from {{ ref('int_subledger_totals') }}

),

gl_entries as {{ inlined() }} (

    select
        account_id,
        account_type,
        posted_on,
        currency,
        amount,
        reporting_amount
    from {{ ref('int_gl_entries_converted') }}

),

dates as (

    select
        date_day,
        fiscal_period
    from {{ ref('dim_date') }}

),

accounts as (

    select
        account_id,
        account_name
    from {{ ref('dim_account') }}

),

fiscal_periods as (

    select
        fiscal_period,
        period_sequence,
        start_on,
        end_on,
        is_closed,
        {{ period_month('end_on') }} as month_date
    from {{ ref('dim_fiscal_period') }}
    where is_reporting_entity

),

tolerances as (

    select
        subledger,
        tolerance_amount
    from {{ ref('reconciliation_tolerances') }}

),

fx_rates as (

    select
        from_currency,
        rate_month,
        average_rate
    from {{ ref('int_fx_rates') }}

),

-- The last day either side speaks for: schedules reach into periods that no ledger can hold yet.
data_range as (

    select max(posted_on) as latest_on
    from gl_entries

),

subledger_accounts as (

    select distinct
        subledger,
        account_id
    from subledger_totals

),

-- Natural direction: what is credited to revenue and liabilities is positive, what is debited elsewhere too.
ledger_totals as (

    select
        subledger_accounts.subledger,
        gl_entries.account_id,
        dates.fiscal_period,
        gl_entries.currency,
        sum(
            case when gl_entries.account_type in ('revenue', 'liability') then -gl_entries.amount else gl_entries.amount end
        ) as amount,
        sum(
            case
                when gl_entries.account_type in ('revenue', 'liability') then -gl_entries.reporting_amount
                else gl_entries.reporting_amount
            end
        ) as reporting_amount
    from gl_entries
    inner join subledger_accounts on gl_entries.account_id = subledger_accounts.account_id
    inner join dates on gl_entries.posted_on = dates.date_day
    group by subledger_accounts.subledger, gl_entries.account_id, dates.fiscal_period, gl_entries.currency

),

compared as (

    select
        coalesce(subledger_totals.subledger, ledger_totals.subledger) as subledger,
        coalesce(subledger_totals.account_id, ledger_totals.account_id) as account_id,
        coalesce(subledger_totals.fiscal_period, ledger_totals.fiscal_period) as fiscal_period,
        coalesce(subledger_totals.currency, ledger_totals.currency) as currency,
        cast(coalesce(subledger_totals.amount, 0) as decimal(18, 2)) as subledger_amount,
        cast(coalesce(ledger_totals.amount, 0) as decimal(18, 2)) as gl_amount,
        ledger_totals.reporting_amount as ledger_reporting_amount,
        ledger_totals.account_id is not null as is_in_ledger
    from subledger_totals
    full outer join ledger_totals
        on
            subledger_totals.subledger = ledger_totals.subledger
            and subledger_totals.account_id = ledger_totals.account_id
            and subledger_totals.fiscal_period = ledger_totals.fiscal_period
            and subledger_totals.currency = ledger_totals.currency

),

-- The difference converts as one amount, so that rounding of single lines never looks like one.
measured as (

    select
        compared.subledger,
        compared.account_id,
        accounts.account_name,
        compared.fiscal_period,
        compared.currency,
        fiscal_periods.period_sequence,
        fiscal_periods.month_date,
        fiscal_periods.is_closed,
        compared.subledger_amount,
        compared.gl_amount,
        compared.subledger_amount - compared.gl_amount as difference_amount,
        coalesce(tolerances.tolerance_amount, 0) as tolerance_amount,
        cast(
            coalesce(compared.ledger_reporting_amount, case when not compared.is_in_ledger then 0 end)
            as decimal(18, 2)
        ) as reporting_gl_amount,
        {{ convert_amount('(compared.subledger_amount - compared.gl_amount)', 'fx_rates.average_rate') }}
            as reporting_difference_amount
    from compared
    cross join data_range
    inner join fiscal_periods
        on
            compared.fiscal_period = fiscal_periods.fiscal_period
            and data_range.latest_on >= fiscal_periods.start_on
    left join accounts on compared.account_id = accounts.account_id
    left join tolerances on compared.subledger = tolerances.subledger
    left join fx_rates
        on
            compared.currency = fx_rates.from_currency
            and fiscal_periods.month_date = fx_rates.rate_month

),

last_closed as (

    select max(period_sequence) as period_sequence
    from fiscal_periods
    where is_closed

),

final as (

    select
        measured.subledger,
        measured.account_id,
        measured.account_name,
        measured.fiscal_period,
        measured.currency,
        measured.month_date,
        measured.is_closed,
        measured.subledger_amount,
        measured.gl_amount,
        cast(measured.difference_amount as decimal(18, 2)) as difference_amount,
        cast(measured.tolerance_amount as decimal(18, 2)) as tolerance_amount,
        abs(measured.difference_amount) <= measured.tolerance_amount as is_reconciled,
        case
            when abs(measured.difference_amount) <= measured.tolerance_amount then 'reconciled'
            when measured.is_closed then 'difference'
            else 'open_period'
        end as reconciliation_state,
        case
            when measured.is_closed and abs(measured.difference_amount) > measured.tolerance_amount
                then cast(last_closed.period_sequence - measured.period_sequence as integer)
        end as age_periods,
        cast(measured.reporting_gl_amount + measured.reporting_difference_amount as decimal(18, 2))
            as reporting_subledger_amount,
        measured.reporting_gl_amount,
        measured.reporting_difference_amount
    from measured
    cross join last_closed

)

select * from final
