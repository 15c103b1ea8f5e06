-- One row per customer invoice line and fiscal period of the reporting entity in which it is earned.
with

line_periods as (

    select * from {{ ref('int_revenue_line_periods') }}
    where recognised_amount <> 0

),

data_range as (

    select max(cutoff_on) as cutoff_on
    from {{ ref('int_revenue_cutoff') }}

),

fx_rates as (

    select
        from_currency,
        rate_month,
        average_rate
    from {{ ref('int_fx_rates') }}

),

-- What is still to be earned takes the last rate there is; what has been earned never does.
last_rate_months as (

    select
        from_currency,
        max(rate_month) as last_rate_month
    from fx_rates
    group by from_currency

),

dated as (

    select
        line_periods.*,
        line_periods.start_on > data_range.cutoff_on as is_scheduled,
        case
            when line_periods.start_on > data_range.cutoff_on
                then least(line_periods.month_date, last_rate_months.last_rate_month)
            else line_periods.month_date
        end as rate_month
    from line_periods
    cross join data_range
    left join last_rate_months on line_periods.currency = last_rate_months.from_currency

),

final as (

    select
        dated.invoice_id,
        dated.line_number,
        dated.customer_id,
        dated.subscription_id,
        dated.product_id,
        dated.plan_id,
        dated.charge_type,
        dated.revenue_account_id,
        dated.fiscal_period,
        dated.month_date,
        dated.is_scheduled,
        dated.recognised_amount,
        dated.currency,
        {{ convert_amount('dated.recognised_amount', 'fx_rates.average_rate') }} as reporting_amount
    from dated
    left join fx_rates
        on
            dated.currency = fx_rates.from_currency
            and dated.rate_month = fx_rates.rate_month

)

select * from final
