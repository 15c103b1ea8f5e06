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

),

expected as (

    select
        'customers' as kpi_id,
        product_line,
        month_date,
        customers as numerator,
        0 as denominator
    from customers
    union all
    select
        'logo_churn_rate' as kpi_id,
        product_line,
        month_date,
        lost_customers as numerator,
        opening_customers as denominator
    from cohorts
    union all
    select
        'nrr_rate' as kpi_id,
        product_line,
        month_date,
        closing_amount as numerator,
        opening_amount as denominator
    from cohorts
    union all
    select
        'grr_rate' as kpi_id,
        product_line,
        month_date,
        retained_amount as numerator,
        opening_amount as denominator
    from cohorts

),

figures as (

    select
        kpi_id,
        scope_type,
        scope_id,
        month_date,
        numerator,
        denominator
    from {{ ref('fct_kpi_values') }}
    where kpi_id in ('customers', 'logo_churn_rate', 'nrr_rate', 'grr_rate')

),

lines as (

    select *
    from figures
    where
        scope_type = 'product_line'
        and scope_id <> 'unknown'

),

company as (

    select
        kpi_id,
        month_date
    from figures
    where scope_type = 'company'

)

select
    company.kpi_id,
    coalesce(lines.scope_id, expected.product_line) as scope_id,
    company.month_date,
    lines.numerator,
    lines.denominator,
    expected.numerator as expected_numerator,
    expected.denominator as expected_denominator
from lines
full outer join expected
    on
        lines.kpi_id = expected.kpi_id
        and lines.scope_id = expected.product_line
        and lines.month_date = expected.month_date
inner join company
    on
        coalesce(lines.kpi_id, expected.kpi_id) = company.kpi_id
        and coalesce(lines.month_date, expected.month_date) = company.month_date
where
    abs(coalesce(lines.numerator, 0) - coalesce(expected.numerator, 0)) > 0.01
    or (
        company.kpi_id <> 'customers'
        and abs(coalesce(lines.denominator, 0) - coalesce(expected.denominator, 0)) > 0.01
    )
