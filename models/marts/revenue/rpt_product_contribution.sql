-- One row per fiscal period of the reporting entity and product, with one row `unallocated` for what no product bears.
with

revenue as (

    select
        fiscal_period,
        product_id,
        reporting_amount
    from {{ ref('fct_revenue') }}
    where not is_scheduled

),

gl_entries as (

    select
        posted_on,
        reporting_natural_amount
    from {{ ref('int_gl_entries_converted') }}
    where polarity = 1

),

dates as (

    select
        date_day,
        fiscal_period
    from {{ ref('dim_date') }}

),

cost_entries as (

    select
        reporting_fiscal_period as fiscal_period,
        product_id,
        cost_class,
        reporting_amount
    from {{ ref('fct_cost_entries') }}

),

cost_allocations as (

    select
        fiscal_period,
        target_id as product_id,
        cost_class,
        allocated_amount
    from {{ ref('fct_cost_allocations') }}
    where is_in_force and target_type = 'product'

),

products as (

    select
        product_id,
        product_name
    from {{ ref('dim_product') }}

),

fiscal_periods as (

    select
        fiscal_period,
        is_closed,
        {{ period_month('end_on') }} as month_date
    from {{ ref('dim_fiscal_period') }}
    where is_reporting_entity

),

-- Revenue in the ledger that no invoice explains belongs to the company, and to no product.
ledger_revenue as (

    select
        dates.fiscal_period,
        sum(gl_entries.reporting_natural_amount) as amount
    from gl_entries
    inner join dates on gl_entries.posted_on = dates.date_day
    group by dates.fiscal_period

),

invoiced_revenue as (

    select
        fiscal_period,
        sum(reporting_amount) as amount
    from revenue
    group by fiscal_period

),

-- The ladder: what serves customers, supports them and wins them counts wherever a driver leads to the product;
-- of the rest only what the product caused itself.
entries as (

    select
        revenue.fiscal_period,
        products.product_id,
        'revenue' as step,
        false as is_allocated,
        revenue.reporting_amount as amount
    from revenue
    left join products on revenue.product_id = products.product_id

    union all

    select
        ledger_revenue.fiscal_period,
        null as product_id,
        'revenue' as step,
        false as is_allocated,
        ledger_revenue.amount - coalesce(invoiced_revenue.amount, 0) as amount
    from ledger_revenue
    left join invoiced_revenue on ledger_revenue.fiscal_period = invoiced_revenue.fiscal_period

    union all

    select
        fiscal_period,
        product_id,
        case
            when cost_class in ('cost_to_serve', 'support', 'acquisition') then cost_class
            when product_id is not null and cost_class in ('engineering', 'capitalised', 'amortisation')
                then 'engineering'
            when cost_class in ('engineering', 'capitalised', 'amortisation') then 'shared_engineering'
            else 'shared'
        end as step,
        false as is_allocated,
        reporting_amount as amount
    from cost_entries

    union all

    select
        cost_allocations.fiscal_period,
        products.product_id,
        case
            when cost_allocations.cost_class in ('cost_to_serve', 'support', 'acquisition')
                then cost_allocations.cost_class
            when cost_allocations.cost_class in ('engineering', 'capitalised', 'amortisation') then 'shared_engineering'
            else 'shared'
        end as step,
        true as is_allocated,
        cost_allocations.allocated_amount as amount
    from cost_allocations
    inner join products on cost_allocations.product_id = products.product_id

    union all

    -- What products bear of shared cost leaves the company's row.
    select
        cost_allocations.fiscal_period,
        null as product_id,
        case
            when cost_allocations.cost_class in ('cost_to_serve', 'support', 'acquisition')
                then cost_allocations.cost_class
            when cost_allocations.cost_class in ('engineering', 'capitalised', 'amortisation') then 'shared_engineering'
            else 'shared'
        end as step,
        true as is_allocated,
        -cost_allocations.allocated_amount as amount
    from cost_allocations
    inner join products on cost_allocations.product_id = products.product_id

),

summed as (

    select
        fiscal_period,
        coalesce(product_id, 'unallocated') as product_id,
        cast(sum(case when step = 'revenue' then amount else 0 end) as decimal(18, 2)) as revenue_amount,
        cast(sum(case when step = 'cost_to_serve' then amount else 0 end) as decimal(18, 2)) as cost_to_serve_amount,
        cast(sum(case when step = 'support' then amount else 0 end) as decimal(18, 2)) as support_amount,
        cast(sum(case when step = 'acquisition' then amount else 0 end) as decimal(18, 2)) as acquisition_amount,
        cast(sum(case when step = 'engineering' then amount else 0 end) as decimal(18, 2)) as engineering_amount,
        cast(
            sum(case when step in ('shared', 'shared_engineering') then amount else 0 end) as decimal(18, 2)
        ) as shared_cost_amount,
        cast(
            sum(case when step = 'shared_engineering' then amount else 0 end) as decimal(18, 2)
        ) as shared_engineering_amount,
        cast(
            sum(case when is_allocated and step not in ('shared', 'shared_engineering') then amount else 0 end)
            as decimal(18, 2)
        ) as allocated_amount
    from entries
    where amount is not null
    group by fiscal_period, coalesce(product_id, 'unallocated')

),

laddered as (

    select
        *,
        revenue_amount - cost_to_serve_amount as cm1_amount,
        revenue_amount - cost_to_serve_amount - support_amount as cm2_amount,
        revenue_amount - cost_to_serve_amount - support_amount - acquisition_amount as cm3_amount,
        revenue_amount - cost_to_serve_amount - support_amount - acquisition_amount - engineering_amount
            as product_contribution_amount,
        count_if(
            product_id <> 'unallocated'
            and (
                cost_to_serve_amount <> 0
                or support_amount <> 0
                or acquisition_amount <> 0
                or engineering_amount <> 0
            )
        ) over () > 0 as is_cost_borne
    from summed

),

-- While no product bears cost, a margin of 100 % would be no finding but a gap. What no product bears has no margin:
-- its revenue is what the ledger and the invoices differ by, down to pennies of rounding.
based as (

    select
        *,
        case
            when is_cost_borne and product_id <> 'unallocated' and revenue_amount > 0
                then cast(revenue_amount as double)
        end as rate_base
    from laddered

),

final as (

    select
        based.fiscal_period,
        based.product_id,
        products.product_name,
        fiscal_periods.month_date,
        fiscal_periods.is_closed,
        based.revenue_amount,
        based.cost_to_serve_amount,
        cast(based.cm1_amount as decimal(18, 2)) as cm1_amount,
        based.support_amount,
        cast(based.cm2_amount as decimal(18, 2)) as cm2_amount,
        based.acquisition_amount,
        cast(based.cm3_amount as decimal(18, 2)) as cm3_amount,
        based.engineering_amount,
        cast(based.product_contribution_amount as decimal(18, 2)) as product_contribution_amount,
        based.shared_cost_amount,
        based.shared_engineering_amount,
        cast(
            based.product_contribution_amount - based.shared_cost_amount as decimal(18, 2)
        ) as operating_result_amount,
        based.allocated_amount,
        cast(based.cm1_amount as double) / based.rate_base as cm1_rate,
        cast(based.cm2_amount as double) / based.rate_base as cm2_rate,
        cast(based.cm3_amount as double) / based.rate_base as cm3_rate,
        cast(based.product_contribution_amount as double) / based.rate_base as product_contribution_rate,
        case
            when not based.is_cost_borne then 'no_cost_data'
            when based.product_id = 'unallocated' then 'no_product'
            when based.rate_base is null then 'no_revenue'
        end as rate_reason
    from based
    inner join fiscal_periods on based.fiscal_period = fiscal_periods.fiscal_period
    left join products on based.product_id = products.product_id

)

select * from final
