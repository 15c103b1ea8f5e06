-- One row per rule checked on a dataset, by the latest build and by the gate.
with

rule_results as (

    select * from {{ source('audit', 'rule_results') }}

),

final as (

    select
        build_number,
        dataset_type,
        dataset,
        rule_origin,
        rule_id,
        dimension,
        is_critical,
        state,
        checked_rows,
        failed_rows,
        loaded_at
    from rule_results

)

select * from final
