-- One row per registered pair, segment and lag: how the two series move together, and how each resembles itself.
{{ config(
    materialized=('table' if target.type == 'spark' else 'incremental'),
    incremental_strategy='append',
    pre_hook='{{ drop_changed_series() }}',
    meta={'increments_of': 'any'}
) }}
with

pairs as (

    select
        pair_id,
        transform,
        minimum_lag_months,
        maximum_lag_months
    from {{ ref('kpi_pairs') }}

),

series as (

    select * from {{ ref('int_association_series') }}

),

-- In an increment, series that are what they were have kept their correlations.
changed as (

    select
        pair_id,
        segment,
        {{ series_digest() }} as observations_digest
    from series
    {%- if is_incremental() %}
    where (pair_id, segment) not in (select (kept.pair_id, kept.segment) from {{ this }} as kept)
    {%- endif %}
    group by pair_id, segment

),

observations as (

    select series.*
    from series
    inner join changed
        on
            series.pair_id = changed.pair_id
            and series.segment = changed.segment

),

-- What a value is compared with depends on the pair: the month before, the others of its kind in the month, or its
-- own straight line.
followed as (

    select
        observations.pair_id,
        observations.segment,
        observations.unit_id,
        observations.month_number,
        observations.metric_value,
        observations.kpi_value,
        pairs.transform,
        observations.month_number - lag(observations.month_number) over unit_months = 1 as follows,
        lag(observations.metric_value) over unit_months as earlier_metric,
        lag(observations.kpi_value) over unit_months as earlier_kpi
    from observations
    inner join pairs
        on
            observations.pair_id = pairs.pair_id
            and pairs.transform in ('log_difference', 'difference')
    window unit_months as (
        partition by observations.pair_id, observations.segment, observations.unit_id
        order by observations.month_number
    )

),

peered as (

    select
        observations.pair_id,
        observations.segment,
        observations.unit_id,
        observations.month_number,
        observations.metric_value,
        observations.kpi_value,
        avg(observations.metric_value) over peers as peer_metric,
        avg(observations.kpi_value) over peers as peer_kpi
    from observations
    inner join pairs
        on
            observations.pair_id = pairs.pair_id
            and pairs.transform = 'demean'
    window peers as (
        partition by observations.pair_id, observations.segment, observations.stratum, observations.month_number
    )

),

trended as (

    select
        observations.pair_id,
        observations.segment,
        observations.unit_id,
        observations.month_number,
        observations.metric_value,
        observations.kpi_value,
        avg(observations.metric_value) over unit as mean_metric,
        avg(observations.kpi_value) over unit as mean_kpi,
        avg(cast(observations.month_number as double)) over unit as mean_month,
        var_pop(cast(observations.month_number as double)) over unit as month_variance,
        covar_pop(observations.metric_value, cast(observations.month_number as double)) over unit as metric_trend,
        covar_pop(observations.kpi_value, cast(observations.month_number as double)) over unit as kpi_trend
    from observations
    inner join pairs
        on
            observations.pair_id = pairs.pair_id
            and pairs.transform = 'detrend'
    window unit as (partition by observations.pair_id, observations.segment, observations.unit_id)

),

transformed as (

    select
        pair_id,
        segment,
        unit_id,
        month_number,
        case
            when transform = 'log_difference' and follows and metric_value > 0 and earlier_metric > 0
                then ln(metric_value / earlier_metric)
            when transform = 'difference' and follows then metric_value - earlier_metric
        end as metric_value,
        case
            when transform = 'log_difference' and follows and kpi_value > 0 and earlier_kpi > 0
                then ln(kpi_value / earlier_kpi)
            when transform = 'difference' and follows then kpi_value - earlier_kpi
        end as kpi_value
    from followed
    union all
    select
        pair_id,
        segment,
        unit_id,
        month_number,
        metric_value - peer_metric as metric_value,
        kpi_value - peer_kpi as kpi_value
    from peered
    union all
    select
        pair_id,
        segment,
        unit_id,
        month_number,
        case
            when month_variance > 0
                then metric_value - mean_metric - metric_trend / month_variance * (month_number - mean_month)
        end as metric_value,
        case
            when month_variance > 0
                then kpi_value - mean_kpi - kpi_trend / month_variance * (month_number - mean_month)
        end as kpi_value
    from trended

),

neighbours as (

    select
        pair_id,
        segment,
        metric_value,
        kpi_value,
        case
            when month_number - lag(month_number) over unit_months = 1
                then lag(metric_value) over unit_months
        end as earlier_metric,
        case
            when month_number - lag(month_number) over unit_months = 1
                then lag(kpi_value) over unit_months
        end as earlier_kpi
    from transformed
    window unit_months as (partition by pair_id, segment, unit_id order by month_number)

),

memories as (

    select
        pair_id,
        segment,
        {{ correlation('metric_value', 'earlier_metric') }} as metric_memory,
        {{ correlation('kpi_value', 'earlier_kpi') }} as kpi_memory
    from neighbours
    group by pair_id, segment

),

offsets as (

    select cast(numbers.i as integer) as lag_months
    from range(0, 25) as numbers (i)

),

lags as (

    select
        pairs.pair_id,
        offsets.lag_months
    from pairs
    inner join offsets on offsets.lag_months between pairs.minimum_lag_months and pairs.maximum_lag_months

),

-- The metric of lag_months before, beside the key figure of now.
aligned as (

    select
        later.pair_id,
        later.segment,
        lags.lag_months,
        later.month_number,
        earlier.metric_value,
        later.kpi_value
    from lags
    inner join transformed as later on lags.pair_id = later.pair_id
    inner join transformed as earlier
        on
            later.pair_id = earlier.pair_id
            and later.segment = earlier.segment
            and later.unit_id = earlier.unit_id
            and later.month_number - lags.lag_months = earlier.month_number
    where
        earlier.metric_value is not null
        and later.kpi_value is not null

),

-- Equal values share the mean of their ranks.
metric_ranks as (

    select
        pair_id,
        segment,
        lag_months,
        metric_value,
        sum(count(*)) over (partition by pair_id, segment, lag_months order by metric_value)
        - (count(*) - 1) / 2e0 as metric_rank
    from aligned
    group by pair_id, segment, lag_months, metric_value

),

kpi_ranks as (

    select
        pair_id,
        segment,
        lag_months,
        kpi_value,
        sum(count(*)) over (partition by pair_id, segment, lag_months order by kpi_value)
        - (count(*) - 1) / 2e0 as kpi_rank
    from aligned
    group by pair_id, segment, lag_months, kpi_value

),

spans as (

    select
        pair_id,
        segment,
        lag_months,
        (min(month_number) + max(month_number)) / 2e0 as middle_month
    from aligned
    group by pair_id, segment, lag_months

),

ranked as (

    select
        aligned.pair_id,
        aligned.segment,
        aligned.lag_months,
        aligned.metric_value,
        aligned.kpi_value,
        metric_ranks.metric_rank,
        kpi_ranks.kpi_rank,
        aligned.month_number <= spans.middle_month as is_first_half
    from aligned
    inner join spans
        on
            aligned.pair_id = spans.pair_id
            and aligned.segment = spans.segment
            and aligned.lag_months = spans.lag_months
    inner join metric_ranks
        on
            aligned.pair_id = metric_ranks.pair_id
            and aligned.segment = metric_ranks.segment
            and aligned.lag_months = metric_ranks.lag_months
            and aligned.metric_value = metric_ranks.metric_value
    inner join kpi_ranks
        on
            aligned.pair_id = kpi_ranks.pair_id
            and aligned.segment = kpi_ranks.segment
            and aligned.lag_months = kpi_ranks.lag_months
            and aligned.kpi_value = kpi_ranks.kpi_value

),

correlations as (

    select
        pair_id,
        segment,
        lag_months,
        count(*) as observations,
        {{ correlation('metric_value', 'kpi_value') }} as pearson,
        {{ correlation('metric_rank', 'kpi_rank') }} as spearman,
        {{ correlation('metric_value', 'kpi_value', 'is_first_half') }} as first_half_pearson,
        {{ correlation('metric_value', 'kpi_value', 'not is_first_half') }} as second_half_pearson
    from ranked
    group by pair_id, segment, lag_months

),

final as (

    select
        correlations.pair_id,
        correlations.segment,
        correlations.lag_months,
        correlations.observations,
        correlations.pearson,
        correlations.spearman,
        correlations.first_half_pearson,
        correlations.second_half_pearson,
        memories.metric_memory,
        memories.kpi_memory,
        changed.observations_digest
    from correlations
    inner join changed
        on
            correlations.pair_id = changed.pair_id
            and correlations.segment = changed.segment
    left join memories
        on
            correlations.pair_id = memories.pair_id
            and correlations.segment = memories.segment

)

select * from final
