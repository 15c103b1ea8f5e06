-- Over all periods the revenue of an invoice line is its amount, to the penny.
with

revenue as (

    select
        invoice_id,
        line_number,
        sum(recognised_amount) as recognised_amount
    from {{ ref('fct_revenue') }}
    group by invoice_id, line_number

),

lines as (

    select * from {{ ref('int_revenue_lines') }}

),

calendar_range as (

    select
        min(start_on) as first_on,
        max(end_on) as last_on
    from {{ ref('dim_fiscal_period') }}
    where is_reporting_entity

)

select
    coalesce(lines.invoice_id, revenue.invoice_id) as invoice_id,
    coalesce(lines.line_number, revenue.line_number) as line_number,
    lines.amount,
    revenue.recognised_amount
from lines
full outer join revenue
    on
        lines.invoice_id = revenue.invoice_id
        and lines.line_number = revenue.line_number
cross join calendar_range
where
    lines.invoice_id is null
    -- What is billed and earned outside the calendar is in no period: unclear_service_period names it.
    or (
        greatest(lines.earned_to, lines.billed_on) >= calendar_range.first_on
        and lines.earned_to <= calendar_range.last_on
        and coalesce(revenue.recognised_amount, 0) <> lines.amount
    )
