-- One row per scenario, scope and month ahead.
with

scenarios as (

    select
        scenario,
        driver,
        product_id,
        from_month,
        to_month,
        change
    from {{ ref('scenarios') }}

),

base_lines as (

    select * from {{ ref('int_forecast_lines') }}

),

deferred_revenue as (

    select
        month_date,
        closing_amount as deferred_amount
    from {{ ref('fct_deferred_revenue') }}

),

reconciliation as (

    select
        account_id,
        month_date,
        reporting_gl_amount
    from {{ ref('rpt_reconciliation') }}

),

policies as (

    select receivable_account_id
    from {{ ref('revenue_policies') }}

),

origin as (

    select
        max(origin_month) as origin_month,
        cast(sum(case when horizon = 1 then last_revenue_amount else 0 end) as double) as revenue_amount
    from base_lines

),

owed as (

    select cast(sum(reconciliation.reporting_gl_amount) as double) as owed_amount
    from reconciliation
    inner join policies on reconciliation.account_id = policies.receivable_account_id
    inner join origin on reconciliation.month_date <= origin.origin_month

),

paid_ahead as (

    select cast(sum(deferred_revenue.deferred_amount) as double) as deferred_amount
    from deferred_revenue
    inner join origin on deferred_revenue.month_date = origin.origin_month

),

-- What customers have paid ahead, less what they still owe, in months of revenue; it moves with revenue.
prepayment as (

    select
        coalesce(
            (coalesce(paid_ahead.deferred_amount, 0) - coalesce(owed.owed_amount, 0)) / nullif(origin.revenue_amount, 0),
            0
        ) as prepaid_months
    from origin
    cross join owed
    cross join paid_ahead

),

names as (

    select distinct scenario
    from scenarios

),

-- Losses by churn add up month after month and stay lost afterwards.
driver_months as (

    select
        names.scenario,
        base_lines.product_id,
        base_lines.target_month,
        scenarios.driver,
        case
            when scenarios.driver = 'churn'
                then (least(base_lines.horizon, scenarios.to_month) - scenarios.from_month + 1) * ln(1 - scenarios.change)
            when scenarios.driver = 'collection_days' then scenarios.change
            else ln(1 + scenarios.change)
        end as effect
    from names
    cross join base_lines
    inner join scenarios
        on
            names.scenario = scenarios.scenario
            and base_lines.product_id = coalesce(scenarios.product_id, base_lines.product_id)
            and base_lines.horizon >= scenarios.from_month
            and (base_lines.horizon <= scenarios.to_month or scenarios.driver = 'churn')

),

factors as (

    select
        scenario,
        product_id,
        target_month,
        exp(sum(case when driver in ('price', 'volume', 'churn') then effect else 0 end)) as revenue_factor,
        exp(sum(case when driver in ('volume', 'churn', 'cost_to_serve') then effect else 0 end)) as cost_to_serve_factor,
        exp(sum(case when driver in ('volume', 'churn', 'support') then effect else 0 end)) as support_factor,
        exp(sum(case when driver = 'acquisition' then effect else 0 end)) as acquisition_factor,
        exp(sum(case when driver = 'engineering' then effect else 0 end)) as engineering_factor,
        exp(sum(case when driver = 'shared_cost' then effect else 0 end)) as shared_cost_factor,
        exp(sum(case when driver = 'investment' then effect else 0 end)) as investment_factor,
        sum(case when driver = 'collection_days' then effect else 0 end) as collection_days
    from driver_months
    group by scenario, product_id, target_month

),

driven as (

    select
        names.scenario,
        base_lines.product_id,
        base_lines.product_line,
        base_lines.target_month,
        base_lines.horizon,
        base_lines.last_revenue_amount,
        base_lines.amortisation_amount,
        coalesce(factors.collection_days, 0) as collection_days,
        {%- for line in ['cost_to_serve', 'support', 'acquisition', 'engineering', 'shared_cost'] %}
        {{ round_amount(
            'cast(base_lines.' ~ line ~ '_amount as double) * coalesce(factors.' ~ line ~ '_factor, 1)'
        ) }} as {{ line }}_amount,
        {%- endfor %}
        {{ round_amount(
            'cast(base_lines.revenue_amount as double) * coalesce(factors.revenue_factor, 1)'
        ) }} as revenue_amount,
        {{ round_amount('cast(base_lines.mrr_amount as double) * coalesce(factors.revenue_factor, 1)') }} as mrr_amount,
        {{ round_amount(
            'cast(base_lines.capitalised_amount as double) * coalesce(factors.investment_factor, 1)'
        ) }} as capitalised_amount
    from names
    cross join base_lines
    left join factors
        on
            names.scenario = factors.scenario
            and base_lines.product_id = factors.product_id
            and base_lines.target_month = factors.target_month

),

balances as (

    select
        driven.*,
        cast(driven.revenue_amount as double)
        * (prepayment.prepaid_months - driven.collection_days * 12 / 365) as balance,
        cast(driven.last_revenue_amount as double) * prepayment.prepaid_months as opening_balance
    from driven
    cross join prepayment

),

settled as (

    select
        *,
        {{ round_amount(
            'balance'
            ~ ' - coalesce(lag(balance) over (partition by scenario, product_id order by target_month), opening_balance)'
        ) }} as working_capital_change_amount
    from balances

),

memberships as (

    select distinct
        product_id,
        'product' as scope_type,
        product_id as scope_id
    from base_lines
    union all
    select distinct
        product_id,
        'product_line' as scope_type,
        coalesce(product_line, 'unallocated') as scope_id
    from base_lines
    union all
    select distinct
        product_id,
        'company' as scope_type,
        'company' as scope_id
    from base_lines

),

summed as (

    select
        settled.scenario,
        memberships.scope_type,
        memberships.scope_id,
        settled.target_month,
        max(settled.horizon) as horizon,
        sum(settled.revenue_amount) as revenue_amount,
        sum(settled.cost_to_serve_amount) as cost_to_serve_amount,
        sum(settled.support_amount) as support_amount,
        sum(settled.acquisition_amount) as acquisition_amount,
        sum(settled.engineering_amount) as engineering_amount,
        sum(settled.shared_cost_amount) as shared_cost_amount,
        sum(
            settled.cost_to_serve_amount + settled.support_amount + settled.acquisition_amount
            + settled.engineering_amount + settled.shared_cost_amount
        ) as cost_amount,
        sum(settled.amortisation_amount) as amortisation_amount,
        sum(settled.capitalised_amount) as capitalised_amount,
        sum(settled.working_capital_change_amount) as working_capital_change_amount,
        sum(settled.mrr_amount) as mrr_amount
    from settled
    inner join memberships on settled.product_id = memberships.product_id
    group by settled.scenario, memberships.scope_type, memberships.scope_id, settled.target_month

),

results as (

    select
        *,
        revenue_amount - cost_amount as operating_result_amount,
        revenue_amount - cost_amount + amortisation_amount - capitalised_amount + working_capital_change_amount
            as cash_flow_amount
    from summed

),

compared as (

    select
        *,
        sum(cash_flow_amount) over (
            partition by scenario, scope_type, scope_id
            order by target_month rows between unbounded preceding and current row
        ) as cumulative_cash_flow_amount,
        max(case when scenario = 'base' then operating_result_amount end) over same_month as base_result_amount,
        max(case when scenario = 'base' then cash_flow_amount end) over same_month as base_cash_flow_amount,
        max(case when scenario = 'base' then mrr_amount end) over same_month as base_mrr_amount
    from results
    window same_month as (partition by scope_type, scope_id, target_month)

),

final as (

    select
        scenario,
        scope_type,
        scope_id,
        case when scope_type = 'product' then scope_id end as product_id,
        target_month,
        cast(horizon as integer) as horizon,
        cast(revenue_amount as decimal(18, 2)) as revenue_amount,
        cast(cost_to_serve_amount as decimal(18, 2)) as cost_to_serve_amount,
        cast(support_amount as decimal(18, 2)) as support_amount,
        cast(acquisition_amount as decimal(18, 2)) as acquisition_amount,
        cast(engineering_amount as decimal(18, 2)) as engineering_amount,
        cast(shared_cost_amount as decimal(18, 2)) as shared_cost_amount,
        cast(cost_amount as decimal(18, 2)) as cost_amount,
        cast(operating_result_amount as decimal(18, 2)) as operating_result_amount,
        cast(operating_result_amount - base_result_amount as decimal(18, 2)) as operating_result_change_amount,
        cast(amortisation_amount as decimal(18, 2)) as amortisation_amount,
        cast(capitalised_amount as decimal(18, 2)) as capitalised_amount,
        cast(working_capital_change_amount as decimal(18, 2)) as working_capital_change_amount,
        cast(cash_flow_amount as decimal(18, 2)) as cash_flow_amount,
        cast(cash_flow_amount - base_cash_flow_amount as decimal(18, 2)) as cash_flow_change_amount,
        cast(cumulative_cash_flow_amount as decimal(18, 2)) as cumulative_cash_flow_amount,
        cast(mrr_amount as decimal(18, 2)) as mrr_amount,
        cast(mrr_amount - base_mrr_amount as decimal(18, 2)) as mrr_change_amount,
        case
            when revenue_amount > 0
                then cast(revenue_amount - cost_to_serve_amount as double) / cast(revenue_amount as double)
        end as cm1_rate,
        case when revenue_amount <= 0 then 'no_revenue' end as cm1_rate_reason,
        case
            when revenue_amount > 0 then cast(operating_result_amount as double) / cast(revenue_amount as double)
        end as operating_margin_rate,
        case when revenue_amount <= 0 then 'no_revenue' end as operating_margin_rate_reason,
        case
            when cost_amount > 0 then cast(operating_result_amount as double) / cast(cost_amount as double)
        end as roi_rate,
        case when cost_amount <= 0 then 'no_cost' end as roi_rate_reason
    from compared

)

select * from final
