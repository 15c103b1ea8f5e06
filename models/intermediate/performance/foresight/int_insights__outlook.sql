-- One row per possible finding about key figures (ahead, off target, moving together), month it is looked at and driver.
with

base_lines as (

    select * from {{ ref('int_forecast_lines') }}

),

contributions as (

    select * from {{ ref('rpt_product_contribution') }}
    where is_closed

),

associations as (

    select * from {{ ref('rpt_kpi_associations') }}
    where is_significant

),

series as (

    select
        pair_id,
        segment,
        unit_id,
        month_date,
        metric_value,
        kpi_value
    from {{ ref('int_association_series') }}

),

product_months as (

    select
        customer_id,
        product_id,
        month_date,
        mrr_change_amount,
        quantity_change_amount,
        constant_closing_mrr_amount - constant_opening_mrr_amount as change_amount
    from {{ ref('int_mrr_product_months') }}

),

catalog as (

    select
        kpi_id,
        kpi_name,
        unit,
        polarity,
        denominator_measure,
        owner
    from {{ ref('kpi_catalog') }}

),

kpi_values as (

    select
        kpi_id,
        scope_type,
        scope_id,
        month_date,
        denominator
    from {{ ref('fct_kpi_values') }}

),

scorecard as (

    select * from {{ ref('rpt_kpi_scorecard') }}
    where
        status = 'red'
        and polarity <> 0
        and prior_year_value is not null
        and scope_type in ('company', 'product')

),

features as (

    select
        feature_id,
        feature_name,
        product_id
    from {{ ref('dim_feature') }}

),

products as (

    select
        product_id,
        product_name,
        owner
    from {{ ref('dim_product') }}

),

next_year as (

    select
        product_id,
        max(origin_month) as origin_month,
        count(*) as months,
        sum(revenue_amount) as revenue_amount,
        sum(cost_to_serve_amount) as cost_to_serve_amount,
        sum(support_amount) as support_amount,
        sum(acquisition_amount) as acquisition_amount,
        sum(engineering_amount) as engineering_amount,
        sum(shared_cost_amount) as shared_cost_amount,
        sum(revenue_amount - cost_amount) as operating_result_amount
    from base_lines
    group by product_id

),

last_year as (

    select
        contributions.product_id,
        sum(contributions.revenue_amount) as revenue_amount,
        sum(contributions.cost_to_serve_amount) as cost_to_serve_amount,
        sum(contributions.support_amount) as support_amount,
        sum(contributions.acquisition_amount) as acquisition_amount,
        sum(contributions.engineering_amount) as engineering_amount,
        sum(contributions.shared_cost_amount) as shared_cost_amount,
        sum(contributions.operating_result_amount) as operating_result_amount,
        count(*) as months
    from contributions
    inner join next_year
        on
            contributions.product_id = next_year.product_id
            and contributions.month_date <= next_year.origin_month
            and contributions.month_date > {{ dbt.dateadd('month', '-next_year.months', 'next_year.origin_month') }}
    group by contributions.product_id

),

forecast_changes as (

    select
        'forecast_change' as rule_id,
        'product' as scope_type,
        next_year.product_id as scope_id,
        cast(null as {{ dbt.type_string() }}) as event_id,
        next_year.product_id,
        next_year.origin_month as month_date,
        cast(null as date) as since_on,
        cast({{ dbt.dateadd('month', 1, 'next_year.origin_month') }} as date) as period_start_on,
        cast({{ dbt.dateadd('day', -1, dbt.dateadd('month', 'next_year.months + 1', 'next_year.origin_month')) }} as date)
            as period_end_on,
        'Operating result, months ahead' as metric,
        next_year.operating_result_amount as actual_amount,
        last_year.operating_result_amount as reference_amount,
        abs(cast(next_year.operating_result_amount - last_year.operating_result_amount as double)) as stake_amount,
        abs(cast(next_year.operating_result_amount - last_year.operating_result_amount as double))
        / nullif(abs(cast(last_year.operating_result_amount as double)), 0) as measure,
        next_year.operating_result_amount > last_year.operating_result_amount as is_favourable,
        'D' as evidence_grade,
        false as is_causal,
        products.owner,
        products.product_name || ' (' || next_year.product_id || ') is forecast to make '
        || {{ amount_text('next_year.operating_result_amount') }} || ' in the '
        || cast(next_year.months as {{ dbt.type_string() }}) || ' months after '
        || substr(cast(next_year.origin_month as {{ dbt.type_string() }}), 1, 7) || ', '
        || {{ amount_text('abs(next_year.operating_result_amount - last_year.operating_result_amount)') }}
        || case
            when next_year.operating_result_amount > last_year.operating_result_amount then ' more'
            else ' less'
        end
        || ' than in as many months before.' as statement,
        'fct_forecasts' as evidence_mart,
        'measure in (''revenue'', ''cost'') and series_level = ''product'' and member_id = ''' || next_year.product_id
        || '''' as evidence_filter,
        lines.driver,
        case lines.driver
            when 'revenue' then next_year.revenue_amount - last_year.revenue_amount
            when 'cost to serve' then last_year.cost_to_serve_amount - next_year.cost_to_serve_amount
            when 'support' then last_year.support_amount - next_year.support_amount
            when 'acquisition' then last_year.acquisition_amount - next_year.acquisition_amount
            when 'engineering' then last_year.engineering_amount - next_year.engineering_amount
            else last_year.shared_cost_amount - next_year.shared_cost_amount
        end as driver_amount
    from next_year
    inner join last_year
        on
            next_year.product_id = last_year.product_id
            and next_year.months = last_year.months
    inner join products on next_year.product_id = products.product_id
    cross join (
        values ('revenue'), ('cost to serve'), ('support'), ('acquisition'), ('engineering'), ('shared cost')
    ) as lines (driver)

),

-- Of several significant lags, the one with the strongest correlation speaks.
headlines as (

    select
        *,
        row_number() over (
            partition by pair_id, segment order by p_value, lag_months
        ) as lag_rank
    from associations

),

last_months as (

    select max(month_date) as month_date
    from contributions

),

grown as (

    select
        series.segment as feature_id,
        series.metric_value = 1 as is_user,
        count(*) as customer_months,
        sum(series.kpi_value) as growths,
        sum(
            case
                when series.kpi_value = 1
                    then
                        cast(product_months.change_amount as double)
                        * least(
                            cast(product_months.quantity_change_amount as double)
                            / nullif(cast(product_months.mrr_change_amount as double), 0),
                            1
                        )
                else 0
            end
        ) as grown_amount
    from series
    inner join headlines
        on
            series.pair_id = headlines.pair_id
            and series.segment = headlines.segment
            and headlines.lag_rank = 1
            and headlines.scope_type = 'feature'
    inner join features on series.segment = features.feature_id
    inner join last_months
        on
            series.month_date <= last_months.month_date
            and series.month_date > {{ dbt.dateadd('month', -12, 'last_months.month_date') }}
    inner join product_months
        on
            series.unit_id = product_months.customer_id
            and features.product_id = product_months.product_id
            and series.month_date = product_months.month_date
    group by series.segment, series.metric_value

),

compared as (

    select
        users.feature_id,
        users.customer_months,
        users.growths / users.customer_months as user_rate,
        others.growths / others.customer_months as other_rate,
        coalesce(users.grown_amount / nullif(users.growths, 0), 0) as user_size,
        coalesce(others.grown_amount / nullif(others.growths, 0), 0) as other_size
    from grown as users
    inner join grown as others
        on
            users.feature_id = others.feature_id
            and users.is_user
            and not others.is_user

),

-- Growth of users over twelve months beside what it would have been at the rate and size of the others.
compared_amounts as (

    select
        feature_id,
        user_rate,
        other_rate,
        {{ round_amount('customer_months * user_rate * user_size') }} as actual_amount,
        {{ round_amount('customer_months * other_rate * other_size') }} as reference_amount,
        {{ round_amount('customer_months * (user_rate - other_rate) * other_size') }} as rate_amount
    from compared

),

feature_associations as (

    select
        'association' as rule_id,
        'feature' as scope_type,
        headlines.segment as scope_id,
        headlines.pair_id as event_id,
        headlines.product_id,
        last_months.month_date,
        cast(null as date) as since_on,
        cast({{ dbt.dateadd('month', -11, 'last_months.month_date') }} as date) as period_start_on,
        cast({{ dbt.dateadd('day', -1, dbt.dateadd('month', 1, 'last_months.month_date')) }} as date) as period_end_on,
        'MRR from added seats, twelve months' as metric,
        compared_amounts.actual_amount,
        compared_amounts.reference_amount,
        12 * abs(cast(compared_amounts.actual_amount - compared_amounts.reference_amount as double)) as stake_amount,
        abs(headlines.pearson) as measure,
        compared_amounts.actual_amount > compared_amounts.reference_amount as is_favourable,
        'D' as evidence_grade,
        false as is_causal,
        products.owner,
        'Use of ' || features.feature_name || ' (' || headlines.segment || ') is associated with '
        || case when headlines.pearson > 0 then 'more' else 'less' end || ' growth in seats of ' || products.product_name
        || ': over the last twelve months customers who use it added seats in '
        || {{ percent_text('compared_amounts.user_rate') }} || ' of months, other customers in '
        || {{ percent_text('compared_amounts.other_rate') }} || '. That is '
        || {{ amount_text('compared_amounts.actual_amount') }} || ' of recurring revenue from added seats, against '
        || {{ amount_text('compared_amounts.reference_amount') }} || ' at the pace of the others.'
        || ' Over all months the correlation is '
        || cast(cast(round(headlines.pearson, 2) as decimal(4, 2)) as {{ dbt.type_string() }}) || ' among '
        || cast(headlines.observations as {{ dbt.type_string() }}) || ' customer months (q = '
        || cast(cast(round(headlines.q_value, 3) as decimal(4, 3)) as {{ dbt.type_string() }})
        || ' after correction for ' || cast(headlines.tests as {{ dbt.type_string() }}) || ' tests).' as statement,
        'rpt_kpi_associations' as evidence_mart,
        'pair_id = ''' || headlines.pair_id || ''' and segment = ''' || headlines.segment || '''' as evidence_filter,
        parts.driver,
        case parts.driver
            when 'how often they grow' then compared_amounts.rate_amount
            else compared_amounts.actual_amount - compared_amounts.reference_amount - compared_amounts.rate_amount
        end as driver_amount
    from headlines
    inner join compared_amounts on headlines.segment = compared_amounts.feature_id
    inner join features on headlines.segment = features.feature_id
    inner join products on headlines.product_id = products.product_id
    cross join last_months
    cross join (values ('how often they grow'), ('by how much')) as parts (driver)
    where
        headlines.lag_rank = 1
        and headlines.scope_type = 'feature'

),

monthly_changes as (

    select
        series.pair_id,
        series.segment,
        series.kpi_value
        - lag(series.kpi_value) over (
            partition by series.pair_id, series.segment
            order by series.month_date
        ) as change_amount
    from series
    inner join headlines
        on
            series.pair_id = headlines.pair_id
            and series.segment = headlines.segment
            and headlines.lag_rank = 1
            and headlines.scope_type <> 'feature'

),

usual_changes as (

    select
        pair_id,
        segment,
        stddev_samp(change_amount) as usual_amount
    from monthly_changes
    group by pair_id, segment

),

-- The change of the key figure that goes with a usual change of the metric, in money; rates stay in their own report.
figure_associations as (

    select
        'association' as rule_id,
        headlines.scope_type,
        headlines.segment as scope_id,
        headlines.pair_id as event_id,
        headlines.product_id,
        last_months.month_date,
        cast(null as date) as since_on,
        cast({{ dbt.dateadd('month', -11, 'last_months.month_date') }} as date) as period_start_on,
        cast({{ dbt.dateadd('day', -1, dbt.dateadd('month', 1, 'last_months.month_date')) }} as date) as period_end_on,
        catalog.kpi_name as metric,
        {{ round_amount('headlines.pearson * usual_changes.usual_amount') }} as actual_amount,
        cast(0 as decimal(18, 2)) as reference_amount,
        abs(headlines.pearson * usual_changes.usual_amount) as stake_amount,
        abs(headlines.pearson) as measure,
        headlines.is_as_expected as is_favourable,
        'D' as evidence_grade,
        false as is_causal,
        coalesce(products.owner, catalog.owner) as owner,
        case when headlines.pearson > 0 then 'Higher ' else 'Lower ' end || lower(catalog.kpi_name) || ' of '
        || coalesce(products.product_name || ' (' || headlines.segment || ')', 'the ' || headlines.segment)
        || ' is associated with higher ' || replace(headlines.metric_id, '_', ' ')
        || case
            when headlines.lag_months = 0 then ' in the same month'
            else ', ' || cast(headlines.lag_months as {{ dbt.type_string() }}) || ' months later'
        end
        || ': a usual monthly change of the one goes with '
        || {{ amount_text('headlines.pearson * usual_changes.usual_amount', true) }} || ' of the other (correlation '
        || cast(cast(round(headlines.pearson, 2) as decimal(4, 2)) as {{ dbt.type_string() }}) || ', q = '
        || cast(cast(round(headlines.q_value, 3) as decimal(4, 3)) as {{ dbt.type_string() }})
        || ' after correction for ' || cast(headlines.tests as {{ dbt.type_string() }}) || ' tests).' as statement,
        'rpt_kpi_associations' as evidence_mart,
        'pair_id = ''' || headlines.pair_id || ''' and segment = ''' || headlines.segment || '''' as evidence_filter,
        'goes with a usual change of ' || headlines.metric_id as driver,
        {{ round_amount('headlines.pearson * usual_changes.usual_amount') }} as driver_amount
    from headlines
    inner join usual_changes
        on
            headlines.pair_id = usual_changes.pair_id
            and headlines.segment = usual_changes.segment
    inner join catalog
        on
            headlines.kpi_id = catalog.kpi_id
            and catalog.unit = 'amount'
    left join products on headlines.product_id = products.product_id
    cross join last_months
    where
        headlines.lag_rank = 1
        and headlines.scope_type <> 'feature'

),

-- What a gap is worth: amounts are money already, rates of money are worth their part of it; the rest is not money.
gaps as (

    select
        scorecard.kpi_id,
        catalog.kpi_name,
        scorecard.scope_type,
        scorecard.scope_id,
        scorecard.month_date,
        scorecard.kpi_value,
        scorecard.target_value,
        scorecard.streak_months,
        catalog.unit,
        catalog.polarity,
        catalog.owner,
        catalog.denominator_measure,
        {{ round_amount(
            'scorecard.kpi_value * coalesce(cast(kpi_values.denominator as double), 1)'
        ) }} as actual_amount,
        {{ round_amount(
            'scorecard.target_value * coalesce(cast(kpi_values.denominator as double), 1)'
        ) }} as reference_amount,
        {{ round_amount(
            'scorecard.prior_year_value * coalesce(cast(kpi_values.denominator as double), 1)'
        ) }} as earlier_amount
    from scorecard
    inner join catalog
        on
            scorecard.kpi_id = catalog.kpi_id
            and (
                (catalog.unit = 'amount' and catalog.denominator_measure is null)
                or (catalog.unit = 'rate' and catalog.denominator_measure like '%amount')
            )
    inner join kpi_values
        on
            scorecard.kpi_id = kpi_values.kpi_id
            and scorecard.scope_type = kpi_values.scope_type
            and scorecard.scope_id = kpi_values.scope_id
            and scorecard.month_date = kpi_values.month_date

),

missed_targets as (

    select
        'target_missed' as rule_id,
        gaps.scope_type,
        gaps.scope_id,
        gaps.kpi_id as event_id,
        products.product_id,
        gaps.month_date,
        cast({{ dbt.dateadd('month', '1 - gaps.streak_months', 'gaps.month_date') }} as date) as since_on,
        gaps.month_date as period_start_on,
        cast({{ dbt.dateadd('day', -1, dbt.dateadd('month', 1, 'gaps.month_date')) }} as date) as period_end_on,
        gaps.kpi_name as metric,
        gaps.actual_amount,
        gaps.reference_amount,
        abs(cast(gaps.actual_amount - gaps.reference_amount as double)) as stake_amount,
        abs(cast(gaps.actual_amount - gaps.reference_amount as double))
        / nullif(abs(cast(gaps.reference_amount as double)), 0) as measure,
        false as is_favourable,
        'C' as evidence_grade,
        false as is_causal,
        coalesce(products.owner, gaps.owner) as owner,
        gaps.kpi_name || ' of ' || coalesce(products.product_name || ' (' || gaps.scope_id || ')', 'the company') || ' was '
        || case
            when gaps.unit = 'amount' then {{ amount_text('gaps.kpi_value') }}
            else {{ percent_text('gaps.kpi_value') }}
        end
        || ' in ' || substr(cast(gaps.month_date as {{ dbt.type_string() }}), 1, 7) || ' against a target of '
        || case
            when gaps.unit = 'amount' then {{ amount_text('gaps.target_value') }}
            else {{ percent_text('gaps.target_value') }}
        end
        || ': ' || {{ amount_text('gaps.actual_amount - gaps.reference_amount', true) }} || ', off target for '
        || cast(gaps.streak_months as {{ dbt.type_string() }})
        || case when gaps.streak_months = 1 then ' month.' else ' months.' end as statement,
        'rpt_kpi_scorecard' as evidence_mart,
        'kpi_id = ''' || gaps.kpi_id || ''' and scope_type = ''' || gaps.scope_type || ''' and scope_id = '''
        || gaps.scope_id || ''' and month_date = date ''' || cast(gaps.month_date as {{ dbt.type_string() }}) || ''''
            as evidence_filter,
        parts.driver,
        case parts.driver
            when 'change on the year before' then gaps.actual_amount - gaps.earlier_amount
            else gaps.earlier_amount - gaps.reference_amount
        end as driver_amount
    from gaps
    left join products
        on
            gaps.scope_type = 'product'
            and gaps.scope_id = products.product_id
    cross join (values ('change on the year before'), ('gap a year before')) as parts (driver)

),

final as (

    select * from forecast_changes
    union all
    select * from missed_targets
    union all
    select * from feature_associations
    union all
    select * from figure_associations

)

select * from final
