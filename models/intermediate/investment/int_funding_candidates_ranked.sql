-- One row per candidate worth considering, with its place by index and its place in the order of filling.
with recursive

candidates as (

    select
        initiative_id,
        npv_amount,
        cost_amount,
        depends_on_initiative_id,
        exclusive_group,
        is_available,
        coalesce(is_mandatory, false) as is_mandatory,
        cast(npv_amount as double) / nullif(cast(cost_amount as double), 0) as profitability_index
    from {{ ref('int_funding_candidates_prepared') }}

),

-- Everything each candidate stands on, itself included.
lineage as (

    select
        initiative_id,
        initiative_id as ancestor_id,
        0 as depth
    from candidates

    union all

    select
        lineage.initiative_id,
        candidates.depends_on_initiative_id as ancestor_id,
        lineage.depth + 1 as depth
    from lineage
    inner join candidates
        on lineage.ancestor_id = candidates.initiative_id
    where candidates.depends_on_initiative_id is not null and lineage.depth < 20

),

groundings as (

    select
        lineage.initiative_id,
        max(lineage.depth) as depth,
        bool_and(coalesce(candidates.is_available, false) and lineage.depth < 20) as is_available
    from lineage
    left join candidates
        on lineage.ancestor_id = candidates.initiative_id
    group by lineage.initiative_id

),

-- A prerequisite ranks at least as high as the best of what stands on it.
rankings as (

    select
        lineage.ancestor_id as initiative_id,
        count(*) > 1 as is_prerequisite,
        bool_or(candidates.is_mandatory) as is_forced,
        max(coalesce(candidates.profitability_index, 1e9)) as ranking_index
    from lineage
    inner join candidates
        on lineage.initiative_id = candidates.initiative_id
    inner join groundings
        on
            candidates.initiative_id = groundings.initiative_id
            and groundings.is_available
    group by lineage.ancestor_id

),

-- What can never help is left out: it destroys value, nothing stands on it and nobody orders it.
eligible as (

    select
        candidates.initiative_id,
        candidates.npv_amount,
        candidates.cost_amount,
        candidates.depends_on_initiative_id,
        candidates.exclusive_group,
        candidates.profitability_index,
        groundings.depth,
        rankings.is_forced,
        rankings.ranking_index,
        case
            when candidates.exclusive_group is null then 1
            else row_number() over (
                    partition by candidates.exclusive_group
                    order by
                        case when rankings.is_forced then 0 else 1 end asc,
                        rankings.ranking_index desc,
                        candidates.cost_amount asc,
                        candidates.initiative_id asc
                )
        end as place_in_group
    from candidates
    inner join groundings
        on
            candidates.initiative_id = groundings.initiative_id
            and groundings.is_available
    inner join rankings
        on candidates.initiative_id = rankings.initiative_id
    where candidates.npv_amount > 0 or rankings.is_forced or rankings.is_prerequisite

),

-- Whoever stands on an alternative that is not the first of its group waits with it.
waiting as (

    select
        lineage.initiative_id,
        bool_or(eligible.place_in_group > 1) as is_waiting
    from lineage
    inner join eligible
        on lineage.ancestor_id = eligible.initiative_id
    group by lineage.initiative_id

),

final as (

    select
        eligible.initiative_id,
        eligible.npv_amount,
        eligible.cost_amount,
        eligible.depends_on_initiative_id,
        eligible.exclusive_group,
        eligible.is_forced,
        row_number() over (
            order by
                case when eligible.is_forced then 0 else 1 end asc,
                case when eligible.npv_amount > 0 then 0 else 1 end asc,
                eligible.profitability_index desc nulls first,
                eligible.cost_amount asc,
                eligible.initiative_id asc
        ) as index_rank,
        row_number() over (
            order by
                case when eligible.is_forced then 0 else 1 end asc,
                case when waiting.is_waiting then 1 else 0 end asc,
                eligible.ranking_index desc,
                eligible.depth asc,
                eligible.cost_amount asc,
                eligible.initiative_id asc
        ) as prefix_rank
    from eligible
    inner join waiting
        on eligible.initiative_id = waiting.initiative_id

)

select * from final
