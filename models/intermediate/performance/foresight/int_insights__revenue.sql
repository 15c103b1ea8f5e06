-- One row per possible finding about revenue and retention, month it is looked at and driver.
with

variance_drivers as (

    select
        budget_version,
        fiscal_period,
        fiscal_year,
        product_id,
        replace(driver, '_', ' ') as driver,
        variance_amount
    from {{ ref('rpt_variance_drivers') }}
    where
        bridge = 'revenue'
        and is_closed

),

original_budgets as (

    select
        budget_version,
        product_id,
        month_date,
        budget_amount
    from {{ ref('rpt_budget_variance') }}
    where
        account_type = 'revenue'
        and version_type = 'original'

),

original_versions as (

    select distinct budget_version
    from original_budgets

),

periods as (

    select
        fiscal_period,
        fiscal_year,
        period_number,
        {{ period_month('end_on') }} as month_date,
        year_start_on,
        end_on,
        is_closed
    from {{ ref('dim_fiscal_period') }}
    where is_reporting_entity

),

products as (

    select
        product_id,
        product_name,
        owner
    from {{ ref('dim_product') }}

),

retention as (

    select * from {{ ref('rpt_retention') }}
    where
        retention_reason is null
        and not is_survivors_only

),

waterfall as (

    select month_date
    from {{ ref('rpt_mrr_waterfall') }}
    where
        not is_survivors_only
        and snapshot_on = cast({{ dbt.dateadd('day', -1, dbt.dateadd('month', 1, 'month_date')) }} as date)

),

product_months as (

    select
        customer_id,
        product_id,
        month_date,
        movement_type,
        opening_mrr_amount,
        mrr_change_amount,
        quantity_change_amount,
        price_change_amount,
        constant_opening_mrr_amount,
        constant_closing_mrr_amount
    from {{ ref('int_mrr_product_months') }}

),

rules as (

    select
        rule_id,
        threshold_rate
    from {{ ref('insight_rules') }}

),

-- Fiscal years of entities may begin in different months: up to a month everything counts, whatever its period is called.
budgets as (

    select
        original_budgets.product_id,
        later.fiscal_period,
        sum(original_budgets.budget_amount) as budget_amount
    from original_budgets
    inner join periods as earlier on original_budgets.month_date = earlier.month_date
    inner join periods as later
        on
            earlier.fiscal_year = later.fiscal_year
            and earlier.period_number <= later.period_number
    group by original_budgets.product_id, later.fiscal_period

),

variance_sums as (

    select
        variance_drivers.budget_version,
        variance_drivers.product_id,
        later.fiscal_period,
        later.month_date,
        later.year_start_on,
        later.end_on,
        variance_drivers.driver,
        sum(variance_drivers.variance_amount) as driver_amount
    from variance_drivers
    inner join original_versions on variance_drivers.budget_version = original_versions.budget_version
    inner join periods as earlier on variance_drivers.fiscal_period = earlier.fiscal_period
    inner join periods as later
        on
            earlier.fiscal_year = later.fiscal_year
            and earlier.period_number <= later.period_number
            and later.is_closed
    group by
        variance_drivers.budget_version,
        variance_drivers.product_id,
        later.fiscal_period,
        later.month_date,
        later.year_start_on,
        later.end_on,
        variance_drivers.driver

),

variance_totals as (

    select
        budget_version,
        product_id,
        fiscal_period,
        sum(driver_amount) as variance_amount
    from variance_sums
    group by budget_version, product_id, fiscal_period

),

revenue_variances as (

    select
        'revenue_variance' as rule_id,
        'product' as scope_type,
        variance_sums.product_id as scope_id,
        cast(null as {{ dbt.type_string() }}) as event_id,
        variance_sums.product_id,
        variance_sums.month_date,
        cast(null as date) as since_on,
        variance_sums.year_start_on as period_start_on,
        variance_sums.end_on as period_end_on,
        'Revenue, year to date' as metric,
        budgets.budget_amount + variance_totals.variance_amount as actual_amount,
        budgets.budget_amount as reference_amount,
        abs(cast(variance_totals.variance_amount as double)) as stake_amount,
        abs(cast(variance_totals.variance_amount as double)) / nullif(cast(budgets.budget_amount as double), 0) as measure,
        variance_totals.variance_amount > 0 as is_favourable,
        'C' as evidence_grade,
        false as is_causal,
        products.owner,
        products.product_name || ' (' || variance_sums.product_id || ') has earned '
        || {{ amount_text('budgets.budget_amount + variance_totals.variance_amount') }} || ' this fiscal year up to '
        || variance_sums.fiscal_period || ', ' || {{ amount_text('abs(variance_totals.variance_amount)') }}
        || case when variance_totals.variance_amount > 0 then ' more' else ' less' end
        || ' than the original budget.' as statement,
        'rpt_variance_drivers' as evidence_mart,
        'bridge = ''revenue'' and budget_version = ''' || variance_sums.budget_version || ''' and product_id = '''
        || variance_sums.product_id || ''' and fiscal_period <= ''' || variance_sums.fiscal_period || '''' as evidence_filter,
        variance_sums.driver,
        variance_sums.driver_amount
    from variance_sums
    inner join variance_totals
        on
            variance_sums.budget_version = variance_totals.budget_version
            and variance_sums.product_id = variance_totals.product_id
            and variance_sums.fiscal_period = variance_totals.fiscal_period
    inner join budgets
        on
            variance_sums.product_id = budgets.product_id
            and variance_sums.fiscal_period = budgets.fiscal_period
    inner join products on variance_sums.product_id = products.product_id

),

retention_years as (

    select
        now.month_date,
        now.opening_month,
        now.nrr_rate,
        before.nrr_rate as earlier_nrr_rate,
        {{ round_amount('now.nrr_rate * cast(now.opening_mrr_amount as double)') }} as actual_amount,
        {{ round_amount('before.nrr_rate * cast(now.opening_mrr_amount as double)') }} as reference_amount,
        {{ round_amount('(now.grr_rate - before.grr_rate) * cast(now.opening_mrr_amount as double)') }} as kept_amount
    from retention as now
    inner join waterfall on now.month_date = waterfall.month_date
    inner join retention as before
        on before.month_date = cast({{ dbt.dateadd('month', -12, 'now.month_date') }} as date)

),

-- The rates of two years on the customers of the later one, so that only what customers do makes the difference.
retention_changes as (

    select
        'retention_change' as rule_id,
        'company' as scope_type,
        'company' as scope_id,
        cast(null as {{ dbt.type_string() }}) as event_id,
        cast(null as {{ dbt.type_string() }}) as product_id,
        retention_years.month_date,
        cast(null as date) as since_on,
        retention_years.opening_month as period_start_on,
        cast({{ dbt.dateadd('day', -1, dbt.dateadd('month', 1, 'retention_years.month_date')) }} as date) as period_end_on,
        'MRR of existing customers' as metric,
        retention_years.actual_amount,
        retention_years.reference_amount,
        12 * abs(cast(retention_years.actual_amount - retention_years.reference_amount as double)) as stake_amount,
        abs(retention_years.nrr_rate - retention_years.earlier_nrr_rate) as measure,
        retention_years.nrr_rate > retention_years.earlier_nrr_rate as is_favourable,
        'C' as evidence_grade,
        false as is_causal,
        cast(null as {{ dbt.type_string() }}) as owner,
        'Net revenue retention ' || case when retention_years.nrr_rate > retention_years.earlier_nrr_rate then 'rose' else 'fell' end
        || ' to ' || {{ percent_text('retention_years.nrr_rate') }} || ' in the twelve months to '
        || substr(cast(retention_years.month_date as {{ dbt.type_string() }}), 1, 7) || ', from '
        || {{ percent_text('retention_years.earlier_nrr_rate') }} || ' a year before: '
        || {{ amount_text('retention_years.actual_amount - retention_years.reference_amount', true) }}
        || ' of recurring revenue a month.' as statement,
        'rpt_retention' as evidence_mart,
        'month_date in (date ''' || cast(retention_years.month_date as {{ dbt.type_string() }}) || ''', date '''
        || cast(cast({{ dbt.dateadd('month', -12, 'retention_years.month_date') }} as date) as {{ dbt.type_string() }})
        || ''')' as evidence_filter,
        parts.driver,
        case parts.driver
            when 'losses and reductions' then retention_years.kept_amount
            else retention_years.actual_amount - retention_years.reference_amount - retention_years.kept_amount
        end as driver_amount
    from retention_years
    cross join (values ('losses and reductions'), ('growth of those who stay')) as parts (driver)

),

-- What customers who were there before pay more or less for the same quantity.
price_months as (

    select
        product_months.product_id,
        product_months.month_date,
        count(*) as repriced_customers,
        median(
            cast(product_months.price_change_amount as double) / cast(product_months.opening_mrr_amount as double)
        ) as price_rate
    from product_months
    inner join waterfall on product_months.month_date = waterfall.month_date
    where
        product_months.movement_type = 'expansion'
        and product_months.price_change_amount > 0
        and product_months.quantity_change_amount = 0
    group by product_months.product_id, product_months.month_date
    having count(*) >= 3

),

steep_months as (

    select
        price_months.product_id,
        price_months.month_date,
        price_months.price_rate,
        lag(price_months.month_date) over (partition by price_months.product_id order by price_months.month_date)
            as earlier_month
    from price_months
    inner join rules
        on
            rules.rule_id = 'price_rise'
            and price_months.price_rate >= rules.threshold_rate

),

-- A rise reaches every customer within a year of renewals; what comes within that year is the same rise.
price_rises as (

    select
        product_id,
        month_date as start_month,
        cast({{ dbt.dateadd('month', 11, 'month_date') }} as date) as end_month
    from steep_months
    where
        earlier_month is null
        or month_date > {{ dbt.dateadd('month', 11, 'earlier_month') }}

),

rise_spans as (

    select
        price_rises.product_id,
        price_rises.start_month,
        price_rises.end_month,
        product_months.customer_id,
        product_months.month_date >= price_rises.start_month as is_after,
        product_months.month_date,
        product_months.movement_type,
        product_months.opening_mrr_amount,
        product_months.price_change_amount,
        product_months.quantity_change_amount,
        product_months.mrr_change_amount,
        product_months.constant_opening_mrr_amount,
        product_months.constant_closing_mrr_amount - product_months.constant_opening_mrr_amount as change_amount
    from price_rises
    inner join product_months
        on
            price_rises.product_id = product_months.product_id
            and product_months.month_date between {{ dbt.dateadd('month', -12, 'price_rises.start_month') }}
            and price_rises.end_month
    inner join waterfall on product_months.month_date = waterfall.month_date

),

rise_movements as (

    select
        *,
        case
            when movement_type in ('expansion', 'contraction') and mrr_change_amount <> 0
                then
                    {{ round_amount(
                        'cast(change_amount as double) * cast(price_change_amount as double)'
                        ~ ' / cast(mrr_change_amount as double)'
                    ) }}
            else 0
        end as price_amount
    from rise_spans

),

rise_sums as (

    select
        product_id,
        start_month,
        end_month,
        max(case when is_after then month_date end) as last_month,
        cast(
            sum(case when month_date = start_month then constant_opening_mrr_amount else 0 end) as decimal(18, 2)
        ) as opening_amount,
        cast(sum(case when is_after then price_amount else 0 end) as decimal(18, 2)) as price_amount,
        cast(
            sum(
                case
                    when is_after and movement_type in ('expansion', 'contraction') then change_amount - price_amount
                    else 0
                end
            ) as decimal(18, 2)
        ) as seats_amount,
        cast(
            sum(case when is_after and movement_type = 'churn' then change_amount else 0 end) as decimal(18, 2)
        ) as lost_amount,
        cast(
            sum(case when not is_after and movement_type = 'churn' then change_amount else 0 end) as decimal(18, 2)
        ) as lost_before_amount,
        count_if(is_after and movement_type = 'churn') as lost_customers,
        count_if(not is_after and movement_type = 'churn') as lost_customers_before,
        median(
            case
                when is_after and movement_type = 'expansion' and quantity_change_amount = 0 and price_change_amount > 0
                    then cast(price_change_amount as double) / cast(opening_mrr_amount as double)
            end
        ) as price_rate
    from rise_movements
    group by product_id, start_month, end_month

),

rises as (

    select
        'price_rise' as rule_id,
        'product' as scope_type,
        rise_sums.product_id as scope_id,
        substr(cast(rise_sums.start_month as {{ dbt.type_string() }}), 1, 7) as event_id,
        rise_sums.product_id,
        rise_sums.last_month as month_date,
        rise_sums.start_month as since_on,
        rise_sums.start_month as period_start_on,
        cast({{ dbt.dateadd('day', -1, dbt.dateadd('month', 1, 'rise_sums.last_month')) }} as date) as period_end_on,
        'MRR of existing customers' as metric,
        rise_sums.opening_amount + rise_sums.price_amount + rise_sums.seats_amount + rise_sums.lost_amount as actual_amount,
        rise_sums.opening_amount as reference_amount,
        12 * (
            cast(rise_sums.price_amount as double)
            + greatest(cast(rise_sums.lost_before_amount - rise_sums.lost_amount as double), 0)
        ) as stake_amount,
        rise_sums.price_rate as measure,
        rise_sums.price_amount + rise_sums.lost_amount > rise_sums.lost_before_amount as is_favourable,
        'C' as evidence_grade,
        false as is_causal,
        products.owner,
        'From ' || substr(cast(rise_sums.start_month as {{ dbt.type_string() }}), 1, 7) || ' customers of '
        || products.product_name || ' (' || rise_sums.product_id || ') renewed at prices '
        || {{ percent_text('rise_sums.price_rate') }} || ' higher. Up to '
        || substr(cast(rise_sums.last_month as {{ dbt.type_string() }}), 1, 7) || ' prices added '
        || {{ amount_text('rise_sums.price_amount') }} || ' of recurring revenue a month; '
        || cast(rise_sums.lost_customers as {{ dbt.type_string() }}) || ' customers left with '
        || {{ amount_text('-rise_sums.lost_amount') }} || ' a month, in the twelve months before '
        || cast(rise_sums.lost_customers_before as {{ dbt.type_string() }}) || ' with '
        || {{ amount_text('-rise_sums.lost_before_amount') }} || '.' as statement,
        'fct_mrr_movements' as evidence_mart,
        'product_id = ''' || rise_sums.product_id || ''' and month_date between date '''
        || cast(rise_sums.start_month as {{ dbt.type_string() }}) || ''' and date '''
        || cast(rise_sums.last_month as {{ dbt.type_string() }}) || '''' as evidence_filter,
        parts.driver,
        case parts.driver
            when 'price' then rise_sums.price_amount
            when 'seats' then rise_sums.seats_amount
            else rise_sums.lost_amount
        end as driver_amount
    from rise_sums
    cross join (values ('price'), ('seats'), ('customers lost')) as parts (driver)
    inner join products on rise_sums.product_id = products.product_id

),

final as (

    select * from revenue_variances
    union all
    select * from retention_changes
    union all
    select * from rises

)

select * from final
