-- One row per allocation method, fiscal period, pool and consumer: the part of the pool's cost the consumer takes.
with

rules as (

    select * from {{ ref('allocation_rules') }}

),

coefficients as (

    select * from {{ ref('allocation_coefficients') }}

),

pool_costs as (

    select * from {{ ref('int_allocation_pool_costs') }}

),

drivers as (

    select * from {{ ref('int_allocation_drivers') }}

),

products as (

    select * from {{ ref('dim_product') }}

),

cost_centers as (

    select * from {{ ref('cost_centers') }}

),

periods as (

    select distinct
        fiscal_period,
        period_start_on,
        period_end_on
    from pool_costs

),

-- The rule of a pool is the one valid on the last day of the period.
period_rules as (

    select
        periods.fiscal_period,
        periods.period_start_on,
        periods.period_end_on,
        rules.rule_id,
        rules.pool_id,
        rules.pool_type,
        rules.cost_center_id,
        rules.account_id,
        rules.driver_id,
        rules.step_rank,
        cast(rules.practical_capacity as double) as practical_capacity
    from periods
    inner join rules
        on
            periods.period_end_on >= rules.valid_from
            and (periods.period_end_on <= rules.valid_to or rules.valid_to is null)

),

-- A consumer that is a cost center with a pool of its own passes the cost on; any other keeps it.
consumers as (

    select
        period_rules.fiscal_period,
        period_rules.pool_id,
        period_rules.pool_type,
        period_rules.step_rank,
        period_rules.practical_capacity,
        cast(drivers.quantity as double) as quantity,
        consumer_rules.pool_type as consumer_pool_type,
        consumer_rules.step_rank as consumer_step_rank,
        coalesce(consumer_rules.pool_id, products.product_id, cost_centers.cost_center_id, 'unallocated') as target_id,
        case
            when consumer_rules.pool_id is not null then 'pool'
            when products.product_id is not null then 'product'
            when cost_centers.cost_center_id is not null then 'cost_center'
            else 'unallocated'
        end as target_type
    from period_rules
    inner join drivers
        on
            period_rules.fiscal_period = drivers.fiscal_period
            and period_rules.driver_id = drivers.driver_id
            and drivers.quantity > 0
    left join period_rules as consumer_rules
        on
            drivers.fiscal_period = consumer_rules.fiscal_period
            and drivers.consumer_id = consumer_rules.cost_center_id
            and consumer_rules.pool_type in ('service', 'operating')
            and consumer_rules.account_id is null
    left join products on drivers.consumer_id = products.product_id
    left join cost_centers on drivers.consumer_id = cost_centers.cost_center_id
    where period_rules.pool_type in ('service', 'operating')

),

network_methods as (

    select 'direct' as allocation_method

    union all

    select 'step_down' as allocation_method

    union all

    select 'reciprocal' as allocation_method

    union all

    select 'activity_based' as allocation_method

),

-- What each method ignores: its own use always; then service to service, or service back to one ranked earlier.
kept_consumers as (

    select
        network_methods.allocation_method,
        consumers.fiscal_period,
        consumers.pool_id,
        consumers.target_id,
        consumers.target_type,
        case
            when network_methods.allocation_method = 'activity_based' then consumers.practical_capacity
        end as practical_capacity,
        sum(consumers.quantity) as quantity
    from consumers
    cross join network_methods
    where
        consumers.target_type <> 'pool'
        or (
            consumers.pool_type = 'service'
            and consumers.pool_id <> consumers.target_id
            and (
                consumers.consumer_pool_type = 'operating'
                or network_methods.allocation_method in ('reciprocal', 'activity_based')
                or (
                    network_methods.allocation_method = 'step_down'
                    and consumers.consumer_step_rank > consumers.step_rank
                )
            )
        )
    group by
        network_methods.allocation_method,
        consumers.fiscal_period,
        consumers.pool_id,
        consumers.target_id,
        consumers.target_type,
        consumers.practical_capacity

),

-- Activity-based cost divides by what the pool can deliver, so what nobody used stays unallocated.
network_shares as (

    select
        allocation_method,
        fiscal_period,
        pool_id,
        target_id,
        target_type,
        quantity / greatest(
            coalesce(practical_capacity, 0),
            sum(quantity) over (partition by allocation_method, fiscal_period, pool_id)
        ) as share
    from kept_consumers

),

proportional_weights as (

    select
        'proportional' as allocation_method,
        period_rules.fiscal_period,
        period_rules.pool_id,
        products.product_id as target_id,
        cast(drivers.quantity as double) as weight
    from period_rules
    inner join drivers
        on
            period_rules.fiscal_period = drivers.fiscal_period
            and period_rules.driver_id = drivers.driver_id
            and drivers.quantity > 0
    inner join products on drivers.consumer_id = products.product_id
    where period_rules.pool_type = 'shared_cloud'

),

-- Products on sale at any time of the period share evenly.
even_weights as (

    select
        'even' as allocation_method,
        period_rules.fiscal_period,
        period_rules.pool_id,
        products.product_id as target_id,
        cast(1 as double) as weight
    from period_rules
    inner join products
        on
            period_rules.period_end_on >= products.launched_on
            and (period_rules.period_start_on <= products.retired_on or products.retired_on is null)
    where period_rules.pool_type = 'shared_cloud'

),

-- Coefficients that do not make 100 % allocate nothing: scaling them would hide the mistake.
fixed_weights as (

    select
        'fixed' as allocation_method,
        period_rules.fiscal_period,
        period_rules.pool_id,
        products.product_id as target_id,
        cast(coefficients.coefficient as double) as weight
    from period_rules
    inner join coefficients on period_rules.rule_id = coefficients.rule_id
    inner join products on coefficients.target_id = products.product_id
    where period_rules.pool_type = 'shared_cloud'
    qualify
        abs(
            sum(coefficients.coefficient) over (partition by period_rules.fiscal_period, period_rules.rule_id) - 1
        ) < 0.000001

),

shared_weights as (

    select * from proportional_weights

    union all

    select * from even_weights

    union all

    select * from fixed_weights

),

shared_shares as (

    select
        allocation_method,
        fiscal_period,
        pool_id,
        target_id,
        'product' as target_type,
        weight / sum(weight) over (partition by allocation_method, fiscal_period, pool_id) as share
    from shared_weights

),

all_shares as (

    select * from network_shares

    union all

    select * from shared_shares

),

final as (

    select
        allocation_method,
        fiscal_period,
        pool_id,
        target_id,
        target_type,
        share
    from all_shares

)

select * from final
