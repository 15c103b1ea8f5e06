-- One row per registered pair, segment and lag.
with

pairs as (

    select * from {{ ref('kpi_pairs') }}

),

policies as (

    select * from {{ ref('association_policies') }}

),

observations as (

    select * from {{ ref('int_association_series') }}

),

features as (

    select
        feature_id,
        product_id
    from {{ ref('dim_feature') }}

),

-- What a value is compared with: the month before, the others of its kind in the month, or its own straight line.
compared as (

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
        lag(observations.kpi_value) over unit_months as earlier_kpi,
        avg(observations.metric_value) over peers as peer_metric,
        avg(observations.kpi_value) over peers as peer_kpi,
        avg(observations.metric_value) over unit as mean_metric,
        avg(observations.kpi_value) over unit as mean_kpi,
        avg(cast(observations.month_number as double)) over unit as mean_month,
        var_pop(cast(observations.month_number as double)) over unit as month_variance,
        covar_pop(observations.metric_value, cast(observations.month_number as double)) over unit as metric_trend,
        covar_pop(observations.kpi_value, cast(observations.month_number as double)) over unit as kpi_trend
    from observations
    inner join pairs on observations.pair_id = pairs.pair_id
    window
        unit as (partition by observations.pair_id, observations.segment, observations.unit_id),
        unit_months as (
            partition by observations.pair_id, observations.segment, observations.unit_id
            order by observations.month_number
        ),
        peers as (
            partition by
                observations.pair_id, observations.segment, observations.stratum, observations.month_number
        )

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
            when transform = 'demean' then metric_value - peer_metric
            when transform = 'detrend' and month_variance > 0
                then metric_value - mean_metric - metric_trend / month_variance * (month_number - mean_month)
        end as metric_value,
        case
            when transform = 'log_difference' and follows and kpi_value > 0 and earlier_kpi > 0
                then ln(kpi_value / earlier_kpi)
            when transform = 'difference' and follows then kpi_value - earlier_kpi
            when transform = 'demean' then kpi_value - peer_kpi
            when transform = 'detrend' and month_variance > 0
                then kpi_value - mean_kpi - kpi_trend / month_variance * (month_number - mean_month)
        end as kpi_value
    from compared

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

lags as (

    select
        pairs.pair_id,
        cast(offsets.lag_months as integer) as lag_months
    from pairs
    inner join (select cast(i as integer) as lag_months from range(0, 25) as t (i)) as offsets
        on offsets.lag_months between pairs.minimum_lag_months and pairs.maximum_lag_months

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
ranked as (

    select
        pair_id,
        segment,
        lag_months,
        metric_value,
        kpi_value,
        rank() over (partition by pair_id, segment, lag_months order by metric_value)
        + (count(*) over (partition by pair_id, segment, lag_months, metric_value) - 1) / 2e0 as metric_rank,
        rank() over (partition by pair_id, segment, lag_months order by kpi_value)
        + (count(*) over (partition by pair_id, segment, lag_months, kpi_value) - 1) / 2e0 as kpi_rank,
        2 * month_number <= min(month_number) over (partition by pair_id, segment, lag_months)
        + max(month_number) over (partition by pair_id, segment, lag_months) as is_first_half
    from aligned

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

-- Months that resemble their neighbours count for less; never for more than they are.
measured as (

    select
        correlations.*,
        case
            when correlations.pearson is null then null
            else
                correlations.observations * least(
                    1,
                    (1 - coalesce(memories.metric_memory * memories.kpi_memory, 0))
                    / nullif(1 + coalesce(memories.metric_memory * memories.kpi_memory, 0), 0)
                )
        end as effective_observations
    from correlations
    left join memories
        on
            correlations.pair_id = memories.pair_id
            and correlations.segment = memories.segment

),

judged as (

    select
        measured.*,
        policies.false_discovery_rate,
        case
            when measured.pearson is null then 'no_variation'
            when measured.observations < policies.minimum_observations then 'too_few_observations'
            when measured.effective_observations < policies.minimum_effective_observations
                then 'too_few_effective_observations'
        end as p_value_reason,
        -- With sin(a) = |r|, the two-sided p of Student's t is the tail of cos^(n_eff - 3) beyond a over the whole of it.
        asin(least(1, abs(measured.pearson))) as tail_angle,
        measured.effective_observations - 3 as exponent
    from measured
    cross join policies

),

-- Beyond these angles nothing is left that a double could hold.
bounded as (

    select
        pair_id,
        segment,
        lag_months,
        exponent,
        tail_angle,
        least(acos(-1e0) / 2, sqrt(tail_angle * tail_angle + 80 / exponent)) as tail_end,
        least(acos(-1e0) / 2, sqrt(80 / exponent)) as whole_end
    from judged
    where p_value_reason is null

),

-- Simpson's rule on 200 slices.
integrated as (

    select
        bounded.pair_id,
        bounded.segment,
        bounded.lag_months,
        sum(
            slices.weight * power(
                greatest(cos(bounded.tail_angle + (bounded.tail_end - bounded.tail_angle) * slices.position), 0),
                bounded.exponent
            )
        ) * max(bounded.tail_end - bounded.tail_angle) as tail,
        sum(slices.weight * power(greatest(cos(bounded.whole_end * slices.position), 0), bounded.exponent))
        * max(bounded.whole_end) as whole
    from bounded
    cross join (
        select
            i / 200e0 as position,
            case when i in (0, 200) then 1e0 when mod(i, 2) = 1 then 4e0 else 2e0 end as weight
        from range(0, 201) as t (i)
    ) as slices
    group by bounded.pair_id, bounded.segment, bounded.lag_months

),

tested as (

    select
        judged.*,
        least(1, integrated.tail / integrated.whole) as p_value
    from judged
    left join integrated
        on
            judged.pair_id = integrated.pair_id
            and judged.segment = integrated.segment
            and judged.lag_months = integrated.lag_months

),

ordered as (

    select
        tested.*,
        row_number() over (order by p_value nulls last, pair_id, segment, lag_months) as p_rank,
        count(p_value) over () as tests
    from tested

),

-- Benjamini and Hochberg: the smallest p × tests ÷ rank from this rank on.
corrected as (

    select
        ordered.*,
        case
            when p_value is not null
                then
                    least(
                        1,
                        min(p_value * tests / p_rank) over (
                            order by p_rank rows between current row and unbounded following
                        )
                    )
        end as q_value
    from ordered

),

concluded as (

    select
        corrected.*,
        case
            when p_value_reason is not null then p_value_reason
            when q_value > false_discovery_rate then 'not_beyond_chance'
            when
                coalesce(sign(first_half_pearson) <> sign(pearson), true)
                or coalesce(sign(second_half_pearson) <> sign(pearson), true)
                then 'halves_disagree'
        end as not_significant_reason
    from corrected

),

final as (

    select
        concluded.pair_id,
        concluded.segment,
        concluded.lag_months,
        pairs.metric_id,
        pairs.kpi_id,
        pairs.scope_type,
        case when pairs.scope_type = 'feature' then features.product_id when pairs.scope_type = 'product' then concluded.segment end as product_id,
        pairs.transform,
        cast(pairs.expected_sign as integer) as expected_sign,
        concluded.pearson,
        concluded.spearman,
        concluded.first_half_pearson,
        concluded.second_half_pearson,
        cast(concluded.observations as bigint) as observations,
        concluded.effective_observations,
        concluded.p_value,
        concluded.p_value_reason,
        concluded.q_value,
        cast(concluded.tests as bigint) as tests,
        concluded.not_significant_reason is null as is_significant,
        concluded.not_significant_reason,
        concluded.not_significant_reason is null and sign(concluded.pearson) = pairs.expected_sign as is_as_expected,
        case
            when concluded.not_significant_reason is not null
                then pairs.metric_id || ' and ' || pairs.kpi_id || ' of ' || concluded.segment || ': no association shown'
            else
                case when concluded.pearson > 0 then 'higher ' else 'lower ' end
                || pairs.kpi_id || ' of ' || concluded.segment || ' is associated with higher ' || pairs.metric_id
                || case
                    when concluded.lag_months = 0 then ' in the same month'
                    else ' ' || cast(concluded.lag_months as {{ dbt.type_string() }}) || ' months before'
                end
        end as statement
    from concluded
    inner join pairs on concluded.pair_id = pairs.pair_id
    left join features on concluded.segment = features.feature_id

)

select * from final
