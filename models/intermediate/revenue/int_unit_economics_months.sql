-- One row per month and customer segment, and per month for `all`: what unit economics divide.
with

months as (

    select
        month_date,
        month_number,
        snapshot_on,
        is_survivors_only and not bool_and(is_survivors_only) over () as is_before_losses
    from {{ ref('int_revenue_months') }}

),

customer_months as (

    select * from {{ ref('int_mrr_customer_months') }}

),

customers as (

    select
        customer_id,
        segment
    from {{ ref('dim_customer') }}

),

revenue as (

    select
        customer_id,
        product_id,
        month_date,
        reporting_amount
    from {{ ref('fct_revenue') }}
    where not is_scheduled

),

contributions as (

    select
        month_date,
        product_id,
        cost_to_serve_amount,
        support_amount,
        acquisition_amount,
        engineering_amount,
        shared_cost_amount
    from {{ ref('rpt_product_contribution') }}

),

gl_entries as {{ inlined() }} (

    select
        journal_id,
        account_id,
        account_type,
        posting_month,
        amount,
        currency
    from {{ ref('int_gl_entries_converted') }}

),

fx_rates as (

    select
        from_currency,
        rate_month,
        average_rate
    from {{ ref('int_fx_rates') }}

),

policies as (

    select
        margin_deducts_cost_to_serve,
        margin_deducts_support,
        cash_account_id
    from {{ ref('revenue_policies') }}

),

segments as (

    select
        'all' as segment,
        true as is_all

    union all

    select distinct
        coalesce(customers.segment, 'unknown') as segment,
        false as is_all
    from customer_months
    left join customers on customer_months.customer_id = customers.customer_id

),

movements as (

    select
        customer_months.month_date,
        segments.segment,
        sum(customer_months.closing_mrr_amount) as closing_mrr_amount,
        count(case when customer_months.closing_mrr_amount > 0 then 1 end) as closing_customers,
        count(case when customer_months.opening_mrr_amount > 0 then 1 end) as opening_customers,
        count(case when customer_months.movement_type = 'new' then 1 end) as new_customers,
        count(case when customer_months.movement_type = 'churn' then 1 end) as churned_customers,
        sum(case when customer_months.movement_type = 'new' then customer_months.mrr_change_amount else 0 end)
            as new_amount,
        sum(case when customer_months.movement_type = 'expansion' then customer_months.mrr_change_amount else 0 end)
            as expansion_amount,
        sum(
            case when customer_months.movement_type = 'reactivation' then customer_months.mrr_change_amount else 0 end
        ) as reactivation_amount,
        sum(
            case
                when customer_months.movement_type in ('contraction', 'churn') then -customer_months.mrr_change_amount
                else 0
            end
        ) as lost_amount
    from customer_months
    left join customers on customer_months.customer_id = customers.customer_id
    inner join segments on segments.is_all or segments.segment = coalesce(customers.segment, 'unknown')
    group by customer_months.month_date, segments.segment

),

segment_revenue as (

    select
        revenue.month_date,
        revenue.product_id,
        segments.segment,
        sum(cast(revenue.reporting_amount as double)) as revenue_amount
    from revenue
    left join customers on revenue.customer_id = customers.customer_id
    inner join segments on segments.is_all or segments.segment = coalesce(customers.segment, 'unknown')
    group by revenue.month_date, revenue.product_id, segments.segment

),

product_revenue as (

    select
        month_date,
        product_id,
        revenue_amount
    from segment_revenue
    where segment = 'all' and revenue_amount > 0

),

company_months as (

    select
        month_date,
        sum(revenue_amount) as revenue_amount
    from segment_revenue
    where segment = 'all'
    group by month_date

),

margin_costs as (

    select
        contributions.month_date,
        contributions.product_id,
        cast(
            case when policies.margin_deducts_cost_to_serve then contributions.cost_to_serve_amount else 0 end
            + case when policies.margin_deducts_support then contributions.support_amount else 0 end as double
        ) as cost_amount
    from contributions
    cross join policies

),

-- A segment bears a product's cost by its share of the product's revenue; cost of no product, or of one without
-- revenue, by its share of all revenue.
segment_costs as (

    select
        margin_costs.month_date,
        segment_revenue.segment,
        sum(margin_costs.cost_amount * segment_revenue.revenue_amount / product_revenue.revenue_amount) as cost_amount
    from margin_costs
    inner join product_revenue
        on
            margin_costs.month_date = product_revenue.month_date
            and margin_costs.product_id = product_revenue.product_id
    inner join segment_revenue
        on
            margin_costs.month_date = segment_revenue.month_date
            and margin_costs.product_id = segment_revenue.product_id
    group by margin_costs.month_date, segment_revenue.segment

),

shared_costs as (

    select
        margin_costs.month_date,
        sum(margin_costs.cost_amount) as cost_amount
    from margin_costs
    left join product_revenue
        on
            margin_costs.month_date = product_revenue.month_date
            and margin_costs.product_id = product_revenue.product_id
    where product_revenue.product_id is null
    group by margin_costs.month_date

),

segment_totals as (

    select
        month_date,
        segment,
        sum(revenue_amount) as revenue_amount
    from segment_revenue
    group by month_date, segment

),

-- Months without any cost are months whose cost is not known.
spend as (

    select
        month_date,
        sum(cast(acquisition_amount as double)) as acquisition_amount
    from contributions
    group by month_date
    having
        sum(
            abs(cost_to_serve_amount) + abs(support_amount) + abs(acquisition_amount)
            + abs(engineering_amount) + abs(shared_cost_amount)
        ) > 0

),

cash_journals as (

    select distinct gl_entries.journal_id
    from gl_entries
    inner join policies on gl_entries.account_id = policies.cash_account_id

),

-- What owners pay in or take out moves cash too, and is neither earned nor burnt. Cash converts at the closing rate as a
-- balance, and at the average rate as a flow.
cash_flows as (

    select
        gl_entries.posting_month,
        sum(
            cast({{ convert_amount('gl_entries.amount', 'fx_rates.average_rate') }} as double)
        ) as free_cash_flow_amount
    from gl_entries
    inner join cash_journals on gl_entries.journal_id = cash_journals.journal_id
    cross join policies
    left join fx_rates
        on
            gl_entries.currency = fx_rates.from_currency
            and gl_entries.posting_month = fx_rates.rate_month
    where gl_entries.account_id = policies.cash_account_id or gl_entries.account_type = 'equity'
    group by gl_entries.posting_month

),

-- The open month has not seen all its cost and cash yet, so it has none here.
final as (

    select
        months.month_date,
        months.month_number,
        segments.segment,
        segments.is_all,
        months.is_before_losses,
        cast(coalesce(movements.closing_mrr_amount, 0) as double) as closing_mrr_amount,
        cast(coalesce(movements.closing_customers, 0) as bigint) as closing_customers,
        cast(coalesce(movements.opening_customers, 0) as bigint) as opening_customers,
        cast(coalesce(movements.new_customers, 0) as bigint) as new_customers,
        cast(coalesce(movements.churned_customers, 0) as bigint) as churned_customers,
        cast(coalesce(movements.new_amount, 0) as double) as new_amount,
        cast(coalesce(movements.expansion_amount, 0) as double) as expansion_amount,
        cast(coalesce(movements.reactivation_amount, 0) as double) as reactivation_amount,
        cast(coalesce(movements.lost_amount, 0) as double) as lost_amount,
        case when spend.month_date is not null then coalesce(segment_totals.revenue_amount, 0) end as revenue_amount,
        case
            when spend.month_date is not null
                then
                    coalesce(segment_costs.cost_amount, 0)
                    + coalesce(shared_costs.cost_amount, 0)
                    * coalesce(segment_totals.revenue_amount / nullif(company_months.revenue_amount, 0), 0)
        end as cost_amount,
        spend.acquisition_amount,
        case when segments.is_all then cash_flows.free_cash_flow_amount end as free_cash_flow_amount
    from months
    cross join segments
    left join movements
        on
            months.month_date = movements.month_date
            and segments.segment = movements.segment
    left join segment_totals
        on
            months.month_date = segment_totals.month_date
            and segments.segment = segment_totals.segment
    left join segment_costs
        on
            months.month_date = segment_costs.month_date
            and segments.segment = segment_costs.segment
    left join company_months on months.month_date = company_months.month_date
    left join shared_costs on months.month_date = shared_costs.month_date
    left join spend
        on
            months.month_date = spend.month_date
            and months.snapshot_on = cast({{ dbt.dateadd('day', -1, dbt.dateadd('month', 1, 'months.month_date')) }} as date)
    left join cash_flows
        on
            spend.month_date = cash_flows.posting_month

)

select * from final
