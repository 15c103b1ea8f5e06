-- The features of a customer, product and period hold its recognised revenue, not a cent more or less, under both weights.
with

differences as (

    select
        customer_id,
        product_id,
        fiscal_period,
        false as is_unconvertible,
        revenue_amount as difference,
        log_revenue_amount as log_difference,
        raw_revenue_amount as raw_difference
    from {{ ref('fct_feature_revenue') }}

    union all

    select
        customer_id,
        product_id,
        fiscal_period,
        reporting_amount is null as is_unconvertible,
        -reporting_amount as difference,
        -reporting_amount as log_difference,
        -reporting_amount as raw_difference
    from {{ ref('fct_revenue') }}
    where not is_scheduled

)

-- Where an exchange rate is missing, features are left empty and the comparison would prove nothing.
select
    customer_id,
    product_id,
    fiscal_period,
    sum(difference) as difference,
    sum(log_difference) as log_difference,
    sum(raw_difference) as raw_difference
from differences
group by
    customer_id,
    product_id,
    fiscal_period
having
    count_if(is_unconvertible) = 0
    and (sum(difference) <> 0 or sum(log_difference) <> 0 or sum(raw_difference) <> 0)
