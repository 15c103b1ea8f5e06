-- What changed in cloud spending: which events were out of line, and what did each cost?
select
    anomaly_event_id,
    service_name,
    sub_account_id,
    max(product_id) as product_id,
    direction,
    anomaly_status,
    min(charge_date) as first_day,
    max(charge_date) as last_day,
    sum(actual_amount) as actual_amount,
    sum(expected_amount) as expected_amount,
    sum(excess_amount) as excess_amount,
    max(abs(robust_z)) as largest_robust_z
from {{ ref('rpt_cost_anomalies') }}
group by
    anomaly_event_id,
    service_name,
    sub_account_id,
    direction,
    anomaly_status
order by abs(sum(excess_amount)) desc
