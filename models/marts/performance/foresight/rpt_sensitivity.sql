-- One row per subject (initiative, portfolio or company) and driver.
with

distributions as (

    select * from {{ ref('driver_distributions') }}

),

present_values as (

    select * from {{ ref('int_initiative_present_values') }}

),

initiatives as (

    select
        initiative_id,
        product_id
    from {{ ref('dim_initiative') }}

),

base_lines as (

    select
        horizon,
        sum(cast(revenue_amount as double)) as revenue_amount,
        sum(cast(cost_to_serve_amount as double)) as cost_to_serve_amount,
        sum(cast(support_amount as double)) as support_amount,
        sum(cast(acquisition_amount as double)) as acquisition_amount,
        sum(cast(engineering_amount as double)) as engineering_amount,
        sum(cast(shared_cost_amount as double)) as shared_cost_amount,
        sum(cast(revenue_amount - cost_amount as double)) as operating_result_amount
    from {{ ref('int_forecast_lines') }}
    group by horizon

),

-- The standard normal values of P10 and P90, and their probabilities.
ends as (

    select
        distributions.subject_type,
        distributions.driver,
        percentiles.percentile,
        {{ distributed_value(
            'percentiles.z',
            'percentiles.p',
            'distributions.distribution',
            'distributions.low_value',
            'distributions.mode_value',
            'distributions.high_value',
        ) }} as driver_value
    from distributions
    cross join (
        values ('p10', -1.2815515655446e0, 0.1e0), ('p90', 1.2815515655446e0, 0.9e0)
    ) as percentiles (percentile, z, p)

),

initiative_outcomes as (

    select
        present_values.initiative_id,
        ends.driver,
        ends.percentile,
        ends.driver_value,
        present_values.is_funded,
        present_values.is_selected,
        present_values.npv_amount,
        case ends.driver
            when 'build_cost' then -present_values.build_cost_amount * ends.driver_value
            when 'run_cost' then -present_values.run_cost_amount * ends.driver_value
            when 'benefit' then present_values.benefit_amount * ends.driver_value
            when 'delay_months'
                then
                    present_values.benefit_amount
                    * (power(1 + present_values.discount_rate, -ends.driver_value / 12) - 1)
        end as change_amount
    from present_values
    inner join ends on ends.subject_type = 'initiative'

),

company_outcomes as (

    select
        ends.driver,
        ends.percentile,
        ends.driver_value,
        sum(base_lines.operating_result_amount) as base_amount,
        sum(
            case ends.driver
                when 'price' then base_lines.revenue_amount * ends.driver_value
                when 'volume'
                    then
                        (base_lines.revenue_amount - base_lines.cost_to_serve_amount - base_lines.support_amount)
                        * ends.driver_value
                when 'churn'
                    then
                        (base_lines.revenue_amount - base_lines.cost_to_serve_amount - base_lines.support_amount)
                        * (power(1 - ends.driver_value, base_lines.horizon) - 1)
                when 'cost_to_serve' then -base_lines.cost_to_serve_amount * ends.driver_value
                when 'support' then -base_lines.support_amount * ends.driver_value
                when 'acquisition' then -base_lines.acquisition_amount * ends.driver_value
                when 'engineering' then -base_lines.engineering_amount * ends.driver_value
                when 'shared_cost' then -base_lines.shared_cost_amount * ends.driver_value
            end
        ) as change_amount
    from ends
    cross join base_lines
    where ends.subject_type = 'company'
    group by ends.driver, ends.percentile, ends.driver_value

),

outcomes as (

    select
        'initiative' as subject_type,
        initiative_id as subject_id,
        driver,
        percentile,
        driver_value,
        npv_amount as base_amount,
        change_amount
    from initiative_outcomes
    union all
    select
        'portfolio' as subject_type,
        portfolios.portfolio_id as subject_id,
        initiative_outcomes.driver,
        initiative_outcomes.percentile,
        initiative_outcomes.driver_value,
        sum(initiative_outcomes.npv_amount) as base_amount,
        sum(initiative_outcomes.change_amount) as change_amount
    from initiative_outcomes
    inner join (values ('funded'), ('selected'), ('funded_and_selected')) as portfolios (portfolio_id)
        on
            (initiative_outcomes.is_funded and portfolios.portfolio_id <> 'selected')
            or (initiative_outcomes.is_selected and portfolios.portfolio_id <> 'funded')
    group by
        portfolios.portfolio_id,
        initiative_outcomes.driver,
        initiative_outcomes.percentile,
        initiative_outcomes.driver_value
    union all
    select
        'company' as subject_type,
        'company' as subject_id,
        driver,
        percentile,
        driver_value,
        base_amount,
        change_amount
    from company_outcomes

),

paired as (

    select
        subject_type,
        subject_id,
        driver,
        max(case when percentile = 'p10' then driver_value end) as driver_p10_value,
        max(case when percentile = 'p90' then driver_value end) as driver_p90_value,
        {{ round_amount('max(base_amount)') }} as base_amount,
        {{ round_amount("max(case when percentile = 'p10' then base_amount + change_amount end)") }}
            as p10_amount,
        {{ round_amount("max(case when percentile = 'p90' then base_amount + change_amount end)") }}
            as p90_amount
    from outcomes
    group by subject_type, subject_id, driver

),

final as (

    select
        paired.subject_type,
        paired.subject_id,
        initiatives.product_id,
        paired.driver,
        case when paired.subject_type = 'company' then 'operating_result' else 'npv' end as outcome,
        paired.driver_p10_value,
        paired.driver_p90_value,
        paired.base_amount,
        paired.p10_amount,
        paired.p90_amount,
        cast(paired.p90_amount - paired.p10_amount as decimal(18, 2)) as swing_amount,
        cast(
            row_number() over (
                partition by paired.subject_type, paired.subject_id
                order by abs(paired.p90_amount - paired.p10_amount) desc, paired.driver asc
            ) as integer
        ) as swing_rank
    from paired
    left join initiatives
        on
            paired.subject_type = 'initiative'
            and paired.subject_id = initiatives.initiative_id

)

select * from final
