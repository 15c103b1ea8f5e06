-- One row: the last day the revenue data speaks for.
with

subscriptions as (

    select
        valid_from,
        valid_to,
        known_at
    from {{ ref('stg_revenue__subscriptions') }}

),

invoice_lines as (

    select
        invoiced_on,
        known_at
    from {{ ref('stg_revenue__invoice_lines') }}

),

payments as (

    select
        paid_on,
        known_at
    from {{ ref('stg_revenue__payments') }}

),

closed_periods as (

    select end_on
    from {{ ref('dim_fiscal_period') }}
    where
        is_reporting_entity
        and is_closed

),

-- A contract may end in the future; only what had happened when it became known moves the present.
events as (

    select
        valid_from as event_on,
        known_at
    from subscriptions

    union all

    select
        valid_to as event_on,
        known_at
    from subscriptions

    union all

    select
        invoiced_on as event_on,
        known_at
    from invoice_lines

    union all

    select
        paid_on as event_on,
        known_at
    from payments

),

last_event as (

    select
        max(case when known_at is null or event_on <= cast(known_at as date) then event_on end) as event_on,
        max(known_at) as known_at
    from events

),

-- In a period that is closed nothing may have happened; revenue delivered after its end speaks for it all the same.
last_closed_period as (

    select max(closed_periods.end_on) as end_on
    from closed_periods
    inner join last_event on closed_periods.end_on <= cast(last_event.known_at as date)

),

final as (

    select
        greatest(
            coalesce(last_event.event_on, last_closed_period.end_on),
            coalesce(last_closed_period.end_on, last_event.event_on)
        ) as cutoff_on
    from last_event
    cross join last_closed_period

)

select * from final
