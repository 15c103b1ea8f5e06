-- One row per earlier build and target that is only known as of a build.
with

target_scores as (

    select * from {{ source('audit', 'target_scores') }}

),

final as (

    select
        build_number,
        target_id,
        fiscal_period,
        month_date,
        item_count,
        passed_item_count
    from target_scores

)

select * from final
