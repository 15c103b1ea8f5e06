-- One row per product and month ahead: the forecast split into lines of the profit and loss account.
with

forecasts as (

    select
        measure,
        member_id as product_id,
        target_month,
        horizon,
        origin_month,
        forecast_amount
    from {{ ref('fct_forecasts') }}
    where series_level = 'product'

),

contributions as (

    select
        product_id,
        month_date,
        revenue_amount,
        cost_to_serve_amount,
        support_amount,
        acquisition_amount,
        engineering_amount,
        shared_cost_amount
    from {{ ref('rpt_product_contribution') }}
    where is_closed

),

product_returns as (

    select
        product_id,
        month_date,
        capitalised_amount,
        amortisation_amount
    from {{ ref('rpt_product_roi') }}
    where is_closed

),

recurring as (

    select
        product_id,
        month_date,
        amount
    from {{ ref('int_forecast_series') }}
    where measure = 'mrr'

),

products as (

    select
        product_id,
        product_line
    from {{ ref('dim_product') }}

),

-- Between the end of a month and its close MRR is known, and forecast, one month further than revenue and cost: its last
-- month is not one of theirs.
amounts as (

    select
        product_id,
        target_month,
        max(case when measure <> 'mrr' then horizon end) as horizon,
        max(case when measure <> 'mrr' then origin_month end) as origin_month,
        max(case when measure = 'revenue' then forecast_amount end) as revenue_amount,
        max(case when measure = 'cost' then forecast_amount end) as cost_amount,
        max(case when measure = 'mrr' then forecast_amount end) as mrr_amount
    from forecasts
    group by product_id, target_month
    having count(case when measure <> 'mrr' then 1 end) > 0

),

origin as (

    select max(origin_month) as origin_month
    from amounts

),

-- How the cost of the last twelve closed months was made up; what is forecast in one sum is made up the same way.
mixes as (

    select
        contributions.product_id,
        sum(
            case when contributions.month_date = origin.origin_month then contributions.revenue_amount else 0 end
        ) as last_revenue_amount,
        cast(sum(contributions.cost_to_serve_amount) as double) as cost_to_serve_amount,
        cast(sum(contributions.support_amount) as double) as support_amount,
        cast(sum(contributions.acquisition_amount) as double) as acquisition_amount,
        cast(sum(contributions.engineering_amount) as double) as engineering_amount,
        nullif(
            cast(
                sum(
                    contributions.cost_to_serve_amount + contributions.support_amount
                    + contributions.acquisition_amount + contributions.engineering_amount
                    + contributions.shared_cost_amount
                ) as double
            ),
            0
        ) as cost_amount
    from contributions
    inner join origin
        on
            contributions.month_date > {{ dbt.dateadd('month', -12, 'origin.origin_month') }}
            and contributions.month_date <= origin.origin_month
    group by contributions.product_id

),

investments as (

    select
        product_returns.product_id,
        avg(cast(product_returns.capitalised_amount as double)) as capitalised_amount,
        avg(cast(product_returns.amortisation_amount as double)) as amortisation_amount
    from product_returns
    inner join origin
        on
            product_returns.month_date > {{ dbt.dateadd('month', -12, 'origin.origin_month') }}
            and product_returns.month_date <= origin.origin_month
    group by product_returns.product_id

),

split as (

    select
        amounts.product_id,
        products.product_line,
        amounts.target_month,
        amounts.horizon,
        amounts.origin_month,
        coalesce(amounts.revenue_amount, 0) as revenue_amount,
        coalesce(amounts.cost_amount, 0) as cost_amount,
        coalesce(amounts.mrr_amount, {{ round_amount('recurring.amount') }}) as mrr_amount,
        coalesce(mixes.last_revenue_amount, 0) as last_revenue_amount,
        {%- for line in ['cost_to_serve', 'support', 'acquisition', 'engineering'] %}
        {{ round_amount(
            'coalesce(cast(amounts.cost_amount as double) * mixes.' ~ line ~ '_amount / mixes.cost_amount, 0)'
        ) }} as {{ line }}_amount,
        {%- endfor %}
        {{ round_amount('coalesce(investments.capitalised_amount, 0)') }} as capitalised_amount,
        {{ round_amount('coalesce(investments.amortisation_amount, 0)') }} as amortisation_amount
    from amounts
    left join mixes on amounts.product_id = mixes.product_id
    left join investments on amounts.product_id = investments.product_id
    left join products on amounts.product_id = products.product_id
    left join recurring
        on
            amounts.product_id = recurring.product_id
            and amounts.target_month = recurring.month_date

),

-- Shared cost takes the rounding, so that the lines make the forecast to the cent.
final as (

    select
        product_id,
        product_line,
        target_month,
        horizon,
        origin_month,
        revenue_amount,
        cost_to_serve_amount,
        support_amount,
        acquisition_amount,
        engineering_amount,
        cast(
            cost_amount - cost_to_serve_amount - support_amount - acquisition_amount - engineering_amount
            as decimal(18, 2)
        ) as shared_cost_amount,
        cost_amount,
        mrr_amount,
        last_revenue_amount,
        capitalised_amount,
        amortisation_amount
    from split

)

select * from final
