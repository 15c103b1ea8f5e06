-- One row per month and customer segment, and per month for `all`.
with

base_months as (

    select * from {{ ref('int_unit_economics_months') }}

),

policies as (

    select
        unit_economics_window_months,
        sales_cycle_lag_months,
        new_logo_spend_share,
        ltv_horizon_months,
        ltv_monthly_discount_rate
    from {{ ref('revenue_policies') }}

),

months as (

    select distinct
        base_months.month_date,
        base_months.month_number,
        policies.unit_economics_window_months,
        policies.sales_cycle_lag_months
    from base_months
    cross join policies

),

starts as (

    select
        min(case when is_before_losses then null else month_number end) as first_loss_number,
        min(case when revenue_amount is not null then month_number end) as first_cost_number
    from base_months

),

-- A window that reaches back before the data is no window; spend has to be there a sales cycle earlier.
windows as (

    select
        months.month_date,
        coalesce(
            months.month_number + 1 >= starts.first_loss_number + months.unit_economics_window_months, false
        ) as is_churn_complete,
        coalesce(
            months.month_number + 1 >= starts.first_cost_number + months.unit_economics_window_months, false
        ) as is_margin_complete,
        coalesce(
            months.month_number + 1
            >= starts.first_cost_number + months.unit_economics_window_months + months.sales_cycle_lag_months,
            false
        ) as is_spend_complete
    from months
    cross join starts

),

-- Churn, margin and losses pooled over the window, so that one quiet month does not decide. Months before any loss
-- on record may hold survivors only and would make churn look smaller than it was.
pooled as (

    select
        months.month_date,
        base_months.segment,
        sum(case when base_months.is_before_losses then 0 else base_months.opening_customers end) as opening_customers,
        sum(case when base_months.is_before_losses then 0 else base_months.churned_customers end) as churned_customers,
        sum(case when base_months.is_before_losses then 0 else base_months.new_amount end) as new_amount,
        sum(case when base_months.is_before_losses then 0 else base_months.expansion_amount end) as expansion_amount,
        sum(case when base_months.is_before_losses then 0 else base_months.reactivation_amount end) as reactivation_amount,
        sum(case when base_months.is_before_losses then 0 else base_months.lost_amount end) as lost_amount,
        sum(base_months.revenue_amount) as revenue_amount,
        sum(base_months.cost_amount) as cost_amount
    from months
    inner join base_months
        on
            months.month_number >= base_months.month_number
            and months.month_number < base_months.month_number + months.unit_economics_window_months
    group by months.month_date, base_months.segment

),

-- New customers of a month beside the spend that won them, a sales cycle earlier; only months that have both.
won as (

    select
        months.month_date,
        base_months.segment,
        sum(base_months.new_customers) as new_customers,
        sum(base_months.new_amount) as new_amount,
        sum(base_months.expansion_amount) as expansion_amount,
        sum(spending_months.acquisition_amount) as acquisition_amount
    from months
    inner join base_months
        on
            months.month_number >= base_months.month_number
            and months.month_number < base_months.month_number + months.unit_economics_window_months
    inner join base_months as spending_months
        on
            spending_months.is_all
            and base_months.month_number = spending_months.month_number + months.sales_cycle_lag_months
    where spending_months.acquisition_amount is not null
    group by months.month_date, base_months.segment

),

won_by_all as (

    select * from won
    where segment = 'all'

),

-- Spend on new customers is parted from spend on expansion, and split over segments by the MRR they won.
acquisition as (

    select
        won.month_date,
        won.segment,
        won.new_customers,
        won.new_amount,
        won_by_all.acquisition_amount
        * coalesce(
            policies.new_logo_spend_share,
            won_by_all.new_amount / nullif(won_by_all.new_amount + won_by_all.expansion_amount, 0)
        )
        * won.new_amount / nullif(won_by_all.new_amount, 0) as new_logo_spend_amount
    from won
    inner join won_by_all on won.month_date = won_by_all.month_date
    cross join policies

),

-- Sums of the quarter that ends with a month, where each of its three months has them.
quarters as (

    select
        months.month_date,
        months.month_number,
        sum(base_months.revenue_amount) as revenue_amount,
        sum(base_months.acquisition_amount) as acquisition_amount,
        sum(base_months.free_cash_flow_amount) as free_cash_flow_amount
    from months
    inner join base_months
        on
            base_months.is_all
            and months.month_number >= base_months.month_number
            and months.month_number < base_months.month_number + 3
    group by months.month_date, months.month_number
    having count(base_months.revenue_amount) = 3

),

years as (

    select
        months.month_date,
        months.month_number,
        sum(base_months.revenue_amount) as revenue_amount,
        sum(base_months.free_cash_flow_amount) as free_cash_flow_amount
    from months
    inner join base_months
        on
            base_months.is_all
            and months.month_number >= base_months.month_number
            and months.month_number < base_months.month_number + 12
    group by months.month_date, months.month_number
    having count(base_months.revenue_amount) = 12

),

company as (

    select
        quarters.month_date,
        quarters.revenue_amount as quarter_revenue_amount,
        previous_quarters.revenue_amount as previous_quarter_revenue_amount,
        previous_quarters.acquisition_amount as previous_quarter_spend_amount,
        12 * (ending_months.closing_mrr_amount - opening_months.closing_mrr_amount) as net_new_arr_amount,
        -quarters.free_cash_flow_amount as net_burn_amount,
        years.revenue_amount / nullif(previous_years.revenue_amount, 0) - 1 as revenue_growth_rate,
        years.free_cash_flow_amount / nullif(years.revenue_amount, 0) as free_cash_flow_margin_rate
    from quarters
    inner join base_months as ending_months
        on quarters.month_date = ending_months.month_date and ending_months.is_all
    left join base_months as opening_months
        on quarters.month_number = opening_months.month_number + 3 and opening_months.is_all
    left join quarters as previous_quarters on quarters.month_number = previous_quarters.month_number + 3
    left join years on quarters.month_number = years.month_number
    left join years as previous_years on quarters.month_number = previous_years.month_number + 12

),

parts as (

    select
        base_months.month_date,
        base_months.segment,
        base_months.is_all,
        base_months.is_before_losses,
        base_months.closing_mrr_amount,
        base_months.closing_customers,
        base_months.closing_mrr_amount / nullif(base_months.closing_customers, 0) as arpa_amount,
        pooled.revenue_amount,
        pooled.cost_amount,
        windows.is_churn_complete,
        windows.is_margin_complete,
        windows.is_spend_complete,
        case
            when windows.is_margin_complete and pooled.revenue_amount > 0
                then 1 - pooled.cost_amount / pooled.revenue_amount
        end as gross_margin_rate,
        case
            when windows.is_churn_complete
                then cast(pooled.churned_customers as double) / nullif(pooled.opening_customers, 0)
        end as monthly_churn_rate,
        acquisition.month_date is not null as has_spend,
        case when windows.is_spend_complete then acquisition.new_customers end as new_customers,
        case when windows.is_spend_complete then acquisition.new_amount end as new_amount,
        case when windows.is_spend_complete then acquisition.new_logo_spend_amount end as new_logo_spend_amount,
        pooled.new_amount + pooled.expansion_amount + pooled.reactivation_amount as gained_amount,
        pooled.lost_amount,
        company.month_date is not null as has_quarter,
        company.quarter_revenue_amount,
        company.previous_quarter_revenue_amount,
        company.previous_quarter_spend_amount,
        company.net_new_arr_amount,
        company.net_burn_amount,
        company.revenue_growth_rate,
        company.free_cash_flow_margin_rate,
        cast(1 as double) / policies.ltv_horizon_months as lowest_churn_rate,
        policies.ltv_monthly_discount_rate
    from base_months
    cross join policies
    inner join windows on base_months.month_date = windows.month_date
    inner join pooled
        on
            base_months.month_date = pooled.month_date
            and base_months.segment = pooled.segment
    left join acquisition
        on
            base_months.month_date = acquisition.month_date
            and base_months.segment = acquisition.segment
    left join company
        on
            base_months.month_date = company.month_date
            and base_months.is_all

),

-- Churn too small to observe counts as one loss in the horizon, so that fewer losses never lower a lifetime value.
lifetimes as (

    select
        *,
        case when gross_margin_rate > 0 then arpa_amount * gross_margin_rate end as margin_per_customer_amount,
        monthly_churn_rate < lowest_churn_rate as is_ltv_capped,
        case when monthly_churn_rate < lowest_churn_rate then lowest_churn_rate else monthly_churn_rate end
            as lifetime_churn_rate
    from parts

),

-- What is kept of a month's margin in the next: the customers who stay, discounted.
keeping as (

    select
        *,
        (1 - lifetime_churn_rate) / (1 + ltv_monthly_discount_rate) as kept_ratio
    from lifetimes

),

valued as (

    select
        *,
        margin_per_customer_amount / lifetime_churn_rate as ltv_amount,
        margin_per_customer_amount / (1 - kept_ratio) as ltv_discounted_amount,
        new_logo_spend_amount / nullif(new_customers, 0) as cac_amount,
        case
            when gross_margin_rate > 0
                then new_logo_spend_amount / nullif(new_amount * gross_margin_rate, 0)
        end as cac_payback_months
    from keeping

),

final as (

    select
        month_date,
        segment,
        closing_customers,
        {{ round_amount('closing_mrr_amount') }} as closing_mrr_amount,
        {{ round_amount('arpa_amount') }} as arpa_amount,
        case when arpa_amount is null then 'no_customers' end as arpa_amount_reason,
        gross_margin_rate,
        case
            when gross_margin_rate is not null then null
            when cost_amount is null then 'no_cost_data'
            when not is_margin_complete then 'window_incomplete'
            else 'no_revenue'
        end as gross_margin_rate_reason,
        monthly_churn_rate,
        case
            when monthly_churn_rate is not null then null
            when is_before_losses then 'no_losses_on_record'
            when not is_churn_complete then 'window_incomplete'
            else 'no_opening_customers'
        end as monthly_churn_rate_reason,
        {{ round_amount('new_logo_spend_amount') }} as new_logo_spend_amount,
        cast(case when is_spend_complete or not has_spend then coalesce(new_customers, 0) end as bigint) as new_customers,
        {{ round_amount('cac_amount') }} as cac_amount,
        case
            when cac_amount is not null then null
            when not has_spend then 'no_spend_data'
            when not is_spend_complete then 'window_incomplete'
            else 'no_new_customers'
        end as cac_amount_reason,
        cac_payback_months,
        case
            when cac_payback_months is not null then null
            when not has_spend then 'no_spend_data'
            when not is_spend_complete then 'window_incomplete'
            when gross_margin_rate is null then 'no_margin'
            when gross_margin_rate <= 0 then 'negative_margin'
            else 'no_new_customers'
        end as cac_payback_months_reason,
        {{ round_amount('ltv_amount') }} as ltv_amount,
        {{ round_amount('ltv_discounted_amount') }} as ltv_discounted_amount,
        {{ round_amount('ltv_discounted_amount * kept_ratio') }} as ltv_discounted_end_amount,
        coalesce(is_ltv_capped, false) as is_ltv_capped,
        case
            when ltv_amount is not null then null
            when arpa_amount is null then 'no_customers'
            when monthly_churn_rate is null and is_before_losses then 'no_losses_on_record'
            when not is_churn_complete then 'window_incomplete'
            when monthly_churn_rate is null then 'no_opening_customers'
            when gross_margin_rate is null then 'no_margin'
            else 'negative_margin'
        end as ltv_amount_reason,
        ltv_amount / nullif(cac_amount, 0) as ltv_cac_ratio,
        case
            when ltv_amount is null then 'no_ltv'
            when cac_amount is null or cac_amount = 0 then 'no_cac'
        end as ltv_cac_ratio_reason,
        case when is_churn_complete then gained_amount / nullif(lost_amount, 0) end as quick_ratio,
        case
            when not is_churn_complete then 'window_incomplete'
            when lost_amount = 0 then 'no_losses'
        end as quick_ratio_reason,
        (quarter_revenue_amount - previous_quarter_revenue_amount) * 4 / nullif(previous_quarter_spend_amount, 0)
            as magic_number,
        net_new_arr_amount / nullif(previous_quarter_spend_amount, 0) as magic_number_arr,
        case
            when not is_all then 'company_level_only'
            when previous_quarter_revenue_amount is null then 'window_incomplete'
            when coalesce(previous_quarter_spend_amount, 0) = 0 then 'no_spend_data'
        end as magic_number_reason,
        {{ round_amount('net_new_arr_amount') }} as net_new_arr_amount,
        {{ round_amount('net_burn_amount') }} as net_burn_amount,
        case when net_burn_amount > 0 and net_new_arr_amount > 0 then net_burn_amount / net_new_arr_amount end
            as burn_multiple,
        case
            when not is_all then 'company_level_only'
            when not has_quarter or net_new_arr_amount is null then 'window_incomplete'
            when net_burn_amount is null then 'no_cash_data'
            when net_new_arr_amount <= 0 then 'negative_growth'
            when net_burn_amount <= 0 then 'no_burn'
        end as burn_multiple_reason,
        revenue_growth_rate,
        free_cash_flow_margin_rate,
        revenue_growth_rate + free_cash_flow_margin_rate as rule_of_40_rate,
        case
            when not is_all then 'company_level_only'
            when revenue_growth_rate is null then 'window_incomplete'
            when free_cash_flow_margin_rate is null then 'no_cash_data'
        end as rule_of_40_rate_reason
    from valued

)

select * from final
