-- One row per entity and fiscal period, with the budget version that authorises its spending.
with

fiscal_periods as (

    select * from {{ ref('int_fiscal_periods') }}

),

versions as (

    select *
    from {{ ref('int_budget_versions') }}
    where version_type <> 'forecast'

),

-- The version locked last by the end of the period; a draft only where nothing was locked yet.
candidates as (

    select
        fiscal_periods.entity_id,
        fiscal_periods.fiscal_period,
        fiscal_periods.fiscal_year,
        versions.budget_version,
        versions.locked_on is not null and versions.locked_on <= fiscal_periods.end_on as is_authorised,
        row_number() over (
            partition by fiscal_periods.entity_id, fiscal_periods.fiscal_period
            order by
                coalesce(versions.locked_on <= fiscal_periods.end_on, false) desc,
                case when versions.locked_on <= fiscal_periods.end_on then versions.locked_on end desc nulls last,
                case versions.version_type when 'original' then 1 when 'other' then 2 else 3 end,
                versions.budget_version
        ) as preference
    from fiscal_periods
    inner join versions on fiscal_periods.fiscal_year = versions.fiscal_year

),

final as (

    select
        entity_id,
        fiscal_period,
        fiscal_year,
        budget_version,
        is_authorised
    from candidates
    where preference = 1

)

select * from final
