-- One row per invoice line and fiscal period of the reporting entity in which it is billed or earned.
with

revenue_lines as (

    select
        *,
        -- A credit takes back what was earned before it only once it is given.
        case when is_credit and invoiced_on > earned_from then invoiced_on else earned_from end as recognised_from,
        case when is_credit and invoiced_on > earned_to then invoiced_on else earned_to end as recognised_to,
        {{ dbt.datediff('earned_from', 'earned_to', 'day') }} + 1 as term_days,
        cast(round(abs(amount) * 100, 0) as bigint) as minor_amount
    from {{ ref('int_revenue_lines') }}

),

fiscal_periods as (

    select
        fiscal_period,
        period_sequence,
        start_on,
        end_on,
        cast(date_trunc('month', end_on) as date) as month_date
    from {{ ref('dim_fiscal_period') }}
    where is_reporting_entity

),

spread as (

    select
        revenue_lines.*,
        fiscal_periods.fiscal_period,
        fiscal_periods.period_sequence,
        fiscal_periods.start_on,
        fiscal_periods.end_on,
        fiscal_periods.month_date,
        case
            when fiscal_periods.end_on < revenue_lines.recognised_from then 0
            when fiscal_periods.end_on >= revenue_lines.earned_to then revenue_lines.term_days
            else {{ dbt.datediff('revenue_lines.earned_from', 'fiscal_periods.end_on', 'day') }} + 1
        end as elapsed_days
    from revenue_lines
    inner join fiscal_periods
        on
            least(revenue_lines.recognised_from, revenue_lines.billed_on) <= fiscal_periods.end_on
            and greatest(revenue_lines.recognised_to, revenue_lines.billed_on) >= fiscal_periods.start_on

),

-- Whole minor units, half rounded up: the last day always brings the sum to the invoiced amount.
cumulated as (

    select
        *,
        cast(
            case when amount < 0 then -1 else 1 end
            * floor(cast(2 * minor_amount * elapsed_days + term_days as double) / (2 * term_days)) as decimal(18, 0)
        ) * cast(0.01 as decimal(3, 2)) as recognised_to_date_amount,
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
        currency
    from cumulated

)

select * from final
