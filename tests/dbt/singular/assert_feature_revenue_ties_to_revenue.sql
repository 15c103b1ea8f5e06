-- The features of a customer, product and period hold its recognised revenue, not a cent more or less, under both weights.
with

feature_revenue as (

    select
        customer_id,
        product_id,
        fiscal_period,
        sum(revenue_amount) as revenue_amount,
        sum(raw_revenue_amount) as raw_revenue_amount
    from {{ ref('fct_feature_revenue') }}
    group by customer_id, product_id, fiscal_period

),

revenue as (

    select
        customer_id,
        product_id,
        fiscal_period,
        sum(reporting_amount) as revenue_amount
    from {{ ref('fct_revenue') }}
    where not is_scheduled and reporting_amount is not null
    group by customer_id, product_id, fiscal_period

),

-- Where an exchange rate is missing, features are left empty and the comparison would prove nothing.
unconvertible as (

    select distinct
        customer_id,
        product_id,
        fiscal_period
    from {{ ref('fct_feature_revenue') }}
    where revenue_amount_reason is not null

),

broken as (

    select
        revenue.customer_id,
        revenue.product_id,
        revenue.fiscal_period,
        revenue.revenue_amount,
        feature_revenue.revenue_amount as feature_amount
    from revenue
    left join feature_revenue
        on
            revenue.customer_id = feature_revenue.customer_id
            and revenue.product_id = feature_revenue.product_id
            and revenue.fiscal_period = feature_revenue.fiscal_period
    left join unconvertible
        on
            revenue.customer_id = unconvertible.customer_id
            and revenue.product_id = unconvertible.product_id
            and revenue.fiscal_period = unconvertible.fiscal_period
    where
        unconvertible.customer_id is null
        and (
            feature_revenue.revenue_amount is null
            or feature_revenue.revenue_amount <> revenue.revenue_amount
            or feature_revenue.raw_revenue_amount <> revenue.revenue_amount
        )

)

select * from broken
