-- One row per budget line and delivery of it, with the one that stands: the first locked one, else the latest.
with

deliveries as (

    select * from {{ ref('stg_budget__budget_line_versions') }}

),

numbered as (

    select
        *,
        row_number() over (
            partition by budget_version, fiscal_period, cost_center_id, account_id, product_id, initiative_id
            order by known_at, loaded_at, source_file, source_row
        ) as delivery_number
    from deliveries

),

-- A lock is final: what comes after the first locked delivery changes nothing.
chosen as (

    select
        *,
        min(case when locked_at is not null then delivery_number end) over (
            partition by budget_version, fiscal_period, cost_center_id, account_id, product_id, initiative_id
        ) as locked_number,
        max(delivery_number) over (
            partition by budget_version, fiscal_period, cost_center_id, account_id, product_id, initiative_id
        ) as latest_number
    from numbered

),

compared as (

    select
        *,
        delivery_number = coalesce(locked_number, latest_number) as is_standing,
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
            and (amount <> standing_amount or currency <> standing_currency),
            false
        ) as is_change_after_lock,
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
