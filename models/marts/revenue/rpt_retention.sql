-- One row per month that ends a retention window (policy retention_window_months, 12).
with

months as (

    select
        month_date,
        month_number,
        is_survivors_only
    from {{ ref('int_revenue_months') }}

),

customer_months as (

    select * from {{ ref('int_mrr_customer_months') }}

),

policies as (

    select retention_window_months
    from {{ ref('revenue_policies') }}

),

windows as (

    select
        months.month_date,
        policies.retention_window_months,
        opening_months.month_date as opening_month,
        opening_months.is_survivors_only
    from months
    cross join policies
    left join months as opening_months
        on months.month_number = opening_months.month_number + policies.retention_window_months

),

-- The closed cohort: who paid when the window opened, and what the same customers pay when it closes.
cohorts as (

    select
        windows.month_date,
        sum(openings.closing_mrr_amount) as opening_mrr_amount,
        sum(coalesce(endings.closing_mrr_amount, 0)) as closing_mrr_amount,
        sum(
            case
                when coalesce(endings.closing_mrr_amount, 0) < openings.closing_mrr_amount
                    then coalesce(endings.closing_mrr_amount, 0)
                else openings.closing_mrr_amount
            end
        ) as retained_mrr_amount,
        count(*) as opening_customers,
        count(case when coalesce(endings.closing_mrr_amount, 0) <= 0 then 1 end) as lost_customers
    from windows
    inner join customer_months as openings on windows.opening_month = openings.month_date
    left join customer_months as endings
        on
            windows.month_date = endings.month_date
            and openings.customer_id = endings.customer_id
    where openings.closing_mrr_amount > 0
    group by windows.month_date

),

monthly_movements as (

    select
        month_date,
        sum(case when movement_type = 'new' then mrr_change_amount else 0 end) as new_amount,
        sum(case when movement_type = 'expansion' then mrr_change_amount else 0 end) as expansion_amount,
        sum(case when movement_type = 'contraction' then mrr_change_amount else 0 end) as contraction_amount,
        sum(case when movement_type = 'churn' then mrr_change_amount else 0 end) as churn_amount,
        sum(case when movement_type = 'reactivation' then mrr_change_amount else 0 end) as reactivation_amount,
        count(case when movement_type = 'churn' then 1 end) as churn_events
    from customer_months
    group by month_date

),

-- Every movement of the window, also of customers who joined after it opened.
movements as (

    select
        windows.month_date,
        sum(monthly_movements.new_amount) as new_amount,
        sum(monthly_movements.expansion_amount) as expansion_amount,
        sum(monthly_movements.contraction_amount) as contraction_amount,
        sum(monthly_movements.churn_amount) as churn_amount,
        sum(monthly_movements.reactivation_amount) as reactivation_amount,
        sum(monthly_movements.churn_events) as churn_events
    from windows
    inner join monthly_movements
        on
            windows.opening_month < monthly_movements.month_date
            and windows.month_date >= monthly_movements.month_date
    group by windows.month_date

),

measured as (

    select
        windows.month_date,
        windows.opening_month,
        windows.is_survivors_only,
        windows.retention_window_months,
        case
            when windows.opening_month is null then 'window_incomplete'
            when cohorts.month_date is null then 'no_opening_customers'
        end as retention_reason,
        cast(coalesce(cohorts.opening_mrr_amount, 0) as decimal(18, 2)) as opening_mrr_amount,
        cast(coalesce(cohorts.closing_mrr_amount, 0) as decimal(18, 2)) as closing_mrr_amount,
        cast(coalesce(cohorts.retained_mrr_amount, 0) as decimal(18, 2)) as retained_mrr_amount,
        cast(coalesce(cohorts.opening_customers, 0) as bigint) as opening_customers,
        cast(coalesce(cohorts.lost_customers, 0) as bigint) as lost_customers,
        cast(coalesce(movements.churn_events, 0) as bigint) as churn_events,
        cast(coalesce(movements.new_amount, 0) as double) as new_amount,
        cast(coalesce(movements.expansion_amount, 0) as double) as expansion_amount,
        cast(coalesce(movements.contraction_amount, 0) as double) as contraction_amount,
        cast(coalesce(movements.churn_amount, 0) as double) as churn_amount,
        cast(coalesce(movements.reactivation_amount, 0) as double) as reactivation_amount
    from windows
    left join cohorts on windows.month_date = cohorts.month_date
    left join movements on windows.month_date = movements.month_date

),

final as (

    select
        month_date,
        opening_month,
        cast(retention_window_months as integer) as window_months,
        is_survivors_only,
        opening_mrr_amount,
        retained_mrr_amount,
        closing_mrr_amount,
        opening_customers,
        lost_customers,
        churn_events,
        cast(closing_mrr_amount as double) / nullif(cast(opening_mrr_amount as double), 0) as nrr_rate,
        cast(retained_mrr_amount as double) / nullif(cast(opening_mrr_amount as double), 0) as grr_rate,
        cast(lost_customers as double) / nullif(opening_customers, 0) as logo_churn_rate,
        cast(churn_events as double) / nullif(opening_customers, 0) as event_logo_churn_rate,
        (
            cast(opening_mrr_amount as double)
            + expansion_amount + reactivation_amount + contraction_amount + churn_amount
        ) / nullif(cast(opening_mrr_amount as double), 0) as movement_nrr_rate,
        (cast(opening_mrr_amount as double) + contraction_amount + churn_amount)
        / nullif(cast(opening_mrr_amount as double), 0) as movement_grr_rate,
        retention_reason,
        case
            when opening_month is not null
                then
                    (new_amount + expansion_amount + reactivation_amount)
                    / nullif(-(contraction_amount + churn_amount), 0)
        end as quick_ratio,
        case
            when opening_month is not null
                then (new_amount + expansion_amount) / nullif(-(contraction_amount + churn_amount), 0)
        end as quick_ratio_without_reactivation,
        case
            when opening_month is null then 'window_incomplete'
            when contraction_amount + churn_amount = 0 then 'no_losses'
        end as quick_ratio_reason
    from measured

)

select * from final
