-- Where will the running year end, line by line, and which budgets will be missed? As of the latest report of each line.
with

numbered as (

    select
        *,
        row_number() over (
            partition by entity_id, fiscal_year, cost_center_id, account_id, product_id, initiative_id
            order by period_number desc
        ) as report_number
    from {{ ref('rpt_budget_outlook') }}
    where
        is_selected
        and final_amount is null

)

select
    fiscal_period,
    cost_center_id,
    account_id,
    product_id,
    initiative_id,
    outlook_method,
    budget_full_year_amount,
    outlook_amount,
    outlook_favourable_amount,
    overspend_probability,
    first_flagged_on,
    budget_exhausted_on
from numbered
where report_number = 1
order by outlook_favourable_amount
