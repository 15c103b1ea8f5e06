-- One row per finding and driver.
with

insights as (

    select
        insight_id,
        product_id,
        last_seen_month
    from {{ ref('rpt_insights') }}

),

candidates as (

    select
        insight_id,
        month_date,
        driver,
        driver_amount
    from {{ ref('int_insight_candidates') }}
    where driver_amount <> 0

),

final as (

    select
        insights.insight_id,
        candidates.driver,
        insights.product_id,
        candidates.driver_amount,
        cast(
            row_number() over (
                partition by insights.insight_id order by abs(candidates.driver_amount) desc, candidates.driver asc
            ) as integer
        ) as driver_rank
    from insights
    inner join candidates
        on
            insights.insight_id = candidates.insight_id
            and insights.last_seen_month = candidates.month_date

)

select * from final
