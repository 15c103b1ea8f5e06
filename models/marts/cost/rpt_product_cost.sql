-- One row per product, fiscal period, cost class and, for cost no product bears, the reason.
with

cost_entries as (

    -- What is posted outside the calendar is in no period: int_violations__unplaced_posting names it.
    select * from {{ ref('fct_cost_entries') }}
    where reporting_fiscal_period is not null

),

allocations as (

    select * from {{ ref('fct_cost_allocations') }}

),

pool_costs as (

    select * from {{ ref('int_allocation_pool_costs') }}

),

periods as (

    select * from {{ ref('dim_fiscal_period') }}
    where is_reporting_entity

),

direct_costs as (

    select
        product_id,
        reporting_fiscal_period as fiscal_period,
        cost_class,
        sum(reporting_amount) as direct_amount
    from cost_entries
    where
        product_id is not null
        and reporting_amount is not null
    group by
        product_id,
        reporting_fiscal_period,
        cost_class

),

allocated_costs as (

    select
        target_id as product_id,
        fiscal_period,
        cost_class,
        sum(allocated_amount) as allocated_amount
    from allocations
    where
        is_in_force
        and target_type = 'product'
    group by
        target_id,
        fiscal_period,
        cost_class

),

shared_entries as (

    select
        reporting_fiscal_period as fiscal_period,
        cost_class,
        reporting_amount,
        case
            when unknown_product_id is not null then 'unknown_product'
            when entry_type in ('unused_capacity', 'pay_averaging', 'cloud_prepayment', 'unreconciled') then entry_type
            else 'shared'
        end as kind
    from cost_entries
    where
        product_id is null
        and reporting_amount is not null

),

-- Each step takes from the shared cost what it explains; what is left last has no rule.
unallocated_parts as (

    select
        fiscal_period,
        cost_class,
        kind as unallocated_reason,
        reporting_amount as amount
    from shared_entries
    where kind <> 'shared'

    union all

    select
        fiscal_period,
        cost_class,
        'no_rule' as unallocated_reason,
        reporting_amount as amount
    from shared_entries
    where kind = 'shared'

    union all

    select
        fiscal_period,
        cost_class,
        'no_rule' as unallocated_reason,
        -cast(cast(amount_units as decimal(19, 0)) * 0.01 as decimal(18, 2)) as amount
    from pool_costs

    union all

    select
        fiscal_period,
        cost_class,
        case when pool_type = 'retained' then 'retained' else 'no_driver' end as unallocated_reason,
        cast(cast(amount_units as decimal(19, 0)) * 0.01 as decimal(18, 2)) as amount
    from pool_costs

    union all

    select
        fiscal_period,
        cost_class,
        'no_driver' as unallocated_reason,
        -allocated_amount as amount
    from allocated_costs

),

all_parts as (

    select
        product_id,
        fiscal_period,
        cost_class,
        null as unallocated_reason,
        direct_amount,
        cast(0 as decimal(38, 2)) as allocated_amount,
        cast(0 as decimal(38, 2)) as unallocated_amount
    from direct_costs

    union all

    select
        product_id,
        fiscal_period,
        cost_class,
        null as unallocated_reason,
        cast(0 as decimal(38, 2)) as direct_amount,
        allocated_amount,
        cast(0 as decimal(38, 2)) as unallocated_amount
    from allocated_costs

    union all

    select
        'unallocated' as product_id,
        fiscal_period,
        cost_class,
        unallocated_reason,
        cast(0 as decimal(38, 2)) as direct_amount,
        cast(0 as decimal(38, 2)) as allocated_amount,
        amount as unallocated_amount
    from unallocated_parts

),

summed as (

    select
        product_id,
        fiscal_period,
        cost_class,
        unallocated_reason,
        sum(direct_amount) as direct_amount,
        sum(allocated_amount) as allocated_amount,
        sum(unallocated_amount) as unallocated_amount,
        sum(direct_amount + allocated_amount + unallocated_amount) as ledger_amount
    from all_parts
    group by
        product_id,
        fiscal_period,
        cost_class,
        unallocated_reason
    having
        sum(direct_amount) <> 0
        or sum(allocated_amount) <> 0
        or sum(unallocated_amount) <> 0

),

final as (

    select
        summed.product_id,
        summed.fiscal_period,
        summed.cost_class,
        summed.unallocated_reason,
        periods.is_closed,
        cast(summed.direct_amount as decimal(18, 2)) as direct_amount,
        cast(summed.allocated_amount as decimal(18, 2)) as allocated_amount,
        cast(summed.unallocated_amount as decimal(18, 2)) as unallocated_amount,
        cast(summed.ledger_amount as decimal(18, 2)) as ledger_amount,
        cast(
            case
                when coalesce(summed.cost_class, 'none') in ('capitalised', 'amortisation') then 0
                else summed.ledger_amount
            end as decimal(18, 2)
        ) as cash_amount,
        cast(
            case when coalesce(summed.cost_class, 'none') = 'prepaid_cloud' then 0 else summed.ledger_amount end
            as decimal(18, 2)
        ) as pnl_amount,
        cast('{{ var("reporting_currency") }}' as {{ dbt.type_string() }}) as currency
    from summed
    left join periods on summed.fiscal_period = periods.fiscal_period

)

select * from final
