-- One row per cost center and account, with the rule of funds control that applies.
with

budget_controls as (

    select * from {{ ref('budget_controls') }}

),

hierarchies as (

    select * from {{ ref('int_hierarchies') }}

),

cost_centers as (

    select
        member_id as cost_center_id,
        ancestor_id,
        distance
    from hierarchies
    where hierarchy = 'cost_center'

    union all

    select distinct
        member_id as cost_center_id,
        '*' as ancestor_id,
        99 as distance
    from hierarchies
    where hierarchy = 'cost_center'

),

accounts as (

    select
        member_id as account_id,
        ancestor_id,
        distance
    from hierarchies
    where hierarchy = 'account'

    union all

    select distinct
        member_id as account_id,
        '*' as ancestor_id,
        99 as distance
    from hierarchies
    where hierarchy = 'account'

),

ranked as (

    select
        cost_centers.cost_center_id,
        accounts.account_id,
        budget_controls.rule_id,
        budget_controls.control_mode,
        budget_controls.year_end_policy,
        budget_controls.warn_share,
        row_number() over (
            partition by cost_centers.cost_center_id, accounts.account_id
            order by cost_centers.distance, accounts.distance
        ) as nearness
    from budget_controls
    inner join cost_centers on budget_controls.cost_center_id = cost_centers.ancestor_id
    inner join accounts on budget_controls.account_id = accounts.ancestor_id

),

final as (

    select
        cost_center_id,
        account_id,
        rule_id,
        control_mode,
        year_end_policy,
        warn_share
    from ranked
    where nearness = 1

)

select * from final
