-- One row per account or cost center and each of its ancestors, itself included at distance 0.
with recursive

accounts as (

    select
        'account' as hierarchy,
        account_id as member_id,
        parent_account_id as parent_id
    from {{ ref('chart_of_accounts') }}

),

cost_centers as (

    select
        'cost_center' as hierarchy,
        cost_center_id as member_id,
        parent_cost_center_id as parent_id
    from {{ ref('cost_centers') }}

),

members as (

    select * from accounts

    union all

    select * from cost_centers

),

-- The limit ends the walk where a parent chain bites its tail; a data test reports the cycle.
ancestors as (

    select
        hierarchy,
        member_id,
        member_id as ancestor_id,
        0 as distance
    from members

    union all

    select
        ancestors.hierarchy,
        ancestors.member_id,
        members.parent_id as ancestor_id,
        ancestors.distance + 1 as distance
    from ancestors
    inner join members
        on
            ancestors.hierarchy = members.hierarchy
            and ancestors.ancestor_id = members.member_id
    where
        members.parent_id is not null
        and ancestors.distance < 15

),

final as (

    select
        hierarchy,
        member_id,
        ancestor_id,
        distance
    from ancestors

)

select * from final
