-- One row per budget line and delivery of it, with the one that stands: the first locked one, else the latest.
with

deliveries as (

    select * from {{ ref('stg_budget__budget_line_versions') }}

),

-- A delivery for a whole scope, say a version, replaces what earlier ones brought for it.
last_deliveries as (

    select
        scope_id,
        max(delivery_id) as delivery_id
    from deliveries
    where scope_id is not null
    group by scope_id

),

numbered as (

    select
        deliveries.*,
        coalesce(deliveries.is_deleted, false)
        or coalesce(deliveries.delivery_id <> last_deliveries.delivery_id, false) as is_gone,
        coalesce(deliveries.delivery_id <> last_deliveries.delivery_id, false) as is_replaced,
        row_number() over (
            partition by
                deliveries.budget_version,
                deliveries.fiscal_period,
                deliveries.cost_center_id,
                deliveries.account_id,
                deliveries.product_id,
                deliveries.initiative_id
            order by deliveries.known_at, deliveries.loaded_at, deliveries.source_file, deliveries.source_row
        ) as delivery_number
    from deliveries
    left join last_deliveries on deliveries.scope_id = last_deliveries.scope_id

),

-- A lock is final: what comes after the first locked delivery changes nothing.
chosen as (

    select
        *,
        min(case when locked_at is not null and not coalesce(is_deleted, false) then delivery_number end) over (
            partition by budget_version, fiscal_period, cost_center_id, account_id, product_id, initiative_id
        ) as locked_number,
        max(delivery_number) over (
            partition by budget_version, fiscal_period, cost_center_id, account_id, product_id, initiative_id
        ) as latest_number,
        bool_and(is_replaced) over (
            partition by budget_version, fiscal_period, cost_center_id, account_id, product_id, initiative_id
        ) as is_left_out
    from numbered

),

compared as (

    select
        *,
        delivery_number = coalesce(locked_number, latest_number)
        and (locked_number is not null or not is_gone) as is_standing,
        max(case when delivery_number = coalesce(locked_number, latest_number) then amount end) over (
            partition by budget_version, fiscal_period, cost_center_id, account_id, product_id, initiative_id
        ) as standing_amount,
        max(case when delivery_number = coalesce(locked_number, latest_number) then currency end) over (
            partition by budget_version, fiscal_period, cost_center_id, account_id, product_id, initiative_id
        ) as standing_currency,
        max(case when delivery_number = coalesce(locked_number, latest_number) then locked_at end) over (
            partition by budget_version, fiscal_period, cost_center_id, account_id, product_id, initiative_id
        ) as standing_locked_at
    from chosen

),

final as (

    select
        budget_version,
        fiscal_period,
        cost_center_id,
        account_id,
        product_id,
        initiative_id,
        objective_id,
        amount,
        currency,
        owner,
        prepared_by,
        approved_by,
        is_standing,
        coalesce(
            delivery_number > locked_number
            and (coalesce(is_deleted, false) or amount <> standing_amount or currency <> standing_currency),
            false
        ) as is_change_after_lock,
        -- Said on the locked delivery: one that leaves the line out has no row of it.
        coalesce(delivery_number = locked_number and is_left_out, false) as is_left_out_after_lock,
        standing_amount,
        standing_currency,
        standing_locked_at,
        locked_at,
        known_at,
        source_file,
        source_row
    from compared

)

select * from final
