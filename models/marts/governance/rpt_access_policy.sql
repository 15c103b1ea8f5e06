-- One row per role and published mart.
with

policies as (

    select * from {{ ref('role_policies') }}

),

scopes as (

    select * from {{ ref('role_scopes') }}

),

marts as (
    {{ published_marts() }}
),

roles as (

    select distinct role_id
    from policies

),

-- What a role holds as its own, by the scope that asks for it.
own as (

    select
        role_id,
        case scope_column when 'product_id' then 'own_products' else 'own_cost_centers' end as row_scope,
        count(*) as own_count
    from scopes
    group by role_id, scope_column

),

-- The pattern that says most decides. The files of the roles and their secure views follow this model.
decided as (

    select
        marts.mart_name,
        policies.role_id,
        policies.mart_pattern,
        policies.row_scope,
        policies.personal_data,
        policies.reason
    from marts
    inner join policies
        on
            marts.mart_name = policies.mart_pattern
            or (
                substr(policies.mart_pattern, length(policies.mart_pattern), 1) = '*'
                and substr(marts.mart_name, 1, length(policies.mart_pattern) - 1)
                = substr(policies.mart_pattern, 1, length(policies.mart_pattern) - 1)
            )
    qualify row_number() over (
            partition by marts.mart_name, policies.role_id
            order by
                case when marts.mart_name = policies.mart_pattern then 0 else 1 end,
                length(policies.mart_pattern) desc
        ) = 1

),

judged as (

    select
        roles.role_id,
        marts.*,
        decided.mart_pattern,
        decided.row_scope,
        decided.personal_data,
        decided.reason,
        coalesce(own.own_count, 0) as own_count,
        case
            when decided.row_scope is null then 'no_policy'
            when decided.row_scope = 'none' then 'denied'
            when decided.row_scope = 'own_products' and not marts.has_product then 'cannot_tell_whose'
            when decided.row_scope = 'own_cost_centers' and not marts.has_cost_center then 'cannot_tell_whose'
        end as withheld_reason
    from roles
    cross join marts
    left join decided
        on
            roles.role_id = decided.role_id
            and marts.mart_name = decided.mart_name
    left join own
        on
            decided.role_id = own.role_id
            and decided.row_scope = own.row_scope

),

final as (

    select
        role_id,
        mart_name,
        domain,
        withheld_reason is null as is_published,
        withheld_reason,
        mart_pattern,
        case when withheld_reason is null then row_scope else 'none' end as row_scope,
        cast(
            case when withheld_reason is null and row_scope <> 'all' then own_count end as integer
        ) as own_count,
        case
            when withheld_reason is not null then 'none'
            when personal_column_count = 0 then 'not_held'
            else personal_data
        end as personal_data,
        nullif(personal_columns, '') as personal_columns,
        cast(
            case
                when withheld_reason is not null then 0
                when personal_data = 'drop' then column_count - personal_column_count
                when personal_data = 'mask' then column_count - personal_column_count + maskable_column_count
                else column_count
            end as integer
        ) as visible_column_count,
        cast(
            case
                when withheld_reason is null and has_group_size and personal_data = 'drop'
                    then {{ var('minimum_group_size') }}
            end as integer
        ) as minimum_group_size,
        reason
    from judged

)

select * from final
