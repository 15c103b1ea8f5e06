-- One row per revenue rule and what it found: discounts beyond the usual, paid add-ons nobody uses, customers who
-- outgrow their seats, and customers whose usage falls.
with

rules as (

    select
        rule_id,
        window_months
    from {{ ref('opportunity_rules') }}

),

periods as (

    select
        end_on,
        is_closed
    from {{ ref('dim_fiscal_period') }}
    where is_reporting_entity

),

terms as (

    select * from {{ ref('int_subscription_terms') }}

),

customers as (

    select
        customer_id,
        segment
    from {{ ref('dim_customer') }}

),

features as (

    select
        feature_id,
        product_id,
        is_add_on
    from {{ ref('dim_feature') }}

),

feature_usage as {{ inlined() }} (

    select
        customer_id,
        feature_id,
        month_date,
        last_used_on,
        event_count,
        peak_active_users
    from {{ ref('int_feature_usage_months') }}

),

reactivations as (

    select
        customer_id,
        month_date
    from {{ ref('int_mrr_customer_months') }}
    where movement_type = 'reactivation'

),

fx_rates as (

    select
        from_currency,
        rate_month,
        average_rate
    from {{ ref('int_fx_rates') }}

),

last_closed as (

    select max(end_on) as window_end_on
    from periods
    where is_closed

),

windows as (

    select
        rules.rule_id,
        rules.window_months,
        last_closed.window_end_on,
        cast({{ dbt.dateadd('month', '1 - rules.window_months', "date_trunc('month', last_closed.window_end_on)") }} as date)
            as window_start_on,
        cast({{ dbt.dateadd('month', '1 - 2 * rules.window_months', "date_trunc('month', last_closed.window_end_on)") }} as date)
            as before_start_on
    from rules
    cross join last_closed
    where
        last_closed.window_end_on is not null
        and rules.rule_id in ('excess_discount', 'idle_add_on', 'expansion_candidate', 'churn_risk')

),

-- Contracts in force at the end of the window, with what they bring in a month in reporting currency.
contracts as (

    select
        terms.subscription_id,
        terms.customer_id,
        terms.product_id,
        terms.plan_id,
        terms.quantity,
        terms.discount_rate,
        coalesce(customers.segment, 'unknown') as segment,
        coalesce(features.is_add_on, false) as is_add_on,
        {{ convert_amount('terms.mrr_amount', 'fx_rates.average_rate') }} as mrr_amount
    from terms
    cross join last_closed
    left join customers on terms.customer_id = customers.customer_id
    left join features on terms.plan_id = features.feature_id
    left join fx_rates
        on
            terms.currency = fx_rates.from_currency
            and cast(date_trunc('month', last_closed.window_end_on) as date) = fx_rates.rate_month
    where
        terms.valid_from <= last_closed.window_end_on
        and terms.counted_until > last_closed.window_end_on
        and terms.mrr_amount > 0

),

-- The part of the window in which a subscription had its plan, through all its terms.
in_force as (

    select
        windows.rule_id,
        terms.subscription_id,
        terms.plan_id,
        cast(
            sum(
                {{ dbt.datediff(
                    'greatest(terms.valid_from, windows.window_start_on)',
                    'least(terms.counted_until, windows.window_end_on + 1)',
                    'day'
                ) }}
            ) as double
        )
        / ({{ dbt.datediff('max(windows.window_start_on)', 'max(windows.window_end_on)', 'day') }} + 1) as window_share
    from windows
    inner join terms
        on
            windows.window_start_on < terms.counted_until
            and windows.window_end_on >= terms.valid_from
    where
        windows.rule_id in ('excess_discount', 'idle_add_on')
        and terms.mrr_amount > 0
    group by windows.rule_id, terms.subscription_id, terms.plan_id

),

usual_discounts as (

    select
        plan_id,
        segment,
        median(cast(discount_rate as double)) as usual_discount_rate,
        count(*) as contracts
    from contracts
    group by plan_id, segment

),

excess_discounts as (

    select
        windows.rule_id,
        contracts.customer_id,
        contracts.plan_id,
        windows.window_months * in_force.window_share
        * cast(contracts.mrr_amount as double) / (1 - cast(contracts.discount_rate as double))
        * (cast(contracts.discount_rate as double) - usual_discounts.usual_discount_rate) as observed_amount,
        cast(contracts.discount_rate as double) - usual_discounts.usual_discount_rate as measure,
        'Discount beyond the median of the plan in the segment, as part of the list price' as evidence,
        windows.window_start_on,
        windows.window_end_on
    from windows
    cross join contracts
    inner join usual_discounts
        on
            contracts.plan_id = usual_discounts.plan_id
            and contracts.segment = usual_discounts.segment
            and usual_discounts.contracts >= 5
    inner join in_force
        on
            windows.rule_id = in_force.rule_id
            and contracts.subscription_id = in_force.subscription_id
            and contracts.plan_id = in_force.plan_id
    where windows.rule_id = 'excess_discount' and contracts.discount_rate < 1

),

add_on_usage as (

    select
        windows.rule_id,
        contracts.subscription_id,
        max(feature_usage.peak_active_users) as active_users
    from windows
    cross join contracts
    inner join feature_usage
        on
            contracts.customer_id = feature_usage.customer_id
            and contracts.plan_id = feature_usage.feature_id
            and windows.window_start_on <= feature_usage.month_date
            and windows.window_end_on >= feature_usage.last_used_on
    where windows.rule_id = 'idle_add_on' and contracts.is_add_on
    group by windows.rule_id, contracts.subscription_id

),

-- Without any usage delivered for the window nothing can be said to be idle.
usage_range as (

    select max(last_used_on) as latest_on
    from feature_usage

),

idle_add_ons as (

    select
        windows.rule_id,
        contracts.customer_id,
        contracts.plan_id,
        windows.window_months * in_force.window_share * cast(contracts.mrr_amount as double) as observed_amount,
        1 - coalesce(cast(add_on_usage.active_users as double), 0) / cast(contracts.quantity as double) as measure,
        'Part of the paid seats of the add-on that nobody used' as evidence,
        windows.window_start_on,
        windows.window_end_on
    from windows
    inner join usage_range on windows.window_start_on <= usage_range.latest_on
    cross join contracts
    inner join in_force
        on
            windows.rule_id = in_force.rule_id
            and contracts.subscription_id = in_force.subscription_id
            and contracts.plan_id = in_force.plan_id
    left join add_on_usage on contracts.subscription_id = add_on_usage.subscription_id
    where windows.rule_id = 'idle_add_on' and contracts.is_add_on

),

product_users as (

    select
        windows.rule_id,
        feature_usage.customer_id,
        features.product_id,
        max(feature_usage.peak_active_users) as active_users
    from windows
    inner join feature_usage
        on
            windows.window_start_on <= feature_usage.month_date
            and windows.window_end_on >= feature_usage.last_used_on
    inner join features on feature_usage.feature_id = features.feature_id
    where windows.rule_id = 'expansion_candidate'
    group by windows.rule_id, feature_usage.customer_id, features.product_id

),

product_seats as (

    select
        customer_id,
        product_id,
        sum(quantity) as quantity,
        sum(mrr_amount) as mrr_amount
    from contracts
    where not is_add_on
    group by customer_id, product_id

),

-- All the fees of the product: `counted_share` says how many more seats are taken to be sold.
expansion_candidates as (

    select
        windows.rule_id,
        product_seats.customer_id,
        product_seats.product_id,
        windows.window_months * cast(product_seats.mrr_amount as double) as observed_amount,
        cast(product_users.active_users as double) / cast(product_seats.quantity as double) as measure,
        'Users of the busiest feature per paid seat' as evidence,
        windows.window_start_on,
        windows.window_end_on
    from windows
    inner join product_users on windows.rule_id = product_users.rule_id
    inner join product_seats
        on
            product_users.customer_id = product_seats.customer_id
            and product_users.product_id = product_seats.product_id

),

customer_usage as (

    select
        windows.rule_id,
        feature_usage.customer_id,
        sum(case when feature_usage.month_date >= windows.window_start_on then feature_usage.event_count else 0 end)
            as events,
        sum(case when feature_usage.month_date < windows.window_start_on then feature_usage.event_count else 0 end)
            as events_before
    from windows
    inner join feature_usage
        on
            windows.before_start_on <= feature_usage.month_date
            and windows.window_end_on >= feature_usage.last_used_on
    where windows.rule_id = 'churn_risk'
    group by windows.rule_id, feature_usage.customer_id

),

-- Who paused and came back within the two windows did not use less, but for a shorter time.
returned as (

    select distinct reactivations.customer_id
    from windows
    inner join reactivations
        on
            windows.before_start_on <= reactivations.month_date
            and windows.window_end_on >= reactivations.month_date
    where windows.rule_id = 'churn_risk'

),

customer_value as (

    select
        customer_id,
        sum(mrr_amount) as mrr_amount
    from contracts
    group by customer_id

),

churn_risks as (

    select
        windows.rule_id,
        customer_usage.customer_id,
        windows.window_months * cast(customer_value.mrr_amount as double) as observed_amount,
        1 - cast(customer_usage.events as double) / cast(customer_usage.events_before as double) as measure,
        'Fall of usage against the window before' as evidence,
        windows.window_start_on,
        windows.window_end_on
    from windows
    inner join customer_usage on windows.rule_id = customer_usage.rule_id
    inner join customer_value on customer_usage.customer_id = customer_value.customer_id
    left join returned on customer_usage.customer_id = returned.customer_id
    where
        customer_usage.events_before > 0
        and returned.customer_id is null

),

findings as (

    select
        rule_id,
        customer_id || ' ' || plan_id as scope_id,
        sum(observed_amount) as observed_amount,
        max(measure) as measure,
        evidence,
        'customer_id = ''' || customer_id || ''' and plan_id = ''' || plan_id || '''' as scope_filter,
        window_start_on,
        window_end_on
    from excess_discounts
    group by rule_id, customer_id, plan_id, evidence, window_start_on, window_end_on

    union all

    select
        rule_id,
        customer_id || ' ' || plan_id as scope_id,
        sum(observed_amount) as observed_amount,
        max(measure) as measure,
        evidence,
        'customer_id = ''' || customer_id || ''' and plan_id = ''' || plan_id || '''' as scope_filter,
        window_start_on,
        window_end_on
    from idle_add_ons
    group by rule_id, customer_id, plan_id, evidence, window_start_on, window_end_on

    union all

    select
        rule_id,
        customer_id || ' ' || product_id as scope_id,
        observed_amount,
        measure,
        evidence,
        'customer_id = ''' || customer_id || ''' and product_id = ''' || product_id || '''' as scope_filter,
        window_start_on,
        window_end_on
    from expansion_candidates

    union all

    select
        rule_id,
        customer_id as scope_id,
        observed_amount,
        measure,
        evidence,
        'customer_id = ''' || customer_id || '''' as scope_filter,
        window_start_on,
        window_end_on
    from churn_risks

),

final as (

    select
        rule_id,
        'customer' as scope_type,
        scope_id,
        cast(round(cast(observed_amount as decimal(18, 6)), 2) as decimal(18, 2)) as observed_amount,
        measure,
        evidence,
        'fct_revenue' as evidence_mart,
        scope_filter || ' and month_date between date ''' || cast(window_start_on as string) || ''' and date '''
        || cast(window_end_on as string) || '''' as evidence_filter
    from findings
    where observed_amount > 0

)

select * from final
