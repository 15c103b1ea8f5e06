-- One row per fiscal year that is over and account type; an empty year and the type all are totals, computed from
-- lines.
with

outlooks as (

    select * from {{ ref('rpt_budget_outlook') }}
    where final_amount is not null

),

measures as (

    select * from {{ ref('int_outlook_measures') }}

),

-- The last report of a year holds the budget the line is judged by.
line_reports as (

    select
        *,
        concat_ws(
            '|', entity_id, cast(fiscal_year as {{ dbt.type_string() }}), coalesce(cost_center_id, '-'), account_id,
            coalesce(product_id, '-'), coalesce(initiative_id, '-')
        ) as line_id,
        max(period_number) over (partition by entity_id, fiscal_year) as last_period
    from outlooks
    where is_selected or outlook_method = 'straight_line'

),

selected_reports as (

    select
        line_id,
        entity_id,
        fiscal_year,
        account_type,
        period_number,
        last_period,
        cost_center_id,
        account_id,
        product_id,
        initiative_id,
        budget_full_year_amount,
        is_flagged,
        cast(final_amount as double) as final_amount,
        cast(outlook_amount as double) as integrated_amount
    from line_reports
    where is_selected

),

straight_lines as (

    select
        line_id,
        period_number,
        cast(outlook_amount as double) as baseline_amount
    from line_reports
    where outlook_method = 'straight_line'

),

-- Seasonal naive: the rest of the year comes as it came last year; the pace so far where there was no such year.
points as (

    select
        selected_reports.line_id,
        selected_reports.fiscal_year,
        selected_reports.account_type,
        selected_reports.period_number,
        selected_reports.last_period,
        selected_reports.budget_full_year_amount,
        selected_reports.final_amount,
        selected_reports.is_flagged as is_integrated_flag,
        straight_lines.baseline_amount > selected_reports.budget_full_year_amount as is_baseline_flag,
        abs(selected_reports.integrated_amount - selected_reports.final_amount) as integrated_error,
        abs(straight_lines.baseline_amount - selected_reports.final_amount) as baseline_error,
        abs(
            coalesce(
                measures.ytd_amount + measures.prior_year_amount - coalesce(measures.prior_year_ytd_amount, 0),
                straight_lines.baseline_amount
            ) - selected_reports.final_amount
        ) as naive_error
    from selected_reports
    inner join straight_lines
        on
            selected_reports.line_id = straight_lines.line_id
            and selected_reports.period_number = straight_lines.period_number
    inner join measures
        on
            selected_reports.entity_id = measures.entity_id
            and selected_reports.fiscal_year = measures.fiscal_year
            and selected_reports.period_number = measures.period_number
            and selected_reports.cost_center_id is not distinct from measures.cost_center_id
            and selected_reports.account_id = measures.account_id
            and selected_reports.product_id is not distinct from measures.product_id
            and selected_reports.initiative_id is not distinct from measures.initiative_id

),

final_budgets as (

    select
        line_id,
        budget_full_year_amount as budget_amount
    from points
    where period_number = last_period

),

-- A line is one observation: its months err together.
lines as (

    select
        points.line_id,
        points.fiscal_year,
        points.account_type,
        max(points.last_period) as last_period,
        count(*) as reports,
        sum(abs(points.final_amount)) as actual_amount,
        sum(points.baseline_error) as baseline_error,
        sum(points.naive_error) as naive_error,
        sum(points.integrated_error) as integrated_error,
        min(case when points.is_baseline_flag then points.period_number end) as first_baseline_flag,
        min(case when points.is_integrated_flag then points.period_number end) as first_integrated_flag,
        case
            when points.account_type = 'expense' and max(final_budgets.budget_amount) > 0
                then max(points.final_amount) > max(final_budgets.budget_amount)
        end as is_overspent
    from points
    left join final_budgets
        on points.line_id = final_budgets.line_id
    where points.period_number < points.last_period
    group by points.line_id, points.fiscal_year, points.account_type

),

levels as (

    select
        lines.*,
        case when years_or_all.number = 0 then lines.fiscal_year end as level_year,
        case when types_or_all.number = 0 then lines.account_type else 'all' end as level_type
    from lines
    cross join range(0, 2) as years_or_all (number)
    cross join range(0, 2) as types_or_all (number)

),

summed as (

    select
        level_year,
        level_type,
        count(*) as line_count,
        sum(reports) as report_count,
        sum(actual_amount) as actual_amount,
        sum(baseline_error) as baseline_error,
        sum(naive_error) as naive_error,
        sum(integrated_error) as integrated_error,
        count_if(coalesce(is_overspent, false)) as overspent_line_count,
        avg(case when is_overspent then last_period - coalesce(first_baseline_flag, last_period) end)
            as baseline_lead_periods,
        avg(case when is_overspent then last_period - coalesce(first_integrated_flag, last_period) end)
            as integrated_lead_periods,
        avg(case when not is_overspent then case when first_baseline_flag is null then 0 else 1 end end)
            as baseline_false_alarm_rate,
        avg(case when not is_overspent then case when first_integrated_flag is null then 0 else 1 end end)
            as integrated_false_alarm_rate,
        -- Sums of squares and products for the standard error of a ratio of two sums over lines.
        sum(power(baseline_error, 2)) as baseline_squares,
        sum(power(integrated_error, 2)) as integrated_squares,
        sum(baseline_error * integrated_error) as products
    from levels
    group by level_year, level_type

),

rated as (

    select
        *,
        baseline_error / nullif(actual_amount, 0) as baseline_error_rate,
        naive_error / nullif(actual_amount, 0) as naive_error_rate,
        integrated_error / nullif(actual_amount, 0) as integrated_error_rate,
        integrated_error / nullif(baseline_error, 0) as error_ratio
    from summed

),

judged as (

    select
        *,
        case
            when actual_amount = 0 then 'no_actuals'
            when baseline_error_rate < 0.01 then 'baseline_already_accurate'
        end as error_reduction_rate_reason,
        1.6448536269514722 * sqrt(
            greatest(
                integrated_squares - 2 * error_ratio * products + power(error_ratio, 2) * baseline_squares, 0
            ) * line_count / nullif(line_count - 1, 0)
        ) / nullif(baseline_error, 0) as margin
    from rated

),

final as (

    select
        cast(level_year as integer) as fiscal_year,
        level_type as account_type,
        cast(line_count as integer) as line_count,
        cast(report_count as integer) as report_count,
        baseline_error_rate,
        naive_error_rate,
        integrated_error_rate,
        case when actual_amount = 0 then 'no_actuals' end as integrated_error_rate_reason,
        case when error_reduction_rate_reason is null then 1 - error_ratio end as error_reduction_rate,
        error_reduction_rate_reason,
        case when error_reduction_rate_reason is null then 1 - error_ratio - margin end as lower_bound,
        case when error_reduction_rate_reason is null then 1 - error_ratio + margin end as upper_bound,
        cast(overspent_line_count as integer) as overspent_line_count,
        cast(baseline_lead_periods as double) as baseline_lead_periods,
        cast(integrated_lead_periods as double) as integrated_lead_periods,
        cast(baseline_false_alarm_rate as double) as baseline_false_alarm_rate,
        cast(integrated_false_alarm_rate as double) as integrated_false_alarm_rate,
        coalesce(integrated_lead_periods >= baseline_lead_periods, true)
        and coalesce(integrated_false_alarm_rate <= baseline_false_alarm_rate, true) as is_guardrail_kept
    from judged

)

select * from final
