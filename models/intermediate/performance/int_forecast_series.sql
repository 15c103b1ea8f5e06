-- One row per product, measure and month that a forecast can learn from, numbered from the oldest.
with

contributions as (

    select
        product_id,
        month_date,
        revenue_amount,
        revenue_amount - operating_result_amount as cost_amount
    from {{ ref('rpt_product_contribution') }}
    where is_closed

),

recurring as (

    select
        product_id,
        month_date,
        reporting_closing_mrr_amount
    from {{ ref('int_mrr_product_months') }}

),

-- Whole months whose contracts are all known; those before the first loss hold only the contracts that survived, unless
-- nothing has been lost yet.
revenue_months as (

    select month_date
    from {{ ref('int_revenue_months') }}
    qualify
        snapshot_on = cast({{ dbt.dateadd('day', -1, dbt.dateadd('month', 1, 'month_date')) }} as date)
        and (not is_survivors_only or bool_and(is_survivors_only) over ())

),

products as (

    select
        product_id,
        product_line
    from {{ ref('dim_product') }}

),

policies as (

    select history_months
    from {{ ref('forecast_policies') }}

),

-- MRR is a balance: one currency without a rate leaves the month out, it does not make it smaller.
recurring_totals as (

    select
        recurring.product_id,
        recurring.month_date,
        {{ sum_complete('recurring.reporting_closing_mrr_amount') }} as amount
    from recurring
    inner join revenue_months on recurring.month_date = revenue_months.month_date
    group by recurring.product_id, recurring.month_date

),

measured as (

    select
        'revenue' as measure,
        product_id,
        month_date,
        cast(revenue_amount as double) as amount
    from contributions
    union all
    select
        'cost' as measure,
        product_id,
        month_date,
        cast(cost_amount as double) as amount
    from contributions
    union all
    select
        'mrr' as measure,
        product_id,
        month_date,
        cast(amount as double) as amount
    from recurring_totals

),

-- All products of a measure learn from the same months, so that their forecasts can be added.
spans as (

    select
        measure,
        max(month_date) as last_month
    from measured
    where amount is not null
    group by measure

),

ranked as (

    select
        measured.measure,
        measured.product_id,
        measured.month_date,
        measured.amount,
        row_number() over (
            partition by measured.measure, measured.product_id
            order by measured.month_date desc
        ) as months_back,
        {{ dbt.datediff('measured.month_date', 'spans.last_month', 'month') }} as distance
    from measured
    inner join spans on measured.measure = spans.measure
    where measured.amount is not null

),

-- Months without a gap up to the last one; what lies before a gap is history of something else.
gapless as (

    select
        ranked.measure,
        ranked.product_id,
        ranked.month_date,
        ranked.amount
    from ranked
    cross join policies
    where
        ranked.months_back = ranked.distance + 1
        and ranked.months_back <= policies.history_months

),

final as (

    select
        gapless.measure || ':' || gapless.product_id as series_id,
        gapless.measure,
        gapless.product_id,
        coalesce(products.product_line, 'unallocated') as product_line,
        gapless.month_date,
        cast(
            row_number() over (partition by gapless.measure, gapless.product_id order by gapless.month_date) as integer
        ) as month_number,
        gapless.amount
    from gapless
    left join products on gapless.product_id = products.product_id

)

select * from final
