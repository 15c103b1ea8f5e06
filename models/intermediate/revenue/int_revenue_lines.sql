-- One row per customer invoice line, with the days over which it is earned and the day it is billed.
with

invoice_lines as (

    select
        invoice_id,
        line_number,
        customer_id,
        subscription_id,
        product_id,
        plan_id,
        charge_type,
        charge_type in ('credit', 'refund') or amount < 0 as is_credit,
        amount,
        currency,
        invoiced_on,
        due_on,
        service_start_on,
        service_end_on
    from {{ ref('stg_revenue__invoice_lines') }}

),

charge_types as (

    select
        charge_type,
        recognition_rule,
        revenue_account_id,
        deferral_account_id
    from {{ ref('charge_types') }}

),

policies as (

    select billing_date_rule
    from {{ ref('revenue_policies') }}

),

first_payments as (

    select
        invoice_id,
        min(paid_on) as paid_on
    from {{ ref('stg_revenue__payments') }}
    where amount > 0
    group by invoice_id

),

final as (

    select
        invoice_lines.invoice_id,
        invoice_lines.line_number,
        invoice_lines.customer_id,
        invoice_lines.subscription_id,
        invoice_lines.product_id,
        invoice_lines.plan_id,
        invoice_lines.charge_type,
        charge_types.revenue_account_id,
        charge_types.deferral_account_id,
        invoice_lines.is_credit,
        invoice_lines.amount,
        invoice_lines.currency,
        case
            when policies.billing_date_rule = 'due_or_paid' and not invoice_lines.is_credit
                then
                    least(
                        coalesce(invoice_lines.due_on, invoice_lines.invoiced_on),
                        coalesce(first_payments.paid_on, invoice_lines.due_on, invoice_lines.invoiced_on)
                    )
            else invoice_lines.invoiced_on
        end as billed_on,
        case
            when
                charge_types.recognition_rule = 'ratable'
                and invoice_lines.service_start_on <= invoice_lines.service_end_on
                then invoice_lines.service_start_on
            when charge_types.recognition_rule = 'ratable' then invoice_lines.invoiced_on
            else
                coalesce(invoice_lines.service_end_on, invoice_lines.service_start_on, invoice_lines.invoiced_on)
        end as earned_from,
        case
            when
                charge_types.recognition_rule = 'ratable'
                and invoice_lines.service_start_on <= invoice_lines.service_end_on
                then invoice_lines.service_end_on
            when charge_types.recognition_rule = 'ratable' then invoice_lines.invoiced_on
            else
                coalesce(invoice_lines.service_end_on, invoice_lines.service_start_on, invoice_lines.invoiced_on)
        end as earned_to,
        invoice_lines.invoiced_on
    from invoice_lines
    cross join policies
    left join charge_types on invoice_lines.charge_type = charge_types.charge_type
    left join first_payments on invoice_lines.invoice_id = first_payments.invoice_id

)

select * from final
