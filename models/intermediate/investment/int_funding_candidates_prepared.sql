-- One row per initiative that competes for money.
with

initiatives as (

    select
        initiative_id,
        status,
        depends_on_initiative_id,
        exclusive_group,
        is_mandatory
    from {{ ref('dim_initiative') }}

),

-- Judged by the forecast: the case as its reference class says it will turn out.
returns as (

    select
        initiative_id,
        valuation_npv_amount,
        cost_amount
    from {{ ref('rpt_initiative_returns') }}
    where version_role = 'forecast'

),

-- Approved but not begun is money promised: it competes, but cannot lose.
candidates as (

    select
        initiative_id,
        depends_on_initiative_id,
        exclusive_group,
        is_mandatory or status = 'approved' as is_mandatory
    from initiatives
    where status in ('proposed', 'approved')

),

funded as (

    select
        initiative_id,
        exclusive_group
    from initiatives
    where status in ('in_progress', 'live')

),

-- An alternative already funded closes its group.
closed_groups as (

    select distinct exclusive_group
    from funded
    where exclusive_group is not null

),

final as (

    select
        candidates.initiative_id,
        returns.valuation_npv_amount as npv_amount,
        returns.cost_amount,
        case when funded.initiative_id is null then candidates.depends_on_initiative_id end as depends_on_initiative_id,
        candidates.exclusive_group,
        candidates.is_mandatory,
        closed_groups.exclusive_group is null as is_available
    from candidates
    inner join returns
        on candidates.initiative_id = returns.initiative_id
    left join funded
        on candidates.depends_on_initiative_id = funded.initiative_id
    left join closed_groups
        on candidates.exclusive_group = closed_groups.exclusive_group

)

select * from final
