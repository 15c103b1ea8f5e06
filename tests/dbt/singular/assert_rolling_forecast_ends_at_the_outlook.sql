-- The rest of the year in the rolling forecast is what the latest selected outlook leaves for it, line by line.
with

outlooks as (

    select
        entity_id,
        fiscal_period,
        max(fiscal_period) over (partition by entity_id) as reported_period,
        cost_center_id,
        account_id,
        product_id,
        outlook_amount - actual_ytd_amount as rest_amount
    from {{ ref('rpt_budget_outlook') }}
    where is_selected

),

-- A report of the year's last period leaves no rest to spread.
differences as (

    select
        entity_id,
        reported_period,
        cost_center_id,
        account_id,
        product_id,
        forecast_amount as difference
    from {{ ref('rpt_rolling_forecast') }}
    where
        basis = 'outlook'
        and reported_period not like '%-P12'

    union all

    select
        entity_id,
        reported_period,
        cost_center_id,
        account_id,
        product_id,
        -rest_amount as difference
    from outlooks
    where
        fiscal_period = reported_period
        and reported_period not like '%-P12'

)

select
    entity_id,
    reported_period,
    cost_center_id,
    account_id,
    product_id,
    sum(difference) as difference
from differences
group by
    entity_id,
    reported_period,
    cost_center_id,
    account_id,
    product_id
having sum(difference) <> 0
