-- Drivers sum to the variance they explain, to the penny: revenue and cost per version, month and product, labour per item.
-- Where an entity is in another year's plan the bridge takes that one's lines, and the version alone has no such sum.
with

drivers as (

    select
        bridge,
        budget_version,
        month_date,
        product_id,
        sum(variance_amount) as explained_amount
    from {{ ref('rpt_variance_drivers') }}
    group by all

),

variances as (

    select
        case account_type when 'revenue' then 'revenue' else 'cost' end as bridge,
        budget_version,
        month_date,
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
        items.budget_version,
        fiscal_months.month_date,
        items.product_id,
        sum(items.actual_amount - items.budget_amount) as variance_amount
    from {{ ref('int_labour_variance_items') }} as items
    inner join {{ ref('int_fiscal_months') }} as fiscal_months on items.fiscal_period = fiscal_months.fiscal_period
    group by all

),

bridged_revenue as (

    select distinct
        items.budget_version,
        fiscal_months.month_date
    from {{ ref('int_revenue_variance_items') }} as items
    inner join {{ ref('int_fiscal_months') }} as fiscal_months on items.fiscal_period = fiscal_months.fiscal_period

),

mixed_months as (

    select distinct
        'revenue' as bridge,
        variance_lines.month_date
    from {{ ref('int_budget_variance_lines') }} as variance_lines
    inner join {{ ref('int_fiscal_months') }} as fiscal_months on variance_lines.month_date = fiscal_months.month_date
    where
        variance_lines.account_type = 'revenue'
        and variance_lines.fiscal_year <> fiscal_months.fiscal_year

)

select
    coalesce(variances.bridge, drivers.bridge) as bridge,
    coalesce(variances.budget_version, drivers.budget_version) as budget_version,
    coalesce(variances.month_date, drivers.month_date) as month_date,
    coalesce(variances.product_id, drivers.product_id) as product_id,
    variances.variance_amount,
    drivers.explained_amount
from variances
full outer join drivers
    on
        variances.bridge = drivers.bridge
        and variances.budget_version = drivers.budget_version
        and variances.month_date = drivers.month_date
        and variances.product_id is not distinct from drivers.product_id
left join bridged_revenue
    on
        variances.budget_version = bridged_revenue.budget_version
        and variances.month_date = bridged_revenue.month_date
left join mixed_months
    on
        coalesce(variances.bridge, drivers.bridge) = mixed_months.bridge
        and coalesce(variances.month_date, drivers.month_date) = mixed_months.month_date
where
    mixed_months.month_date is null
    and coalesce(variances.variance_amount, 0) <> coalesce(drivers.explained_amount, 0)
    and (drivers.bridge is not null or variances.bridge <> 'revenue' or bridged_revenue.budget_version is not null)
