-- Lines whose rest of the year in the rolling forecast is not what the selected outlook leaves for it.
with

rolling as (

    select
        entity_id,
        reported_period,
        cost_center_id,
        account_id,
        product_id,
        sum(case when basis = 'outlook' then forecast_amount else 0 end) as rest_amount
    from {{ ref('rpt_rolling_forecast') }}
    group by entity_id, reported_period, cost_center_id, account_id, product_id

),

outlooks as (

    select
        entity_id,
        fiscal_period,
        cost_center_id,
        account_id,
        product_id,
        sum(outlook_amount - actual_ytd_amount) as rest_amount
    from {{ ref('rpt_budget_outlook') }}
    where is_selected
    group by entity_id, fiscal_period, cost_center_id, account_id, product_id

),

-- A report of the year's last period leaves no rest to spread.
final as (

    select
        rolling.*,
        outlooks.rest_amount as outlook_rest_amount
    from rolling
    left join outlooks
        on
            rolling.entity_id = outlooks.entity_id
            and rolling.reported_period = outlooks.fiscal_period
            and rolling.cost_center_id is not distinct from outlooks.cost_center_id
            and rolling.account_id = outlooks.account_id
            and rolling.product_id is not distinct from outlooks.product_id
    where
        rolling.rest_amount <> coalesce(outlooks.rest_amount, 0)
        and rolling.reported_period not like '%-P12'

)

select * from final
