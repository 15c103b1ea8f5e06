-- One row per review (closed fiscal period or quarter of the reporting entity) and item of its checklist.
with

review_items as (

    select * from {{ ref('review_items') }}

),

review_signoffs as (

    select * from {{ ref('review_signoffs') }}

),

governance_indicators as (

    select * from {{ ref('int_governance_indicators') }}

),

risks as (

    select * from {{ ref('rpt_risk_register') }}

),

fiscal_periods as (

    select
        fiscal_period,
        fiscal_year,
        fiscal_quarter,
        period_sequence,
        is_closed,
        {{ period_month('end_on') }} as month_date
    from {{ ref('dim_fiscal_period') }}
    where is_reporting_entity

),

indicators as (

    select
        indicator_id,
        month_date,
        indicator_value
    from governance_indicators
    union all
    select
        'triggered_risks' as indicator_id,
        cast(null as date) as month_date,
        cast(count_if(risk_status = 'triggered') as double) as indicator_value
    from risks

),

closed_periods as (

    select
        fiscal_period,
        month_date,
        cast(fiscal_year as string) || '-Q' || cast(fiscal_quarter as string) as review_quarter
    from fiscal_periods
    where is_closed

),

-- A quarter is reviewed once all its periods are closed.
closed_quarters as (

    select
        cast(fiscal_year as string) || '-Q' || cast(fiscal_quarter as string) as review_period,
        max(month_date) as month_date
    from fiscal_periods
    group by fiscal_year, fiscal_quarter
    having bool_and(is_closed)

),

reviews as (

    select
        'monthly' as review_cycle,
        fiscal_period as review_period,
        month_date
    from closed_periods
    union all
    select
        'quarterly' as review_cycle,
        review_period,
        month_date
    from closed_quarters

),

numbered as (

    select
        review_cycle,
        review_period,
        month_date,
        row_number() over (partition by review_cycle order by month_date desc) = 1 as is_latest
    from reviews

),

-- What is only known as of now answers the latest review, not those before.
answered as (

    select
        numbered.review_cycle,
        numbered.review_period,
        numbered.month_date,
        numbered.is_latest,
        review_items.item_id,
        review_items.item_name,
        review_items.indicator_id,
        review_items.comparison,
        review_items.threshold,
        review_items.owner,
        coalesce(by_month.indicator_value, as_of_now.indicator_value) as measured_value
    from numbered
    inner join review_items on numbered.review_cycle = review_items.review_cycle
    left join indicators as by_month
        on
            review_items.indicator_id = by_month.indicator_id
            and numbered.month_date = by_month.month_date
    left join indicators as as_of_now
        on
            review_items.indicator_id = as_of_now.indicator_id
            and as_of_now.month_date is null
            and numbered.is_latest

),

judged as (

    select
        *,
        case comparison
            when 'at_most' then measured_value <= threshold
            else measured_value >= threshold
        end as is_passed
    from answered

),

final as (

    select
        judged.review_cycle,
        judged.review_period,
        judged.month_date,
        judged.is_latest,
        judged.item_id,
        judged.item_name,
        judged.owner,
        judged.indicator_id,
        judged.measured_value,
        case
            when judged.measured_value is not null then null
            when judged.is_latest then 'not_measured'
            else 'known_for_the_latest_only'
        end as measured_value_reason,
        judged.comparison,
        judged.threshold,
        judged.is_passed,
        case
            when judged.is_passed is null then 'not_measured'
            when judged.is_passed then 'passed'
            else 'failed'
        end as item_status,
        review_signoffs.signed_on is not null as is_signed,
        review_signoffs.prepared_by,
        review_signoffs.signed_by,
        review_signoffs.signed_on,
        review_signoffs.remarks
    from judged
    left join review_signoffs
        on
            judged.review_cycle = review_signoffs.review_cycle
            and judged.review_period = review_signoffs.review_period

)

select * from final
