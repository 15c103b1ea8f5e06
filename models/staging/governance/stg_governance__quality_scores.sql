-- One row per earlier build, dataset and dimension of quality.
with

quality_scores as (

    select * from {{ source('audit', 'quality_scores') }}

),

final as (

    select
        build_number,
        dataset_type,
        dataset,
        dimension,
        score_reason,
        quality_status,
        failed_rules,
        rules_checked,
        rules_failed,
        checked_rows,
        failed_rows,
        score,
        weight,
        loaded_at
    from quality_scores

)

select * from final
