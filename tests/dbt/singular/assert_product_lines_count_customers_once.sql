-- Key figures of a product line are those of its own customers: each counts once, whichever of its products he pays for.
with

payers as (

    select
        contract_months.customer_id,
        products.product_line,
        contract_months.month_date,
        sum(contract_months.constant_closing_mrr_amount) as amount
    from {{ ref('int_mrr_product_months') }} as contract_months
    inner join {{ ref('dim_product') }} as products on contract_months.product_id = products.product_id
    group by contract_months.customer_id, products.product_line, contract_months.month_date
    having sum(contract_months.constant_closing_mrr_amount) > 0

),

customers as (

    select
        product_line,
        month_date,
        count(*) as customers
    from payers
    group by product_line, month_date

),

cohorts as (

    select
        openings.product_line,
        retention.month_date,
        sum(openings.amount) as opening_amount,
        sum(least(openings.amount, coalesce(endings.amount, 0))) as retained_amount,
        sum(coalesce(endings.amount, 0)) as closing_amount,
        count(*) as opening_customers,
        count(case when endings.customer_id is null then 1 end) as lost_customers
    from {{ ref('rpt_retention') }} as retention
    inner join payers as openings on retention.opening_month = openings.month_date
    left join payers as endings
        on
            openings.customer_id = endings.customer_id
            and openings.product_line = endings.product_line
            and retention.month_date = endings.month_date
    group by openings.product_line, retention.month_date

)

select
    figures.kpi_id,
    figures.scope_id,
    figures.month_date,
    figures.numerator,
    figures.denominator
from {{ ref('fct_kpi_values') }} as figures
left join customers
    on
        figures.scope_id = customers.product_line
        and figures.month_date = customers.month_date
left join cohorts
    on
        figures.scope_id = cohorts.product_line
        and figures.month_date = cohorts.month_date
where
    figures.scope_type = 'product_line'
    and figures.scope_id <> 'unknown'
    and (
        (figures.kpi_id = 'customers' and figures.numerator <> coalesce(customers.customers, 0))
        or (figures.kpi_id = 'logo_churn_rate' and figures.numerator <> coalesce(cohorts.lost_customers, 0))
        or (figures.kpi_id = 'logo_churn_rate' and figures.denominator <> coalesce(cohorts.opening_customers, 0))
        or (
            figures.kpi_id = 'nrr_rate'
            and abs(figures.numerator - coalesce(cohorts.closing_amount, 0)) > 0.01
        )
        or (
            figures.kpi_id = 'grr_rate'
            and abs(figures.numerator - coalesce(cohorts.retained_amount, 0)) > 0.01
        )
        or (
            figures.kpi_id = 'nrr_rate'
            and abs(figures.denominator - coalesce(cohorts.opening_amount, 0)) > 0.01
        )
    )
