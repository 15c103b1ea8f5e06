-- One row per budget line and report: what was spent, budgeted and committed by then, as it was known then.
with

known_actuals as (

    select * from {{ ref('int_budget_known_actuals') }}

),

cutoffs as (

    select * from {{ ref('int_budget_cutoffs') }}

),

budget_lines as (

    select *
    from {{ ref('fct_budget_lines') }}
    where polarity <> 0

),

authorities as (

    select * from {{ ref('int_budget_authorities') }}

),

encumbrances as (

    select *
    from {{ ref('fct_encumbrances') }}
    where event_type <> 'carry_out'

),

fiscal_periods as (

    select * from {{ ref('int_fiscal_periods') }}

),

accounts as (

    select * from {{ ref('chart_of_accounts') }}

),

year_lengths as (

    select
        entity_id,
        fiscal_year,
        max(period_number) as periods_in_year
    from fiscal_periods
    group by entity_id, fiscal_year

),

reports as (

    select
        cutoffs.entity_id,
        cutoffs.fiscal_year,
        cutoffs.fiscal_period,
        cutoffs.period_number,
        cutoffs.period_sequence,
        cutoffs.known_until,
        cutoffs.end_on,
        cutoffs.year_end_on,
        year_lengths.periods_in_year,
        authorities.budget_version,
        cast({{ dbt.datediff("cutoffs.year_start_on", "cutoffs.end_on", "day") }} + 1 as double)
        / ({{ dbt.datediff("cutoffs.year_start_on", "cutoffs.year_end_on", "day") }} + 1) as elapsed_share
    from cutoffs
    inner join year_lengths
        on
            cutoffs.entity_id = year_lengths.entity_id
            and cutoffs.fiscal_year = year_lengths.fiscal_year
    left join authorities
        on
            cutoffs.entity_id = authorities.entity_id
            and cutoffs.fiscal_period = authorities.fiscal_period

),

-- Work against the first locked case, whose milestones tell what was due and what was accepted by then.
earned_values as (

    select
        initiative_id,
        month_date,
        schedule_performance_index
    from {{ ref('rpt_earned_value') }}
    where is_baseline

),

initiative_budgets as (

    select distinct
        fiscal_year,
        cost_center_id,
        account_id
    from budget_lines
    where initiative_id is not null

),

-- A year counts as last year's pattern only if its books begin with its first period.
complete_years as (

    select distinct
        entity_id,
        fiscal_year
    from known_actuals
    where period_number = 1

),

facts as (

    select
        reports.entity_id,
        reports.fiscal_year,
        reports.period_number,
        known_actuals.cost_center_id,
        known_actuals.account_id,
        known_actuals.product_id,
        known_actuals.initiative_id,
        case
            when
                known_actuals.fiscal_year = reports.fiscal_year
                and known_actuals.period_number <= reports.period_number
                then known_actuals.actual_amount
        end as ytd_amount,
        case
            when
                known_actuals.fiscal_year = reports.fiscal_year
                and known_actuals.period_number between reports.period_number - 2 and reports.period_number
                then known_actuals.actual_amount
        end as recent_amount,
        case
            when known_actuals.fiscal_year < reports.fiscal_year and complete_years.fiscal_year is not null
                then known_actuals.actual_amount
        end as prior_year_amount,
        case
            when
                known_actuals.fiscal_year < reports.fiscal_year
                and complete_years.fiscal_year is not null
                and known_actuals.period_number <= reports.period_number
                then known_actuals.actual_amount
        end as prior_year_ytd_amount,
        null as budget_amount,
        null as budget_ytd_amount,
        null as committed_amount
    from reports
    inner join known_actuals
        on
            reports.entity_id = known_actuals.entity_id
            and known_actuals.fiscal_year between reports.fiscal_year - 1 and reports.fiscal_year
            and reports.period_sequence >= known_actuals.known_from_sequence
            and coalesce(reports.period_sequence < known_actuals.known_to_sequence, true)
    left join complete_years
        on
            known_actuals.entity_id = complete_years.entity_id
            and known_actuals.fiscal_year = complete_years.fiscal_year

    union all

    -- The budget that authorised spending when the report was drawn up.
    select
        reports.entity_id,
        reports.fiscal_year,
        reports.period_number,
        budget_lines.cost_center_id,
        budget_lines.account_id,
        budget_lines.product_id,
        budget_lines.initiative_id,
        null as ytd_amount,
        null as recent_amount,
        null as prior_year_amount,
        null as prior_year_ytd_amount,
        budget_lines.reporting_budget_amount as budget_amount,
        case
            when budget_periods.period_number <= reports.period_number then budget_lines.reporting_budget_amount
        end as budget_ytd_amount,
        null as committed_amount
    from reports
    inner join budget_lines
        on
            reports.entity_id = budget_lines.entity_id
            and reports.fiscal_year = budget_lines.fiscal_year
            and reports.budget_version = budget_lines.budget_version
    inner join fiscal_periods as budget_periods
        on
            budget_lines.entity_id = budget_periods.entity_id
            and budget_lines.fiscal_period = budget_periods.fiscal_period

    union all

    select
        reports.entity_id,
        reports.fiscal_year,
        reports.period_number,
        encumbrances.cost_center_id,
        encumbrances.account_id,
        encumbrances.product_id,
        case when initiative_budgets.account_id is not null then encumbrances.initiative_id end as initiative_id,
        null as ytd_amount,
        null as recent_amount,
        null as prior_year_amount,
        null as prior_year_ytd_amount,
        null as budget_amount,
        null as budget_ytd_amount,
        encumbrances.reporting_encumbrance_amount as committed_amount
    from reports
    inner join encumbrances
        on
            reports.entity_id = encumbrances.entity_id
            and reports.fiscal_year = encumbrances.fiscal_year
            and reports.end_on >= encumbrances.event_on
    left join initiative_budgets
        on
            encumbrances.fiscal_year = initiative_budgets.fiscal_year
            and encumbrances.cost_center_id = initiative_budgets.cost_center_id
            and encumbrances.account_id = initiative_budgets.account_id

),

summed as (

    select
        entity_id,
        fiscal_year,
        period_number,
        cost_center_id,
        account_id,
        product_id,
        initiative_id,
        sum(ytd_amount) as ytd_amount,
        sum(recent_amount) as recent_amount,
        sum(prior_year_amount) as prior_year_amount,
        sum(prior_year_ytd_amount) as prior_year_ytd_amount,
        sum(budget_amount) as budget_amount,
        sum(budget_ytd_amount) as budget_ytd_amount,
        sum(committed_amount) as committed_amount
    from facts
    group by
        entity_id,
        fiscal_year,
        period_number,
        cost_center_id,
        account_id,
        product_id,
        initiative_id

),

-- A line of last year alone is not a line of this year, and a year that begins amid the books has no pace to measure.
final as (

    select
        reports.entity_id,
        reports.fiscal_year,
        reports.fiscal_period,
        reports.period_number,
        reports.periods_in_year,
        reports.elapsed_share,
        reports.budget_version,
        reports.known_until,
        reports.end_on,
        reports.year_end_on,
        summed.cost_center_id,
        summed.account_id,
        summed.product_id,
        summed.initiative_id,
        accounts.account_type,
        accounts.polarity,
        cast(coalesce(summed.ytd_amount, 0) as double) as ytd_amount,
        cast(coalesce(summed.recent_amount, 0) as double) / least(reports.period_number, 3) as recent_amount,
        cast(summed.prior_year_amount as double) as prior_year_amount,
        cast(summed.prior_year_ytd_amount as double) as prior_year_ytd_amount,
        cast(summed.budget_amount as double) as budget_amount,
        cast(coalesce(summed.budget_ytd_amount, 0) as double) as budget_ytd_amount,
        cast(coalesce(summed.committed_amount, 0) as double) as committed_amount,
        earned_values.schedule_performance_index
    from summed
    inner join reports
        on
            summed.entity_id = reports.entity_id
            and summed.fiscal_year = reports.fiscal_year
            and summed.period_number = reports.period_number
    inner join accounts on summed.account_id = accounts.account_id
    inner join complete_years
        on
            summed.entity_id = complete_years.entity_id
            and summed.fiscal_year = complete_years.fiscal_year
    -- A fiscal period that ends amid a month knows the month before.
    left join earned_values
        on
            summed.initiative_id = earned_values.initiative_id
            and earned_values.month_date
            = cast({{ dbt.dateadd('month', -1, "date_trunc('month', " ~ dbt.dateadd('day', 1, 'reports.end_on') ~ ")") }} as date)
    where
        accounts.polarity <> 0
        and (
            summed.ytd_amount is not null
            or summed.budget_amount is not null
            or summed.committed_amount <> 0
        )

)

select * from final
