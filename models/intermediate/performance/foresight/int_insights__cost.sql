-- One row per possible finding about cost, month it is looked at and driver.
with

variances as (

    select * from {{ ref('rpt_budget_variance') }}
    where
        account_type = 'expense'
        and version_type = 'original'
        and is_closed

),

periods as (

    select
        entity_id,
        fiscal_period,
        {{ period_month('end_on') }} as month_date,
        year_start_on,
        end_on,
        is_closed,
        is_reporting_entity
    from {{ ref('dim_fiscal_period') }}

),

accounts as (

    select
        account_id,
        account_name
    from {{ ref('dim_account') }}

),

cost_centers as (

    select
        cost_center_id,
        cost_center_name,
        entity_id,
        owner
    from {{ ref('dim_cost_center') }}

),

products as (

    select
        product_id,
        product_name,
        owner
    from {{ ref('dim_product') }}

),

features as (

    select
        feature_id,
        product_id
    from {{ ref('dim_feature') }}

),

feature_usage as (

    select
        feature_id,
        month_date,
        event_count
    from {{ ref('int_feature_usage_months') }}

),

cloud_costs as (

    select
        product_id,
        service_name,
        cast(date_trunc('month', charge_date) as date) as month_date,
        reporting_effective_amount
    from {{ ref('fct_cloud_costs') }}
    where product_id is not null

),

anomalies as (

    select * from {{ ref('rpt_cost_anomalies') }}
    where direction = 'increase'

),

contributions as (

    select * from {{ ref('rpt_product_contribution') }}
    where
        is_closed
        and product_id <> 'unallocated'

),

opportunities as (

    select * from {{ ref('rpt_optimisation_opportunities') }}
    where rule_id not in ('below_cost', 'cloud_anomaly', 'runaway_cloud')

),

reporting_date as (

    select cast(date_trunc('month', reporting_on) as date) as open_month
    from {{ ref('int_reporting_date') }}

),

last_closed as (

    select max(month_date) as month_date
    from periods
    where
        is_closed
        and is_reporting_entity

),

center_variances as (

    select
        variances.entity_id,
        variances.cost_center_id,
        variances.fiscal_period,
        variances.account_id,
        sum(variances.actual_ytd_amount) as actual_amount,
        sum(variances.budget_ytd_amount) as budget_amount
    from variances
    group by variances.entity_id, variances.cost_center_id, variances.fiscal_period, variances.account_id

),

center_totals as (

    select
        entity_id,
        cost_center_id,
        fiscal_period,
        sum(actual_amount) as actual_amount,
        sum(budget_amount) as budget_amount
    from center_variances
    group by entity_id, cost_center_id, fiscal_period

),

cost_variances as (

    select
        'cost_variance' as rule_id,
        'cost_center' as scope_type,
        center_totals.cost_center_id as scope_id,
        cast(null as {{ dbt.type_string() }}) as event_id,
        cast(null as {{ dbt.type_string() }}) as product_id,
        periods.month_date,
        cast(null as date) as since_on,
        periods.year_start_on as period_start_on,
        periods.end_on as period_end_on,
        'Cost, year to date' as metric,
        center_totals.actual_amount,
        center_totals.budget_amount as reference_amount,
        abs(cast(center_totals.actual_amount - center_totals.budget_amount as double)) as stake_amount,
        abs(cast(center_totals.actual_amount - center_totals.budget_amount as double))
        / nullif(abs(cast(center_totals.budget_amount as double)), 0) as measure,
        center_totals.actual_amount < center_totals.budget_amount as is_favourable,
        'C' as evidence_grade,
        false as is_causal,
        cost_centers.owner,
        cost_centers.cost_center_name || ' (' || center_totals.cost_center_id || ') has spent '
        || {{ amount_text('center_totals.actual_amount') }} || ' this fiscal year up to ' || center_totals.fiscal_period
        || ', ' || {{ amount_text('abs(center_totals.actual_amount - center_totals.budget_amount)') }}
        || case when center_totals.actual_amount > center_totals.budget_amount then ' more' else ' less' end
        || ' than the original budget.' as statement,
        'rpt_budget_variance' as evidence_mart,
        'version_type = ''original'' and account_type = ''expense'' and cost_center_id = ''' || center_totals.cost_center_id
        || ''' and fiscal_period = ''' || center_totals.fiscal_period || '''' as evidence_filter,
        coalesce(accounts.account_name, center_variances.account_id) || ' (' || center_variances.account_id || ')' as driver,
        center_variances.actual_amount - center_variances.budget_amount as driver_amount
    from center_totals
    inner join center_variances
        on
            center_totals.cost_center_id = center_variances.cost_center_id
            and center_totals.fiscal_period = center_variances.fiscal_period
    inner join periods
        on
            center_totals.entity_id = periods.entity_id
            and center_totals.fiscal_period = periods.fiscal_period
    left join cost_centers on center_totals.cost_center_id = cost_centers.cost_center_id
    left join accounts on center_variances.account_id = accounts.account_id

),

use_months as (

    select
        features.product_id,
        feature_usage.month_date,
        cast(sum(feature_usage.event_count) as double) as events
    from feature_usage
    inner join features on feature_usage.feature_id = features.feature_id
    group by features.product_id, feature_usage.month_date

),

cloud_months as (

    select
        product_id,
        service_name,
        month_date,
        sum(reporting_effective_amount) as cost_amount
    from cloud_costs
    group by product_id, service_name, month_date

),

quarters as (

    select
        periods.month_date,
        offsets.months_back,
        case when offsets.months_back < 3 then 'now' else 'then' end as span,
        cast({{ dbt.dateadd('month', '-offsets.months_back', 'periods.month_date') }} as date) as cost_month
    from periods
    cross join (values (0), (1), (2), (12), (13), (14)) as offsets (months_back)
    where
        periods.is_closed
        and periods.is_reporting_entity

),

-- The last three months against the same three a year before, which no season sets apart.
cloud_spans as (

    select
        cloud_months.product_id,
        cloud_months.service_name,
        quarters.month_date,
        sum(case when quarters.span = 'now' then cloud_months.cost_amount else 0 end) as cost_now,
        sum(case when quarters.span = 'then' then cloud_months.cost_amount else 0 end) as cost_then,
        sum(case when quarters.span = 'now' then use_months.events else 0 end) as events_now,
        sum(case when quarters.span = 'then' then use_months.events else 0 end) as events_then
    from quarters
    inner join cloud_months on quarters.cost_month = cloud_months.month_date
    inner join use_months
        on
            cloud_months.product_id = use_months.product_id
            and cloud_months.month_date = use_months.month_date
    group by cloud_months.product_id, cloud_months.service_name, quarters.month_date
    having count(*) = 6

),

cloud_splits as (

    select
        product_id,
        service_name,
        month_date,
        cast(round(cost_now, 2) as decimal(18, 2)) as cost_now,
        cast(round(cost_then, 2) as decimal(18, 2)) as cost_then,
        {{ round_amount('cast(cost_then as double) * (events_now / events_then - 1)') }} as use_amount
    from cloud_spans
    where
        cost_then > 0
        and events_then > 0

),

cloud_trends as (

    select
        'cloud_cost_trend' as rule_id,
        'cloud_service' as scope_type,
        cloud_splits.service_name as scope_id,
        cloud_splits.product_id as event_id,
        cloud_splits.product_id,
        cloud_splits.month_date,
        cast(null as date) as since_on,
        cast({{ dbt.dateadd('month', -2, 'cloud_splits.month_date') }} as date) as period_start_on,
        cast({{ dbt.dateadd('day', -1, dbt.dateadd('month', 1, 'cloud_splits.month_date')) }} as date) as period_end_on,
        'Cloud cost, three months' as metric,
        cloud_splits.cost_now as actual_amount,
        cloud_splits.cost_then as reference_amount,
        4 * cast(cloud_splits.cost_now - cloud_splits.cost_then - cloud_splits.use_amount as double) as stake_amount,
        cast(cloud_splits.cost_now - cloud_splits.cost_then - cloud_splits.use_amount as double)
        / cast(cloud_splits.cost_then as double) as measure,
        false as is_favourable,
        'C' as evidence_grade,
        false as is_causal,
        products.owner,
        cloud_splits.service_name || ' of ' || products.product_name || ' (' || cloud_splits.product_id || ') cost '
        || {{ amount_text('cloud_splits.cost_now') }} || ' in the three months to '
        || substr(cast(cloud_splits.month_date as {{ dbt.type_string() }}), 1, 7) || ', '
        || {{ amount_text('cloud_splits.cost_now - cloud_splits.cost_then') }} || ' more than a year before, while use changed by '
        || {{ percent_text('cast(cloud_splits.use_amount as double) / cast(cloud_splits.cost_then as double)') }}
        || '. What use does not account for is '
        || {{ amount_text('4 * (cloud_splits.cost_now - cloud_splits.cost_then - cloud_splits.use_amount)') }}
        || ' a year at this pace.' as statement,
        'fct_cloud_costs' as evidence_mart,
        'product_id = ''' || cloud_splits.product_id || ''' and service_name = ''' || cloud_splits.service_name
        || ''' and charge_date between date '''
        || cast(cast({{ dbt.dateadd('month', -14, 'cloud_splits.month_date') }} as date) as {{ dbt.type_string() }})
        || ''' and date '''
        || cast(cast({{ dbt.dateadd('day', -1, dbt.dateadd('month', 1, 'cloud_splits.month_date')) }} as date) as {{ dbt.type_string() }})
        || '''' as evidence_filter,
        parts.driver,
        case parts.driver
            when 'use' then cloud_splits.use_amount
            else cloud_splits.cost_now - cloud_splits.cost_then - cloud_splits.use_amount
        end as driver_amount
    from cloud_splits
    cross join (values ('use'), ('cost per use')) as parts (driver)
    inner join products on cloud_splits.product_id = products.product_id

),

anomaly_totals as (

    select
        anomaly_event_id,
        max(anomaly_status) as anomaly_status,
        max(product_id) as product_id,
        max(service_name) as service_name,
        max(sub_account_id) as sub_account_id,
        min(charge_date) as first_on,
        max(charge_date) as last_on,
        sum(actual_amount) as actual_amount,
        sum(expected_amount) as expected_amount,
        sum(excess_amount) as excess_amount
    from anomalies
    group by anomaly_event_id

),

-- An event nobody has closed is still one today.
cost_anomalies as (

    select
        'cost_anomaly' as rule_id,
        'cloud_event' as scope_type,
        anomaly_totals.anomaly_event_id as scope_id,
        cast(null as {{ dbt.type_string() }}) as event_id,
        anomaly_totals.product_id,
        case
            when anomaly_totals.anomaly_status = 'open' then reporting_date.open_month
            else cast(date_trunc('month', anomaly_totals.last_on) as date)
        end as month_date,
        anomaly_totals.first_on as since_on,
        anomaly_totals.first_on as period_start_on,
        anomaly_totals.last_on as period_end_on,
        'Cloud cost of the day' as metric,
        anomaly_totals.expected_amount + anomaly_totals.excess_amount as actual_amount,
        anomaly_totals.expected_amount as reference_amount,
        cast(anomaly_totals.excess_amount as double) as stake_amount,
        cast(anomaly_totals.excess_amount as double) / nullif(cast(anomaly_totals.expected_amount as double), 0) as measure,
        false as is_favourable,
        'C' as evidence_grade,
        false as is_causal,
        products.owner,
        anomaly_totals.service_name || coalesce(' of ' || products.product_name || ' (' || anomaly_totals.product_id || ')', ' in ' || anomaly_totals.sub_account_id)
        || ' cost ' || {{ amount_text('anomaly_totals.excess_amount') }} || ' more than usual '
        || case
            when anomaly_totals.first_on = anomaly_totals.last_on
                then 'on ' || cast(anomaly_totals.first_on as {{ dbt.type_string() }})
            else
                'from ' || cast(anomaly_totals.first_on as {{ dbt.type_string() }}) || ' to '
                || cast(anomaly_totals.last_on as {{ dbt.type_string() }})
        end
        || '.' as statement,
        'rpt_cost_anomalies' as evidence_mart,
        'anomaly_event_id = ''' || anomaly_totals.anomaly_event_id || '''' as evidence_filter,
        cast(anomalies.charge_date as {{ dbt.type_string() }}) as driver,
        anomalies.excess_amount as driver_amount
    from anomaly_totals
    inner join anomalies on anomaly_totals.anomaly_event_id = anomalies.anomaly_event_id
    cross join reporting_date
    left join products on anomaly_totals.product_id = products.product_id

),

-- Three months, so that one quiet month does not end a loss.
rolling as (

    select
        later.product_id,
        later.month_date,
        sum(earlier.revenue_amount) as revenue_amount,
        sum(earlier.cost_to_serve_amount) as cost_to_serve_amount,
        sum(earlier.support_amount) as support_amount,
        sum(earlier.acquisition_amount) as acquisition_amount,
        sum(earlier.engineering_amount) as engineering_amount,
        sum(earlier.shared_cost_amount) as shared_cost_amount,
        sum(earlier.operating_result_amount) as operating_result_amount
    from contributions as later
    inner join contributions as earlier
        on
            later.product_id = earlier.product_id
            and earlier.month_date between {{ dbt.dateadd('month', -2, 'later.month_date') }} and later.month_date
    group by later.product_id, later.month_date
    having count(*) = 3

),

losses as (

    select
        'product_loss' as rule_id,
        'product' as scope_type,
        rolling.product_id as scope_id,
        cast(null as {{ dbt.type_string() }}) as event_id,
        rolling.product_id,
        rolling.month_date,
        cast(null as date) as since_on,
        cast({{ dbt.dateadd('month', -2, 'rolling.month_date') }} as date) as period_start_on,
        cast({{ dbt.dateadd('day', -1, dbt.dateadd('month', 1, 'rolling.month_date')) }} as date) as period_end_on,
        'Operating result, three months' as metric,
        rolling.operating_result_amount as actual_amount,
        cast(0 as decimal(18, 2)) as reference_amount,
        -4 * cast(rolling.operating_result_amount as double) as stake_amount,
        -cast(rolling.operating_result_amount as double) / nullif(cast(rolling.revenue_amount as double), 0) as measure,
        false as is_favourable,
        'D' as evidence_grade,
        false as is_causal,
        products.owner,
        products.product_name || ' (' || rolling.product_id || ') lost '
        || {{ amount_text('-rolling.operating_result_amount') }} || ' in the three months to '
        || substr(cast(rolling.month_date as {{ dbt.type_string() }}), 1, 7) || ' on revenue of '
        || {{ amount_text('rolling.revenue_amount') }} || ', shared cost included.' as statement,
        'rpt_product_contribution' as evidence_mart,
        'is_closed and product_id = ''' || rolling.product_id || ''' and month_date between date '''
        || cast(cast({{ dbt.dateadd('month', -2, 'rolling.month_date') }} as date) as {{ dbt.type_string() }})
        || ''' and date ''' || cast(rolling.month_date as {{ dbt.type_string() }}) || '''' as evidence_filter,
        lines.driver,
        case lines.driver
            when 'revenue' then rolling.revenue_amount
            when 'cost to serve' then -rolling.cost_to_serve_amount
            when 'support' then -rolling.support_amount
            when 'acquisition' then -rolling.acquisition_amount
            when 'engineering' then -rolling.engineering_amount
            else -rolling.shared_cost_amount
        end as driver_amount
    from rolling
    cross join (
        values ('revenue'), ('cost to serve'), ('support'), ('acquisition'), ('engineering'), ('shared cost')
    ) as lines (driver)
    inner join products on rolling.product_id = products.product_id
    where rolling.operating_result_amount < 0

),

ranked_opportunities as (

    select
        *,
        row_number() over (partition by rule_id order by amount_rank) as rule_rank
    from opportunities

),

opportunity_totals as (

    select
        rule_id,
        max(rule_name) as rule_name,
        max(owner) as owner,
        max(action) as action,
        min(window_start_on) as window_start_on,
        max(window_end_on) as window_end_on,
        count(*) as cases,
        sum(observed_amount) as observed_amount
    from opportunities
    group by rule_id

),

-- The five largest cases by name, the others as one.
opportunity_drivers as (

    select
        rule_id,
        case when rule_rank <= 5 then scope_id else 'all other cases' end as driver,
        sum(observed_amount) as driver_amount
    from ranked_opportunities
    group by rule_id, case when rule_rank <= 5 then scope_id else 'all other cases' end

),

left_behind as (

    select
        'opportunity' as rule_id,
        'rule' as scope_type,
        opportunity_totals.rule_id as scope_id,
        cast(null as {{ dbt.type_string() }}) as event_id,
        cast(null as {{ dbt.type_string() }}) as product_id,
        last_closed.month_date,
        cast(null as date) as since_on,
        opportunity_totals.window_start_on as period_start_on,
        opportunity_totals.window_end_on as period_end_on,
        opportunity_totals.rule_name as metric,
        opportunity_totals.observed_amount as actual_amount,
        cast(0 as decimal(18, 2)) as reference_amount,
        cast(opportunity_totals.observed_amount as double) as stake_amount,
        cast(opportunity_totals.cases as double) as measure,
        false as is_favourable,
        'C' as evidence_grade,
        false as is_causal,
        opportunity_totals.owner,
        opportunity_totals.rule_name || ': ' || {{ amount_text('opportunity_totals.observed_amount') }} || ' at stake in '
        || cast(opportunity_totals.cases as {{ dbt.type_string() }})
        || case when opportunity_totals.cases = 1 then ' case' else ' cases' end || ' from '
        || substr(cast(opportunity_totals.window_start_on as {{ dbt.type_string() }}), 1, 7) || ' to '
        || substr(cast(opportunity_totals.window_end_on as {{ dbt.type_string() }}), 1, 7) || '.' as statement,
        'rpt_optimisation_opportunities' as evidence_mart,
        'rule_id = ''' || opportunity_totals.rule_id || '''' as evidence_filter,
        opportunity_drivers.driver,
        opportunity_drivers.driver_amount
    from opportunity_totals
    inner join opportunity_drivers on opportunity_totals.rule_id = opportunity_drivers.rule_id
    cross join last_closed

),

final as (

    select * from cost_variances
    union all
    select * from cloud_trends
    union all
    select * from cost_anomalies
    union all
    select * from losses
    union all
    select * from left_behind

)

select * from final
