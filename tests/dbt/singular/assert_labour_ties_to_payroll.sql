-- The lines of a rate group and month make its payroll, tools and space, to the penny.
with

lines as (

    select
        rate_group_id,
        period_month,
        fully_loaded_amount as difference
    from {{ ref('fct_labour_costs') }}

    union all

    select
        rate_group_id,
        period_month,
        -(payroll_amount + tools_amount + space_amount) as difference
    from {{ ref('int_payroll_people') }}
    where rate_group_id is not null

)

select
    rate_group_id,
    period_month,
    sum(difference) as difference
from lines
group by
    rate_group_id,
    period_month
having sum(difference) <> 0
