-- One row per forecast series and method.
with

backtests as (

    select
        series_id,
        series_level,
        measure,
        member_id,
        forecast_model,
        is_selected,
        origin_month,
        actual_amount,
        forecast_amount,
        deviation_amount,
        deviation_amount * calibration_ratio as calibrated_deviation_amount,
        scale_amount
    from {{ ref('int_forecast_sums') }}
    where is_backtest

),

scored as (

    select
        series_id,
        series_level,
        measure,
        member_id,
        forecast_model,
        is_selected,
        count(distinct origin_month) as origins,
        count(*) as observations,
        min(origin_month) as first_origin_month,
        max(origin_month) as last_origin_month,
        avg(abs(actual_amount - forecast_amount) / nullif(scale_amount, 0)) as mase,
        sum(abs(actual_amount - forecast_amount)) / nullif(sum(abs(actual_amount)), 0) as wape_rate,
        case
            when sum(actual_amount) > 0 then sum(forecast_amount - actual_amount) / sum(actual_amount)
        end as bias_rate,
        avg(
            case when abs(actual_amount - forecast_amount) <= 1.2815515655446 * calibrated_deviation_amount then 1e0 else 0e0 end
        ) as coverage_80_rate,
        avg(
            case when abs(actual_amount - forecast_amount) <= 1.9599639845401 * calibrated_deviation_amount then 1e0 else 0e0 end
        ) as coverage_95_rate,
        avg(
            case when abs(actual_amount - forecast_amount) <= 1.2815515655446 * deviation_amount then 1e0 else 0e0 end
        ) as formula_coverage_80_rate,
        avg(2 * 1.2815515655446 * calibrated_deviation_amount) as width_80
    from backtests
    group by series_id, series_level, measure, member_id, forecast_model, is_selected

),

benchmarks as (

    select
        series_id,
        mase
    from scored
    where forecast_model = 'seasonal_naive'

),

final as (

    select
        scored.series_id,
        scored.series_level,
        scored.measure,
        scored.member_id,
        scored.forecast_model,
        scored.is_selected,
        cast(scored.origins as integer) as origins,
        cast(scored.observations as integer) as observations,
        scored.first_origin_month,
        scored.last_origin_month,
        scored.mase,
        case when scored.mase is null then 'no_scale' end as mase_reason,
        scored.wape_rate,
        case when scored.wape_rate is null then 'no_actuals' end as wape_rate_reason,
        scored.bias_rate,
        case when scored.bias_rate is null then 'no_positive_actuals' end as bias_rate_reason,
        scored.coverage_80_rate,
        scored.coverage_95_rate,
        scored.formula_coverage_80_rate,
        cast(scored.width_80 as decimal(18, 2)) as width_80_amount,
        scored.mase / nullif(benchmarks.mase, 0) as benchmark_ratio
    from scored
    left join benchmarks on scored.series_id = benchmarks.series_id

)

select * from final
