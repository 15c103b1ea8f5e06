-- One row per budget line, report and method, with the year-end amount the method gave and what the year came to.
with

measures as (

    select * from {{ ref('int_outlook_measures') }}

),

remainders as (

    select
        *,
        recent_amount * (periods_in_year - period_number) as run_rate_rest,
        budget_amount - budget_ytd_amount as budget_rest
    from measures

),

-- simplicity breaks ties: the lower number is the simpler method.
estimates as (
    {% for method, simplicity, estimate in [
        ('straight_line', 1, 'ytd_amount / elapsed_share'),
        ('remaining_budget', 2, 'ytd_amount + budget_rest'),
        ('run_rate', 3, 'ytd_amount + run_rate_rest'),
        (
            'performance', 4,
            'case when budget_ytd_amount * budget_amount > 0 then ytd_amount * budget_amount / budget_ytd_amount end'
        ),
        (
            'seasonal', 5,
            'case when prior_year_ytd_amount * prior_year_amount > 0'
            ~ ' then ytd_amount * prior_year_amount / prior_year_ytd_amount end'
        ),
        (
            'commitment_aware', 6,
            'case when polarity = -1 then ytd_amount + greatest(coalesce(budget_rest, run_rate_rest), committed_amount) end'
        ),
        (
            'blended', 7,
            'case when budget_ytd_amount * budget_amount > 0'
            ~ ' then (ytd_amount + budget_rest + ytd_amount * budget_amount / budget_ytd_amount) / 2 end'
        ),
        (
            'earned_value', 8,
            'case when initiative_id is not null and budget_amount > 0 then ytd_amount'
            ~ ' + greatest(budget_amount - budget_ytd_amount * coalesce(schedule_performance_index, 1), 0) end'
        ),
    ] %}
    select
        entity_id,
        fiscal_year,
        period_number,
        cost_center_id,
        account_id,
        product_id,
        initiative_id,
        '{{ method }}' as outlook_method,
        {{ simplicity }} as simplicity,
        account_type,
        polarity,
        {{ estimate }} as estimate,
        ytd_amount / elapsed_share as straight_line_estimate
    from remainders
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- The last report of a year says what the year came to, as far as it was known when the year was closed.
finals as (

    select
        entity_id,
        fiscal_year,
        cost_center_id,
        account_id,
        product_id,
        initiative_id,
        ytd_amount as final_amount
    from measures
    where period_number = periods_in_year

),

complete_years as (

    select distinct
        entity_id,
        fiscal_year
    from finals

),

joined as (

    select
        estimates.*,
        case
            when complete_years.fiscal_year is not null then coalesce(finals.final_amount, 0)
        end as final_amount
    from estimates
    left join complete_years
        on
            estimates.entity_id = complete_years.entity_id
            and estimates.fiscal_year = complete_years.fiscal_year
    left join finals
        on
            estimates.entity_id = finals.entity_id
            and estimates.fiscal_year = finals.fiscal_year
            and estimates.cost_center_id is not distinct from finals.cost_center_id
            and estimates.account_id = finals.account_id
            and estimates.product_id is not distinct from finals.product_id
            and estimates.initiative_id is not distinct from finals.initiative_id

),

final as (

    select
        entity_id,
        fiscal_year,
        period_number,
        cost_center_id,
        account_id,
        product_id,
        initiative_id,
        outlook_method,
        simplicity,
        account_type,
        polarity,
        estimate,
        -- Where a method has nothing to say, a backtest counts what would have been used instead.
        coalesce(estimate, straight_line_estimate) as tested_estimate,
        final_amount
    from joined

)

select * from final
