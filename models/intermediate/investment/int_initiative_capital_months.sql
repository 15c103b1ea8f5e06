-- One row per initiative and month from its first realised flow: capital put in, used up and charged for, and the residual income.
with

cash_flows as (

    select
        initiative_id,
        month_date,
        build_cost_amount,
        run_cost_amount,
        benefit_amount
    from {{ ref('fct_initiative_cash_flows') }}
    where version_role = 'realised'

),

initiatives as (

    select
        initiative_id,
        status,
        ready_for_use_on,
        useful_life_months
    from {{ ref('dim_initiative') }}

),

months as (

    select
        month_date,
        fiscal_year
    from {{ ref('int_fiscal_months') }}

),

cutoff as (

    select cutoff_month
    from {{ ref('int_investment_policy') }}

),

policies as (

    select
        effective_from,
        cast(hurdle_rate as double) as hurdle_rate,
        cast(tax_rate as double) as tax_rate,
        lag(effective_from) over (order by effective_from) is null as is_first,
        lead(effective_from) over (order by effective_from) as next_from
    from {{ ref('investment_policies') }}

),

-- Each month at the rates in force when it begins; the first policy also covers what came before it.
rated_months as (

    select
        months.month_date,
        months.fiscal_year,
        policies.hurdle_rate,
        policies.tax_rate
    from months
    inner join policies
        on
            (policies.is_first or months.month_date >= policies.effective_from)
            and (policies.next_from is null or months.month_date < policies.next_from)

),

spans as (

    select
        initiative_id,
        min(month_date) as first_month,
        max(case when build_cost_amount <> 0 then month_date end) as last_build_month
    from cash_flows
    group by initiative_id

),

calendars as (

    select
        spans.initiative_id,
        spans.last_build_month,
        rated_months.month_date,
        rated_months.fiscal_year,
        rated_months.hurdle_rate,
        rated_months.tax_rate
    from spans
    cross join cutoff
    inner join rated_months
        on rated_months.month_date between spans.first_month and cutoff.cutoff_month

),

invested as (

    select
        calendars.initiative_id,
        calendars.month_date,
        calendars.fiscal_year,
        calendars.hurdle_rate,
        calendars.tax_rate,
        initiatives.ready_for_use_on,
        initiatives.useful_life_months,
        coalesce(initiatives.status = 'abandoned' and calendars.month_date >= calendars.last_build_month, false)
            as is_written_off,
        coalesce(cash_flows.build_cost_amount, 0) as build_cost_amount,
        coalesce(cash_flows.run_cost_amount, 0) as run_cost_amount,
        coalesce(cash_flows.benefit_amount, 0) as benefit_amount,
        sum(coalesce(cash_flows.build_cost_amount, 0)) over (
            partition by calendars.initiative_id
            order by calendars.month_date
            rows unbounded preceding
        ) as invested_amount
    from calendars
    inner join initiatives
        on calendars.initiative_id = initiatives.initiative_id
    left join cash_flows
        on
            calendars.initiative_id = cash_flows.initiative_id
            and calendars.month_date = cash_flows.month_date

),

-- Used up evenly from the month after it was ready; without a useful life not at all, as in fct_capitalised_software.
closed as (

    select
        *,
        case
            when is_written_off then cast(0 as decimal(18, 2))
            when
                ready_for_use_on is null
                or month_date <= ready_for_use_on
                or coalesce(useful_life_months, 0) <= 0
                then cast(invested_amount as decimal(18, 2))
            else {{ round_amount(
                'cast(invested_amount as double) * greatest(1 - '
                ~ dbt.datediff('ready_for_use_on', 'month_date', 'month')
                ~ ' / cast(useful_life_months as double), 0)'
            ) }}
        end as closing_capital_amount
    from invested

),

opened as (

    select
        *,
        coalesce(
            lag(closing_capital_amount) over (partition by initiative_id order by month_date), cast(0 as decimal(18, 2))
        ) as opening_capital_amount
    from closed

),

consumed as (

    select
        *,
        benefit_amount - run_cost_amount as contribution_amount,
        opening_capital_amount + build_cost_amount - closing_capital_amount as capital_consumed_amount
    from opened

),

-- The rate is annual and effective, money moves at the end of a month: capital it begins with is charged for all of it.
charged as (

    select
        *,
        {{ round_amount('cast(contribution_amount - capital_consumed_amount as double) * tax_rate') }} as tax_amount,
        {{ round_amount('cast(opening_capital_amount as double) * (power(1 + hurdle_rate, 1 / cast(12 as double)) - 1)') }}
            as capital_charge_amount
    from consumed

),

final as (

    select
        initiative_id,
        month_date,
        fiscal_year,
        hurdle_rate,
        tax_rate,
        cast(build_cost_amount as decimal(18, 2)) as build_cost_amount,
        cast(run_cost_amount as decimal(18, 2)) as run_cost_amount,
        cast(contribution_amount as decimal(18, 2)) as contribution_amount,
        tax_amount,
        opening_capital_amount,
        cast(capital_consumed_amount as decimal(18, 2)) as capital_consumed_amount,
        cast(case when is_written_off then capital_consumed_amount else 0 end as decimal(18, 2)) as written_off_amount,
        closing_capital_amount,
        capital_charge_amount,
        cast(contribution_amount - tax_amount - capital_consumed_amount - capital_charge_amount as decimal(18, 2))
            as residual_income_amount
    from charged

)

select * from final
