-- One row per cohort and month since.
with

months as (

    select
        month_date,
        month_number,
        is_survivors_only
    from {{ ref('int_revenue_months') }}

),

customer_months as (

    select
        customer_id,
        month_date,
        first_paid_month,
        closing_mrr_amount
    from {{ ref('int_mrr_customer_months') }}
    where closing_mrr_amount > 0

),

product_months as (

    select
        customer_id,
        product_id,
        month_date,
        first_paid_month,
        round(constant_closing_mrr_amount, 2) as closing_mrr_amount
    from {{ ref('int_mrr_product_months') }}
    where
        closing_mrr_amount > 0
        and constant_closing_mrr_amount is not null

),

customers as (

    select
        customer_id,
        segment
    from {{ ref('dim_customer') }}

),

-- A customer of two products is one customer of the company and one of each product.
memberships as (

    select
        'company' as cohort_type,
        'all' as cohort_value,
        customer_id,
        month_date,
        first_paid_month,
        closing_mrr_amount
    from customer_months

    union all

    select
        'segment' as cohort_type,
        coalesce(customers.segment, 'unknown') as cohort_value,
        customer_months.customer_id,
        customer_months.month_date,
        customer_months.first_paid_month,
        customer_months.closing_mrr_amount
    from customer_months
    left join customers on customer_months.customer_id = customers.customer_id

    union all

    select
        'product' as cohort_type,
        product_id as cohort_value,
        customer_id,
        month_date,
        first_paid_month,
        closing_mrr_amount
    from product_months

),

starts as (

    select
        cohort_type,
        cohort_value,
        customer_id,
        first_paid_month,
        closing_mrr_amount as starting_mrr_amount
    from memberships
    where month_date = first_paid_month

),

cohorts as (

    select
        cohort_type,
        cohort_value,
        first_paid_month as cohort_month,
        count(*) as cohort_customers,
        sum(starting_mrr_amount) as starting_mrr_amount
    from starts
    group by cohort_type, cohort_value, first_paid_month

),

retained as (

    select
        memberships.cohort_type,
        memberships.cohort_value,
        memberships.first_paid_month as cohort_month,
        memberships.month_date,
        count(*) as active_customers,
        sum(memberships.closing_mrr_amount) as closing_mrr_amount,
        sum(
            case
                when memberships.closing_mrr_amount < starts.starting_mrr_amount then memberships.closing_mrr_amount
                else starts.starting_mrr_amount
            end
        ) as retained_mrr_amount
    from memberships
    inner join starts
        on
            memberships.cohort_type = starts.cohort_type
            and memberships.cohort_value = starts.cohort_value
            and memberships.customer_id = starts.customer_id
    group by
        memberships.cohort_type,
        memberships.cohort_value,
        memberships.first_paid_month,
        memberships.month_date

),

-- A month in which a whole cohort is gone is a row of zeros, not a missing one.
cohort_months as (

    select
        cohorts.cohort_type,
        cohorts.cohort_value,
        cohorts.cohort_month,
        starting_months.is_survivors_only,
        months.month_date,
        months.month_number - starting_months.month_number as months_since,
        cohorts.cohort_customers,
        cohorts.starting_mrr_amount
    from cohorts
    inner join months as starting_months on cohorts.cohort_month = starting_months.month_date
    inner join months on starting_months.month_number <= months.month_number

),

final as (

    select
        cohort_months.cohort_type,
        cohort_months.cohort_value,
        cohort_months.cohort_month,
        cast(cohort_months.months_since as integer) as months_since,
        cohort_months.month_date,
        cohort_months.is_survivors_only,
        cast(cohort_months.cohort_customers as bigint) as cohort_customers,
        cast(coalesce(retained.active_customers, 0) as bigint) as active_customers,
        cast(cohort_months.starting_mrr_amount as decimal(18, 2)) as starting_mrr_amount,
        cast(coalesce(retained.retained_mrr_amount, 0) as decimal(18, 2)) as retained_mrr_amount,
        cast(coalesce(retained.closing_mrr_amount, 0) as decimal(18, 2)) as closing_mrr_amount,
        cast(coalesce(retained.active_customers, 0) as double) / cohort_months.cohort_customers
            as customer_retention_rate,
        cast(coalesce(retained.retained_mrr_amount, 0) as double)
        / nullif(cast(cohort_months.starting_mrr_amount as double), 0) as gross_revenue_retention_rate,
        cast(coalesce(retained.closing_mrr_amount, 0) as double)
        / nullif(cast(cohort_months.starting_mrr_amount as double), 0) as net_revenue_retention_rate
    from cohort_months
    left join retained
        on
            cohort_months.cohort_type = retained.cohort_type
            and cohort_months.cohort_value = retained.cohort_value
            and cohort_months.cohort_month = retained.cohort_month
            and cohort_months.month_date = retained.month_date

)

select * from final
