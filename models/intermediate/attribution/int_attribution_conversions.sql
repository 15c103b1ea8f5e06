-- One row per decided opportunity, won or lost, with its revenue in the reporting currency.
with

conversions as (

    select
        conversion_id,
        customer_id,
        product_id,
        currency,
        revenue_amount,
        is_won,
        occurred_at as decided_at,
        cast(date_trunc('month', occurred_at) as date) as month_date
    from {{ ref('stg_revenue__conversions') }}

),

fx_rates as (

    select
        from_currency,
        rate_month,
        average_rate
    from {{ ref('int_fx_rates') }}

),

-- Decisions of one moment share the one before them.
moments as (

    select
        customer_id,
        decided_at,
        lag(decided_at) over (partition by customer_id order by decided_at) as previous_decided_at
    from conversions
    group by customer_id, decided_at

),

converted as (

    select
        conversions.*,
        case
            when conversions.currency = '{{ var("reporting_currency") }}' then conversions.revenue_amount
            else {{ convert_amount('conversions.revenue_amount', 'fx_rates.average_rate') }}
        end as reporting_revenue_amount
    from conversions
    left join fx_rates
        on
            conversions.currency = fx_rates.from_currency
            and conversions.month_date = fx_rates.rate_month

),

final as (

    select
        converted.conversion_id,
        converted.customer_id,
        converted.product_id,
        converted.currency,
        case
            when not converted.is_won then null
            when converted.revenue_amount is null then 'no_revenue'
            when converted.reporting_revenue_amount is null then 'no_exchange_rate'
        end as revenue_reason,
        converted.revenue_amount,
        case when converted.is_won then converted.reporting_revenue_amount end as reporting_revenue_amount,
        converted.is_won,
        converted.is_won and row_number() over (
            partition by converted.customer_id, converted.is_won
            order by converted.decided_at, converted.conversion_id
        ) = 1 as is_first_win,
        converted.month_date,
        moments.previous_decided_at,
        converted.decided_at
    from converted
    inner join moments
        on
            converted.customer_id = moments.customer_id
            and converted.decided_at = moments.decided_at

)

select * from final
