-- Every enabled model credits each won conversion's revenue to the penny, and no more or less than the whole of it.
with

credits as (

    select
        attribution_model,
        conversion_id,
        sum(credited_amount) as credited_amount,
        sum(credit_share) as credit_share
    from {{ ref('fct_attribution_credits') }}
    group by attribution_model, conversion_id

),

conversions as (

    select
        conversion_id,
        reporting_revenue_amount
    from {{ ref('int_attribution_conversions') }}
    where is_won

),

models as (

    select attribution_model
    from {{ ref('attribution_models') }}
    where is_enabled

),

broken as (

    select
        models.attribution_model,
        conversions.conversion_id,
        conversions.reporting_revenue_amount,
        credits.credited_amount,
        credits.credit_share
    from conversions
    cross join models
    left join credits
        on
            conversions.conversion_id = credits.conversion_id
            and models.attribution_model = credits.attribution_model
    where
        credits.credit_share is null
        or abs(credits.credit_share - 1) > 1e-9
        or coalesce(credits.credited_amount, 0) <> coalesce(conversions.reporting_revenue_amount, 0)

)

select * from broken
