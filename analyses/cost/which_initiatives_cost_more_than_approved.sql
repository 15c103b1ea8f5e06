-- Which initiatives cost more, or took longer, than was approved? Largest overrun first.
select
    initiative_id,
    initiative_name,
    status,
    planned_amount,
    actual_build_cost_amount,
    actual_build_cost_amount - planned_amount as overrun_amount,
    cost_overrun_rate,
    end_slip_days,
    accepted_scope_share,
    people_amount,
    vendor_amount,
    cloud_amount
from {{ ref('rpt_development_cost') }}
where cash_amount > 0
order by
    actual_build_cost_amount - planned_amount desc nulls last,
    initiative_id
