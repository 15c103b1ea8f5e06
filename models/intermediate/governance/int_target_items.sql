-- One row per target, closed fiscal period of the reporting entity and item that was asked for or found.
with

controls as (

    select * from {{ ref('int_target_controls') }}

),

ledger_items as (

    select * from {{ ref('int_target_items__ledger') }}

),

budget_items as (

    select * from {{ ref('int_target_items__budget') }}

),

output_items as (

    select * from {{ ref('int_target_items__outputs') }}

),

arrived as (

    select * from ledger_items
    union all
    select * from budget_items
    union all
    select * from output_items

),

arrived_controls as (

    select distinct
        target_id,
        fiscal_period,
        control_id
    from arrived

),

-- What was registered and did not arrive fails with the money expected of it.
missing as (

    select
        controls.target_id,
        controls.fiscal_period,
        controls.month_date,
        controls.item_type,
        controls.item_id as control_id,
        controls.item_id,
        controls.expected_amount as amount,
        cast(0 as decimal(18, 2)) as passed_amount,
        'missing' as failed_conditions
    from controls
    left join arrived_controls
        on
            controls.target_id = arrived_controls.target_id
            and controls.fiscal_period = arrived_controls.fiscal_period
            and controls.item_id = arrived_controls.control_id
    where
        controls.expected_amount is not null
        and arrived_controls.control_id is null

),

items as (

    select * from arrived
    union all
    select * from missing

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
