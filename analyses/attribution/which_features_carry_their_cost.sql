-- Which features carry their cost, and how much of the answer hangs on the weight of use? Last twelve closed periods.
with

recent as (

    select
        *,
        dense_rank() over (order by fiscal_period desc) as periods_ago
    from {{ ref('rpt_feature_contribution') }}
    where is_closed

)

select
    product_id,
    feature_id,
    feature_name,
    sum(revenue_amount) as revenue_amount,
    sum(serving_cost_amount) as serving_cost_amount,
    sum(initiative_cost_amount) as initiative_cost_amount,
    sum(contribution_amount) as contribution_amount,
    sum(sensitivity_amount) as sensitivity_amount
from recent
where periods_ago <= 12
group by product_id, feature_id, feature_name
order by contribution_amount desc, feature_id asc
