-- One row per fiscal period reported on, cost center, account, product, initiative and method.
with

-- Lines of initiatives end with their work, others go on: the two are judged apart.
estimates as (

    select
        *,
        initiative_id is not null as is_initiative
    from {{ ref('int_outlook_estimates') }}

),

measures as (

    select * from {{ ref('int_outlook_measures') }}

),

policies as (

    select
        overspend_alert_probability,
        minimum_outlook_outcomes
    from {{ ref('forecast_policies') }}

),

years as (

    select distinct fiscal_year
    from estimates

),

-- Every year is judged by the years before it, as far into the year as it is itself.
backtests as (

    select
        years.fiscal_year,
        estimates.account_type,
        estimates.is_initiative,
        estimates.period_number,
        estimates.outlook_method,
        count(*) as backtest_lines,
        sum(abs(estimates.tested_estimate - estimates.final_amount)) / nullif(sum(abs(estimates.final_amount)), 0)
            as backtest_wape
    from years
    inner join estimates on years.fiscal_year > estimates.fiscal_year
    where
        estimates.final_amount is not null
        and estimates.tested_estimate is not null
    group by
        years.fiscal_year,
        estimates.account_type,
        estimates.is_initiative,
        estimates.period_number,
        estimates.outlook_method

),

-- Without enough history the rest of the budget is the plainest thing to expect, else the pace so far.
ranked as (

    select
        estimates.*,
        backtests.backtest_lines,
        case
            when backtests.backtest_lines >= policies.minimum_outlook_outcomes then backtests.backtest_wape
        end as backtest_wape,
        row_number() over (
            partition by
                estimates.entity_id,
                estimates.fiscal_year,
                estimates.period_number,
                estimates.cost_center_id,
                estimates.account_id,
                estimates.product_id,
                estimates.initiative_id
            order by
                case when estimates.estimate is null then 1 else 0 end,
                case
                    when backtests.backtest_lines >= policies.minimum_outlook_outcomes
                        then round(backtests.backtest_wape, 9)
                end nulls last,
                case estimates.outlook_method when 'remaining_budget' then 0 else estimates.simplicity end
        ) as preference
    from estimates
    cross join policies
    left join backtests
        on
            estimates.fiscal_year = backtests.fiscal_year
            and estimates.account_type = backtests.account_type
            and estimates.is_initiative = backtests.is_initiative
            and estimates.period_number = backtests.period_number
            and estimates.outlook_method = backtests.outlook_method

),

outlooks as (

    select
        ranked.*,
        measures.fiscal_period,
        measures.budget_version,
        measures.budget_amount,
        measures.ytd_amount,
        measures.committed_amount,
        measures.known_until,
        measures.end_on,
        measures.year_end_on,
        -- How far the year may leave the estimate before the budget is missed.
        case
            when ranked.estimate * measures.budget_amount > 0 then measures.budget_amount / ranked.estimate
        end as break_even_ratio
    from ranked
    inner join measures
        on
            ranked.entity_id = measures.entity_id
            and ranked.fiscal_year = measures.fiscal_year
            and ranked.period_number = measures.period_number
            and ranked.cost_center_id is not distinct from measures.cost_center_id
            and ranked.account_id = measures.account_id
            and ranked.product_id is not distinct from measures.product_id
            and ranked.initiative_id is not distinct from measures.initiative_id
    where ranked.estimate is not null

),

-- Past years' outcomes beside this year's break-even points, in one order: counting replaces comparing all pairs.
ordered_points as (

    select
        fiscal_year,
        account_type,
        is_initiative,
        period_number,
        outlook_method,
        entity_id,
        cost_center_id,
        account_id,
        product_id,
        initiative_id,
        break_even_ratio as ratio,
        0 as is_outcome
    from outlooks
    where break_even_ratio is not null

    union all

    select
        years.fiscal_year,
        estimates.account_type,
        estimates.is_initiative,
        estimates.period_number,
        estimates.outlook_method,
        null as entity_id,
        null as cost_center_id,
        null as account_id,
        null as product_id,
        null as initiative_id,
        estimates.final_amount / estimates.tested_estimate as ratio,
        1 as is_outcome
    from years
    inner join estimates on years.fiscal_year > estimates.fiscal_year
    where estimates.final_amount * estimates.tested_estimate > 0

),

counted as (

    select
        *,
        sum(is_outcome) over (
            partition by fiscal_year, account_type, is_initiative, period_number, outlook_method
            order by ratio asc, is_outcome desc
            rows between unbounded preceding and current row
        ) as outcomes_up_to,
        sum(is_outcome) over (
            partition by fiscal_year, account_type, is_initiative, period_number, outlook_method
        ) as outcomes
    from ordered_points

),

measured as (

    select
        outlooks.*,
        counted.outcomes,
        case
            when
                outlooks.polarity = -1
                and outlooks.budget_amount > 0
                and outlooks.ytd_amount > outlooks.budget_amount
                then 1.0
            when counted.outcomes < policies.minimum_outlook_outcomes then null
            -- A larger outcome is worse for cost; for credits the signs turn round.
            when (outlooks.polarity = -1) = (outlooks.estimate > 0)
                then cast(counted.outcomes - counted.outcomes_up_to as double) / counted.outcomes
            else cast(counted.outcomes_up_to as double) / counted.outcomes
        end as miss_probability
    from outlooks
    cross join policies
    left join counted
        on
            counted.is_outcome = 0
            and outlooks.fiscal_year = counted.fiscal_year
            and outlooks.period_number = counted.period_number
            and outlooks.outlook_method = counted.outlook_method
            and outlooks.entity_id = counted.entity_id
            and outlooks.cost_center_id is not distinct from counted.cost_center_id
            and outlooks.account_id = counted.account_id
            and outlooks.product_id is not distinct from counted.product_id
            and outlooks.initiative_id is not distinct from counted.initiative_id

),

-- The outlook itself misses the budget, or it does not, but years like this one mostly did.
warned as (

    select
        measured.*,
        coalesce(measured.budget_amount <> 0 and (measured.estimate - measured.budget_amount) * measured.polarity < 0, false)
        or coalesce(measured.miss_probability >= policies.overspend_alert_probability, false) as is_flagged
    from measured
    cross join policies

),

flagged as (

    select
        *,
        min(case when is_flagged then cast(known_until as date) end) over (
            partition by
                entity_id, fiscal_year, cost_center_id, account_id, product_id, initiative_id, outlook_method
            order by period_number
        ) as first_flagged_on,
        case
            when
                polarity = -1
                and budget_amount > 0
                and ytd_amount < budget_amount
                and estimate > budget_amount
                then
                    cast(
                        floor(
                            {{ dbt.datediff("end_on", "year_end_on", "day") }}
                            * (budget_amount - ytd_amount) / (estimate - ytd_amount)
                        ) as integer
                    )
            when polarity = -1 and budget_amount > 0 and ytd_amount >= budget_amount then 0
        end as days_to_exhaustion
    from warned

),

final as (

    select
        fiscal_period,
        cost_center_id,
        account_id,
        product_id,
        initiative_id,
        outlook_method,
        entity_id,
        budget_version,
        account_type,
        fiscal_year,
        period_number,
        {{ period_month('end_on') }} as month_date,
        {{ round_amount('ytd_amount') }} as actual_ytd_amount,
        {{ round_amount('committed_amount') }} as committed_amount,
        {{ round_amount('budget_amount') }} as budget_full_year_amount,
        {{ round_amount('estimate') }} as outlook_amount,
        {{ round_amount('(estimate - coalesce(budget_amount, 0)) * polarity') }}
            as outlook_favourable_amount,
        {{ round_amount('final_amount') }} as final_amount,
        backtest_wape,
        case when backtest_wape is null then 'too_few_past_lines' end as backtest_wape_reason,
        coalesce(cast(backtest_lines as integer), 0) as backtest_lines,
        miss_probability as overspend_probability,
        case
            when miss_probability is not null then null
            when budget_amount is null or budget_amount = 0 then 'no_budget'
            when break_even_ratio is null then 'sign_differs'
            else 'too_few_past_outcomes'
        end as overspend_probability_reason,
        preference = 1 as is_selected,
        is_flagged,
        cast(known_until as date) as known_on,
        first_flagged_on,
        cast(end_on + days_to_exhaustion * interval '1' day as date) as budget_exhausted_on
    from flagged

)

select * from final
