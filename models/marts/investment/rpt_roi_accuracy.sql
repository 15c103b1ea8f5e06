-- One row per initiative with a held review that is mature and cost above the threshold; initiative `all` is the
-- total.
with

initiatives as (

    select
        initiative_id,
        product_id,
        cast(date_trunc('month', ready_for_use_on) as date) as ready_month,
        ready_for_use_on
    from {{ ref('dim_initiative') }}
    where ready_for_use_on is not null

),

policy as (

    select
        benefit_cutoff_month,
        first_review_months,
        last_review_months,
        credibility_months,
        review_threshold_amount,
        minimum_reviews
    from {{ ref('int_investment_policy') }}

),

realised_flows as (

    select
        initiative_id,
        month_date,
        cost_amount,
        build_cost_amount,
        run_cost_amount,
        benefit_amount
    from {{ ref('fct_initiative_cash_flows') }}
    where version_role = 'realised'

),

benefits as (

    select
        initiative_id,
        month_date,
        cash_amount,
        cast(confirmed_at as date) as confirmed_on
    from {{ ref('fct_benefits') }}
    where is_counted and cash_amount is not null

),

case_flows as (

    select
        initiative_id,
        case_version,
        month_date,
        cast(locked_at as date) as locked_on,
        build_cost_amount,
        run_cost_amount,
        benefit_amount
    from {{ ref('int_initiative_case_flows') }}
    where locked_at is not null

),

reviews as (

    select
        initiative_id,
        reviewed_on
    from {{ ref('rpt_benefit_realisation') }}
    where review_state = 'held'

),

labour_costs as (

    select
        initiative_id,
        period_month,
        hours
    from {{ ref('fct_labour_costs') }}
    where line_type = 'timesheet' and initiative_id is not null

),

capacity as (

    select
        period_month,
        payroll_amount + loading_amount as people_amount,
        contracted_hours
    from {{ ref('int_labour_capacity') }}

),

cost_entries as (

    select
        initiative_id,
        posted_on,
        reporting_amount
    from {{ ref('fct_cost_entries') }}
    where
        initiative_id is not null
        and is_cash_cost
        and entry_type in ('ledger', 'cloud')

),

contributions as (

    select
        product_id,
        month_date,
        cm1_amount
    from {{ ref('rpt_product_contribution') }}

),

-- The estimate is drawn up when the month of the first review is over, the truth when the last review's is.
windows as (

    select
        initiatives.initiative_id,
        initiatives.product_id,
        initiatives.ready_for_use_on,
        initiatives.ready_month,
        reviews.reviewed_on,
        policy.credibility_months,
        policy.first_review_months,
        policy.last_review_months,
        cast({{ dbt.dateadd('month', 'policy.first_review_months', 'initiatives.ready_month') }} as date) as estimate_month,
        cast({{ dbt.dateadd('month', 'policy.last_review_months', 'initiatives.ready_month') }} as date) as mature_month,
        cast(
            {{ dbt.dateadd('month', 'policy.first_review_months + 1', 'initiatives.ready_month') }} as date
        ) as estimated_on
    from initiatives
    cross join policy
    inner join reviews
        on initiatives.initiative_id = reviews.initiative_id
    where {{ dbt.dateadd('month', 'policy.last_review_months', 'initiatives.ready_month') }} <= policy.benefit_cutoff_month

),

references_reviewed as (

    select
        windows.initiative_id,
        sum(cast(realised_flows.cost_amount as double)) as cost_amount,
        sum(cast(realised_flows.benefit_amount as double)) as benefit_amount
    from windows
    inner join realised_flows
        on
            windows.initiative_id = realised_flows.initiative_id
            and windows.mature_month >= realised_flows.month_date
    group by windows.initiative_id

),

known_costs as (

    select
        windows.initiative_id,
        sum(cast(realised_flows.cost_amount as double)) as cost_amount
    from windows
    inner join realised_flows
        on
            windows.initiative_id = realised_flows.initiative_id
            and windows.estimate_month >= realised_flows.month_date
    group by windows.initiative_id

),

known_benefits as (

    select
        windows.initiative_id,
        sum(cast(benefits.cash_amount as double)) as benefit_amount,
        count(distinct benefits.month_date) as measured_months,
        max(benefits.month_date) as last_measured_month
    from windows
    inner join benefits
        on
            windows.initiative_id = benefits.initiative_id
            and windows.estimate_month >= benefits.month_date
            and windows.estimated_on > coalesce(benefits.confirmed_on, benefits.month_date)
    group by windows.initiative_id

),

locked_cases as (

    select
        windows.initiative_id,
        case_flows.case_version,
        max(case_flows.locked_on) as locked_on,
        max(case when case_flows.build_cost_amount > 0 then case_flows.month_date end) as last_build_month
    from windows
    inner join case_flows
        on
            windows.initiative_id = case_flows.initiative_id
            and windows.estimated_on > case_flows.locked_on
    group by windows.initiative_id, case_flows.case_version

),

-- The case in force when the estimate was drawn up, moved to when the initiative was really ready.
known_cases as (

    select
        initiative_id,
        case_version,
        last_build_month
    from locked_cases
    qualify row_number() over (partition by initiative_id order by locked_on desc, case_version desc) = 1

),

plans as (

    select
        known_cases.initiative_id,
        cast(
            {{ dbt.dateadd(
                'month',
                dbt.datediff('known_cases.last_build_month', 'windows.ready_month', 'month'),
                'case_flows.month_date'
            ) }} as date
        ) as month_date,
        cast(case_flows.run_cost_amount as double) as run_cost_amount,
        cast(case_flows.benefit_amount as double) as benefit_amount
    from known_cases
    inner join windows
        on known_cases.initiative_id = windows.initiative_id
    inner join case_flows
        on
            known_cases.initiative_id = case_flows.initiative_id
            and known_cases.case_version = case_flows.case_version
    where known_cases.last_build_month is not null

),

plan_parts as (

    select
        windows.initiative_id,
        sum(case when plans.month_date <= known_benefits.last_measured_month then plans.benefit_amount else 0 end)
            as past_benefit_amount,
        sum(
            case
                when plans.month_date > coalesce(known_benefits.last_measured_month, windows.ready_month)
                    then plans.benefit_amount
                else 0
            end
        ) as later_benefit_amount,
        sum(case when plans.month_date > windows.estimate_month then plans.run_cost_amount else 0 end)
            as later_cost_amount
    from windows
    inner join plans
        on
            windows.initiative_id = plans.initiative_id
            and windows.mature_month >= plans.month_date
    left join known_benefits
        on windows.initiative_id = known_benefits.initiative_id
    group by windows.initiative_id

),

-- Integrated: what was measured, and the rest of the plan as far as the record so far bears it out.
integrated as (

    select
        windows.initiative_id,
        coalesce(known_costs.cost_amount, 0) + coalesce(plan_parts.later_cost_amount, 0) as cost_amount,
        coalesce(known_benefits.benefit_amount, 0)
        + coalesce(plan_parts.later_benefit_amount, 0)
        * (
            windows.credibility_months
            + coalesce(known_benefits.measured_months, 0)
            * coalesce(known_benefits.benefit_amount / nullif(plan_parts.past_benefit_amount, 0), 1)
        )
        / nullif(cast(windows.credibility_months + coalesce(known_benefits.measured_months, 0) as double), 0)
            as benefit_amount
    from windows
    left join known_costs
        on windows.initiative_id = known_costs.initiative_id
    left join known_benefits
        on windows.initiative_id = known_benefits.initiative_id
    left join plan_parts
        on windows.initiative_id = plan_parts.initiative_id
    where known_benefits.initiative_id is not null or plan_parts.initiative_id is not null

),

-- Baseline: one rate for everyone, what was billed, no shared cost.
blended_rates as (

    select
        windows.initiative_id,
        sum(cast(capacity.people_amount as double)) / nullif(sum(cast(capacity.contracted_hours as double)), 0) as hourly_rate
    from windows
    inner join capacity
        on windows.estimate_month >= capacity.period_month
    group by windows.initiative_id

),

baseline_costs as (

    select
        windows.initiative_id,
        windows.ready_month,
        labour_costs.period_month as month_date,
        cast(labour_costs.hours as double) * blended_rates.hourly_rate as cost_amount
    from windows
    inner join labour_costs
        on
            windows.initiative_id = labour_costs.initiative_id
            and windows.estimate_month >= labour_costs.period_month
    inner join blended_rates
        on windows.initiative_id = blended_rates.initiative_id

    union all

    select
        windows.initiative_id,
        windows.ready_month,
        cast(date_trunc('month', cost_entries.posted_on) as date) as month_date,
        cast(cost_entries.reporting_amount as double) as cost_amount
    from windows
    inner join cost_entries
        on
            windows.initiative_id = cost_entries.initiative_id
            and windows.estimated_on > cost_entries.posted_on

),

baseline_cost_sums as (

    select
        initiative_id,
        sum(cost_amount) as cost_amount,
        sum(case when month_date > ready_month then cost_amount else 0 end) as run_cost_amount
    from baseline_costs
    group by initiative_id

),

-- ... and the margin of the product after against before.
before_and_after as (

    select
        windows.initiative_id,
        sum(case when contributions.month_date > windows.ready_month then cast(contributions.cm1_amount as double) end)
        / windows.first_review_months as after_amount,
        sum(case when contributions.month_date < windows.ready_month then cast(contributions.cm1_amount as double) end)
        / windows.first_review_months as before_amount
    from windows
    inner join contributions
        on
            windows.product_id = contributions.product_id
            and contributions.month_date
            between {{ dbt.dateadd('month', '-windows.first_review_months', 'windows.ready_month') }}
            and windows.estimate_month
    where windows.first_review_months > 0
    group by windows.initiative_id, windows.first_review_months

),

baseline as (

    select
        windows.initiative_id,
        baseline_cost_sums.cost_amount
        + baseline_cost_sums.run_cost_amount
        * (windows.last_review_months - windows.first_review_months)
        / nullif(cast(windows.first_review_months as double), 0) as cost_amount,
        (before_and_after.after_amount - before_and_after.before_amount) * windows.last_review_months as benefit_amount
    from windows
    inner join baseline_cost_sums
        on windows.initiative_id = baseline_cost_sums.initiative_id
    inner join before_and_after
        on windows.initiative_id = before_and_after.initiative_id

),

compared as (

    select
        windows.initiative_id,
        windows.ready_for_use_on,
        windows.estimated_on,
        windows.reviewed_on,
        windows.mature_month,
        references_reviewed.cost_amount as investment_amount,
        references_reviewed.benefit_amount / references_reviewed.cost_amount - 1 as reviewed_roi,
        baseline.benefit_amount / nullif(baseline.cost_amount, 0) - 1 as baseline_roi,
        integrated.benefit_amount / nullif(integrated.cost_amount, 0) - 1 as integrated_roi
    from windows
    cross join policy
    inner join references_reviewed
        on windows.initiative_id = references_reviewed.initiative_id
    left join baseline
        on windows.initiative_id = baseline.initiative_id
    left join integrated
        on windows.initiative_id = integrated.initiative_id
    where
        references_reviewed.cost_amount > 0
        and references_reviewed.cost_amount >= coalesce(policy.review_threshold_amount, 0)

),

-- An estimate nobody made counts as a return of 0.
errors as (

    select
        *,
        abs(coalesce(baseline_roi, 0) - reviewed_roi) as baseline_error,
        abs(coalesce(integrated_roi, 0) - reviewed_roi) as integrated_error
    from compared

),

totals as (

    select
        count(*) as reviews,
        sum(investment_amount) as investment_amount,
        sum(investment_amount * baseline_error) as baseline_error_amount,
        sum(investment_amount * integrated_error) as integrated_error_amount,
        sum(investment_amount * baseline_error) / nullif(sum(investment_amount), 0) as baseline_error,
        sum(investment_amount * integrated_error) / nullif(sum(investment_amount), 0) as integrated_error
    from errors

),

-- Standard error of a ratio of two sums over investments; 1.645 standard errors leave 5 % on either side.
spreads as (

    select
        totals.reviews,
        totals.investment_amount,
        totals.baseline_error,
        totals.integrated_error,
        1 - totals.integrated_error_amount / nullif(totals.baseline_error_amount, 0) as error_reduction,
        1.6448536269514722 * sqrt(
            sum(
                power(
                    errors.investment_amount * (
                        errors.integrated_error
                        - errors.baseline_error * totals.integrated_error_amount / nullif(totals.baseline_error_amount, 0)
                    ),
                    2
                )
            ) * totals.reviews / nullif(totals.reviews - 1, 0)
        ) / nullif(totals.baseline_error_amount, 0) as margin
    from totals
    left join errors on true
    group by
        totals.reviews,
        totals.investment_amount,
        totals.baseline_error,
        totals.integrated_error,
        totals.integrated_error_amount,
        totals.baseline_error_amount

),

judged as (

    select
        spreads.*,
        case
            when spreads.reviews < policy.minimum_reviews then 'not_measurable'
            when spreads.baseline_error < 0.01 then 'baseline_already_accurate'
        end as error_reduction_reason
    from spreads
    cross join policy

),

final as (

    select
        initiative_id,
        ready_for_use_on,
        cast(estimated_on - interval '1' day as date) as estimated_on,
        reviewed_on,
        cast({{ dbt.dateadd('day', -1, dbt.dateadd('month', 1, 'mature_month')) }} as date) as matured_on,
        1 as review_count,
        {{ round_amount('investment_amount') }} as investment_amount,
        reviewed_roi as reviewed_roi_rate,
        baseline_roi as baseline_roi_rate,
        case when baseline_roi is null then 'no_product_or_cost' end as baseline_roi_rate_reason,
        integrated_roi as integrated_roi_rate,
        case when integrated_roi is null then 'nothing_known' end as integrated_roi_rate_reason,
        baseline_error as baseline_error_rate,
        integrated_error as integrated_error_rate,
        cast(null as double) as error_reduction_rate,
        'single_review' as error_reduction_rate_reason,
        cast(null as double) as lower_bound,
        cast(null as double) as upper_bound
    from errors

    union all

    select
        'all' as initiative_id,
        null as ready_for_use_on,
        null as estimated_on,
        null as reviewed_on,
        null as matured_on,
        cast(reviews as integer) as review_count,
        {{ round_amount('coalesce(investment_amount, 0)') }} as investment_amount,
        null as reviewed_roi_rate,
        null as baseline_roi_rate,
        'total' as baseline_roi_rate_reason,
        null as integrated_roi_rate,
        'total' as integrated_roi_rate_reason,
        baseline_error as baseline_error_rate,
        integrated_error as integrated_error_rate,
        case when error_reduction_reason is null then error_reduction end as error_reduction_rate,
        error_reduction_reason as error_reduction_rate_reason,
        case when error_reduction_reason is null then error_reduction - margin end as lower_bound,
        case when error_reduction_reason is null then error_reduction + margin end as upper_bound
    from judged

)

select * from final
