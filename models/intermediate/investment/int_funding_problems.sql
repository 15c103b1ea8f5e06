-- One row per budget level: the problem that solves it.
with

budget_levels as (

    select cast(budget_level as double) as budget_level
    from {{ ref('budget_levels') }}

),

candidates as (

    select * from {{ ref('int_funding_candidates_ranked') }}

),

sizes as (

    select count(*) as candidate_count
    from candidates

),

-- Up to 20 candidates are one problem, solved for all levels at once; more are one problem a level.
final as (

    select
        budget_levels.budget_level,
        case when sizes.candidate_count <= 20 then cast(-1 as double) else budget_levels.budget_level end as problem_id
    from budget_levels
    cross join sizes

)

select * from final
