-- One row per product and calendar month, and one for what no product is traced to.
with

gl_entries as (

    select * from {{ ref('int_gl_entries_converted') }}

),

calendar_dates as (

    select * from {{ ref('dim_date') }}

),

product_months as (

    select
        coalesce(product_id, 'unallocated') as product_id,
        posting_month as month_date,
        sum(case when polarity = 1 then reporting_natural_amount else 0 end) as revenue_amount,
        sum(case when polarity = -1 then reporting_natural_amount else 0 end) as direct_cost_amount
    from gl_entries
    where
        polarity <> 0
        and reporting_natural_amount is not null
    group by all

),

last_month as (

    select max(month_date) as month_date
    from product_months

),

product_spans as (

    select
        product_id,
        min(month_date) as first_month
    from product_months
    group by product_id

),

calendar_months as (

    select distinct month_date
    from calendar_dates

),

-- Months without a posting count as months of nothing, so that twelve rows are twelve months.
filled_months as (

    select
        product_spans.product_id,
        calendar_months.month_date,
        coalesce(product_months.revenue_amount, 0) as revenue_amount,
        coalesce(product_months.direct_cost_amount, 0) as direct_cost_amount
    from product_spans
    cross join last_month
    inner join calendar_months
        on calendar_months.month_date between product_spans.first_month and last_month.month_date
    left join product_months
        on
            product_spans.product_id = product_months.product_id
            and calendar_months.month_date = product_months.month_date

),

cumulated as (

    select
        product_id,
        month_date,
        revenue_amount,
        direct_cost_amount,
        count(*) over trailing_year as ttm_months,
        sum(revenue_amount) over trailing_year as ttm_revenue_amount,
        sum(direct_cost_amount) over trailing_year as ttm_direct_cost_amount,
        sum(revenue_amount) over lifetime as lifetime_revenue_amount,
        sum(direct_cost_amount) over lifetime as lifetime_direct_cost_amount
    from filled_months
    window
        trailing_year as (
            partition by product_id
            order by month_date
            rows between 11 preceding and current row
        ),
        lifetime as (
            partition by product_id
            order by month_date
            rows between unbounded preceding and current row
        )

),

final as (

    select
        product_id,
        month_date,
        cast(revenue_amount as decimal(18, 2)) as revenue_amount,
        cast(direct_cost_amount as decimal(18, 2)) as direct_cost_amount,
        cast(revenue_amount - direct_cost_amount as decimal(18, 2)) as contribution_amount,
        cast(ttm_revenue_amount as decimal(18, 2)) as ttm_revenue_amount,
        cast(ttm_direct_cost_amount as decimal(18, 2)) as ttm_direct_cost_amount,
        case
            when ttm_months = 12 and ttm_direct_cost_amount > 0
                then
                    cast(ttm_revenue_amount - ttm_direct_cost_amount as double)
                    / cast(ttm_direct_cost_amount as double)
        end as ttm_roi_rate,
        case
            when ttm_months < 12 then 'less_than_12_months'
            when ttm_direct_cost_amount <= 0 then 'no_cost'
        end as ttm_roi_rate_reason,
        cast(lifetime_revenue_amount as decimal(18, 2)) as lifetime_revenue_amount,
        cast(lifetime_direct_cost_amount as decimal(18, 2)) as lifetime_direct_cost_amount,
        case
            when lifetime_direct_cost_amount > 0
                then
                    cast(lifetime_revenue_amount - lifetime_direct_cost_amount as double)
                    / cast(lifetime_direct_cost_amount as double)
        end as lifetime_roi_rate,
        case when lifetime_direct_cost_amount <= 0 then 'no_cost' end as lifetime_roi_rate_reason
    from cumulated

)

select * from final
