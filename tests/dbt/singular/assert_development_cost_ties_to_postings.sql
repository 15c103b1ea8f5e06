-- The cash cost of an initiative is what its postings come to.
with

reported as (

    select
        initiative_id,
        cash_amount as difference
    from {{ ref('rpt_development_cost') }}

    union all

    select
        entries.initiative_id,
        -entries.reporting_amount as difference
    from {{ ref('fct_cost_entries') }} as entries
    inner join {{ ref('dim_initiative') }} as initiatives on entries.initiative_id = initiatives.initiative_id
    where entries.is_cash_cost

)

select
    initiative_id,
    sum(difference) as difference
from reported
group by initiative_id
having sum(difference) <> 0
