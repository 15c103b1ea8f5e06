-- Drivers sum to the variance they explain, to the penny: revenue and cost per version, period and product, labour per item.
with

drivers as (

    select
        bridge,
        budget_version,
        fiscal_period,
        product_id,
        sum(variance_amount) as explained_amount
    from {{ ref('rpt_variance_drivers') }}
    group by all

),

variances as (

    select
        case account_type when 'revenue' then 'revenue' else 'cost' end as bridge,
        budget_version,
        fiscal_period,
        product_id,
        sum(variance_amount) as variance_amount
    from {{ ref('rpt_budget_variance') }}
    where
        variance_amount is not null
        and version_type <> 'none'
    group by all

    union all

    select
        'labour' as bridge,
        budget_version,
        fiscal_period,
        product_id,
        sum(actual_amount - budget_amount) as variance_amount
    from {{ ref('int_labour_variance_items') }}
    group by all

),

bridged_revenue as (

    select distinct
        budget_version,
        fiscal_period
    from {{ ref('int_revenue_variance_items') }}

)

select
    coalesce(variances.bridge, drivers.bridge) as bridge,
    coalesce(variances.budget_version, drivers.budget_version) as budget_version,
    coalesce(variances.fiscal_period, drivers.fiscal_period) as fiscal_period,
    coalesce(variances.product_id, drivers.product_id) as product_id,
    variances.variance_amount,
    drivers.explained_amount
from variances
full outer join drivers
    on
        variances.bridge = drivers.bridge
        and variances.budget_version = drivers.budget_version
        and variances.fiscal_period = drivers.fiscal_period
        and variances.product_id is not distinct from drivers.product_id
left join bridged_revenue
    on
        variances.budget_version = bridged_revenue.budget_version
        and variances.fiscal_period = bridged_revenue.fiscal_period
where
    coalesce(variances.variance_amount, 0) <> coalesce(drivers.explained_amount, 0)
    and (drivers.bridge is not null or variances.bridge <> 'revenue' or bridged_revenue.budget_version is not null)
