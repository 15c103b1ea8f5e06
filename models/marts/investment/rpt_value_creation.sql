-- One row per initiative and fiscal year of the reporting entity, from its first realised cost or benefit on.
with

benefits as (

    select
        initiative_id,
        month_date,
        benefit_source,
        cashable_class,
        evidence_grade,
        credited_amount,
        cash_amount,
        time_released_amount,
        is_counted
    from {{ ref('fct_benefits') }}

),

capital_months as (

    select
        initiative_id,
        fiscal_year,
        month_date,
        hurdle_rate,
        tax_rate,
        build_cost_amount,
        run_cost_amount,
        contribution_amount,
        tax_amount,
        opening_capital_amount,
        capital_consumed_amount,
        written_off_amount,
        closing_capital_amount,
        capital_charge_amount,
        residual_income_amount
    from {{ ref('int_initiative_capital_months') }}

),

initiatives as (

    select
        initiative_id,
        product_id,
        objective_id,
        status
    from {{ ref('dim_initiative') }}

),

progress as (

    select
        initiative_id,
        run_cost_status
    from {{ ref('int_initiative_progress') }}

),

months as (

    select
        month_date,
        fiscal_year
    from {{ ref('int_fiscal_months') }}

),

policy as (

    select benefit_cutoff_month
    from {{ ref('int_investment_policy') }}

),

yearly_capital as (

    select
        initiative_id,
        fiscal_year,
        count(*) as month_count,
        max_by(hurdle_rate, month_date) as hurdle_rate,
        max_by(tax_rate, month_date) as tax_rate,
        sum(build_cost_amount) as build_cost_amount,
        sum(run_cost_amount) as run_cost_amount,
        sum(contribution_amount) as contribution_amount,
        sum(tax_amount) as tax_amount,
        avg(opening_capital_amount) as average_capital,
        sum(capital_consumed_amount) as capital_consumed_amount,
        sum(written_off_amount) as written_off_amount,
        max_by(closing_capital_amount, month_date) as remaining_capital_amount,
        sum(capital_charge_amount) as capital_charge_amount,
        sum(residual_income_amount) as residual_income_amount
    from capital_months
    group by initiative_id, fiscal_year

),

yearly_benefits as (

    select
        benefits.initiative_id,
        months.fiscal_year,
        sum(case when benefits.cashable_class = 1 then benefits.cash_amount else 0 end) as cashable_amount,
        sum(case when benefits.cashable_class = 2 then benefits.cash_amount else 0 end) as avoided_cost_amount,
        sum(benefits.time_released_amount) as time_released_amount,
        sum(case when benefits.evidence_grade = 'A' then benefits.cash_amount else 0 end) as grade_a_amount,
        sum(case when benefits.evidence_grade = 'B' then benefits.cash_amount else 0 end) as grade_b_amount,
        sum(case when benefits.evidence_grade = 'C' then benefits.cash_amount else 0 end) as grade_c_amount,
        sum(case when benefits.evidence_grade = 'D' then benefits.cash_amount else 0 end) as grade_d_amount,
        sum(case when benefits.evidence_grade = 'E' then benefits.cash_amount else 0 end) as grade_e_amount,
        sum(
            case when benefits.benefit_source = 'ledger' and not benefits.is_counted then benefits.credited_amount else 0 end
        ) as not_counted_amount,
        sum(case when benefits.benefit_source = 'experiment' then benefits.credited_amount else 0 end) as experiment_amount,
        sum(case when benefits.benefit_source = 'feature_revenue' then benefits.credited_amount else 0 end)
            as feature_margin_amount
    from benefits
    cross join policy
    inner join months
        on benefits.month_date = months.month_date
    where benefits.month_date <= policy.benefit_cutoff_month
    group by benefits.initiative_id, months.fiscal_year

),

final as (

    select
        yearly_capital.initiative_id,
        cast(yearly_capital.fiscal_year as integer) as fiscal_year,
        initiatives.product_id,
        initiatives.objective_id,
        initiatives.status,
        cast(yearly_capital.month_count as integer) as month_count,
        cast(coalesce(yearly_benefits.cashable_amount, 0) as decimal(18, 2)) as cashable_benefit_amount,
        cast(coalesce(yearly_benefits.avoided_cost_amount, 0) as decimal(18, 2)) as avoided_cost_amount,
        cast(coalesce(yearly_benefits.time_released_amount, 0) as decimal(18, 2)) as time_released_amount,
        cast(coalesce(yearly_benefits.grade_a_amount, 0) as decimal(18, 2)) as grade_a_benefit_amount,
        cast(coalesce(yearly_benefits.grade_b_amount, 0) as decimal(18, 2)) as grade_b_benefit_amount,
        cast(coalesce(yearly_benefits.grade_c_amount, 0) as decimal(18, 2)) as grade_c_benefit_amount,
        cast(coalesce(yearly_benefits.grade_d_amount, 0) as decimal(18, 2)) as grade_d_benefit_amount,
        cast(coalesce(yearly_benefits.grade_e_amount, 0) as decimal(18, 2)) as grade_e_benefit_amount,
        cast(coalesce(yearly_benefits.not_counted_amount, 0) as decimal(18, 2)) as not_counted_benefit_amount,
        cast(coalesce(yearly_benefits.experiment_amount, 0) as decimal(18, 2)) as experiment_benefit_amount,
        cast(coalesce(yearly_benefits.feature_margin_amount, 0) as decimal(18, 2)) as feature_margin_amount,
        cast(yearly_capital.build_cost_amount as decimal(18, 2)) as build_cost_amount,
        cast(yearly_capital.run_cost_amount as decimal(18, 2)) as run_cost_amount,
        progress.run_cost_status,
        cast(yearly_capital.contribution_amount as decimal(18, 2)) as contribution_amount,
        yearly_capital.tax_rate,
        cast(yearly_capital.tax_amount as decimal(18, 2)) as tax_amount,
        cast(yearly_capital.contribution_amount - yearly_capital.tax_amount as decimal(18, 2))
            as after_tax_contribution_amount,
        cast(yearly_capital.capital_consumed_amount as decimal(18, 2)) as capital_consumed_amount,
        cast(yearly_capital.written_off_amount as decimal(18, 2)) as written_off_amount,
        cast(yearly_capital.remaining_capital_amount as decimal(18, 2)) as remaining_capital_amount,
        {{ round_amount('yearly_capital.average_capital') }} as average_capital_amount,
        yearly_capital.hurdle_rate,
        cast(yearly_capital.capital_charge_amount as decimal(18, 2)) as capital_charge_amount,
        cast(yearly_capital.residual_income_amount as decimal(18, 2)) as residual_income_amount
    from yearly_capital
    inner join initiatives
        on yearly_capital.initiative_id = initiatives.initiative_id
    inner join progress
        on yearly_capital.initiative_id = progress.initiative_id
    left join yearly_benefits
        on
            yearly_capital.initiative_id = yearly_benefits.initiative_id
            and yearly_capital.fiscal_year = yearly_benefits.fiscal_year

)

select * from final
