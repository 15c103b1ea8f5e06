-- Every enabled model credits each won conversion's contract value and its recognised revenue to the penny.
-- What was recognised is found from the other end: each month of revenue belongs to the last win before it, at most.
with

credits as (

    select
        attribution_model,
        conversion_id,
        sum(credited_amount) as credited_amount,
        sum(recognised_amount) as recognised_amount,
        sum(credit_share) as credit_share
    from {{ ref('fct_attribution_credits') }}
    group by attribution_model, conversion_id

),

conversions as (

    select *
    from {{ ref('int_attribution_conversions') }}
    where is_won

),

revenue as (

    select
        customer_id,
        product_id,
        month_date,
        reporting_amount
    from {{ ref('fct_revenue') }}
    where not is_scheduled and reporting_amount is not null

),

policies as (

    select revenue_window_months
    from {{ ref('attribution_policies') }}

),

wins_before as (

    select
        revenue.customer_id,
        revenue.product_id,
        revenue.month_date,
        max_by(
            conversions.conversion_id, cast(conversions.decided_at as string) || conversions.conversion_id
        ) as conversion_id
    from revenue
    inner join conversions
        on
            revenue.customer_id = conversions.customer_id
            and revenue.product_id = conversions.product_id
            and revenue.month_date >= conversions.month_date
    group by revenue.customer_id, revenue.product_id, revenue.month_date

),

recognised as (

    select
        wins_before.conversion_id,
        sum(revenue.reporting_amount) as recognised_amount
    from revenue
    inner join wins_before
        on
            revenue.customer_id = wins_before.customer_id
            and revenue.product_id = wins_before.product_id
            and revenue.month_date = wins_before.month_date
    inner join conversions on wins_before.conversion_id = conversions.conversion_id
    cross join policies
    where {{ dbt.datediff('conversions.month_date', 'revenue.month_date', 'month') }} < policies.revenue_window_months
    group by wins_before.conversion_id

),

models as (

    select attribution_model
    from {{ ref('attribution_models') }}
    where is_enabled

),

expected as (

    select
        models.attribution_model,
        conversions.conversion_id,
        conversions.recognised_reason,
        conversions.reporting_revenue_amount,
        coalesce(recognised.recognised_amount, 0) as recognised_amount
    from conversions
    cross join models
    left join recognised on conversions.conversion_id = recognised.conversion_id

),

broken as (

    select
        coalesce(expected.attribution_model, credits.attribution_model) as attribution_model,
        coalesce(expected.conversion_id, credits.conversion_id) as conversion_id,
        expected.reporting_revenue_amount,
        credits.credited_amount,
        expected.recognised_amount as revenue_amount,
        credits.recognised_amount,
        credits.credit_share
    from expected
    full outer join credits
        on
            expected.conversion_id = credits.conversion_id
            and expected.attribution_model = credits.attribution_model
    where
        expected.conversion_id is null
        or credits.credit_share is null
        or abs(credits.credit_share - 1) > 1e-9
        or coalesce(credits.credited_amount, 0) <> coalesce(expected.reporting_revenue_amount, 0)
        or (
            expected.recognised_reason is null
            and coalesce(credits.recognised_amount <> expected.recognised_amount, true)
        )

)

select * from broken
