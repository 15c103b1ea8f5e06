-- One row per series, origin, forecast method and horizon; the origin at the end of the series is the forecast itself.
with recursive

histories as (

    select * from {{ ref('int_forecast_histories') }}

),

series as (

    select
        series_id,
        month_number,
        amount
    from {{ ref('int_forecast_series') }}

),

origins as (

    select distinct
        series_id,
        origin,
        length,
        season_months,
        horizon_months
    from histories

),

season_differences as (

    select
        histories.series_id,
        histories.origin,
        count(*) as differences,
        avg(abs(histories.amount - earlier.amount)) as scale_amount,
        avg(power(histories.amount - earlier.amount, 2)) as variance
    from histories
    inner join histories as earlier
        on
            histories.series_id = earlier.series_id
            and histories.origin = earlier.origin
            and histories.month_number = earlier.month_number + histories.season_months
    group by histories.series_id, histories.origin

),

month_differences as (

    select
        series_id,
        origin,
        sum(case when month_number = 1 then amount end) as first_amount,
        sum(case when month_number = origin then amount end) as last_amount,
        count(previous_amount) as differences,
        avg(amount - previous_amount) as drift,
        sum(power(amount - previous_amount, 2)) as squares
    from histories
    group by series_id, origin

),

indices as (

    select
        series_id,
        origin,
        month_number % season_months as season_month,
        is_positive,
        max(season_index) as season_index
    from histories
    where season_index is not null
    group by series_id, origin, month_number % season_months, is_positive

),

adjusted as (

    select
        series_id,
        origin,
        month_number,
        adjusted_amount as amount
    from histories
    where season_index is not null

),

-- Straight lines: through all months for Theta, through the first year to start a trend from.
lines as (

    select
        series_id,
        origin,
        sum(case when month_number = 1 then amount end) as first_amount,
        regr_slope(amount, cast(month_number as double)) as slope,
        regr_slope(amount, cast(month_number as double)) filter (where month_number <= 12) as start_slope,
        regr_intercept(amount, cast(month_number as double)) filter (where month_number <= 12) as start_level
    from adjusted
    group by series_id, origin

),

levels as (

    select cast(steps.step as double) / 20 as alpha
    from range(1, 20) as steps (step)

),

trends as (

    select cast(steps.step as double) / 20 as beta
    from range(1, 10) as steps (step)
    where steps.step in (1, 2, 4, 8)

),

-- The smoothing weights tried: level alpha, trend beta as a share of alpha, damping phi.
weights as (

    select
        'simple_smoothing' as forecast_model,
        levels.alpha,
        cast(0 as double) as beta,
        cast(0 as double) as phi,
        1 as fitted
    from levels
    union all
    select
        'holt' as forecast_model,
        levels.alpha,
        trends.beta,
        cast(1 as double) as phi,
        2 as fitted
    from levels
    cross join trends
    where cast(floor(levels.alpha * 20 + 0.5) as integer) % 2 = 0
    union all
    select
        'damped' as forecast_model,
        levels.alpha,
        trends.beta,
        cast(0.8 as double) + cast(dampings.step as double) / 20 as phi,
        3 as fitted
    from levels
    cross join trends
    cross join range(1, 4) as dampings (step)
    where
        cast(floor(levels.alpha * 20 + 0.5) as integer) % 2 = 0
        and dampings.step in (2, 3)

),

-- Level and trend, month by month, for every set of weights at once.
smoothed as (

    select
        lines.series_id,
        lines.origin,
        weights.forecast_model,
        weights.alpha,
        weights.beta,
        weights.phi,
        weights.fitted,
        0 as month_number,
        case when weights.phi > 0 then lines.start_level else lines.first_amount end as level_amount,
        case when weights.phi > 0 then lines.start_slope else cast(0 as double) end as trend_amount,
        cast(0 as double) as squares
    from lines
    cross join weights
    union all
    select
        smoothed.series_id,
        smoothed.origin,
        smoothed.forecast_model,
        smoothed.alpha,
        smoothed.beta,
        smoothed.phi,
        smoothed.fitted,
        adjusted.month_number,
        smoothed.level_amount + smoothed.phi * smoothed.trend_amount
        + smoothed.alpha * (adjusted.amount - smoothed.level_amount - smoothed.phi * smoothed.trend_amount) as level_amount,
        smoothed.phi * smoothed.trend_amount
        + smoothed.alpha * smoothed.beta
        * (adjusted.amount - smoothed.level_amount - smoothed.phi * smoothed.trend_amount) as trend_amount,
        smoothed.squares
        + power(adjusted.amount - smoothed.level_amount - smoothed.phi * smoothed.trend_amount, 2) as squares
    from smoothed
    inner join adjusted
        on
            smoothed.series_id = adjusted.series_id
            and smoothed.origin = adjusted.origin
            and adjusted.month_number = smoothed.month_number + 1

),

fits as (

    select
        series_id,
        origin,
        forecast_model,
        alpha,
        beta,
        phi,
        level_amount,
        trend_amount,
        squares / (origin - fitted) as variance
    from smoothed
    where month_number = origin
    qualify
        row_number() over (
            partition by series_id, origin, forecast_model
            order by squares asc, alpha asc, beta asc, phi asc
        ) = 1

),

-- Theta: simple smoothing that drifts by half the slope of the straight line.
smoothing_models as (

    select
        series_id,
        origin,
        forecast_model,
        alpha,
        beta,
        phi,
        level_amount,
        trend_amount,
        variance,
        cast(0 as double) as half_slope
    from fits
    union all
    select
        fits.series_id,
        fits.origin,
        'theta' as forecast_model,
        fits.alpha,
        fits.beta,
        fits.phi,
        fits.level_amount,
        fits.trend_amount,
        fits.variance,
        lines.slope / 2 as half_slope
    from fits
    inner join lines
        on
            fits.series_id = lines.series_id
            and fits.origin = lines.origin
    where fits.forecast_model = 'simple_smoothing'

),

horizons as (

    select
        origins.series_id,
        origins.origin,
        origins.length,
        origins.season_months,
        cast(steps.step as integer) as horizon
    from origins
    cross join range(1, 121) as steps (step)
    where steps.step <= origins.horizon_months

),

-- How a trend adds up over the months ahead, damped or not.
paths as (

    select
        horizons.series_id,
        horizons.origin,
        horizons.season_months,
        horizons.horizon,
        smoothing_models.forecast_model,
        smoothing_models.alpha,
        smoothing_models.beta,
        smoothing_models.level_amount,
        smoothing_models.trend_amount,
        smoothing_models.half_slope,
        smoothing_models.variance,
        case
            when smoothing_models.phi = 1 then cast(horizons.horizon as double)
            else
                smoothing_models.phi * (1 - power(smoothing_models.phi, horizons.horizon)) / (1 - smoothing_models.phi)
        end as trend_months
    from horizons
    inner join smoothing_models
        on
            horizons.series_id = smoothing_models.series_id
            and horizons.origin = smoothing_models.origin

),

extrapolated as (

    select
        series_id,
        origin,
        season_months,
        horizon,
        forecast_model,
        level_amount
        + trend_months * trend_amount
        + half_slope * (horizon - 1 + (1 - power(1 - alpha, origin)) / alpha) as adjusted_amount,
        variance * (
            1 + coalesce(
                sum(power(alpha * (1 + beta * trend_months), 2)) over (
                    partition by series_id, origin, forecast_model
                    order by horizon
                    rows between unbounded preceding and 1 preceding
                ),
                0
            )
        ) as adjusted_variance
    from paths

),

smoothing_forecasts as (

    select
        extrapolated.series_id,
        extrapolated.origin,
        extrapolated.horizon,
        extrapolated.forecast_model,
        case
            when indices.is_positive then extrapolated.adjusted_amount * indices.season_index
            else extrapolated.adjusted_amount + indices.season_index
        end as forecast_amount,
        case
            when indices.is_positive then extrapolated.adjusted_variance * power(indices.season_index, 2)
            else extrapolated.adjusted_variance
        end as variance
    from extrapolated
    inner join indices
        on
            extrapolated.series_id = indices.series_id
            and extrapolated.origin = indices.origin
            and (extrapolated.origin + extrapolated.horizon) % extrapolated.season_months = indices.season_month

),

naive_forecasts as (

    select
        horizons.series_id,
        horizons.origin,
        horizons.horizon,
        'seasonal_naive' as forecast_model,
        histories.amount as forecast_amount,
        season_differences.variance * (1 + floor((horizons.horizon - 1) / horizons.season_months)) as variance
    from horizons
    inner join histories
        on
            horizons.series_id = histories.series_id
            and horizons.origin = histories.origin
            and histories.month_number
            = horizons.origin - horizons.season_months + 1 + (horizons.horizon - 1) % horizons.season_months
    left join season_differences
        on
            horizons.series_id = season_differences.series_id
            and horizons.origin = season_differences.origin

),

drift_forecasts as (

    select
        horizons.series_id,
        horizons.origin,
        horizons.horizon,
        'drift' as forecast_model,
        month_differences.last_amount + horizons.horizon * month_differences.drift as forecast_amount,
        greatest(
            month_differences.squares - month_differences.differences * power(month_differences.drift, 2), 0
        ) / nullif(month_differences.differences - 1, 0)
        * horizons.horizon * (1 + cast(horizons.horizon as double) / month_differences.differences) as variance
    from horizons
    inner join month_differences
        on
            horizons.series_id = month_differences.series_id
            and horizons.origin = month_differences.origin

),

forecasts as (

    select
        series_id,
        origin,
        horizon,
        forecast_model,
        forecast_amount,
        variance
    from naive_forecasts
    union all
    select
        series_id,
        origin,
        horizon,
        forecast_model,
        forecast_amount,
        variance
    from drift_forecasts
    union all
    select
        series_id,
        origin,
        horizon,
        forecast_model,
        forecast_amount,
        variance
    from smoothing_forecasts

),

final as (

    select
        forecasts.series_id,
        forecasts.origin,
        origins.origin < origins.length as is_backtest,
        forecasts.forecast_model,
        forecasts.horizon,
        series.amount as actual_amount,
        forecasts.forecast_amount,
        sqrt(forecasts.variance) as deviation_amount,
        season_differences.scale_amount,
        cast(origins.season_months as integer) as season_months
    from forecasts
    inner join origins
        on
            forecasts.series_id = origins.series_id
            and forecasts.origin = origins.origin
    left join season_differences
        on
            forecasts.series_id = season_differences.series_id
            and forecasts.origin = season_differences.origin
    left join series
        on
            forecasts.series_id = series.series_id
            and forecasts.origin + forecasts.horizon = series.month_number

)

select * from final
