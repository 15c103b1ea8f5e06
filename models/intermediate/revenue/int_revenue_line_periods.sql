-- One row per invoice line and fiscal period of the reporting entity in which it is billed or earned.
with

revenue_lines as (

    select * from {{ ref('int_revenue_lines') }}

),

currency_minor_units as (

    select
        currency,
        minor_unit_digits
    from {{ ref('currency_minor_units') }}

),

fiscal_periods as (

    select
        fiscal_period,
        period_sequence,
        start_on,
        end_on,
        {{ period_month('end_on') }} as month_date
    from {{ ref('dim_fiscal_period') }}
    where is_reporting_entity

),

-- A credit takes back what was earned before it only once it is given.
measured as (

    select
        revenue_lines.*,
        case
            when revenue_lines.is_credit and revenue_lines.invoiced_on > revenue_lines.earned_from
                then revenue_lines.invoiced_on
            else revenue_lines.earned_from
        end as recognised_from,
        case
            when revenue_lines.is_credit and revenue_lines.invoiced_on > revenue_lines.earned_to
                then revenue_lines.invoiced_on
            else revenue_lines.earned_to
        end as recognised_to,
        {{ dbt.datediff('revenue_lines.earned_from', 'revenue_lines.earned_to', 'day') }} + 1 as term_days,
        case coalesce(currency_minor_units.minor_unit_digits, 2) when 0 then 100 when 1 then 10 else 1 end as unit_cents
    from revenue_lines
    left join currency_minor_units on revenue_lines.currency = currency_minor_units.currency

),

spread as (

    select
        measured.*,
        fiscal_periods.fiscal_period,
        fiscal_periods.period_sequence,
        fiscal_periods.start_on,
        fiscal_periods.end_on,
        fiscal_periods.month_date,
        case
            when fiscal_periods.end_on < measured.recognised_from then 0
            when fiscal_periods.end_on >= measured.earned_to then measured.term_days
            else {{ dbt.datediff('measured.earned_from', 'fiscal_periods.end_on', 'day') }} + 1
        end as elapsed_days
    from measured
    inner join fiscal_periods
        on
            least(measured.recognised_from, measured.billed_on) <= fiscal_periods.end_on
            and greatest(measured.recognised_to, measured.billed_on) >= fiscal_periods.start_on

),

-- Whole minor units, half rounded up; the last day brings the sum to the invoiced amount whatever its digits.
cumulated as (

    select
        *,
        case
            when elapsed_days = term_days then amount
            else
                cast(
                    case when amount < 0 then -1 else 1 end
                    * unit_cents
                    * floor(
                        (2 * floor(cast(abs(amount) as double) * 100 / unit_cents + 0.001) * elapsed_days + term_days)
                        / (2 * term_days)
                    ) as decimal(18, 0)
                ) * cast(0.01 as decimal(3, 2))
        end as recognised_to_date_amount,
        case when billed_on <= end_on then amount else 0 end as billed_to_date_amount
    from spread

),

final as (

    select
        invoice_id,
        line_number,
        customer_id,
        subscription_id,
        product_id,
        plan_id,
        charge_type,
        revenue_account_id,
        deferral_account_id,
        is_credit,
        fiscal_period,
        period_sequence,
        start_on,
        end_on,
        month_date,
        cast(
            case when billed_on between start_on and end_on then amount else 0 end as decimal(18, 2)
        ) as billed_amount,
        cast(
            recognised_to_date_amount
            - coalesce(
                lag(recognised_to_date_amount) over (partition by invoice_id, line_number order by period_sequence),
                0
            ) as decimal(18, 2)
        ) as recognised_amount,
        cast(billed_to_date_amount - recognised_to_date_amount as decimal(18, 2)) as balance_amount,
        cast(
            elapsed_days
            - coalesce(lag(elapsed_days) over (partition by invoice_id, line_number order by period_sequence), 0)
            as integer
        ) as service_days,
        currency
    from cumulated

)

select * from final
