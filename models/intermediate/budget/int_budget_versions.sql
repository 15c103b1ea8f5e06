-- One row per fiscal year and budget version, with when it was locked and known.
with

budget_lines as (

    select * from {{ ref('fct_budget_lines') }}

),

final as (

    select
        fiscal_year,
        budget_version,
        max(version_type) as version_type,
        bool_and(is_locked) as is_locked,
        cast(max(locked_at) as date) as locked_on,
        max(known_at) as known_at
    from budget_lines
    where fiscal_year is not null
    group by fiscal_year, budget_version

)

select * from final
