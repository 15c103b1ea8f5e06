-- One row per cost center, with its place in the cost-center hierarchy.
with

cost_centers as (

    select * from {{ ref('cost_centers') }}

),

hierarchies as (

    select * from {{ ref('int_hierarchies') }}

),

places as (

    select
        member_id,
        max_by(ancestor_id, distance) as top_cost_center_id,
        cast(max(distance) as integer) as depth
    from hierarchies
    where hierarchy = 'cost_center'
    group by member_id

),

final as (

    select
        cost_centers.cost_center_id,
        cost_centers.parent_cost_center_id,
        places.top_cost_center_id,
        cost_centers.entity_id,
        cost_centers.payroll_account_id,
        cost_centers.cost_center_name,
        top_cost_centers.cost_center_name as top_cost_center_name,
        cost_centers.cost_center_type,
        cost_centers.owner,
        places.depth
    from cost_centers
    inner join places on cost_centers.cost_center_id = places.member_id
    inner join cost_centers as top_cost_centers on places.top_cost_center_id = top_cost_centers.cost_center_id

)

select * from final
