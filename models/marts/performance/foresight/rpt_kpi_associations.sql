-- One row per registered pair of metric and key figure, segment and lag.
with

pairs as (

    select * from {{ ref('kpi_pairs') }}

),

policies as (

    select * from {{ ref('association_policies') }}

),

correlations as (

    select * from {{ ref('int_association_correlations') }}

),

features as (

    select
        feature_id,
        product_id
    from {{ ref('dim_feature') }}

),

-- Months that resemble their neighbours count for less; never for more than they are.
measured as (

    select
        correlations.*,
        correlations.observations * least(
            1,
            (1 - coalesce(correlations.metric_memory * correlations.kpi_memory, 0))
            / nullif(1 + coalesce(correlations.metric_memory * correlations.kpi_memory, 0), 0)
        ) as effective_observations
    from correlations

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
        asin(least(1e0, abs(measured.pearson))) as tail_angle,
        measured.effective_observations - 3 as exponent
    from measured
    cross join policies

),

-- Beyond these angles the integrand is less than exp(-36) of what it begins with: -ln cos is convex.
bounded as (

    select
        pair_id,
        segment,
        lag_months,
        exponent,
        tail_angle,
        least(
            acos(-1e0) / 2 - tail_angle,
            sqrt(power(tan(tail_angle), 2) + 72 / exponent) - tan(tail_angle)
        ) as tail_width,
        least(acos(-1e0) / 2, sqrt(72 / exponent)) as whole_width
    from judged
    where p_value_reason is null

),

-- Simpson's rule on 400 slices.
slices as (

    select
        numbers.i / 400e0 as position,
        case
            when numbers.i in (0, 400) then 1e0
            when mod(numbers.i, 2) = 1 then 4e0
            else 2e0
        end as weight
    from range(0, 401) as numbers (i)

),

integrated as (

    select
        bounded.pair_id,
        bounded.segment,
        bounded.lag_months,
        max(bounded.tail_width) * sum(
            slices.weight * power(
                greatest(cos(bounded.tail_angle + bounded.tail_width * slices.position), 0), bounded.exponent
            )
        ) as tail,
        max(bounded.whole_width) * sum(
            slices.weight * power(greatest(cos(bounded.whole_width * slices.position), 0), bounded.exponent)
        ) as whole
    from bounded
    cross join slices
    group by bounded.pair_id, bounded.segment, bounded.lag_months

),

tested as (

    select
        judged.*,
        case when integrated.whole > 0 then least(1, integrated.tail / integrated.whole) end as p_value
    from judged
    left join integrated
        on
            judged.pair_id = integrated.pair_id
            and judged.segment = integrated.segment
            and judged.lag_months = integrated.lag_months

),

ordered as (

    select
        *,
        row_number() over (order by p_value nulls last, pair_id, segment, lag_months) as p_rank,
        count(p_value) over () as tests
    from tested

),

-- Benjamini and Hochberg: the smallest p × tests ÷ rank from this rank on.
corrected as (

    select
        *,
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
        *,
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
        case pairs.scope_type
            when 'feature' then features.product_id
            when 'product' then concluded.segment
        end as product_id,
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
