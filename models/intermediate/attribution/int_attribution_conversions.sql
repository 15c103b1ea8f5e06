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

customers as (

    select
        customer_id,
        acquired_on
    from {{ ref('stg_revenue__customers') }}

),

fx_rates as (

    select
        from_currency,
        rate_month,
        average_rate
    from {{ ref('int_fx_rates') }}

),

policies as (

    select revenue_window_months
    from {{ ref('attribution_policies') }}

),

revenue as (

    select
        customer_id,
        product_id,
        month_date,
        {{ sum_complete('reporting_amount') }} as reporting_amount
    from {{ ref('fct_revenue') }}
    where not is_scheduled
    group by customer_id, product_id, month_date

),

last_revenue as (

    select max(month_date) as month_date
    from revenue

),

-- A win is paid with what its customer brings on its product until the window ends or the next win takes over.
windows as (

    select
        conversions.conversion_id,
        conversions.customer_id,
        conversions.product_id,
        conversions.month_date as opens_on,
        cast({{ dbt.dateadd('month', 'policies.revenue_window_months', 'conversions.month_date') }} as date) as ends_on,
        lead(conversions.month_date) over (
            partition by conversions.customer_id, conversions.product_id
            order by conversions.decided_at, conversions.conversion_id
        ) as taken_over_on
    from conversions
    cross join policies
    where conversions.is_won

),

recognised as (

    select
        windows.conversion_id,
        {{ sum_complete('revenue.reporting_amount') }} as recognised_amount,
        count(revenue.reporting_amount) < count(*) as is_unconvertible
    from windows
    inner join revenue
        on
            windows.customer_id = revenue.customer_id
            and windows.product_id = revenue.product_id
            and windows.opens_on <= revenue.month_date
            and least(windows.ends_on, coalesce(windows.taken_over_on, windows.ends_on)) > revenue.month_date
    group by windows.conversion_id

),

-- Who was a customer before the first decision on record is not won by any of them.
record as (

    select min(month_date) as first_month
    from conversions

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
        case
            when not converted.is_won then null
            when last_revenue.month_date is null then 'no_revenue_data'
            when recognised.is_unconvertible then 'no_exchange_rate'
        end as recognised_reason,
        case
            when not converted.is_won or last_revenue.month_date is null or recognised.is_unconvertible then null
            else coalesce(recognised.recognised_amount, 0)
        end as recognised_amount,
        coalesce(
            least(windows.ends_on, coalesce(windows.taken_over_on, windows.ends_on)) <= last_revenue.month_date, false
        ) as is_window_complete,
        converted.is_won,
        converted.is_won
        and row_number() over (
            partition by converted.customer_id, converted.is_won
            order by converted.decided_at, converted.conversion_id
        ) = 1
        and coalesce(customers.acquired_on >= record.first_month, true) as is_first_win,
        converted.month_date,
        moments.previous_decided_at,
        converted.decided_at
    from converted
    cross join last_revenue
    cross join record
    left join customers on converted.customer_id = customers.customer_id
    left join windows on converted.conversion_id = windows.conversion_id
    left join recognised on converted.conversion_id = recognised.conversion_id
    inner join moments
        on
            converted.customer_id = moments.customer_id
            and converted.decided_at = moments.decided_at

)

select * from final
