-- What each scenario does to the company over the months ahead, and how deep cash would fall on the way.
select
    scenario,
    sum(revenue_amount) as revenue_amount,
    sum(operating_result_amount) as operating_result_amount,
    sum(operating_result_change_amount) as operating_result_change_amount,
    sum(cash_flow_amount) as cash_flow_amount,
    min(cumulative_cash_flow_amount) as lowest_cash_amount,
    max(case when horizon = 12 then mrr_amount end) as last_mrr_amount
from {{ ref('rpt_scenarios') }}
where scope_type = 'company'
group by scenario
order by sum(operating_result_amount) desc
