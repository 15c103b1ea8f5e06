-- One row per customer, product and month that opens or closes with recurring revenue.
with

months as (

    select
        month_date,
        snapshot_on
    from {{ ref('int_revenue_months') }}

),

terms as (

    select
        subscription_id,
        customer_id,
        product_id,
        valid_from,
        counted_until,
        quantity,
        mrr_amount,
        currency
    from {{ ref('int_subscription_terms') }}
    where mrr_amount <> 0

),

data_range as (

    select cutoff_on
    from {{ ref('int_revenue_cutoff') }}

),

policies as (

    select constant_currency_month
    from {{ ref('revenue_policies') }}

),

fx_rates as (

    select
        from_currency,
        rate_month,
        average_rate
    from {{ ref('int_fx_rates') }}

),

-- All months at the rates of one month, so that a chain of months shows no currency effect.
constant_months as (

    select coalesce(policies.constant_currency_month, data_range.cutoff_on) as constant_month
    from data_range
    cross join policies

),

constant_rates as (

    select
        fx_rates.from_currency,
        fx_rates.average_rate as constant_rate
    from fx_rates
    cross join constant_months
    where fx_rates.rate_month <= constant_months.constant_month
    qualify row_number() over (partition by fx_rates.from_currency order by fx_rates.rate_month desc) = 1

),

-- What a subscription is worth at the end of a month. Converted amounts keep all their digits until they are
-- totalled, or splitting a contract in two would look like a movement of a penny.
closings as (

    select
        months.month_date,
        terms.subscription_id,
        terms.customer_id,
        terms.product_id,
        terms.currency,
        terms.quantity,
        terms.mrr_amount,
        cast(cast(terms.mrr_amount as decimal(19, 2)) * fx_rates.average_rate as decimal(28, 10)) as reporting_mrr_amount,
        cast(cast(terms.mrr_amount as decimal(19, 2)) * constant_rates.constant_rate as decimal(28, 10))
            as constant_mrr_amount
    from months
    inner join terms
        on
            months.snapshot_on >= terms.valid_from
            and months.snapshot_on < terms.counted_until
    left join fx_rates
        on
            terms.currency = fx_rates.from_currency
            and months.month_date = fx_rates.rate_month
    left join constant_rates on terms.currency = constant_rates.from_currency

),

-- A month opens with what the month before closed with; `restated` is that at this month's rate.
openings as (

    select
        months.month_date,
        closings.subscription_id,
        closings.customer_id,
        closings.product_id,
        closings.currency,
        closings.quantity,
        closings.mrr_amount,
        closings.reporting_mrr_amount,
        cast(cast(closings.mrr_amount as decimal(19, 2)) * fx_rates.average_rate as decimal(28, 10))
            as restated_mrr_amount,
        closings.constant_mrr_amount
    from closings
    inner join months
        on months.month_date = cast({{ dbt.dateadd('month', 1, 'closings.month_date') }} as date)
    left join fx_rates
        on
            closings.currency = fx_rates.from_currency
            and months.month_date = fx_rates.rate_month

),

sides as (

    select
        month_date,
        customer_id,
        product_id,
        subscription_id,
        currency,
        quantity as opening_quantity,
        mrr_amount as opening_amount,
        reporting_mrr_amount as reporting_opening_amount,
        restated_mrr_amount as reporting_restated_amount,
        constant_mrr_amount as constant_opening_amount,
        0 as closing_quantity,
        0 as closing_amount,
        0 as reporting_closing_amount,
        0 as constant_closing_amount
    from openings

    union all

    select
        month_date,
        customer_id,
        product_id,
        subscription_id,
        currency,
        0 as opening_quantity,
        0 as opening_amount,
        0 as reporting_opening_amount,
        0 as reporting_restated_amount,
        0 as constant_opening_amount,
        quantity as closing_quantity,
        mrr_amount as closing_amount,
        reporting_mrr_amount as reporting_closing_amount,
        constant_mrr_amount as constant_closing_amount
    from closings

),

paired as (

    select
        month_date,
        customer_id,
        product_id,
        subscription_id,
        currency,
        sum(opening_quantity) as opening_quantity,
        sum(opening_amount) as opening_amount,
        {{ sum_complete('reporting_opening_amount') }} as reporting_opening_amount,
        {{ sum_complete('reporting_restated_amount') }} as reporting_restated_amount,
        {{ sum_complete('constant_opening_amount') }} as constant_opening_amount,
        sum(closing_quantity) as closing_quantity,
        sum(closing_amount) as closing_amount,
        {{ sum_complete('reporting_closing_amount') }} as reporting_closing_amount,
        {{ sum_complete('constant_closing_amount') }} as constant_closing_amount
    from sides
    group by month_date, customer_id, product_id, subscription_id, currency

),

-- A customer who changes currency is stated in the currency he closes with.
row_currencies as (

    select
        month_date,
        customer_id,
        product_id,
        currency,
        row_number() over (
            partition by month_date, customer_id, product_id
            order by
                sum(constant_closing_amount) desc nulls last,
                sum(constant_opening_amount) desc nulls last,
                currency
        ) as currency_rank
    from paired
    group by month_date, customer_id, product_id, currency

),

-- A subscription that goes on is compared with itself; those that end and those that begin in the month replace
-- each other, so that a renewal under a new number is a change of price and not a loss and a gain.
matched as (

    select
        paired.month_date,
        paired.customer_id,
        paired.product_id,
        row_currencies.currency,
        case
            when paired.opening_amount <> 0 and paired.closing_amount <> 0 then paired.subscription_id
            else ''
        end as match_key,
        paired.opening_quantity,
        paired.closing_quantity,
        case
            when paired.currency = row_currencies.currency then paired.opening_amount
            else
                {{ round_amount(
                    'cast(paired.opening_amount as double) * own_rates.average_rate / row_rates.average_rate'
                ) }}
        end as opening_amount,
        case
            when paired.currency = row_currencies.currency then paired.closing_amount
            else
                {{ round_amount(
                    'cast(paired.closing_amount as double) * own_rates.average_rate / row_rates.average_rate'
                ) }}
        end as closing_amount,
        paired.reporting_opening_amount,
        paired.reporting_restated_amount,
        paired.reporting_closing_amount,
        paired.constant_opening_amount,
        paired.constant_closing_amount
    from paired
    inner join row_currencies
        on
            paired.month_date = row_currencies.month_date
            and paired.customer_id = row_currencies.customer_id
            and paired.product_id = row_currencies.product_id
            and row_currencies.currency_rank = 1
    left join fx_rates as own_rates
        on
            paired.currency = own_rates.from_currency
            and paired.month_date = own_rates.rate_month
    left join fx_rates as row_rates
        on
            row_currencies.currency = row_rates.from_currency
            and paired.month_date = row_rates.rate_month

),

compared as (

    select
        month_date,
        customer_id,
        product_id,
        currency,
        sum(opening_quantity) as opening_quantity,
        sum(closing_quantity) as closing_quantity,
        sum(opening_amount) as opening_amount,
        sum(closing_amount) as closing_amount,
        {{ sum_complete('reporting_opening_amount') }} as reporting_opening_amount,
        {{ sum_complete('reporting_restated_amount') }} as reporting_restated_amount,
        {{ sum_complete('reporting_closing_amount') }} as reporting_closing_amount,
        {{ sum_complete('constant_opening_amount') }} as constant_opening_amount,
        {{ sum_complete('constant_closing_amount') }} as constant_closing_amount
    from matched
    group by month_date, customer_id, product_id, currency, match_key

),

-- Quantity at the old price; the joint effect sits in price.
explained as (

    select
        *,
        case
            when opening_amount = 0 or closing_amount = 0 or opening_quantity = 0 then closing_amount - opening_amount
            else
                {{ round_amount(
                    'cast(closing_quantity - opening_quantity as double) * cast(opening_amount as double)'
                    ~ ' / cast(opening_quantity as double)'
                ) }}
        end as quantity_change_amount
    from compared

),

totals as (

    select
        month_date,
        customer_id,
        product_id,
        currency,
        cast(sum(opening_amount) as decimal(18, 2)) as opening_mrr_amount,
        cast(sum(closing_amount) as decimal(18, 2)) as closing_mrr_amount,
        cast(sum(quantity_change_amount) as decimal(18, 2)) as quantity_change_amount,
        cast({{ sum_complete('reporting_opening_amount') }} as decimal(28, 10)) as reporting_opening_mrr_amount,
        cast({{ sum_complete('reporting_restated_amount') }} as decimal(28, 10)) as reporting_restated_mrr_amount,
        cast({{ sum_complete('reporting_closing_amount') }} as decimal(28, 10)) as reporting_closing_mrr_amount,
        cast({{ sum_complete('constant_opening_amount') }} as decimal(28, 10)) as constant_opening_mrr_amount,
        cast({{ sum_complete('constant_closing_amount') }} as decimal(28, 10)) as constant_closing_mrr_amount
    from explained
    group by month_date, customer_id, product_id, currency

),

dated as (

    select
        *,
        min(case when closing_mrr_amount > 0 then month_date end) over (
            partition by customer_id, product_id
        ) as first_paid_month
    from totals

),

final as (

    select
        customer_id,
        product_id,
        month_date,
        first_paid_month,
        case
            when closing_mrr_amount = opening_mrr_amount then null
            when opening_mrr_amount <= 0 and closing_mrr_amount > 0
                then case when month_date = first_paid_month then 'new' else 'reactivation' end
            when opening_mrr_amount > 0 and closing_mrr_amount <= 0 then 'churn'
            when closing_mrr_amount > opening_mrr_amount then 'expansion'
            else 'contraction'
        end as movement_type,
        opening_mrr_amount,
        closing_mrr_amount - opening_mrr_amount as mrr_change_amount,
        quantity_change_amount,
        closing_mrr_amount - opening_mrr_amount - quantity_change_amount as price_change_amount,
        closing_mrr_amount,
        currency,
        reporting_opening_mrr_amount,
        reporting_restated_mrr_amount,
        reporting_closing_mrr_amount,
        constant_opening_mrr_amount,
        constant_closing_mrr_amount
    from dated

)

select * from final
