-- One row per invoice line whose revenue cannot be spread over the days of its service.
with

invoice_lines as (

    select
        invoice_id,
        line_number,
        charge_type,
        service_start_on,
        service_end_on,
        source_file,
        source_row
    from {{ ref('stg_revenue__invoice_lines') }}

),

revenue_lines as (

    select
        invoice_id,
        line_number,
        amount,
        earned_from,
        earned_to
    from {{ ref('int_revenue_lines') }}

),

calendar_range as (

    select
        min(start_on) as first_on,
        max(end_on) as last_on
    from {{ ref('dim_fiscal_period') }}
    where is_reporting_entity

),

judged as (

    select
        invoice_lines.invoice_id,
        invoice_lines.line_number,
        invoice_lines.source_file,
        invoice_lines.source_row,
        case
            when revenue_lines.earned_to > calendar_range.last_on or revenue_lines.earned_from < calendar_range.first_on
                then 'error'
            when
                invoice_lines.service_start_on > invoice_lines.service_end_on
                or (
                    invoice_lines.charge_type = 'recurring'
                    and (invoice_lines.service_start_on is null or invoice_lines.service_end_on is null)
                )
                then 'warning'
        end as severity
    from invoice_lines
    inner join revenue_lines
        on
            invoice_lines.invoice_id = revenue_lines.invoice_id
            and invoice_lines.line_number = revenue_lines.line_number
    cross join calendar_range
    where revenue_lines.amount <> 0

),

final as (

    select
        'unclear_service_period' as rule_id,
        severity,
        'invoice_lines' as extract_name,
        'invoice_id=' || invoice_id || ', line_number=' || cast(line_number as string) as record_key,
        source_file,
        source_row,
        cast(null as decimal(38, 2)) as amount,
        case
            when severity = 'error'
                then 'Service lies outside the fiscal calendar, so part of the revenue has no period. Lengthen fiscal_calendars.'
            else 'First or last day of service is missing, or the last comes first; earned on the day of the invoice. State both.'
        end as message
    from judged
    where severity is not null

)

select * from final
