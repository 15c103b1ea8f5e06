-- Revenue and cost of a product, or of `unallocated`, are those of its contribution, which makes the ledger's result:
-- the ledger books cloud when billed, so what profit and loss sets aside as prepaid comes back in.
with

differences as (

    select
        product_id,
        month_date,
        revenue_amount as revenue_difference,
        revenue_amount - pnl_cost_amount - prepaid_cloud_amount as result_difference
    from {{ ref('rpt_product_roi') }}

    union all

    select
        product_id,
        month_date,
        -revenue_amount as revenue_difference,
        -operating_result_amount as result_difference
    from {{ ref('rpt_product_contribution') }}

)

select
    product_id,
    month_date,
    sum(revenue_difference) as revenue_difference,
    sum(result_difference) as result_difference
from differences
group by
    product_id,
    month_date
having
    sum(revenue_difference) <> 0
    or sum(result_difference) <> 0
