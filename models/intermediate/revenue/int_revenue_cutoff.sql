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

final as (

    select max(event_on) as cutoff_on
    from events
    where known_at is null or event_on <= cast(known_at as date)

)

select * from final
