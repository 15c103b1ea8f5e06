-- One row per month from the first contract to the day the revenue data speaks for.
with

subscriptions as (

    select
        valid_from,
        valid_to
    from {{ ref('stg_revenue__subscriptions') }}

),

data_range as (

    select cutoff_on
    from {{ ref('int_revenue_cutoff') }}

),

first_contract as (

    select
        cast(date_trunc('month', min(valid_from)) as date) as first_month,
        cast(date_trunc('month', min(valid_to)) as date) as first_end_month
    from subscriptions

),

numbered as (

    select
        cast({{ dbt.dateadd('month', 'months.month_number', 'first_contract.first_month') }} as date) as month_date,
        months.month_number,
        first_contract.first_end_month,
        data_range.cutoff_on
    from first_contract
    cross join data_range
    cross join range(0, 1200) as months (month_number)

),

-- The open month stands as it does on the last day of data.
final as (

    select
        month_date,
        cast(month_number as integer) as month_number,
        coalesce(month_date < first_end_month, true) as is_survivors_only,
        least(
            cast({{ dbt.dateadd('day', -1, dbt.dateadd('month', 1, 'month_date')) }} as date),
            cutoff_on
        ) as snapshot_on
    from numbered
    where month_date <= cutoff_on

)

select * from final
