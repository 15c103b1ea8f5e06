-- One row per currency and month, with its rates into the reporting currency.
with

fx_rates as (

    select
        rate_month,
        from_currency,
        to_currency,
        cast(average_rate as double) as average_rate,
        cast(closing_rate as double) as closing_rate
    from {{ ref('fx_rates') }}

),

-- A quoted pair also answers the other way round.
quoted_pairs as (

    select
        rate_month,
        from_currency,
        to_currency,
        average_rate,
        closing_rate,
        1 as preference
    from fx_rates

    union all

    select
        rate_month,
        to_currency as from_currency,
        from_currency as to_currency,
        1 / nullif(average_rate, 0) as average_rate,
        1 / nullif(closing_rate, 0) as closing_rate,
        2 as preference
    from fx_rates

),

-- Where no pair leads to the reporting currency, two pairs over one other currency do.
crossed_pairs as (

    select
        first_pair.rate_month,
        first_pair.from_currency,
        second_pair.to_currency,
        first_pair.average_rate * second_pair.average_rate as average_rate,
        first_pair.closing_rate * second_pair.closing_rate as closing_rate,
        2 + first_pair.preference + second_pair.preference as preference,
        first_pair.to_currency as via_currency
    from quoted_pairs as first_pair
    inner join quoted_pairs as second_pair
        on
            first_pair.rate_month = second_pair.rate_month
            and first_pair.to_currency = second_pair.from_currency
            and first_pair.from_currency <> second_pair.to_currency

),

candidates as (

    select
        rate_month,
        from_currency,
        to_currency,
        average_rate,
        closing_rate,
        preference,
        '' as via_currency
    from quoted_pairs

    union all

    select
        rate_month,
        from_currency,
        to_currency,
        average_rate,
        closing_rate,
        preference,
        via_currency
    from crossed_pairs

),

best_rates as (

    select
        rate_month,
        from_currency,
        average_rate,
        closing_rate
    from candidates
    where
        to_currency = '{{ var("reporting_currency") }}'
        and from_currency <> '{{ var("reporting_currency") }}'
    qualify row_number() over (partition by rate_month, from_currency order by preference, via_currency) = 1

),

-- The reporting currency needs no rate, whatever months the rates cover.
reporting_currency_rates as (

    select
        cast(
            {{ dbt.dateadd('month', 'months.month_number', "cast('2000-01-01' as date)") }} as date
        ) as rate_month,
        '{{ var("reporting_currency") }}' as from_currency,
        1.0 as average_rate,
        1.0 as closing_rate
    from range(0, 1200) as months (month_number)

),

all_rates as (

    select
        rate_month,
        from_currency,
        average_rate,
        closing_rate
    from best_rates

    union all

    select
        rate_month,
        from_currency,
        average_rate,
        closing_rate
    from reporting_currency_rates

),

final as (

    select
        from_currency,
        rate_month,
        cast(round(average_rate, 8) as decimal(18, 8)) as average_rate,
        cast(round(closing_rate, 8) as decimal(18, 8)) as closing_rate
    from all_rates

)

select * from final
