-- One row per forecast series and month ahead.
with

forecasts as (

    select
        series_id,
        series_level,
        measure,
        member_id,
        forecast_model,
        origin_month,
        horizon,
        target_month,
        forecast_amount,
        deviation_amount * calibration_ratio as deviation_amount
    from {{ ref('int_forecast_sums') }}
    where
        is_selected
        and not is_backtest

),

reporting_date as (

    select reporting_on
    from {{ ref('int_reporting_date') }}

),

-- A sum is made of rounded parts, so that forecasts add up to the cent.
rounded as (

    select
        series_id,
        measure,
        member_id,
        target_month,
        {{ round_amount('forecast_amount') }} as forecast_amount
    from forecasts
    where series_level = 'product'

),

products as (

    select
        product_id,
        product_line
    from {{ ref('dim_product') }}

),

parts as (

    select
        rounded.series_id,
        rounded.target_month,
        rounded.forecast_amount
    from rounded
    union all
    select
        rounded.measure || ':line:' || coalesce(products.product_line, 'unallocated') as series_id,
        rounded.target_month,
        rounded.forecast_amount
    from rounded
    left join products on rounded.member_id = products.product_id
    union all
    select
        rounded.measure || ':company' as series_id,
        rounded.target_month,
        rounded.forecast_amount
    from rounded

),

totals as (

    select
        series_id,
        target_month,
        cast(sum(forecast_amount) as decimal(18, 2)) as forecast_amount
    from parts
    group by series_id, target_month

),

final as (

    select
        forecasts.series_id,
        forecasts.series_level,
        forecasts.measure,
        forecasts.member_id,
        reporting_date.reporting_on as known_at,
        forecasts.origin_month,
        forecasts.target_month,
        cast(forecasts.horizon as integer) as horizon,
        forecasts.forecast_model,
        totals.forecast_amount,
        {{ round_amount('totals.forecast_amount - 1.2815515655446 * forecasts.deviation_amount') }} as lower_80_amount,
        {{ round_amount('totals.forecast_amount + 1.2815515655446 * forecasts.deviation_amount') }} as upper_80_amount,
        {{ round_amount('totals.forecast_amount - 1.9599639845401 * forecasts.deviation_amount') }} as lower_95_amount,
        {{ round_amount('totals.forecast_amount + 1.9599639845401 * forecasts.deviation_amount') }} as upper_95_amount,
        case when forecasts.deviation_amount is null then 'too_little_history' end as interval_reason
    from forecasts
    inner join totals
        on
            forecasts.series_id = totals.series_id
            and forecasts.target_month = totals.target_month
    cross join reporting_date

)

select * from final
