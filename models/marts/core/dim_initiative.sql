-- One row per initiative.
with

initiatives as (

    select * from {{ ref('stg_product__initiatives') }}

),

final as (

    select
        initiative_id,
        product_id,
        feature_id,
        objective_id,
        depends_on_initiative_id,
        initiative_name,
        initiative_type,
        status,
        sponsor,
        owner,
        approved_by,
        exclusive_group,
        discount_rate,
        useful_life_months,
        coalesce(is_mandatory, false) as is_mandatory,
        approved_on,
        planned_start_on,
        planned_end_on,
        started_on,
        ready_for_use_on
    from initiatives

)

select * from final
