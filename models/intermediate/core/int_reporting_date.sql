-- One row: the day the data speaks for, so that nothing depends on the clock of the machine.
with

gl_entries as (

    select
        posted_on,
        known_at
    from {{ ref('stg_cost__gl_entry_versions') }}

),

period_closes as (

    select
        cast(closed_at as date) as closed_on,
        known_at
    from {{ ref('stg_budget__period_closes') }}

),

-- A posting or a close dated after the day it became known is a typing error, not the present. A line that was
-- replaced or deleted since spoke for its day all the same.
latest_posting as (

    select max(posted_on) as latest_on
    from gl_entries
    where posted_on <= cast(known_at as date)

),

latest_close as (

    select max(closed_on) as latest_on
    from period_closes
    where closed_on <= cast(known_at as date)

),

final as (

    select
        greatest(
            coalesce(latest_posting.latest_on, latest_close.latest_on),
            coalesce(latest_close.latest_on, latest_posting.latest_on)
        ) as reporting_on
    from latest_posting
    cross join latest_close

)

select * from final
