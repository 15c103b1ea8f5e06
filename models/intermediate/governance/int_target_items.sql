-- One row per target, closed fiscal period of the reporting entity and item that was asked for or found.
with

ledger_items as (

    select * from {{ ref('int_target_items__ledger') }}

),

budget_items as (

    select * from {{ ref('int_target_items__budget') }}

),

output_items as (

    select * from {{ ref('int_target_items__outputs') }}

),

items as (

    select * from ledger_items
    union all
    select * from budget_items
    union all
    select * from output_items

),

final as (

    select
        target_id,
        fiscal_period,
        month_date,
        item_type,
        item_id,
        amount,
        passed_amount,
        failed_conditions = '' as is_passed,
        nullif(failed_conditions, '') as failed_conditions
    from items

)

select * from final
