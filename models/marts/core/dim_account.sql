-- One row per general-ledger account, with its place in the account hierarchy.
with

accounts as (

    select * from {{ ref('chart_of_accounts') }}

),

hierarchies as (

    select * from {{ ref('int_hierarchies') }}

),

places as (

    select
        member_id,
        max_by(ancestor_id, distance) as top_account_id,
        cast(max(distance) as integer) as depth
    from hierarchies
    where hierarchy = 'account'
    group by member_id

),

parents as (

    select distinct ancestor_id
    from hierarchies
    where
        hierarchy = 'account'
        and distance = 1

),

final as (

    select
        accounts.account_id,
        accounts.parent_account_id,
        places.top_account_id,
        accounts.account_name,
        top_accounts.account_name as top_account_name,
        accounts.account_type,
        accounts.cost_class,
        accounts.cost_behaviour,
        accounts.detail_source,
        accounts.polarity,
        places.depth,
        parents.ancestor_id is null as is_postable
    from accounts
    inner join places on accounts.account_id = places.member_id
    inner join accounts as top_accounts on places.top_account_id = top_accounts.account_id
    left join parents on accounts.account_id = parents.ancestor_id

)

select * from final
