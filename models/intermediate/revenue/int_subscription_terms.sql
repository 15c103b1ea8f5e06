-- One row per subscription and interval of unchanged terms that was ever in force, with its monthly recurring value.
with

subscriptions as (

    select
        subscription_id,
        customer_id,
        product_id,
        plan_id,
        quantity,
        unit_price,
        coalesce(discount_rate, 0) as discount_rate,
        billing_interval_months,
        currency,
        valid_from,
        valid_to
    from {{ ref('stg_revenue__subscriptions') }}
    where valid_to is null or valid_to > valid_from

),

policies as (

    select
        subscription_price_basis,
        churn_date_rule
    from {{ ref('revenue_policies') }}

),

-- Later terms of a subscription replace earlier ones from their first day, also where the source left them open.
succeeded as (

    select
        *,
        least(
            coalesce(valid_to, cast('9999-12-31' as date)),
            coalesce(
                lead(valid_from) over (partition by subscription_id order by valid_from),
                cast('9999-12-31' as date)
            )
        ) as ended_on
    from subscriptions

),

customer_starts as (

    select distinct
        customer_id,
        valid_from as started_on
    from subscriptions

),

-- The price is rounded as a contract states it before it is multiplied, so that both engines round alike.
priced as (

    select
        succeeded.*,
        policies.churn_date_rule,
        case
            when policies.subscription_price_basis = 'billing_interval'
                then
                    cast(
                        round(
                            cast(cast(succeeded.unit_price as decimal(19, 6)) * (1 - succeeded.discount_rate) as double)
                            / nullif(succeeded.billing_interval_months, 0),
                            6
                        ) as decimal(18, 6)
                    )
            else cast(round(cast(succeeded.unit_price as decimal(19, 6)) * (1 - succeeded.discount_rate), 6) as decimal(18, 6))
        end as net_unit_price
    from succeeded
    cross join policies

),

-- Under the rule of the last day of service a term that nothing follows stops counting one day earlier.
final as (

    select
        priced.subscription_id,
        priced.customer_id,
        priced.product_id,
        priced.plan_id,
        priced.valid_from,
        priced.ended_on,
        case
            when
                priced.churn_date_rule = 'last_service_day'
                and customer_starts.customer_id is null
                and priced.ended_on < cast('9999-12-31' as date)
                then cast(priced.ended_on - interval '1' day as date)
            else priced.ended_on
        end as counted_until,
        priced.quantity,
        priced.unit_price,
        priced.discount_rate,
        priced.net_unit_price,
        cast(round(cast(priced.quantity as decimal(19, 6)) * priced.net_unit_price, 2) as decimal(18, 2)) as mrr_amount,
        priced.currency
    from priced
    left join customer_starts
        on
            priced.customer_id = customer_starts.customer_id
            and priced.ended_on = customer_starts.started_on

)

select * from final
