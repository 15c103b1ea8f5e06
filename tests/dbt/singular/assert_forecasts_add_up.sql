-- Products make product lines and lines make the company, to the cent, whatever method each product uses.
select
    measure,
    target_month,
    sum(case when series_level = 'product' then forecast_amount else 0 end) as product_amount,
    sum(case when series_level = 'product_line' then forecast_amount else 0 end) as line_amount,
    sum(case when series_level = 'company' then forecast_amount else 0 end) as company_amount
from {{ ref('fct_forecasts') }}
group by measure, target_month
having
    sum(case when series_level = 'product' then forecast_amount else 0 end)
    <> sum(case when series_level = 'company' then forecast_amount else 0 end)
    or sum(case when series_level = 'product_line' then forecast_amount else 0 end)
    <> sum(case when series_level = 'company' then forecast_amount else 0 end)
