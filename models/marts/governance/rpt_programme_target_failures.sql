-- One row per target (T1 to T3), closed fiscal period of the reporting entity and item that failed.
with

target_items as (

    select * from {{ ref('int_target_items') }}
    where not is_passed

),

final as (

    select
        target_id,
        fiscal_period,
        month_date,
        item_type,
        item_id,
        failed_conditions,
        amount,
        cast(amount - passed_amount as decimal(18, 2)) as failed_amount
    from target_items

)

select * from final
