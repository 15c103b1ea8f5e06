-- One row per series, origin and month known there: the month as it was, and cleared of its season.
with

series as (

    select
        series_id,
        month_number,
        amount
    from {{ ref('int_forecast_series') }}

),

policies as (

    select
        season_months,
        horizon_months,
        backtest_horizon_months,
        backtest_origins,
        minimum_origins,
        minimum_history_months
    from {{ ref('forecast_policies') }}

),

lengths as (

    select
        series_id,
        max(month_number) as length
    from series
    group by series_id

),

-- Smoothing and Theta need two seasons behind every origin they are judged on, and enough such origins.
plans as (

    select
        lengths.series_id,
        lengths.length,
        policies.season_months,
        policies.horizon_months,
        policies.backtest_horizon_months,
        lengths.length
        - policies.backtest_horizon_months - policies.minimum_origins + 1 >= 2 * policies.season_months as is_smoothable,
        greatest(
            lengths.length - policies.backtest_horizon_months - policies.backtest_origins + 1,
            case
                when
                    lengths.length
                    - policies.backtest_horizon_months - policies.minimum_origins + 1 >= 2 * policies.season_months
                    then 2 * policies.season_months
                else policies.minimum_history_months
            end
        ) as first_origin
    from lengths
    cross join policies
    where lengths.length >= policies.minimum_history_months

),

origins as (

    select
        plans.series_id,
        numbers.origin,
        plans.length,
        plans.is_smoothable,
        case when numbers.origin >= plans.season_months then plans.season_months else 1 end as season_months,
        case
            when numbers.origin = plans.length then plans.horizon_months
            else plans.backtest_horizon_months
        end as horizon_months
    from plans
    cross join range(1, 2000) as numbers (origin)
    where
        numbers.origin = plans.length
        or (
            numbers.origin >= plans.first_origin
            and numbers.origin <= plans.length - plans.backtest_horizon_months
        )

),

-- What was known at each origin.
history as (

    select
        origins.series_id,
        origins.origin,
        origins.length,
        origins.season_months,
        origins.horizon_months,
        origins.is_smoothable,
        series.month_number,
        series.amount,
        min(series.amount) over (partition by origins.series_id, origins.origin) > 0 as is_positive,
        lag(series.amount) over (
            partition by origins.series_id, origins.origin order by series.month_number
        ) as previous_amount
    from origins
    inner join series
        on
            origins.series_id = series.series_id
            and origins.origin >= series.month_number

),

-- Month-on-month changes about their mean: a trend would hide a season, its changes do not.
changes as (

    select
        series_id,
        origin,
        season_months,
        month_number,
        amount - previous_amount
        - avg(amount - previous_amount) over (partition by series_id, origin) as change_amount
    from history
    where
        is_smoothable
        and previous_amount is not null

),

-- Seasonal where the correlation at one season exceeds chance (90 %), the rule of the Theta method.
correlations as (

    select
        changes.series_id,
        changes.origin,
        changes.season_months,
        lags.months_back,
        sum(changes.change_amount * earlier.change_amount) as product_sum
    from changes
    cross join range(0, 13) as lags (months_back)
    inner join changes as earlier
        on
            changes.series_id = earlier.series_id
            and changes.origin = earlier.origin
            and changes.month_number = earlier.month_number + lags.months_back
    where lags.months_back <= changes.season_months
    group by changes.series_id, changes.origin, changes.season_months, lags.months_back

),

shares as (

    select
        series_id,
        origin,
        season_months,
        months_back,
        product_sum / nullif(
            sum(case when months_back = 0 then product_sum end) over (partition by series_id, origin), 0
        ) as correlation
    from correlations

),

seasonality as (

    select
        series_id,
        origin,
        abs(sum(case when months_back = season_months then correlation end))
        > 1.6448536269514722 * sqrt(
            (1 + 2 * sum(case when months_back between 1 and season_months - 1 then correlation * correlation else 0 end))
            / origin
        ) as is_seasonal
    from shares
    group by series_id, origin

),

-- Classical decomposition: a centred moving average over a year, and what each calendar month stands above it.
centred as (

    select
        series_id,
        origin,
        season_months,
        month_number,
        amount,
        is_positive,
        case
            when month_number > 6 and month_number <= origin - 6
                then (
                    sum(amount)
                        over (
                            partition by series_id, origin order by month_number rows between 6 preceding and 5 following
                        )
                    + sum(amount) over (
                        partition by series_id, origin order by month_number rows between 5 preceding and 6 following
                    )
                ) / 24
        end as centre_amount
    from history
    where is_smoothable

),

raw_indices as (

    select
        series_id,
        origin,
        month_number % season_months as season_month,
        is_positive,
        avg(case when is_positive then amount / centre_amount else amount - centre_amount end) as raw_index
    from centred
    where centre_amount is not null
    group by series_id, origin, month_number % season_months, is_positive

),

indices as (

    select
        raw_indices.series_id,
        raw_indices.origin,
        raw_indices.season_month,
        raw_indices.is_positive,
        case
            when not coalesce(seasonality.is_seasonal, false)
                then case when raw_indices.is_positive then 1 else 0 end
            when raw_indices.is_positive
                then
                    raw_indices.raw_index
                    / avg(raw_indices.raw_index) over (partition by raw_indices.series_id, raw_indices.origin)
            else
                raw_indices.raw_index
                - avg(raw_indices.raw_index) over (partition by raw_indices.series_id, raw_indices.origin)
        end as season_index
    from raw_indices
    inner join seasonality
        on
            raw_indices.series_id = seasonality.series_id
            and raw_indices.origin = seasonality.origin

),

-- Without its season only where smoothing has enough history.
final as (

    select
        history.series_id,
        history.origin,
        history.length,
        history.season_months,
        history.horizon_months,
        history.month_number,
        history.amount,
        history.previous_amount,
        history.is_positive,
        indices.season_index,
        case
            when history.is_positive then history.amount / indices.season_index
            else history.amount - indices.season_index
        end as adjusted_amount
    from history
    left join indices
        on
            history.series_id = indices.series_id
            and history.origin = indices.origin
            and history.month_number % history.season_months = indices.season_month

)

select * from final
