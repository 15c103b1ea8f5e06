-- One row per initiative and fiscal year (of the reporting entity): benefits by class and grade, and what is left after capital.
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

cash_flows as (

    select
        initiative_id,
        month_date,
        build_cost_amount,
        run_cost_amount
    from {{ ref('fct_initiative_cash_flows') }}
    where version_role = 'realised'

),

initiatives as (

    select
        initiative_id,
        product_id,
        objective_id,
        status,
        ready_for_use_on,
        useful_life_months
    from {{ ref('dim_initiative') }}

),

months as (

    select
        month_date,
        min(fiscal_year) as fiscal_year
    from {{ ref('dim_date') }}
    group by month_date

),

policy as (

    select
        cutoff_month,
        cast(hurdle_rate as double) as hurdle_rate,
        cast(tax_rate as double) as tax_rate
    from {{ ref('int_investment_policy') }}

),

starts as (

    select
        initiative_id,
        min(month_date) as first_month
    from cash_flows
    group by initiative_id

),

calendars as (

    select
        starts.initiative_id,
        months.month_date,
        months.fiscal_year
    from starts
    cross join policy
    inner join months
        on months.month_date between starts.first_month and policy.cutoff_month

),

monthly_costs as (

    select
        initiative_id,
        month_date,
        sum(build_cost_amount) as build_cost_amount,
        sum(run_cost_amount) as run_cost_amount
    from cash_flows
    group by initiative_id, month_date

),

last_costs as (

    select
        initiative_id,
        max(month_date) as last_month,
        sum(build_cost_amount) as build_cost_amount
    from monthly_costs
    where build_cost_amount <> 0
    group by initiative_id

),

-- Capital is what was spent on building it, used up evenly over its useful life once it is ready.
capital as (

    select
        calendars.initiative_id,
        calendars.month_date,
        calendars.fiscal_year,
        coalesce(monthly_costs.build_cost_amount, 0) as build_cost_amount,
        coalesce(monthly_costs.run_cost_amount, 0) as run_cost_amount,
        case
            when initiatives.status = 'abandoned' and calendars.month_date = last_costs.last_month
                then last_costs.build_cost_amount
            else 0
        end as written_off_amount,
        cast(
            sum(coalesce(monthly_costs.build_cost_amount, 0)) over (
                partition by calendars.initiative_id
                order by calendars.month_date
                rows unbounded preceding
            ) as double
        )
        * case
            when initiatives.status = 'abandoned' and calendars.month_date > last_costs.last_month then 0
            when initiatives.ready_for_use_on is null or calendars.month_date <= initiatives.ready_for_use_on then 1
            else greatest(
                    1
                    - {{ dbt.datediff('initiatives.ready_for_use_on', 'calendars.month_date', 'month') }}
                    / cast(coalesce(initiatives.useful_life_months, 36) as double),
                    0
                )
        end as invested_capital
    from calendars
    inner join initiatives
        on calendars.initiative_id = initiatives.initiative_id
    left join last_costs
        on calendars.initiative_id = last_costs.initiative_id
    left join monthly_costs
        on
            calendars.initiative_id = monthly_costs.initiative_id
            and calendars.month_date = monthly_costs.month_date

),

yearly_capital as (

    select
        initiative_id,
        fiscal_year,
        count(*) as month_count,
        sum(build_cost_amount) as build_cost_amount,
        sum(run_cost_amount) as run_cost_amount,
        sum(written_off_amount) as written_off_amount,
        avg(invested_capital) as average_capital
    from capital
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
    where benefits.month_date <= policy.cutoff_month
    group by benefits.initiative_id, months.fiscal_year

),

valued as (

    select
        yearly_capital.initiative_id,
        yearly_capital.fiscal_year,
        yearly_capital.month_count,
        yearly_capital.build_cost_amount,
        yearly_capital.run_cost_amount,
        yearly_capital.average_capital,
        yearly_capital.written_off_amount,
        policy.hurdle_rate,
        policy.tax_rate,
        coalesce(yearly_benefits.cashable_amount, 0) as cashable_amount,
        coalesce(yearly_benefits.avoided_cost_amount, 0) as avoided_cost_amount,
        coalesce(yearly_benefits.time_released_amount, 0) as time_released_amount,
        coalesce(yearly_benefits.grade_a_amount, 0) as grade_a_amount,
        coalesce(yearly_benefits.grade_b_amount, 0) as grade_b_amount,
        coalesce(yearly_benefits.grade_c_amount, 0) as grade_c_amount,
        coalesce(yearly_benefits.grade_d_amount, 0) as grade_d_amount,
        coalesce(yearly_benefits.grade_e_amount, 0) as grade_e_amount,
        coalesce(yearly_benefits.not_counted_amount, 0) as not_counted_amount,
        coalesce(yearly_benefits.experiment_amount, 0) as experiment_amount,
        coalesce(yearly_benefits.feature_margin_amount, 0) as feature_margin_amount,
        coalesce(yearly_benefits.cashable_amount, 0) + coalesce(yearly_benefits.avoided_cost_amount, 0)
        - yearly_capital.run_cost_amount as contribution_amount
    from yearly_capital
    cross join policy
    left join yearly_benefits
        on
            yearly_capital.initiative_id = yearly_benefits.initiative_id
            and yearly_capital.fiscal_year = yearly_benefits.fiscal_year

),

charged as (

    select
        *,
        {{ round_amount('cast(contribution_amount as double) * (1 - tax_rate)') }}
            as after_tax_contribution_amount,
        {{ round_amount('average_capital * hurdle_rate * month_count / 12') }} as capital_charge_amount
    from valued

),

final as (

    select
        charged.initiative_id,
        cast(charged.fiscal_year as integer) as fiscal_year,
        initiatives.product_id,
        initiatives.objective_id,
        initiatives.status,
        cast(charged.month_count as integer) as month_count,
        cast(charged.cashable_amount as decimal(18, 2)) as cashable_benefit_amount,
        cast(charged.avoided_cost_amount as decimal(18, 2)) as avoided_cost_amount,
        cast(charged.time_released_amount as decimal(18, 2)) as time_released_amount,
        cast(charged.grade_a_amount as decimal(18, 2)) as grade_a_benefit_amount,
        cast(charged.grade_b_amount as decimal(18, 2)) as grade_b_benefit_amount,
        cast(charged.grade_c_amount as decimal(18, 2)) as grade_c_benefit_amount,
        cast(charged.grade_d_amount as decimal(18, 2)) as grade_d_benefit_amount,
        cast(charged.grade_e_amount as decimal(18, 2)) as grade_e_benefit_amount,
        cast(charged.not_counted_amount as decimal(18, 2)) as not_counted_benefit_amount,
        cast(charged.experiment_amount as decimal(18, 2)) as experiment_benefit_amount,
        cast(charged.feature_margin_amount as decimal(18, 2)) as feature_margin_amount,
        cast(charged.build_cost_amount as decimal(18, 2)) as build_cost_amount,
        cast(charged.run_cost_amount as decimal(18, 2)) as run_cost_amount,
        cast(charged.contribution_amount as decimal(18, 2)) as contribution_amount,
        charged.tax_rate,
        charged.after_tax_contribution_amount,
        {{ round_amount('charged.average_capital') }} as average_capital_amount,
        cast(charged.written_off_amount as decimal(18, 2)) as written_off_amount,
        charged.hurdle_rate,
        charged.capital_charge_amount,
        cast(charged.after_tax_contribution_amount - charged.capital_charge_amount as decimal(18, 2))
            as value_created_amount
    from charged
    inner join initiatives
        on charged.initiative_id = initiatives.initiative_id

)

select * from final
