-- What moved revenue away from the original budget: price, volume, mix, currency, the calendar? Per product and fiscal year, closed periods.
select
    fiscal_year,
    product_id,
    driver,
    sum(variance_amount) as variance_amount
from {{ ref('rpt_variance_drivers') }}
where
    bridge = 'revenue'
    and budget_version like '%original'
    and is_closed
group by
    fiscal_year,
    product_id,
    driver
order by
    fiscal_year,
    product_id,
    abs(sum(variance_amount)) desc
