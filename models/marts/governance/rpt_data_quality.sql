-- One row per build, dataset and dimension of quality, one per build and dataset for all of them together, and one per
-- build whose version was refused.
with

quality_rules as (

    select * from {{ ref('int_quality_rules') }}

),

quality_dimensions as (

    select * from {{ ref('quality_dimensions') }}

),

quality_scores as (

    select * from {{ ref('stg_governance__quality_scores') }}

),

home_events as (

    select * from {{ ref('stg_governance__home_events') }}

),

datasets as (

    select
        build_number,
        dataset_type,
        dataset,
        max(loaded_at) as loaded_at
    from quality_rules
    group by build_number, dataset_type, dataset

),

measured as (

    select
        build_number,
        dataset_type,
        dataset,
        dimension,
        count(*) as rules_checked,
        count_if(is_failed) as rules_failed,
        concat_ws(', ', array_sort(array_agg(rule_id) filter (where is_failed))) as failed_rules,
        max(checked_rows) as checked_rows,
        sum(failed_rows) as failed_rows,
        bool_or(is_failed and is_critical) as is_gated,
        -- Cells of several columns fail one by one; of rows it only matters whether anything is wrong with them.
        case
            when dimension = 'completeness' then 1.0 - avg(failed_share)
            else 1.0 - least(1.0, sum(failed_share))
        end as score
    from quality_rules
    group by build_number, dataset_type, dataset, dimension

),

by_dimension as (

    select
        datasets.build_number,
        datasets.dataset_type,
        datasets.dataset,
        quality_dimensions.dimension,
        measured.score,
        quality_dimensions.weight,
        quality_dimensions.amber_below,
        quality_dimensions.red_below,
        coalesce(measured.is_gated, false) as is_gated,
        coalesce(measured.rules_checked, 0) as rules_checked,
        coalesce(measured.rules_failed, 0) as rules_failed,
        nullif(measured.failed_rules, '') as failed_rules,
        measured.checked_rows,
        coalesce(measured.failed_rows, 0) as failed_rows,
        datasets.loaded_at
    from datasets
    cross join quality_dimensions
    left join measured
        on
            datasets.build_number = measured.build_number
            and datasets.dataset_type = measured.dataset_type
            and datasets.dataset = measured.dataset
            and quality_dimensions.dimension = measured.dimension
    where quality_dimensions.dimension <> 'all'

),

overall as (

    select
        by_dimension.build_number,
        by_dimension.dataset_type,
        by_dimension.dataset,
        quality_dimensions.dimension,
        sum(by_dimension.score * by_dimension.weight)
        / nullif(sum(by_dimension.weight) filter (where by_dimension.score is not null), 0) as score,
        quality_dimensions.weight,
        quality_dimensions.amber_below,
        quality_dimensions.red_below,
        bool_or(by_dimension.is_gated) as is_gated,
        sum(by_dimension.rules_checked) as rules_checked,
        sum(by_dimension.rules_failed) as rules_failed,
        nullif(
            concat_ws(
                ', ', array_sort(array_agg(by_dimension.failed_rules) filter (where by_dimension.failed_rules is not null))
            ),
            ''
        ) as failed_rules,
        max(by_dimension.checked_rows) as checked_rows,
        sum(by_dimension.failed_rows) as failed_rows,
        max(by_dimension.loaded_at) as loaded_at
    from by_dimension
    cross join quality_dimensions
    where quality_dimensions.dimension = 'all'
    group by
        by_dimension.build_number,
        by_dimension.dataset_type,
        by_dimension.dataset,
        quality_dimensions.dimension,
        quality_dimensions.weight,
        quality_dimensions.amber_below,
        quality_dimensions.red_below

),

scored as (

    select * from by_dimension
    union all
    select * from overall

),

current_build as (

    select
        scored.build_number,
        scored.dataset_type,
        scored.dataset,
        scored.dimension,
        true as is_current,
        scored.score,
        case
            when scored.score is not null then null
            when scored.dimension = 'accuracy' then 'no_authority'
            else 'no_rule'
        end as score_reason,
        scored.weight,
        case
            when scored.score is null then 'not_scored'
            when scored.is_gated or scored.score < scored.red_below then 'red'
            when scored.score < scored.amber_below then 'amber'
            else 'green'
        end as quality_status,
        scored.rules_checked,
        scored.rules_failed,
        scored.failed_rules,
        scored.checked_rows,
        scored.failed_rows,
        scored.loaded_at
    from scored

),

latest_build as (

    select max(build_number) as build_number
    from quality_rules

),

earlier_builds as (

    select quality_scores.*
    from quality_scores
    inner join latest_build on quality_scores.build_number < latest_build.build_number

),

-- A version that fails its audit is never seen; that it failed is.
refused_versions as (

    select
        build_number,
        details as failed_rules,
        1 + (length(details) - length(replace(details, ', ', ''))) / 2 as rules_failed,
        occurred_at
    from home_events
    where event_type = 'audit_failed'
    qualify row_number() over (partition by build_number order by event_number desc) = 1

),

final as (

    select
        cast(build_number as bigint) as build_number,
        dataset_type,
        dataset,
        dimension,
        is_current,
        score,
        score_reason,
        weight,
        quality_status,
        cast(rules_checked as bigint) as rules_checked,
        cast(rules_failed as bigint) as rules_failed,
        failed_rules,
        cast(checked_rows as bigint) as checked_rows,
        cast(failed_rows as bigint) as failed_rows,
        loaded_at
    from current_build
    union all
    select
        cast(build_number as bigint) as build_number,
        dataset_type,
        dataset,
        dimension,
        false as is_current,
        score,
        score_reason,
        weight,
        quality_status,
        cast(rules_checked as bigint) as rules_checked,
        cast(rules_failed as bigint) as rules_failed,
        failed_rules,
        cast(checked_rows as bigint) as checked_rows,
        cast(failed_rows as bigint) as failed_rows,
        loaded_at
    from earlier_builds
    union all
    select
        cast(build_number as bigint) as build_number,
        'version' as dataset_type,
        'version' as dataset,
        'all' as dimension,
        false as is_current,
        cast(null as double) as score,
        'audit_failed' as score_reason,
        cast(0 as double) as weight,
        'red' as quality_status,
        cast(null as bigint) as rules_checked,
        cast(rules_failed as bigint) as rules_failed,
        failed_rules,
        cast(null as bigint) as checked_rows,
        cast(null as bigint) as failed_rows,
        occurred_at as loaded_at
    from refused_versions

)

select * from final
