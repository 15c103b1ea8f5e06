-- What lies between the cash we spend and the cost in profit and loss? The bridge, per closed period.
select
    fiscal_period,
    sum(cash_amount) as cash_amount,
    sum(case when cost_class = 'capitalised' then ledger_amount else 0 end) as capitalised_amount,
    sum(case when cost_class = 'amortisation' then ledger_amount else 0 end) as amortisation_amount,
    -sum(case when cost_class = 'prepaid_cloud' then ledger_amount else 0 end) as prepaid_cloud_amount,
    sum(pnl_amount) as pnl_amount,
    sum(cash_amount)
    + sum(case when cost_class in ('capitalised', 'amortisation') then ledger_amount else 0 end)
    - sum(case when cost_class = 'prepaid_cloud' then ledger_amount else 0 end)
    - sum(pnl_amount) as unexplained_amount
from {{ ref('rpt_product_cost') }}
where is_closed
group by fiscal_period
order by fiscal_period
