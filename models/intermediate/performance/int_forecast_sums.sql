-- One row per forecast series, method, origin and horizon: products with the method chosen for each, and their sums.
with

fits as (

    select
        series_id,
        origin,
        is_backtest,
        forecast_model,
        horizon,
        actual_amount,
        forecast_amount,
        deviation_amount,
        scale_amount
    from {{ ref('int_forecast_fits') }}

),

histories as (

    select
        series_id,
        measure,
        product_id,
        product_line,
        month_date,
        month_number,
        amount
    from {{ ref('int_forecast_series') }}

),

-- What is too young to be forecast is in no sum.
forecast_series as (

    select distinct series_id
    from fits
    where not is_backtest

),

series as (

    select
        histories.series_id,
        histories.measure,
        histories.product_id,
        histories.product_line,
        max(histories.month_number) as length,
        max(histories.month_date) as last_month
    from histories
    inner join forecast_series on histories.series_id = forecast_series.series_id
    group by histories.series_id, histories.measure, histories.product_id, histories.product_line

),

policies as (

    select
        minimum_origins,
        calibration_weight
    from {{ ref('forecast_policies') }}

),

-- Simplest first: where two methods do equally well, the simpler one is taken.
methods as (

    select
        models.forecast_model,
        models.simplicity
    from (
        values
        ('seasonal_naive', 1),
        ('drift', 2),
        ('simple_smoothing', 3),
        ('theta', 4),
        ('holt', 5),
        ('damped', 6)
    ) as models (forecast_model, simplicity)

),

product_forecasts as (

    select
        fits.series_id,
        fits.is_backtest,
        fits.forecast_model,
        series.length - fits.origin as months_back,
        fits.horizon,
        fits.actual_amount,
        fits.forecast_amount,
        fits.deviation_amount,
        fits.scale_amount
    from fits
    inner join series on fits.series_id = series.series_id

),

-- A series without an earlier origin has no errors, and yet a forecast.
scored as (

    select
        series_id,
        forecast_model,
        count(distinct case when is_backtest then months_back end) as origins,
        sum(case when is_backtest then 1 else 0 end) as observations,
        avg(
            case when is_backtest then abs(actual_amount - forecast_amount) / nullif(scale_amount, 0) end
        ) as mase,
        sum(case when is_backtest then abs(actual_amount - forecast_amount) end) as absolute_error
    from product_forecasts
    group by series_id, forecast_model

),

-- Judged on the same origins as the others, and on enough of them; else the benchmark stands.
eligible as (

    select
        scored.series_id,
        scored.forecast_model,
        scored.mase,
        scored.absolute_error,
        methods.simplicity,
        scored.forecast_model = 'seasonal_naive'
        or (
            scored.origins >= policies.minimum_origins
            and scored.observations = max(scored.observations) over (partition by scored.series_id)
        ) as is_eligible
    from scored
    inner join methods on scored.forecast_model = methods.forecast_model
    cross join policies

),

ranked as (

    select
        series_id,
        forecast_model,
        row_number() over (
            partition by series_id
            order by
                case when is_eligible then 0 else 1 end asc,
                round(mase, 6) asc nulls last,
                round(absolute_error, 2) asc,
                simplicity asc
        ) as selection_rank
    from eligible

),

-- A product belongs to itself, to its line and to the company; what is said of those is added up from products.
memberships as (

    select
        series_id,
        series_id as summed_series_id,
        'product' as series_level,
        measure,
        product_id as member_id,
        last_month
    from series
    union all
    select
        series_id,
        measure || ':line:' || product_line as summed_series_id,
        'product_line' as series_level,
        measure,
        product_line as member_id,
        last_month
    from series
    union all
    select
        series_id,
        measure || ':company' as summed_series_id,
        'company' as series_level,
        measure,
        'company' as member_id,
        last_month
    from series

),

sizes as (

    select
        summed_series_id,
        series_level,
        measure,
        member_id,
        last_month,
        count(*) as products
    from memberships
    group by summed_series_id, series_level, measure, member_id, last_month

),

published_methods as (

    select
        series_id,
        'product' as series_level,
        forecast_model as chosen_model,
        forecast_model,
        selection_rank = 1 as is_selected
    from ranked
    union all
    select
        ranked.series_id,
        levels.series_level,
        ranked.forecast_model as chosen_model,
        'bottom_up' as forecast_model,
        true as is_selected
    from ranked
    cross join (values ('product_line'), ('company')) as levels (series_level)
    where ranked.selection_rank = 1
    union all
    select
        ranked.series_id,
        levels.series_level,
        ranked.forecast_model as chosen_model,
        ranked.forecast_model,
        false as is_selected
    from ranked
    cross join (values ('product_line'), ('company')) as levels (series_level)
    where ranked.forecast_model = 'seasonal_naive'

),

summed_history as (

    select
        memberships.summed_series_id,
        histories.month_date,
        sum(histories.amount) as amount
    from memberships
    inner join sizes on memberships.summed_series_id = sizes.summed_series_id
    inner join histories on memberships.series_id = histories.series_id
    group by memberships.summed_series_id, histories.month_date, sizes.products
    having count(*) = sizes.products

),

season_errors as (

    select
        later.summed_series_id,
        later.month_date,
        abs(later.amount - earlier.amount) as season_error
    from summed_history as later
    inner join summed_history as earlier
        on
            later.summed_series_id = earlier.summed_series_id
            and earlier.month_date = cast({{ dbt.dateadd('month', -12, 'later.month_date') }} as date)

),

-- How much of the products' ups and downs was shared up to each month: 1 when they move independently.
changes as (

    select
        series_id,
        month_date,
        amount - lag(amount) over (partition by series_id order by month_number) as change_amount
    from histories

),

change_variances as (

    select
        series_id,
        month_date,
        var_samp(change_amount) over (
            partition by series_id order by month_date rows between unbounded preceding and current row
        ) as variance
    from changes

),

separate_variances as (

    select
        memberships.summed_series_id,
        change_variances.month_date,
        sum(change_variances.variance) as variance
    from memberships
    inner join change_variances on memberships.series_id = change_variances.series_id
    where memberships.series_level <> 'product'
    group by memberships.summed_series_id, change_variances.month_date

),

summed_changes as (

    select
        summed_series_id,
        month_date,
        amount - lag(amount) over (partition by summed_series_id order by month_date) as change_amount
    from summed_history

),

joint_variances as (

    select
        summed_series_id,
        month_date,
        case when count(change_amount) over so_far >= 12 then var_samp(change_amount) over so_far end as variance
    from summed_changes
    window so_far as (
        partition by summed_series_id order by month_date rows between unbounded preceding and current row
    )

),

shared_ratios as (

    select
        joint_variances.summed_series_id,
        joint_variances.month_date,
        sqrt(joint_variances.variance / nullif(separate_variances.variance, 0)) as shared_ratio
    from joint_variances
    inner join separate_variances
        on
            joint_variances.summed_series_id = separate_variances.summed_series_id
            and joint_variances.month_date = separate_variances.month_date

),

-- Sums only where every product of the sum was forecast from that month.
summed as (

    select
        memberships.summed_series_id,
        published_methods.forecast_model,
        published_methods.is_selected,
        product_forecasts.is_backtest,
        product_forecasts.months_back,
        product_forecasts.horizon,
        sum(product_forecasts.actual_amount) as actual_amount,
        sum(product_forecasts.forecast_amount) as forecast_amount,
        sum(product_forecasts.deviation_amount) as deviation_sum,
        sqrt(sum(power(product_forecasts.deviation_amount, 2))) as independent_deviation,
        count(*) as products,
        max(product_forecasts.scale_amount) as product_scale_amount
    from memberships
    inner join published_methods
        on
            memberships.series_id = published_methods.series_id
            and memberships.series_level = published_methods.series_level
    inner join product_forecasts
        on
            published_methods.series_id = product_forecasts.series_id
            and published_methods.chosen_model = product_forecasts.forecast_model
    group by
        memberships.summed_series_id,
        published_methods.forecast_model,
        published_methods.is_selected,
        product_forecasts.is_backtest,
        product_forecasts.months_back,
        product_forecasts.horizon

),

dated as (

    select
        sizes.series_level,
        sizes.measure,
        sizes.member_id,
        summed.*,
        cast({{ dbt.dateadd('month', '-summed.months_back', 'sizes.last_month') }} as date) as origin_month
    from summed
    inner join sizes
        on
            summed.summed_series_id = sizes.summed_series_id
            and summed.products = sizes.products

),

sum_origins as (

    select distinct
        summed_series_id,
        origin_month
    from dated
    where series_level <> 'product'

),

scales as (

    select
        origins.summed_series_id,
        origins.origin_month,
        avg(season_errors.season_error) as scale_amount
    from sum_origins as origins
    inner join season_errors
        on
            origins.summed_series_id = season_errors.summed_series_id
            and origins.origin_month >= season_errors.month_date
    group by origins.summed_series_id, origins.origin_month

),

combined as (

    select
        dated.summed_series_id as series_id,
        dated.series_level,
        dated.measure,
        dated.member_id,
        dated.forecast_model,
        dated.is_selected,
        dated.is_backtest,
        dated.origin_month,
        dated.horizon,
        cast({{ dbt.dateadd('month', 'dated.horizon', 'dated.origin_month') }} as date) as target_month,
        dated.actual_amount,
        dated.forecast_amount,
        dated.deviation_sum,
        dated.independent_deviation,
        shared_ratios.shared_ratio,
        least(
            dated.deviation_sum,
            coalesce(dated.independent_deviation * shared_ratios.shared_ratio, dated.deviation_sum)
        ) as deviation_amount,
        case
            when dated.series_level = 'product' then dated.product_scale_amount else scales.scale_amount
        end as scale_amount
    from dated
    left join shared_ratios
        on
            dated.summed_series_id = shared_ratios.summed_series_id
            and dated.origin_month = shared_ratios.month_date
    left join scales
        on
            dated.summed_series_id = scales.summed_series_id
            and dated.origin_month = scales.origin_month

),

model_origins as (

    select distinct
        series_id,
        forecast_model,
        origin_month,
        shared_ratio
    from combined

),

-- What was known at an origin of how far forecasts had missed, in the deviations they would be given there.
past_misses as (

    select
        model_origins.series_id,
        model_origins.forecast_model,
        model_origins.origin_month,
        past.actual_amount - past.forecast_amount as miss_amount,
        least(
            past.deviation_sum, coalesce(past.independent_deviation * model_origins.shared_ratio, past.deviation_sum)
        ) as deviation_amount
    from model_origins
    inner join combined as past
        on
            model_origins.series_id = past.series_id
            and model_origins.forecast_model = past.forecast_model
            and model_origins.origin_month >= past.target_month
    where past.is_backtest

),

misses as (

    select
        series_id,
        forecast_model,
        origin_month,
        count(*) as misses,
        sum(least(power(miss_amount / deviation_amount, 2), 16)) as squares
    from past_misses
    where deviation_amount > 0
    group by series_id, forecast_model, origin_month

),

-- The formula's own word counts like so many misses of the size it expects.
final as (

    select
        combined.series_id,
        combined.series_level,
        combined.measure,
        combined.member_id,
        combined.forecast_model,
        combined.is_selected,
        combined.is_backtest,
        combined.origin_month,
        combined.horizon,
        combined.target_month,
        combined.actual_amount,
        combined.forecast_amount,
        combined.deviation_amount,
        combined.scale_amount,
        sqrt(
            (policies.calibration_weight + coalesce(misses.squares, 0))
            / (policies.calibration_weight + coalesce(misses.misses, 0))
        ) as calibration_ratio
    from combined
    cross join policies
    left join misses
        on
            combined.series_id = misses.series_id
            and combined.forecast_model = misses.forecast_model
            and combined.origin_month = misses.origin_month

)

select * from final
