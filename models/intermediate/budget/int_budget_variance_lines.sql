-- One row per budget version, fiscal period, cost center, account and product; of version none since the books begin.
with

budget_lines as (

    select * from {{ ref('fct_budget_lines') }}

),

actuals as (

    select * from {{ ref('int_budget_actuals') }}

),

encumbrances as (

    select * from {{ ref('fct_encumbrances') }}

),

flex_rules as (

    select * from {{ ref('flex_rules') }}

),

fiscal_periods as (

    select * from {{ ref('dim_fiscal_period') }}

),

accounts as (

    select *
    from {{ ref('chart_of_accounts') }}
    where polarity <> 0

),

reporting_date as (

    select * from {{ ref('int_reporting_date') }}

),

budgets as (

    select
        budget_version,
        version_type,
        entity_id,
        fiscal_year,
        fiscal_period,
        cost_center_id,
        account_id,
        product_id,
        max(known_at) as version_known_at,
        sum(reporting_budget_amount) as budget_amount,
        count(reporting_budget_amount) < count(*) as is_rate_missing
    from budget_lines
    where
        polarity <> 0
        and fiscal_year is not null
    group by all

),

versions as (

    select
        fiscal_year,
        budget_version,
        max(version_type) as version_type,
        max(version_known_at) as version_known_at
    from budgets
    group by all

),

commitments as (

    select
        entity_id,
        fiscal_year,
        fiscal_period,
        cost_center_id,
        account_id,
        product_id,
        sum(reporting_encumbrance_amount) as committed_change_amount
    from encumbrances
    where fiscal_year is not null
    group by all

),

known_years as (

    select fiscal_year
    from versions

    union

    select fiscal_year
    from actuals

),

-- A year holds the lines of the year before, too: what is no longer spent is still compared.
actual_years as (

    select
        entity_id,
        fiscal_year,
        cost_center_id,
        account_id,
        product_id
    from actuals

    union

    select
        actuals.entity_id,
        known_years.fiscal_year,
        actuals.cost_center_id,
        actuals.account_id,
        actuals.product_id
    from actuals
    inner join known_years on actuals.fiscal_year + 1 = known_years.fiscal_year

    union

    select
        entity_id,
        fiscal_year,
        cost_center_id,
        account_id,
        product_id
    from commitments

),

-- Spending is set against every version of its year, or against none where nothing was budgeted.
line_years as (

    select
        budget_version,
        entity_id,
        fiscal_year,
        cost_center_id,
        account_id,
        product_id
    from budgets

    union

    select
        coalesce(versions.budget_version, 'none') as budget_version,
        actual_years.entity_id,
        actual_years.fiscal_year,
        actual_years.cost_center_id,
        actual_years.account_id,
        actual_years.product_id
    from actual_years
    left join versions on actual_years.fiscal_year = versions.fiscal_year

),

lines as (

    select
        line_years.budget_version,
        coalesce(versions.version_type, 'none') as version_type,
        line_years.entity_id,
        line_years.fiscal_year,
        line_years.cost_center_id,
        line_years.account_id,
        line_years.product_id,
        accounts.account_type,
        accounts.polarity,
        fiscal_periods.fiscal_period,
        fiscal_periods.fiscal_quarter,
        fiscal_periods.period_number,
        cast(fiscal_periods.fiscal_year - 1 as string)
        || substr(fiscal_periods.fiscal_period, 5) as prior_fiscal_period,
        {{ period_month('fiscal_periods.end_on') }} as month_date,
        fiscal_periods.is_closed,
        fiscal_periods.closed_at,
        -- A period that has not begun has a budget but nothing to compare it with.
        coalesce(
            fiscal_periods.is_closed or fiscal_periods.start_on <= reporting_date.reporting_on, false
        ) as has_begun,
        reporting_date.reporting_on
    from line_years
    inner join accounts on line_years.account_id = accounts.account_id
    left join versions
        on
            line_years.fiscal_year = versions.fiscal_year
            and line_years.budget_version = versions.budget_version
    inner join fiscal_periods
        on
            line_years.entity_id = fiscal_periods.entity_id
            and line_years.fiscal_year = fiscal_periods.fiscal_year
    cross join reporting_date

),

reported_actuals as (

    select
        entity_id,
        fiscal_period,
        cost_center_id,
        account_id,
        product_id,
        sum(actual_amount) as actual_amount,
        sum(budget_rate_amount) as budget_rate_amount,
        bool_or(is_rate_missing) as is_rate_missing
    from actuals
    group by all

),

comparable_actuals as (

    select
        entity_id,
        comparable_fiscal_period as fiscal_period,
        cost_center_id,
        account_id,
        product_id,
        sum(actual_amount) as actual_amount
    from actuals
    group by all

),

books as (

    select
        entity_id,
        min(fiscal_period) as first_fiscal_period,
        max(fiscal_period) as last_fiscal_period
    from actuals
    group by entity_id

),

measured as (

    select
        lines.*,
        coalesce(budgets.budget_amount, 0) as budget_amount,
        coalesce(reported.actual_amount, case when lines.has_begun then 0 end) as actual_amount,
        coalesce(budgets.is_rate_missing, false) or coalesce(reported.is_rate_missing, false) as is_rate_missing,
        coalesce(reported.budget_rate_amount, case when lines.has_begun then 0 end) as actual_at_budget_rate_amount,
        -- Nothing was spent is one thing, nothing was kept another.
        case
            when lines.prior_fiscal_period between books.first_fiscal_period and books.last_fiscal_period
                then coalesce(prior_year.actual_amount, 0)
        end as prior_year_amount,
        case
            when lines.prior_fiscal_period between books.first_fiscal_period and books.last_fiscal_period
                then coalesce(comparable.actual_amount, 0)
        end as prior_year_comparable_amount,
        coalesce(lines.fiscal_period < books.first_fiscal_period, false) as is_before_books,
        coalesce(commitments.committed_change_amount, 0) as committed_change_amount,
        flex_rules.variable_share
    from lines
    left join budgets
        on
            lines.budget_version = budgets.budget_version
            and lines.fiscal_period = budgets.fiscal_period
            and lines.entity_id = budgets.entity_id
            and lines.cost_center_id is not distinct from budgets.cost_center_id
            and lines.account_id = budgets.account_id
            and lines.product_id is not distinct from budgets.product_id
    left join reported_actuals as reported
        on
            lines.fiscal_period = reported.fiscal_period
            and lines.entity_id = reported.entity_id
            and lines.cost_center_id is not distinct from reported.cost_center_id
            and lines.account_id = reported.account_id
            and lines.product_id is not distinct from reported.product_id
    left join reported_actuals as prior_year
        on
            lines.prior_fiscal_period = prior_year.fiscal_period
            and lines.entity_id = prior_year.entity_id
            and lines.cost_center_id is not distinct from prior_year.cost_center_id
            and lines.account_id = prior_year.account_id
            and lines.product_id is not distinct from prior_year.product_id
    left join comparable_actuals as comparable
        on
            lines.prior_fiscal_period = comparable.fiscal_period
            and lines.entity_id = comparable.entity_id
            and lines.cost_center_id is not distinct from comparable.cost_center_id
            and lines.account_id = comparable.account_id
            and lines.product_id is not distinct from comparable.product_id
    left join commitments
        on
            lines.fiscal_period = commitments.fiscal_period
            and lines.entity_id = commitments.entity_id
            and lines.cost_center_id is not distinct from commitments.cost_center_id
            and lines.account_id = commitments.account_id
            and lines.product_id is not distinct from commitments.product_id
    left join books on lines.entity_id = books.entity_id
    left join flex_rules on lines.account_id = flex_rules.account_id

),

-- The driver of a flexible budget: revenue of the month of the product, of the company where a line has no product.
revenue_drivers as (

    select
        budget_version,
        month_date,
        product_id,
        false as is_company,
        sum(budget_amount) as budget_driver_amount,
        sum(actual_at_budget_rate_amount) as actual_driver_amount
    from measured
    where account_type = 'revenue'
    group by budget_version, month_date, product_id

    union all

    select
        budget_version,
        month_date,
        null as product_id,
        true as is_company,
        sum(budget_amount) as budget_driver_amount,
        sum(actual_at_budget_rate_amount) as actual_driver_amount
    from measured
    where account_type = 'revenue'
    group by budget_version, month_date

),

flexed as (

    select
        measured.*,
        case
            when
                measured.variable_share > 0
                and revenue_drivers.budget_driver_amount > 0
                and revenue_drivers.actual_driver_amount is not null
                then
                    {{ round_amount(
                        'cast(measured.budget_amount as double) * (1 + cast(measured.variable_share as double)'
                        ~ ' * (cast(revenue_drivers.actual_driver_amount as double)'
                        ~ ' / cast(revenue_drivers.budget_driver_amount as double) - 1))'
                    ) }}
            else measured.budget_amount
        end as flex_budget_amount
    from measured
    left join revenue_drivers
        on
            measured.budget_version = revenue_drivers.budget_version
            and measured.month_date = revenue_drivers.month_date
            and measured.account_type = 'expense'
            and revenue_drivers.is_company = (measured.product_id is null)
            and (measured.product_id is null or measured.product_id = revenue_drivers.product_id)

),

-- Orders add up before the periods that have neither budget nor books are left out.
committed as (

    select
        *,
        sum(committed_change_amount) over (
            partition by budget_version, entity_id, fiscal_year, cost_center_id, account_id, product_id
            order by period_number
        ) as committed_amount
    from flexed

),

final as (

    select
        budget_version,
        fiscal_period,
        cost_center_id,
        account_id,
        product_id,
        entity_id,
        version_type,
        account_type,
        fiscal_year,
        fiscal_quarter,
        period_number,
        month_date,
        polarity,
        cast(actual_amount as decimal(18, 2)) as actual_amount,
        cast(actual_at_budget_rate_amount as decimal(18, 2)) as actual_at_budget_rate_amount,
        cast(budget_amount as decimal(18, 2)) as budget_amount,
        cast(flex_budget_amount as decimal(18, 2)) as flex_budget_amount,
        cast(prior_year_amount as decimal(18, 2)) as prior_year_amount,
        cast(prior_year_comparable_amount as decimal(18, 2)) as prior_year_comparable_amount,
        cast(committed_amount as decimal(18, 2)) as committed_amount,
        is_rate_missing,
        is_closed,
        has_begun,
        closed_at,
        reporting_on
    from committed
    where
        version_type <> 'none'
        or not is_before_books

)

select * from final
