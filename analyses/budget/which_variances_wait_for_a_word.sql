-- Which material variances of closed periods has nobody explained in time, and whose are they? Against the budget in force.
select
    variances.fiscal_period,
    cost_centers.owner,
    cost_centers.cost_center_name,
    accounts.account_name,
    variances.product_id,
    variances.variance_favourable_amount,
    variances.materiality_reason,
    variances.explanation_due_on,
    variances.explained_at
from {{ ref('rpt_budget_variance') }} as variances
left join {{ ref('dim_cost_center') }} as cost_centers on variances.cost_center_id = cost_centers.cost_center_id
left join {{ ref('dim_account') }} as accounts on variances.account_id = accounts.account_id
where
    variances.is_explanation_overdue
    and variances.is_in_force
order by abs(variances.variance_favourable_amount) desc
