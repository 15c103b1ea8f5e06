-- One row per fiscal period of the reporting entity and currency: the roll-forward of what was billed and is not yet
-- earned.
with

line_periods as (

    select
        period_sequence,
        currency,
        month_date,
        is_credit,
        billed_amount,
        recognised_amount,
        balance_amount
    from {{ ref('int_revenue_line_periods') }}

),

fiscal_periods as (

    select
        fiscal_period,
        period_sequence,
        start_on,
        {{ period_month('end_on') }} as month_date
    from {{ ref('dim_fiscal_period') }}
    where is_reporting_entity

),

data_range as (

    select cutoff_on
    from {{ ref('int_revenue_cutoff') }}

),

fx_rates as (

    select
        from_currency,
        rate_month,
        average_rate,
        closing_rate
    from {{ ref('int_fx_rates') }}

),

-- What is earned before it is billed is an asset, not a negative liability; credits do lower the liability.
totals as (

    select
        currency,
        period_sequence,
        sum(case when is_credit then 0 else billed_amount end) as billed_amount,
        sum(case when is_credit then -billed_amount else 0 end) as credited_amount,
        sum(recognised_amount) as recognised_amount,
        sum(case when balance_amount > 0 or is_credit then balance_amount else 0 end) as closing_amount,
        sum(case when balance_amount < 0 and not is_credit then -balance_amount else 0 end) as unbilled_amount
    from line_periods
    group by currency, period_sequence

),

-- A period in which nothing happens still has a balance: zero.
currency_ranges as (

    select
        currency,
        min(period_sequence) as first_sequence,
        max(period_sequence) as last_sequence
    from totals
    group by currency

),

last_rate_months as (

    select
        from_currency,
        max(rate_month) as last_rate_month
    from fx_rates
    group by from_currency

),

rolled as (

    select
        currency_ranges.currency,
        fiscal_periods.fiscal_period,
        fiscal_periods.period_sequence,
        fiscal_periods.month_date,
        fiscal_periods.start_on > data_range.cutoff_on as is_scheduled,
        case
            when fiscal_periods.start_on > data_range.cutoff_on
                then least(fiscal_periods.month_date, last_rate_months.last_rate_month)
            else fiscal_periods.month_date
        end as rate_month,
        cast(coalesce(totals.billed_amount, 0) as decimal(18, 2)) as billed_amount,
        cast(coalesce(totals.credited_amount, 0) as decimal(18, 2)) as credited_amount,
        cast(coalesce(totals.recognised_amount, 0) as decimal(18, 2)) as recognised_amount,
        cast(coalesce(totals.unbilled_amount, 0) as decimal(18, 2)) as unbilled_amount,
        cast(coalesce(totals.closing_amount, 0) as decimal(18, 2)) as closing_amount
    from currency_ranges
    cross join data_range
    inner join fiscal_periods
        on fiscal_periods.period_sequence between currency_ranges.first_sequence and currency_ranges.last_sequence
    left join totals
        on
            currency_ranges.currency = totals.currency
            and fiscal_periods.period_sequence = totals.period_sequence
    left join last_rate_months on currency_ranges.currency = last_rate_months.from_currency

),

converted as (

    select
        rolled.*,
        coalesce(
            lag(rolled.closing_amount) over (partition by rolled.currency order by rolled.period_sequence), 0
        ) as opening_amount,
        coalesce(
            lag(rolled.unbilled_amount) over (partition by rolled.currency order by rolled.period_sequence), 0
        ) as opening_unbilled_amount,
        {{ convert_amount('rolled.billed_amount', 'fx_rates.average_rate') }} as reporting_billed_amount,
        {{ convert_amount('rolled.credited_amount', 'fx_rates.average_rate') }} as reporting_credited_amount,
        {{ convert_amount('rolled.recognised_amount', 'fx_rates.average_rate') }} as reporting_recognised_amount,
        {{ convert_amount('rolled.unbilled_amount', 'fx_rates.closing_rate') }} as reporting_unbilled_amount,
        {{ convert_amount('rolled.closing_amount', 'fx_rates.closing_rate') }} as reporting_closing_amount
    from rolled
    left join fx_rates
        on
            rolled.currency = fx_rates.from_currency
            and rolled.rate_month = fx_rates.rate_month

),

opened as (

    select
        *,
        case
            when period_sequence = min(period_sequence) over (partition by currency) then 0
            else lag(reporting_closing_amount) over (partition by currency order by period_sequence)
        end as reporting_opening_amount,
        case
            when period_sequence = min(period_sequence) over (partition by currency) then 0
            else lag(reporting_unbilled_amount) over (partition by currency order by period_sequence)
        end as reporting_opening_unbilled_amount
    from converted

),

final as (

    select
        fiscal_period,
        currency,
        month_date,
        is_scheduled,
        cast(reporting_opening_amount as decimal(18, 2)) as opening_amount,
        reporting_billed_amount as billed_amount,
        reporting_recognised_amount as recognised_amount,
        reporting_credited_amount as credited_amount,
        cast(reporting_unbilled_amount - reporting_opening_unbilled_amount as decimal(18, 2)) as unbilled_change_amount,
        cast(
            reporting_closing_amount - reporting_opening_amount - reporting_billed_amount
            + reporting_recognised_amount + reporting_credited_amount
            - (reporting_unbilled_amount - reporting_opening_unbilled_amount) as decimal(18, 2)
        ) as fx_amount,
        reporting_closing_amount as closing_amount,
        reporting_unbilled_amount as unbilled_amount,
        cast(opening_amount as decimal(18, 2)) as transaction_opening_amount,
        billed_amount as transaction_billed_amount,
        recognised_amount as transaction_recognised_amount,
        credited_amount as transaction_credited_amount,
        cast(unbilled_amount - opening_unbilled_amount as decimal(18, 2)) as transaction_unbilled_change_amount,
        closing_amount as transaction_closing_amount
    from opened

)

select * from final
