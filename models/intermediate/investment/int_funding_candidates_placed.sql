-- One row per problem and candidate worth considering: taken, left out or to be decided, and the bits it has then.
with

ordered as (

    select * from {{ ref('int_funding_candidates_ranked') }}

),

problems as (

    select * from {{ ref('int_funding_problems') }}

),

demands as (

    select
        initiative_id,
        constraint_id,
        constraint_type,
        cast(demand_amount as double) as demand_amount,
        cast(limit_amount as double) as limit_amount
    from {{ ref('int_funding_demands_measured') }}

),

sizes as (

    select count(*) as candidate_count
    from ordered

),

problem_ids as (

    select distinct problem_id
    from problems

),

running_demands as (

    select
        ordered.prefix_rank,
        demands.constraint_id,
        demands.constraint_type,
        demands.limit_amount,
        sum(demands.demand_amount) over (
            partition by demands.constraint_id
            order by ordered.prefix_rank
            rows unbounded preceding
        ) as demand_amount
    from ordered
    inner join demands
        on ordered.initiative_id = demands.initiative_id

),

-- Beyond 20: fund in order of the index until a limit breaks, then reconsider the 14 candidates around the break.
breaks as (

    select
        problems.problem_id,
        coalesce(
            min(
                case
                    when
                        running_demands.demand_amount
                        > running_demands.limit_amount
                        * case when running_demands.constraint_type = 'budget' then problems.budget_level else 1 end
                        * (1 + 1e-9)
                        then running_demands.prefix_rank
                end
            ),
            1000000
        ) as break_rank
    from problems
    left join running_demands
        on problems.problem_id >= 0
    where problems.problem_id >= 0
    group by problems.problem_id

),

core_starts as (

    select
        problem_ids.problem_id,
        case
            when breaks.problem_id is not null
                then greatest(least(breaks.break_rank - 7, sizes.candidate_count - 13), 1)
        end as core_start
    from problem_ids
    cross join sizes
    left join breaks
        on problem_ids.problem_id = breaks.problem_id

),

roles as (

    select
        core_starts.problem_id,
        ordered.initiative_id,
        ordered.npv_amount,
        ordered.cost_amount,
        ordered.depends_on_initiative_id,
        ordered.exclusive_group,
        ordered.is_forced,
        ordered.index_rank,
        case
            when core_starts.core_start is null then 'core'
            when ordered.prefix_rank < core_starts.core_start then 'funded'
            when ordered.prefix_rank < core_starts.core_start + 14 then 'core'
            else 'left_out'
        end as candidate_role
    from ordered
    cross join core_starts

),

core as (

    select
        problem_id,
        initiative_id,
        depends_on_initiative_id,
        exclusive_group,
        is_forced,
        cast(round(cast(npv_amount as double) * 100) as bigint) as npv_cents,
        cast(round(cast(cost_amount as double) * 100) as bigint) as cost_cents,
        row_number() over (partition by problem_id order by initiative_id) as place,
        case
            when row_number() over (partition by problem_id order by initiative_id)
                <= count(*) over (partition by problem_id) / 2
                then 0
            else 1
        end as half,
        cast(power(2, row_number() over (partition by problem_id order by initiative_id desc) - 1) as bigint) as id_bit,
        cast(power(2, row_number() over (partition by problem_id order by index_rank desc) - 1) as bigint)
        * case when npv_amount > 0 or is_forced then 1 else -1 end as index_bit
    from roles
    where candidate_role = 'core'

),

-- Bits stand for candidates: what each needs, which alternatives it shuts out.
bits as (

    select
        core.problem_id,
        core.initiative_id,
        core.half,
        core.is_forced,
        core.npv_cents,
        core.cost_cents,
        core.id_bit,
        core.index_bit,
        core.exclusive_group,
        coalesce(prerequisites.id_bit, 0) as required_bit,
        row_number() over (partition by core.problem_id, core.half order by core.id_bit) - 1 as position,
        case
            when core.exclusive_group is not null
                then
                    cast(
                        power(2, dense_rank() over (
                            partition by core.problem_id
                            order by core.exclusive_group nulls first
                        ) - 1)
                        as bigint
                    )
            else 0
        end as group_bit
    from core
    left join core as prerequisites
        on
            core.problem_id = prerequisites.problem_id
            and core.depends_on_initiative_id = prerequisites.initiative_id

),

final as (

    select
        roles.problem_id,
        roles.initiative_id,
        roles.depends_on_initiative_id,
        roles.exclusive_group,
        roles.candidate_role,
        bits.is_forced,
        bits.half,
        bits.position,
        bits.npv_cents,
        bits.cost_cents,
        bits.id_bit,
        bits.index_bit,
        bits.required_bit,
        bits.group_bit
    from roles
    left join bits
        on
            roles.problem_id = bits.problem_id
            and roles.initiative_id = bits.initiative_id

)

select * from final
