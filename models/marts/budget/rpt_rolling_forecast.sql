-- One row per entity, cost center, account, product and fiscal period, from the start of the reported year to the horizon.
with

outlooks as (

    select *
    from {{ ref('rpt_budget_outlook') }}
    where is_selected

),

actuals as (

    select * from {{ ref('int_budget_actuals') }}

),

budget_lines as (

    select *
    from {{ ref('fct_budget_lines') }}
    where polarity <> 0

),

authorities as (

    select * from {{ ref('int_budget_authorities') }}

),

fiscal_periods as (

    select * from {{ ref('int_fiscal_periods') }}

),

accounts as (

    select *
    from {{ ref('chart_of_accounts') }}
    where polarity <> 0

),

policies as (

    select rolling_forecast_periods
    from {{ ref('forecast_policies') }}

),

latest_reports as (

    select
        entity_id,
        max(fiscal_period) as reported_period,
        max(fiscal_year) as reported_year,
        max(known_on) as known_on
    from outlooks
    group by entity_id

),

-- Actual up to the report, then the horizon, which does not stop at the year's end.
horizon_periods as (

    select
        latest_reports.entity_id,
        latest_reports.reported_period,
        latest_reports.reported_year,
        latest_reports.known_on,
        fiscal_periods.fiscal_period,
        fiscal_periods.fiscal_year,
        fiscal_periods.period_number,
        fiscal_periods.days,
        {{ period_month('fiscal_periods.end_on') }} as month_date,
        fiscal_periods.period_sequence - reported.period_sequence as periods_ahead
    from latest_reports
    cross join policies
    inner join fiscal_periods as reported
        on
            latest_reports.entity_id = reported.entity_id
            and latest_reports.reported_period = reported.fiscal_period
    inner join fiscal_periods
        on
            latest_reports.entity_id = fiscal_periods.entity_id
            and latest_reports.reported_year <= fiscal_periods.fiscal_year
            and reported.period_sequence + policies.rolling_forecast_periods >= fiscal_periods.period_sequence

),

period_actuals as (

    select
        entity_id,
        fiscal_period,
        cost_center_id,
        account_id,
        product_id,
        sum(actual_amount) as actual_amount
    from actuals
    group by entity_id, fiscal_period, cost_center_id, account_id, product_id

),

period_budgets as (

    select
        budget_lines.entity_id,
        budget_lines.fiscal_period,
        budget_lines.cost_center_id,
        budget_lines.account_id,
        budget_lines.product_id,
        sum(budget_lines.reporting_budget_amount) as budget_amount
    from budget_lines
    inner join authorities
        on
            budget_lines.entity_id = authorities.entity_id
            and budget_lines.fiscal_period = authorities.fiscal_period
            and budget_lines.budget_version = authorities.budget_version
    group by
        budget_lines.entity_id,
        budget_lines.fiscal_period,
        budget_lines.cost_center_id,
        budget_lines.account_id,
        budget_lines.product_id

),

-- What the selected outlooks leave for the rest of the reported year.
rests as (

    select
        outlooks.entity_id,
        outlooks.cost_center_id,
        outlooks.account_id,
        outlooks.product_id,
        sum(outlooks.outlook_amount - outlooks.actual_ytd_amount) as rest_amount
    from outlooks
    inner join latest_reports
        on
            outlooks.entity_id = latest_reports.entity_id
            and outlooks.fiscal_period = latest_reports.reported_period
    group by outlooks.entity_id, outlooks.cost_center_id, outlooks.account_id, outlooks.product_id

),

lines as (

    select
        entity_id,
        cost_center_id,
        account_id,
        product_id
    from rests

    union

    select
        period_actuals.entity_id,
        period_actuals.cost_center_id,
        period_actuals.account_id,
        period_actuals.product_id
    from period_actuals
    inner join horizon_periods
        on
            period_actuals.entity_id = horizon_periods.entity_id
            and period_actuals.fiscal_period = horizon_periods.fiscal_period
    where horizon_periods.periods_ahead <= 0

    union

    select
        period_budgets.entity_id,
        period_budgets.cost_center_id,
        period_budgets.account_id,
        period_budgets.product_id
    from period_budgets
    inner join horizon_periods
        on
            period_budgets.entity_id = horizon_periods.entity_id
            and period_budgets.fiscal_period = horizon_periods.fiscal_period

),

line_periods as (

    select
        horizon_periods.*,
        lines.cost_center_id,
        lines.account_id,
        lines.product_id,
        accounts.account_type,
        accounts.polarity,
        period_actuals.actual_amount,
        period_budgets.budget_amount,
        coalesce(rests.rest_amount, 0) as rest_amount,
        authorities.budget_version is not null as has_budget_year
    from horizon_periods
    inner join lines on horizon_periods.entity_id = lines.entity_id
    inner join accounts on lines.account_id = accounts.account_id
    left join authorities
        on
            horizon_periods.entity_id = authorities.entity_id
            and horizon_periods.fiscal_period = authorities.fiscal_period
    left join period_actuals
        on
            horizon_periods.entity_id = period_actuals.entity_id
            and horizon_periods.fiscal_period = period_actuals.fiscal_period
            and lines.cost_center_id is not distinct from period_actuals.cost_center_id
            and lines.account_id = period_actuals.account_id
            and lines.product_id is not distinct from period_actuals.product_id
    left join period_budgets
        on
            horizon_periods.entity_id = period_budgets.entity_id
            and horizon_periods.fiscal_period = period_budgets.fiscal_period
            and lines.cost_center_id is not distinct from period_budgets.cost_center_id
            and lines.account_id = period_budgets.account_id
            and lines.product_id is not distinct from period_budgets.product_id
    left join rests
        on
            lines.entity_id = rests.entity_id
            and lines.cost_center_id is not distinct from rests.cost_center_id
            and lines.account_id = rests.account_id
            and lines.product_id is not distinct from rests.product_id

),

-- The rest follows the budget of its periods; where that cannot say how (none, or of both signs), it follows their days.
weighed as (

    select
        *,
        fiscal_year = reported_year and periods_ahead > 0 as is_rest,
        case
            when
                min(budget_amount) over rest_of_year >= 0
                and sum(budget_amount) over rest_of_year > 0
                then cast(coalesce(budget_amount, 0) as double)
            when
                max(budget_amount) over rest_of_year <= 0
                and sum(budget_amount) over rest_of_year < 0
                then -cast(coalesce(budget_amount, 0) as double)
            else cast(days as double)
        end as weight
    from line_periods
    window
        rest_of_year as (
            partition by
                entity_id, cost_center_id, account_id, product_id, fiscal_year,
                case when periods_ahead > 0 then 1 else 0 end
        )

),

running as (

    select
        *,
        sum(weight) over (
            partition by entity_id, cost_center_id, account_id, product_id, is_rest
            order by periods_ahead
        ) as running_weight,
        sum(weight) over (partition by entity_id, cost_center_id, account_id, product_id, is_rest) as total_weight
    from weighed

),

-- Differences of rounded running totals, so that the periods sum to the outlook.
cumulated as (

    select
        *,
        round(
            cast(cast(rest_amount as double) * running_weight / total_weight as decimal(28, 6)), 2
        ) as cumulative_rest_amount
    from running

),

spread as (

    select
        *,
        cumulative_rest_amount - coalesce(
            lag(cumulative_rest_amount) over (
                partition by entity_id, cost_center_id, account_id, product_id, is_rest
                order by periods_ahead
            ),
            0
        ) as rest_of_period_amount
    from cumulated

),

reported_year_amounts as (

    select
        *,
        case
            when periods_ahead <= 0 then coalesce(actual_amount, 0)
            when is_rest then rest_of_period_amount
        end as year_amount
    from spread

),

forecast as (

    select
        *,
        case
            when periods_ahead <= 0 then 'actual'
            when is_rest then 'outlook'
            when has_budget_year then 'budget'
            else 'reported_year'
        end as basis,
        max(year_amount) over (
            partition by entity_id, cost_center_id, account_id, product_id, period_number
        ) as same_period_amount
    from reported_year_amounts

),

final as (

    select
        fiscal_period,
        entity_id,
        cost_center_id,
        account_id,
        product_id,
        basis,
        reported_period,
        account_type,
        fiscal_year,
        period_number,
        cast(periods_ahead as integer) as periods_ahead,
        month_date,
        cast(
            case
                when basis in ('actual', 'outlook') then year_amount
                when basis = 'budget' then coalesce(budget_amount, 0)
                else coalesce(same_period_amount, 0)
            end as decimal(18, 2)
        ) as forecast_amount,
        cast(budget_amount as decimal(18, 2)) as budget_amount,
        polarity,
        known_on
    from forecast

)

select * from final
