-- One row per measure, product line, product, initiative's objective and month: what key figures are made of.
with

-- A figure of a month is one of the whole month.
last_days as (

    select reporting_on as last_on
    from {{ ref('int_reporting_date') }}
    union all
    select cutoff_on as last_on
    from {{ ref('int_revenue_cutoff') }}

),

whole_months as (

    select
        max(last_on) as last_on,
        cast(date_trunc('month', max(last_on) + 1) as date) as open_month
    from last_days

),

periods as (

    select
        fiscal_period,
        end_on
    from {{ ref('dim_fiscal_period') }}
    where is_reporting_entity

),

-- Hours, cost and benefits of a month come in until it is closed: before, less of them would look like change.
last_closed as (

    select coalesce(max({{ period_month('end_on') }}), cast('9999-01-01' as date)) as month_date
    from {{ ref('dim_fiscal_period') }}
    where
        is_reporting_entity
        and is_closed

),

products as (

    select
        product_id,
        coalesce(product_line, 'unknown') as product_line
    from {{ ref('dim_product') }}

),

initiatives as (

    select
        initiative_id,
        product_id,
        objective_id
    from {{ ref('dim_initiative') }}

),

contributions as (

    select
        product_id,
        month_date,
        revenue_amount,
        cost_to_serve_amount,
        cm1_amount,
        cm2_amount,
        acquisition_amount,
        engineering_amount + shared_engineering_amount as total_engineering_amount,
        product_contribution_amount,
        operating_result_amount,
        revenue_amount - operating_result_amount as cost_amount,
        product_id <> 'unallocated' as is_product
    from {{ ref('rpt_product_contribution') }}
    where is_closed

),

product_roi as (

    select
        product_id,
        month_date,
        ttm_return_amount,
        ttm_direct_cost_amount + ttm_allocated_cost_amount as ttm_cost_amount
    from {{ ref('rpt_product_roi') }}
    where is_closed
    qualify min(month_date) over () <= cast({{ dbt.dateadd('month', -11, 'month_date') }} as date)

),

product_metrics as (

    select
        nullif(product_line, 'unallocated') as product_line,
        product_id,
        month_date,
        mrr_amount,
        12 * mrr_amount as arr_amount,
        customers,
        opening_mrr_amount,
        retained_mrr_amount,
        closing_mrr_amount,
        opening_customers,
        lost_customers,
        active_users,
        active_customers,
        opened_tickets,
        resolved_tickets,
        resolution_hours,
        ttm_responses,
        100 * (ttm_promoters - ttm_detractors) as net_promoter_points
    from {{ ref('fct_product_metrics') }}

),

unit_economics as (

    select
        month_date,
        new_logo_spend_amount,
        new_customers,
        cac_payback_months,
        ltv_amount,
        ltv_cac_ratio,
        quick_ratio,
        magic_number,
        rule_of_40_rate
    from {{ ref('rpt_unit_economics') }}
    where segment = 'all'

),

utilisation as (

    select
        utilisations.period_month as month_date,
        utilisations.used_hours,
        utilisations.practical_hours
    from {{ ref('rpt_resource_utilisation') }} as utilisations
    inner join last_closed on utilisations.period_month <= last_closed.month_date
    where utilisations.used_hours is not null

),

variances as (

    select
        product_id,
        month_date,
        account_type,
        budget_amount,
        variance_favourable_amount,
        abs(variance_amount) as absolute_variance_amount,
        abs(actual_amount) as absolute_actual_amount
    from {{ ref('rpt_budget_variance') }}
    where
        version_type = 'original'
        and is_closed

),

outlooks as (

    select
        product_id,
        month_date,
        account_type,
        coalesce(budget_full_year_amount, 0) as budget_full_year_amount,
        outlook_favourable_amount
    from {{ ref('rpt_budget_outlook') }}
    where is_selected

),

cloud_efficiency as (

    select
        scope_type,
        scope_id as product_id,
        month_date,
        effective_amount as cloud_amount,
        list_amount as cloud_list_amount,
        list_amount - usage_effective_amount as cloud_savings_amount,
        allocated_amount as cloud_allocated_amount,
        commitment_used_amount,
        commitment_used_amount + commitment_unused_amount as commitment_amount
    from {{ ref('rpt_cloud_efficiency') }}
    where scope_type in ('company', 'product')

),

cash_flows as (

    select
        flows.initiative_id,
        flows.month_date,
        case when flows.version_role = 'realised' then flows.build_cost_amount else 0 end as build_cost_amount,
        case when flows.version_role = 'realised' then flows.benefit_amount else 0 end as realised_benefit_amount,
        case when flows.version_role = 'baseline' then flows.benefit_amount else 0 end as planned_benefit_amount
    from {{ ref('fct_initiative_cash_flows') }} as flows
    inner join last_closed on flows.month_date <= last_closed.month_date
    where flows.version_role in ('realised', 'baseline')

),

-- Work is judged by the case approved first: a later one would rewrite months before its lock and bring every index to 1.
earned_values as (

    select
        progress.initiative_id,
        progress.month_date,
        progress.planned_value_amount,
        progress.earned_value_amount,
        progress.actual_cost_amount
    from {{ ref('rpt_earned_value') }} as progress
    inner join last_closed on progress.month_date <= last_closed.month_date
    where progress.is_baseline

),

deferred_revenue as (

    select
        fiscal_period,
        month_date,
        closing_amount as deferred_revenue_amount
    from {{ ref('fct_deferred_revenue') }}
    where not is_scheduled

),

reconciliations as (

    select
        month_date,
        case when is_reconciled then 1 else 0 end as reconciled_accounts,
        1 as reconcilable_accounts
    from {{ ref('rpt_reconciliation') }}
    where is_closed

),

-- The balance of a period that ends in the days after its month is one the data may not have reached.
deferred_balances as (

    select
        deferred_revenue.month_date,
        deferred_revenue.deferred_revenue_amount
    from deferred_revenue
    inner join periods on deferred_revenue.fiscal_period = periods.fiscal_period
    inner join whole_months on periods.end_on <= whole_months.last_on

),

cloud_products as (

    select
        product_id,
        month_date,
        cloud_amount,
        cloud_list_amount,
        cloud_savings_amount,
        cloud_allocated_amount
    from cloud_efficiency
    where scope_type = 'product'

),

-- What a commitment did not use belongs to no product.
cloud_commitments as (

    select
        month_date,
        commitment_used_amount,
        commitment_amount
    from cloud_efficiency
    where scope_type = 'company'

),

contribution_span as (

    select
        min(month_date) as first_month,
        max(month_date) as last_month
    from contributions

),

-- Where cost of a kind is nowhere in the data, or no product bears any, 0 % or 100 % would be a gap that looks like success.
costed as (

    select
        product_id,
        month_date,
        revenue_amount,
        case when count_if(cost_to_serve_amount <> 0) over () > 0 then cost_to_serve_amount end as cost_to_serve_amount,
        case when count_if(acquisition_amount <> 0) over () > 0 then acquisition_amount end as acquisition_amount,
        case when count_if(total_engineering_amount <> 0) over () > 0 then total_engineering_amount end
            as total_engineering_amount,
        case when count_if(is_product and cm1_amount <> revenue_amount) over () > 0 then cm1_amount end as cm1_amount,
        case when count_if(is_product and cm2_amount <> revenue_amount) over () > 0 then cm2_amount end as cm2_amount,
        case
            when count_if(is_product and product_contribution_amount <> revenue_amount) over () > 0
                then product_contribution_amount
        end as product_contribution_amount,
        case when count_if(cost_amount <> 0) over () > 0 then operating_result_amount end as operating_result_amount,
        case when count_if(cost_amount <> 0) over () > 0 then cost_amount end as cost_amount
    from contributions

),

-- Every product counts, also one that had no revenue a year before.
growth as (

    select
        contributions.product_id,
        contributions.month_date,
        contributions.revenue_amount as revenue_growth_amount,
        0 as prior_year_revenue_amount
    from contributions
    cross join contribution_span
    where
        contributions.month_date
        >= cast({{ dbt.dateadd('month', 12, 'contribution_span.first_month') }} as date)
    union all
    select
        contributions.product_id,
        cast({{ dbt.dateadd('month', 12, 'contributions.month_date') }} as date) as month_date,
        -contributions.revenue_amount as revenue_growth_amount,
        contributions.revenue_amount as prior_year_revenue_amount
    from contributions
    cross join contribution_span
    where
        cast({{ dbt.dateadd('month', 12, 'contributions.month_date') }} as date)
        <= contribution_span.last_month

),

budget_variances as (

    select
        product_id,
        month_date,
        case when account_type = 'expense' then variance_favourable_amount else 0 end
            as cost_variance_amount,
        case when account_type = 'expense' then budget_amount else 0 end as cost_budget_amount,
        case when account_type = 'revenue' then variance_favourable_amount else 0 end
            as revenue_variance_amount,
        case when account_type = 'revenue' then budget_amount else 0 end as revenue_budget_amount,
        absolute_variance_amount,
        absolute_actual_amount
    from variances

),

budget_outlooks as (

    select
        product_id,
        month_date,
        case when account_type = 'expense' then outlook_favourable_amount else 0 end
            as cost_outlook_variance_amount,
        case when account_type = 'expense' then budget_full_year_amount else 0 end
            as cost_full_year_amount,
        case when account_type = 'revenue' then outlook_favourable_amount else 0 end
            as revenue_outlook_variance_amount,
        case when account_type = 'revenue' then budget_full_year_amount else 0 end
            as revenue_full_year_amount
    from outlooks

),

measured as (

    select
        null as product_line,
        product_id,
        null as initiative_id,
        month_date,
        measure_id,
        cast(measure_value as decimal(28, 6)) as measure_value
    from costed
    unpivot include nulls (
        measure_value for measure_id in (
            revenue_amount,
            cost_to_serve_amount,
            cm1_amount,
            cm2_amount,
            acquisition_amount,
            total_engineering_amount,
            product_contribution_amount,
            operating_result_amount,
            cost_amount
        )
    )
    union all
    select
        null as product_line,
        product_id,
        null as initiative_id,
        month_date,
        measure_id,
        cast(measure_value as decimal(28, 6)) as measure_value
    from growth
    unpivot include nulls (
        measure_value for measure_id in (
            prior_year_revenue_amount,
            revenue_growth_amount
        )
    )
    union all
    select
        null as product_line,
        product_id,
        null as initiative_id,
        month_date,
        measure_id,
        cast(measure_value as decimal(28, 6)) as measure_value
    from product_roi
    unpivot include nulls (
        measure_value for measure_id in (
            ttm_return_amount,
            ttm_cost_amount
        )
    )
    union all
    select
        product_line,
        product_id,
        null as initiative_id,
        month_date,
        measure_id,
        cast(measure_value as decimal(28, 6)) as measure_value
    from product_metrics
    unpivot (
        measure_value for measure_id in (
            mrr_amount,
            arr_amount,
            customers,
            opening_mrr_amount,
            retained_mrr_amount,
            closing_mrr_amount,
            opening_customers,
            lost_customers,
            active_users,
            active_customers,
            opened_tickets,
            resolved_tickets,
            resolution_hours,
            ttm_responses,
            net_promoter_points
        )
    )
    union all
    select
        null as product_line,
        null as product_id,
        null as initiative_id,
        month_date,
        measure_id,
        cast(measure_value as decimal(28, 6)) as measure_value
    from unit_economics
    unpivot (
        measure_value for measure_id in (
            new_logo_spend_amount,
            new_customers,
            cac_payback_months,
            ltv_amount,
            ltv_cac_ratio,
            quick_ratio,
            magic_number,
            rule_of_40_rate
        )
    )
    union all
    select
        null as product_line,
        null as product_id,
        null as initiative_id,
        month_date,
        measure_id,
        cast(measure_value as decimal(28, 6)) as measure_value
    from utilisation
    unpivot include nulls (
        measure_value for measure_id in (
            used_hours,
            practical_hours
        )
    )
    union all
    select
        null as product_line,
        product_id,
        null as initiative_id,
        month_date,
        measure_id,
        cast(measure_value as decimal(28, 6)) as measure_value
    from budget_variances
    unpivot include nulls (
        measure_value for measure_id in (
            cost_variance_amount,
            cost_budget_amount,
            revenue_variance_amount,
            revenue_budget_amount,
            absolute_variance_amount,
            absolute_actual_amount
        )
    )
    union all
    select
        null as product_line,
        product_id,
        null as initiative_id,
        month_date,
        measure_id,
        cast(measure_value as decimal(28, 6)) as measure_value
    from budget_outlooks
    unpivot include nulls (
        measure_value for measure_id in (
            cost_outlook_variance_amount,
            cost_full_year_amount,
            revenue_outlook_variance_amount,
            revenue_full_year_amount
        )
    )
    union all
    select
        null as product_line,
        product_id,
        null as initiative_id,
        month_date,
        measure_id,
        cast(measure_value as decimal(28, 6)) as measure_value
    from cloud_products
    unpivot include nulls (
        measure_value for measure_id in (
            cloud_amount,
            cloud_list_amount,
            cloud_savings_amount,
            cloud_allocated_amount
        )
    )
    union all
    select
        null as product_line,
        null as product_id,
        null as initiative_id,
        month_date,
        measure_id,
        cast(measure_value as decimal(28, 6)) as measure_value
    from cloud_commitments
    unpivot include nulls (
        measure_value for measure_id in (
            commitment_used_amount,
            commitment_amount
        )
    )
    union all
    select
        null as product_line,
        null as product_id,
        initiative_id,
        month_date,
        measure_id,
        cast(measure_value as decimal(28, 6)) as measure_value
    from cash_flows
    unpivot include nulls (
        measure_value for measure_id in (
            build_cost_amount,
            realised_benefit_amount,
            planned_benefit_amount
        )
    )
    union all
    select
        null as product_line,
        null as product_id,
        initiative_id,
        month_date,
        measure_id,
        cast(measure_value as decimal(28, 6)) as measure_value
    from earned_values
    unpivot include nulls (
        measure_value for measure_id in (
            planned_value_amount,
            earned_value_amount,
            actual_cost_amount
        )
    )
    union all
    select
        null as product_line,
        null as product_id,
        null as initiative_id,
        month_date,
        measure_id,
        cast(measure_value as decimal(28, 6)) as measure_value
    from deferred_balances
    unpivot include nulls (
        measure_value for measure_id in (
            deferred_revenue_amount
        )
    )
    union all
    select
        null as product_line,
        null as product_id,
        null as initiative_id,
        month_date,
        measure_id,
        cast(measure_value as decimal(28, 6)) as measure_value
    from reconciliations
    unpivot include nulls (
        measure_value for measure_id in (
            reconciled_accounts,
            reconcilable_accounts
        )
    )

),

placed as (

    select
        coalesce(initiatives.product_id, measured.product_id) as product_id,
        measured.product_line,
        initiatives.objective_id,
        measured.month_date,
        measured.measure_id,
        measured.measure_value
    from measured
    left join initiatives on measured.initiative_id = initiatives.initiative_id

),

totals as (

    select
        coalesce(placed.product_line, products.product_line) as product_line,
        placed.product_id,
        placed.objective_id,
        placed.month_date,
        placed.measure_id,
        {{ sum_complete('placed.measure_value') }} as measure_value
    from placed
    left join products on placed.product_id = products.product_id
    group by
        coalesce(placed.product_line, products.product_line),
        placed.product_id,
        placed.objective_id,
        placed.month_date,
        placed.measure_id

),

final as (

    select
        totals.measure_id,
        totals.product_line,
        totals.product_id,
        totals.objective_id,
        totals.month_date,
        cast(totals.measure_value as decimal(28, 6)) as measure_value
    from totals
    cross join whole_months
    where totals.month_date < coalesce(whole_months.open_month, cast('9999-01-01' as date))

)

select * from final
