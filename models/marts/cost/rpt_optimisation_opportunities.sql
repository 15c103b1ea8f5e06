-- One row per rule and thing it found.
with

rules as (

    select * from {{ ref('opportunity_rules') }}

),

periods as (

    select * from {{ ref('dim_fiscal_period') }}
    where is_reporting_entity

),

cloud_efficiency as (

    select * from {{ ref('rpt_cloud_efficiency') }}
    where scope_type = 'company'

),

cloud_costs as (

    select * from {{ ref('fct_cloud_costs') }}

),

cloud_anomalies as (

    select * from {{ ref('rpt_cost_anomalies') }}

),

utilisation as (

    select * from {{ ref('rpt_resource_utilisation') }}

),

unit_costs as (

    select * from {{ ref('rpt_unit_costs') }}
    where is_closed

),

purchase_orders as (

    select * from {{ ref('stg_cost__purchase_orders') }}

),

po_invoices as (

    select * from {{ ref('stg_cost__po_invoices') }}

),

fx_rates as (

    select * from {{ ref('int_fx_rates') }}

),

revenue_opportunities as (

    select * from {{ ref('int_revenue_opportunities') }}

),

-- All rules look at closed months, up to the last one.
last_closed as (

    select max(end_on) as window_end_on
    from periods
    where is_closed

),

windows as (

    select
        rules.*,
        last_closed.window_end_on,
        cast({{ dbt.dateadd("month", "1 - rules.window_months", "date_trunc('month', last_closed.window_end_on)") }} as date)
            as window_start_on
    from rules
    cross join last_closed
    where last_closed.window_end_on is not null

),

idle_commitments as (

    select
        windows.rule_id,
        'company' as scope_type,
        'all' as scope_id,
        sum(cloud_efficiency.commitment_unused_amount) as observed_amount,
        cast(sum(cloud_efficiency.commitment_unused_amount) as double)
        / cast(sum(cloud_efficiency.commitment_used_amount + cloud_efficiency.commitment_unused_amount) as double)
            as measure,
        'Unused part of commitments' as evidence,
        'rpt_cloud_efficiency' as evidence_mart,
        'scope_type = ''company'' and commitment_unused_amount > 0 and month_date between date '''
        || cast(min(windows.window_start_on) as {{ dbt.type_string() }}) || ''' and date '''
        || cast(min(windows.window_end_on) as {{ dbt.type_string() }}) || '''' as evidence_filter
    from windows
    inner join cloud_efficiency
        on cloud_efficiency.month_date between windows.window_start_on and windows.window_end_on
    where windows.rule_id = 'idle_commitment'
    group by windows.rule_id
    having sum(cloud_efficiency.commitment_used_amount + cloud_efficiency.commitment_unused_amount) > 0

),

unused_capacity as (

    select
        windows.rule_id,
        'cost_center' as scope_type,
        utilisation.cost_center_id as scope_id,
        sum(utilisation.unused_amount) as observed_amount,
        cast(sum(utilisation.unused_hours) as double) / cast(sum(utilisation.practical_hours) as double) as measure,
        'Unused part of practical hours' as evidence,
        'rpt_resource_utilisation' as evidence_mart,
        'cost_center_id = ''' || utilisation.cost_center_id || ''' and unused_amount is not null and period_month between date '''
        || cast(min(windows.window_start_on) as {{ dbt.type_string() }}) || ''' and date '''
        || cast(min(windows.window_end_on) as {{ dbt.type_string() }}) || '''' as evidence_filter
    from windows
    inner join utilisation
        on
            utilisation.period_month between windows.window_start_on and windows.window_end_on
            and utilisation.unused_amount is not null
    where windows.rule_id = 'unused_capacity'
    group by
        windows.rule_id,
        utilisation.cost_center_id
    having sum(utilisation.practical_hours) > 0

),

converted_invoices as (

    select
        po_invoices.po_id,
        po_invoices.line_number,
        po_invoices.invoiced_on,
        purchase_orders.vendor,
        {{ convert_amount('po_invoices.invoice_amount', 'fx_rates.average_rate') }} as invoice_amount,
        {{ convert_amount('po_invoices.po_share_amount', 'fx_rates.average_rate') }} as ordered_amount
    from po_invoices
    inner join purchase_orders
        on
            po_invoices.po_id = purchase_orders.po_id
            and po_invoices.line_number = purchase_orders.line_number
    left join fx_rates
        on
            po_invoices.currency = fx_rates.from_currency
            and cast(date_trunc('month', po_invoices.invoiced_on) as date) = fx_rates.rate_month

),

vendors_above_order as (

    select
        windows.rule_id,
        'vendor' as scope_type,
        converted_invoices.vendor as scope_id,
        sum(converted_invoices.invoice_amount - converted_invoices.ordered_amount) as observed_amount,
        cast(sum(converted_invoices.invoice_amount - converted_invoices.ordered_amount) as double)
        / cast(sum(converted_invoices.ordered_amount) as double) as measure,
        'Invoiced above the ordered price, as part of it' as evidence,
        'fct_cost_entries' as evidence_mart,
        'vendor = ''' || replace(converted_invoices.vendor, '''', '''''') || ''' and posted_on between date '''
        || cast(min(windows.window_start_on) as {{ dbt.type_string() }}) || ''' and date '''
        || cast(min(windows.window_end_on) as {{ dbt.type_string() }}) || '''' as evidence_filter
    from windows
    inner join converted_invoices
        on converted_invoices.invoiced_on between windows.window_start_on and windows.window_end_on
    where windows.rule_id = 'vendor_above_order'
    group by
        windows.rule_id,
        converted_invoices.vendor
    having sum(converted_invoices.ordered_amount) > 0

),

delivered as (

    select
        po_id,
        line_number,
        sum(po_share_amount) as delivered_amount,
        max(invoiced_on) as last_invoiced_on
    from po_invoices
    group by
        po_id,
        line_number

),

stale_orders as (

    select
        windows.rule_id,
        'purchase_order' as scope_type,
        purchase_orders.po_id || '/' || cast(purchase_orders.line_number as {{ dbt.type_string() }}) as scope_id,
        {{ convert_amount(
            'purchase_orders.amount - coalesce(delivered.delivered_amount, 0)', 'fx_rates.average_rate'
        ) }} as observed_amount,
        cast({{ dbt.datediff(
            "coalesce(delivered.last_invoiced_on, purchase_orders.ordered_on)", "windows.window_end_on", "day"
        ) }} as double) as measure,
        'Days since the last invoice, or the order, of ' || purchase_orders.vendor as evidence,
        'fct_cost_entries' as evidence_mart,
        'vendor = ''' || replace(purchase_orders.vendor, '''', '''''') || ''' and description = '''
        || purchase_orders.po_id || '/' || cast(purchase_orders.line_number as {{ dbt.type_string() }})
        || '''' as evidence_filter
    from windows
    inner join purchase_orders
        on
            purchase_orders.status = 'open'
            and windows.window_start_on > purchase_orders.ordered_on
    left join delivered
        on
            purchase_orders.po_id = delivered.po_id
            and purchase_orders.line_number = delivered.line_number
    left join fx_rates
        on
            purchase_orders.currency = fx_rates.from_currency
            and cast(date_trunc('month', windows.window_end_on) as date) = fx_rates.rate_month
    where
        windows.rule_id = 'stale_order'
        and coalesce(delivered.last_invoiced_on < windows.window_start_on, true)

),

unowned_cloud as (

    select
        windows.rule_id,
        'sub_account' as scope_type,
        coalesce(cloud_costs.sub_account_id, 'none') as scope_id,
        sum(cloud_costs.reporting_unowned_amount) as observed_amount,
        cast(sum(cloud_costs.reporting_unowned_amount) as double)
        / cast(sum(cloud_costs.reporting_effective_amount) as double) as measure,
        'Part of effective cost without an owner' as evidence,
        'fct_cloud_costs' as evidence_mart,
        'coalesce(sub_account_id, ''none'') = ''' || coalesce(cloud_costs.sub_account_id, 'none')
        || ''' and reporting_unowned_amount <> 0 and charge_date between date '''
        || cast(min(windows.window_start_on) as {{ dbt.type_string() }}) || ''' and date '''
        || cast(min(windows.window_end_on) as {{ dbt.type_string() }}) || '''' as evidence_filter
    from windows
    inner join cloud_costs on cloud_costs.charge_date between windows.window_start_on and windows.window_end_on
    where windows.rule_id = 'unowned_cloud'
    group by
        windows.rule_id,
        coalesce(cloud_costs.sub_account_id, 'none')
    having sum(cloud_costs.reporting_effective_amount) > 0

),

-- Cost of a service per event of the product it runs, month by month.
service_months as (

    select
        cloud_costs.sub_account_id,
        cloud_costs.service_name,
        cloud_costs.product_id,
        periods.fiscal_period,
        periods.period_sequence,
        periods.start_on,
        sum(cloud_costs.reporting_effective_amount) as effective_amount,
        max(unit_costs.quantity) as event_count
    from cloud_costs
    inner join periods on cloud_costs.charge_date between periods.start_on and periods.end_on
    inner join unit_costs
        on
            cloud_costs.product_id = unit_costs.product_id
            and periods.fiscal_period = unit_costs.fiscal_period
            and unit_costs.unit_type = 'event'
            and unit_costs.quantity > 0
    where
        cloud_costs.charge_category = 'Usage'
        and cloud_costs.sub_account_id is not null
    group by
        cloud_costs.sub_account_id,
        cloud_costs.service_name,
        cloud_costs.product_id,
        periods.fiscal_period,
        periods.period_sequence,
        periods.start_on

),

rising_months as (

    select
        *,
        cast(effective_amount as double) / cast(event_count as double) as event_cost,
        cast(effective_amount as double) / cast(event_count as double)
        > lag(cast(effective_amount as double) / cast(event_count as double)) over (
            partition by sub_account_id, service_name, product_id
            order by period_sequence
        ) as is_rising
    from service_months

),

usual_costs as (

    select
        rising_months.sub_account_id,
        rising_months.service_name,
        rising_months.product_id,
        median(rising_months.event_cost) as usual_event_cost,
        count(*) as months
    from rising_months
    inner join windows
        on
            windows.rule_id = 'runaway_cloud'
            and rising_months.start_on < windows.window_start_on
            and rising_months.start_on >= cast(
                {{ dbt.dateadd("month", -6, "windows.window_start_on") }} as date
            )
    group by
        rising_months.sub_account_id,
        rising_months.service_name,
        rising_months.product_id

),

runaway_cloud as (

    select
        windows.rule_id,
        'sub_account' as scope_type,
        rising_months.sub_account_id || ' ' || rising_months.service_name || ' ' || rising_months.product_id as scope_id,
        cast(round(cast(sum(
            cast(rising_months.effective_amount as double)
            - usual_costs.usual_event_cost * cast(rising_months.event_count as double)
        ) as decimal(18, 6)), 2) as decimal(18, 2)) as observed_amount,
        max_by(rising_months.event_cost, rising_months.period_sequence) / min(usual_costs.usual_event_cost) - 1 as measure,
        'Rise of cost per event over the median of the six months before, higher each month' as evidence,
        'fct_cloud_costs' as evidence_mart,
        'sub_account_id = ''' || rising_months.sub_account_id || ''' and service_name = '''
        || rising_months.service_name || ''' and product_id = ''' || rising_months.product_id
        || ''' and charge_date between date '''
        || cast(min(windows.window_start_on) as {{ dbt.type_string() }}) || ''' and date '''
        || cast(min(windows.window_end_on) as {{ dbt.type_string() }}) || '''' as evidence_filter
    from windows
    inner join rising_months on rising_months.start_on between windows.window_start_on and windows.window_end_on
    inner join usual_costs
        on
            rising_months.sub_account_id = usual_costs.sub_account_id
            and rising_months.service_name = usual_costs.service_name
            and rising_months.product_id = usual_costs.product_id
            and usual_costs.months >= 3
            and usual_costs.usual_event_cost > 0
    where windows.rule_id = 'runaway_cloud'
    group by
        windows.rule_id,
        rising_months.sub_account_id,
        rising_months.service_name,
        rising_months.product_id
    having bool_and(rising_months.is_rising)

),

event_costs as (

    select
        unit_costs.product_id,
        unit_costs.fiscal_period,
        periods.period_sequence,
        periods.end_on,
        unit_costs.quantity,
        unit_costs.unit_cost_to_serve
    from unit_costs
    inner join periods on unit_costs.fiscal_period = periods.fiscal_period
    where
        unit_costs.unit_type = 'event'
        and unit_costs.unit_cost_to_serve is not null

),

event_medians as (

    select
        judged.product_id,
        judged.fiscal_period,
        median(earlier.unit_cost_to_serve) as usual_cost,
        count(*) as months
    from event_costs as judged
    inner join event_costs as earlier
        on
            judged.product_id = earlier.product_id
            and earlier.period_sequence between judged.period_sequence - 12 and judged.period_sequence - 1
    group by
        judged.product_id,
        judged.fiscal_period

),

event_spreads as (

    select
        judged.product_id,
        judged.fiscal_period,
        median(abs(earlier.unit_cost_to_serve - event_medians.usual_cost)) as median_deviation
    from event_costs as judged
    inner join event_medians
        on
            judged.product_id = event_medians.product_id
            and judged.fiscal_period = event_medians.fiscal_period
    inner join event_costs as earlier
        on
            judged.product_id = earlier.product_id
            and earlier.period_sequence between judged.period_sequence - 12 and judged.period_sequence - 1
    group by
        judged.product_id,
        judged.fiscal_period

),

unit_cost_outliers as (

    select
        windows.rule_id,
        'product' as scope_type,
        event_costs.product_id as scope_id,
        cast(round(cast(
            (event_costs.unit_cost_to_serve - event_medians.usual_cost) * cast(event_costs.quantity as double)
            as decimal(18, 6)
        ), 2) as decimal(18, 2)) as observed_amount,
        0.6745 * (event_costs.unit_cost_to_serve - event_medians.usual_cost)
        / nullif(event_spreads.median_deviation, 0) as measure,
        'Robust score of cost to serve an event against the twelve months before' as evidence,
        'rpt_unit_costs' as evidence_mart,
        'product_id = ''' || event_costs.product_id || ''' and unit_type = ''event'' and fiscal_period = '''
        || event_costs.fiscal_period || '''' as evidence_filter
    from windows
    inner join event_costs on windows.window_end_on = event_costs.end_on
    inner join event_medians
        on
            event_costs.product_id = event_medians.product_id
            and event_costs.fiscal_period = event_medians.fiscal_period
            and event_medians.months >= 6
    inner join event_spreads
        on
            event_costs.product_id = event_spreads.product_id
            and event_costs.fiscal_period = event_spreads.fiscal_period
    where windows.rule_id = 'unit_cost_outlier'

),

products_below_cost as (

    select
        windows.rule_id,
        'product' as scope_type,
        unit_costs.product_id as scope_id,
        sum(unit_costs.cost_amount - unit_costs.quantity) as observed_amount,
        cast(sum(unit_costs.cost_amount) as double) / nullif(cast(sum(unit_costs.quantity) as double), 0) as measure,
        'Cost per unit of revenue, shared cost included' as evidence,
        'rpt_unit_costs' as evidence_mart,
        'product_id = ''' || unit_costs.product_id || ''' and unit_type = ''revenue'' and fiscal_period between '''
        || min(unit_costs.fiscal_period) || ''' and ''' || max(unit_costs.fiscal_period) || '''' as evidence_filter
    from windows
    inner join periods on periods.start_on between windows.window_start_on and windows.window_end_on
    inner join unit_costs
        on
            periods.fiscal_period = unit_costs.fiscal_period
            and unit_costs.unit_type = 'revenue'
    where windows.rule_id = 'below_cost'
    group by
        windows.rule_id,
        unit_costs.product_id

),

anomalous_cloud as (

    select
        windows.rule_id,
        'sub_account' as scope_type,
        cloud_anomalies.anomaly_event_id as scope_id,
        sum(cloud_anomalies.excess_amount) as observed_amount,
        max(cloud_anomalies.robust_z) as measure,
        'Largest robust score of the event' as evidence,
        'rpt_cost_anomalies' as evidence_mart,
        'anomaly_event_id = ''' || cloud_anomalies.anomaly_event_id || '''' as evidence_filter
    from windows
    inner join cloud_anomalies
        on
            cloud_anomalies.charge_date between windows.window_start_on and windows.window_end_on
            and cloud_anomalies.direction = 'increase'
            and cloud_anomalies.anomaly_status = 'open'
    where windows.rule_id = 'cloud_anomaly'
    group by
        windows.rule_id,
        cloud_anomalies.anomaly_event_id

),

findings as (

    select * from idle_commitments

    union all

    select * from unused_capacity

    union all

    select * from vendors_above_order

    union all

    select * from stale_orders

    union all

    select * from unowned_cloud

    union all

    select * from runaway_cloud

    union all

    select * from unit_cost_outliers

    union all

    select * from products_below_cost

    union all

    select * from anomalous_cloud

    union all

    select * from revenue_opportunities

),

weighed as (

    select
        findings.rule_id,
        findings.scope_type,
        findings.scope_id,
        {{ round_amount('findings.observed_amount * windows.counted_share') }} as observed_amount,
        findings.measure,
        findings.evidence,
        findings.evidence_mart,
        findings.evidence_filter,
        windows.rule_name,
        windows.window_start_on,
        windows.window_end_on,
        windows.threshold,
        windows.money_floor,
        windows.owner,
        windows.action
    from findings
    inner join windows on findings.rule_id = windows.rule_id

),

worthwhile as (

    select *
    from weighed
    where
        observed_amount >= money_floor
        and coalesce(measure, threshold) >= threshold

),

final as (

    select
        rule_id || ': ' || scope_id as opportunity_id,
        rule_id,
        rule_name,
        scope_type,
        scope_id,
        window_start_on,
        window_end_on,
        observed_amount,
        cast('{{ var("reporting_currency") }}' as {{ dbt.type_string() }}) as currency,
        measure,
        threshold,
        evidence,
        evidence_mart,
        evidence_filter,
        owner,
        action,
        cast(row_number() over (order by observed_amount desc, rule_id asc, scope_id asc) as bigint) as amount_rank
    from worthwhile

)

select * from final
