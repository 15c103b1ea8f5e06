-- One row per product and calendar month, and one for what no product bears (unallocated).
with

product_months as (

    select
        product_id,
        month_date,
        first_month,
        is_closed,
        revenue_amount,
        direct_cost_amount,
        allocated_cost_amount,
        capitalised_amount,
        amortisation_amount,
        prepaid_cloud_amount,
        pnl_cost_amount
    from {{ ref('int_product_flow_months') }}

),

products as (

    select
        product_id,
        launched_on
    from {{ ref('dim_product') }}

),

measures as (

    select
        flow_set_id,
        npv_amount,
        irr_annual_rate,
        irr_status,
        mirr_annual_rate,
        mirr_rate_reason,
        payback_periods,
        payback_periods_reason,
        profitability_index,
        profitability_index_reason,
        moic_ratio,
        moic_ratio_reason
    from {{ ref('int_return_measures_computed') }}

),

cumulated as (

    select
        product_id,
        month_date,
        first_month,
        is_closed,
        revenue_amount,
        direct_cost_amount,
        allocated_cost_amount,
        capitalised_amount,
        amortisation_amount,
        prepaid_cloud_amount,
        pnl_cost_amount,
        count(*) over trailing_year as ttm_months,
        sum(revenue_amount) over trailing_year as ttm_revenue,
        sum(direct_cost_amount) over trailing_year as ttm_direct_cost,
        sum(allocated_cost_amount) over trailing_year as ttm_allocated_cost,
        sum(capitalised_amount) over trailing_year as ttm_capitalised,
        sum(amortisation_amount) over trailing_year as ttm_amortisation,
        sum(prepaid_cloud_amount) over trailing_year as ttm_prepaid_cloud,
        sum(pnl_cost_amount) over trailing_year as ttm_pnl_cost,
        sum(revenue_amount) over lifetime as lifetime_revenue,
        sum(direct_cost_amount) over lifetime as lifetime_direct_cost,
        sum(allocated_cost_amount) over lifetime as lifetime_allocated_cost,
        sum(capitalised_amount) over lifetime as lifetime_capitalised,
        sum(amortisation_amount) over lifetime as lifetime_amortisation,
        sum(prepaid_cloud_amount) over lifetime as lifetime_prepaid_cloud,
        sum(pnl_cost_amount) over lifetime as lifetime_pnl_cost
    from product_months
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

returned as (

    select
        *,
        ttm_revenue - ttm_direct_cost as ttm_direct_return,
        ttm_revenue - ttm_direct_cost - ttm_allocated_cost as ttm_return,
        ttm_revenue - ttm_pnl_cost as ttm_pnl_return,
        ttm_direct_cost + ttm_allocated_cost as ttm_cost,
        lifetime_revenue - lifetime_direct_cost as lifetime_direct_return,
        lifetime_revenue - lifetime_direct_cost - lifetime_allocated_cost as lifetime_return,
        lifetime_revenue - lifetime_pnl_cost as lifetime_pnl_return,
        lifetime_direct_cost + lifetime_allocated_cost as lifetime_cost
    from cumulated

),

-- What returned is divided by what was put in only where the data hold the money that built the product.
measured as (

    select
        returned.*,
        coalesce(products.launched_on >= returned.first_month, false) as is_lifetime_complete,
        case
            when measures.flow_set_id is null then 'no_flows'
            when not coalesce(products.launched_on >= returned.first_month, false) then 'history_incomplete'
        end as no_measure_reason,
        measures.npv_amount,
        measures.irr_annual_rate,
        measures.irr_status,
        measures.mirr_annual_rate,
        measures.mirr_rate_reason,
        measures.payback_periods,
        measures.payback_periods_reason,
        measures.profitability_index,
        measures.profitability_index_reason,
        measures.moic_ratio,
        measures.moic_ratio_reason
    from returned
    left join products
        on returned.product_id = products.product_id
    left join measures
        on
            'product|' || returned.product_id || '|' || substr(cast(returned.month_date as string), 1, 7)
            = measures.flow_set_id

),

final as (

    select
        product_id,
        month_date,
        is_closed,
        revenue_amount,
        direct_cost_amount,
        allocated_cost_amount,
        capitalised_amount,
        amortisation_amount,
        prepaid_cloud_amount,
        pnl_cost_amount,
        cast(revenue_amount - direct_cost_amount as decimal(18, 2)) as contribution_amount,
        cast(ttm_revenue as decimal(18, 2)) as ttm_revenue_amount,
        cast(ttm_direct_cost as decimal(18, 2)) as ttm_direct_cost_amount,
        cast(ttm_direct_return as decimal(18, 2)) as ttm_direct_return_amount,
        cast(ttm_allocated_cost as decimal(18, 2)) as ttm_allocated_cost_amount,
        cast(ttm_return as decimal(18, 2)) as ttm_return_amount,
        cast(ttm_capitalised as decimal(18, 2)) as ttm_capitalised_amount,
        cast(ttm_amortisation as decimal(18, 2)) as ttm_amortisation_amount,
        cast(ttm_prepaid_cloud as decimal(18, 2)) as ttm_prepaid_cloud_amount,
        cast(ttm_pnl_return as decimal(18, 2)) as ttm_pnl_return_amount,
        case
            when ttm_months = 12 and ttm_direct_cost > 0
                then cast(ttm_direct_return as double) / cast(ttm_direct_cost as double)
        end as ttm_direct_roi_rate,
        case
            when ttm_months < 12 then 'less_than_12_months'
            when ttm_direct_cost <= 0 then 'no_cost'
        end as ttm_direct_roi_rate_reason,
        case
            when ttm_months = 12 and ttm_cost > 0
                then cast(ttm_return as double) / cast(ttm_cost as double)
        end as ttm_roi_rate,
        case
            when ttm_months < 12 then 'less_than_12_months'
            when ttm_cost <= 0 then 'no_cost'
        end as ttm_roi_rate_reason,
        case
            when ttm_months = 12 and ttm_pnl_cost > 0
                then cast(ttm_pnl_return as double) / cast(ttm_pnl_cost as double)
        end as ttm_pnl_roi_rate,
        case
            when ttm_months < 12 then 'less_than_12_months'
            when ttm_pnl_cost <= 0 then 'no_cost'
        end as ttm_pnl_roi_rate_reason,
        is_lifetime_complete,
        cast(lifetime_revenue as decimal(18, 2)) as lifetime_revenue_amount,
        cast(lifetime_direct_cost as decimal(18, 2)) as lifetime_direct_cost_amount,
        cast(lifetime_direct_return as decimal(18, 2)) as lifetime_direct_return_amount,
        cast(lifetime_allocated_cost as decimal(18, 2)) as lifetime_allocated_cost_amount,
        cast(lifetime_return as decimal(18, 2)) as lifetime_return_amount,
        cast(lifetime_capitalised as decimal(18, 2)) as lifetime_capitalised_amount,
        cast(lifetime_amortisation as decimal(18, 2)) as lifetime_amortisation_amount,
        cast(lifetime_prepaid_cloud as decimal(18, 2)) as lifetime_prepaid_cloud_amount,
        cast(lifetime_pnl_return as decimal(18, 2)) as lifetime_pnl_return_amount,
        case
            when is_lifetime_complete and lifetime_direct_cost > 0
                then cast(lifetime_direct_return as double) / cast(lifetime_direct_cost as double)
        end as lifetime_direct_roi_rate,
        case
            when not is_lifetime_complete then 'history_incomplete'
            when lifetime_direct_cost <= 0 then 'no_cost'
        end as lifetime_direct_roi_rate_reason,
        case
            when is_lifetime_complete and lifetime_cost > 0
                then cast(lifetime_return as double) / cast(lifetime_cost as double)
        end as lifetime_roi_rate,
        case
            when not is_lifetime_complete then 'history_incomplete'
            when lifetime_cost <= 0 then 'no_cost'
        end as lifetime_roi_rate_reason,
        case
            when is_lifetime_complete and lifetime_pnl_cost > 0
                then cast(lifetime_pnl_return as double) / cast(lifetime_pnl_cost as double)
        end as lifetime_pnl_roi_rate,
        case
            when not is_lifetime_complete then 'history_incomplete'
            when lifetime_pnl_cost <= 0 then 'no_cost'
        end as lifetime_pnl_roi_rate_reason,
        npv_amount,
        case when npv_amount is null then 'no_flows' end as npv_amount_reason,
        case when no_measure_reason is null then irr_annual_rate end as irr_annual_rate,
        case
            when no_measure_reason = 'history_incomplete' then no_measure_reason
            else coalesce(irr_status, 'no_sign_change')
        end as irr_status,
        case when no_measure_reason is null then mirr_annual_rate end as mirr_annual_rate,
        coalesce(no_measure_reason, mirr_rate_reason) as mirr_annual_rate_reason,
        case when no_measure_reason is null then payback_periods end as payback_months,
        coalesce(no_measure_reason, payback_periods_reason) as payback_months_reason,
        case when no_measure_reason is null then profitability_index end as profitability_index,
        coalesce(no_measure_reason, profitability_index_reason) as profitability_index_reason,
        case when no_measure_reason is null then moic_ratio end as moic_ratio,
        coalesce(no_measure_reason, moic_ratio_reason) as moic_ratio_reason
    from measured

)

select * from final
