-- Residual income before tax discounts to the net present value of the realised flows plus that of the capital left: at
-- the rates charged, but for half a cent of rounding a month, and at the hurdle rate in force, where it is the value
-- rpt_initiative_returns publishes. Capital used up and capital left make the build cost, and years are their months.
with

capital_months as (

    select
        initiative_id,
        month_date,
        contribution_amount,
        opening_capital_amount,
        capital_consumed_amount,
        closing_capital_amount,
        residual_income_amount + tax_amount as income_amount,
        row_number() over (partition by initiative_id order by month_date) - 1 as elapsed_months,
        lead(month_date) over (partition by initiative_id order by month_date) is null as is_last,
        sum(ln(1 + hurdle_rate)) over (partition by initiative_id order by month_date rows unbounded preceding)
        - first_value(ln(1 + hurdle_rate)) over (partition by initiative_id order by month_date) as log_discount
    from {{ ref('int_initiative_capital_months') }}

),

cash_flows as (

    select
        initiative_id,
        month_date,
        net_amount
    from {{ ref('fct_initiative_cash_flows') }}
    where version_role = 'realised'

),

returns as (

    select
        initiative_id,
        hurdle_rate,
        value_created_amount
    from {{ ref('rpt_initiative_returns') }}
    where version_role = 'realised'

),

at_rates_charged as (

    select
        capital_months.initiative_id,
        'rates charged' as basis,
        sum(
            exp(-capital_months.log_discount / 12)
            * (
                cast(capital_months.income_amount as double)
                - case when capital_months.is_last then cast(capital_months.closing_capital_amount as double) else 0 end
            )
        ) as from_income,
        sum(exp(-capital_months.log_discount / 12) * cast(coalesce(cash_flows.net_amount, 0) as double)) as from_flows,
        0.005 * count(*) as tolerance
    from capital_months
    left join cash_flows
        on
            capital_months.initiative_id = cash_flows.initiative_id
            and capital_months.month_date = cash_flows.month_date
    group by capital_months.initiative_id

),

at_hurdle_in_force as (

    select
        coalesce(returns.initiative_id, capital_months.initiative_id) as initiative_id,
        'hurdle rate in force' as basis,
        sum(
            power(1 + returns.hurdle_rate, -capital_months.elapsed_months / cast(12 as double))
            * (
                cast(capital_months.contribution_amount - capital_months.capital_consumed_amount as double)
                - cast(capital_months.opening_capital_amount as double)
                * (power(1 + returns.hurdle_rate, 1 / cast(12 as double)) - 1)
                - case when capital_months.is_last then cast(capital_months.closing_capital_amount as double) else 0 end
            )
        ) as from_income,
        cast(max(returns.value_created_amount) as double) as from_flows,
        0.006 as tolerance
    from returns
    full outer join capital_months
        on returns.initiative_id = capital_months.initiative_id
    group by coalesce(returns.initiative_id, capital_months.initiative_id)

),

build_costs as (

    select
        initiative_id,
        'capital used up and left' as basis,
        cast(sum(capital_consumed_amount) + max_by(remaining_capital_amount, fiscal_year) as double) as from_income,
        cast(sum(build_cost_amount) as double) as from_flows,
        0.001 as tolerance
    from {{ ref('rpt_value_creation') }}
    group by initiative_id

),

years_and_months as (

    select
        initiative_id,
        residual_income_amount as year_amount,
        0 as month_amount
    from {{ ref('rpt_value_creation') }}
    union all
    select
        initiative_id,
        0 as year_amount,
        residual_income_amount as month_amount
    from {{ ref('int_initiative_capital_months') }}

),

years as (

    select
        initiative_id,
        'years and their months' as basis,
        cast(sum(year_amount) as double) as from_income,
        cast(sum(month_amount) as double) as from_flows,
        0.001 as tolerance
    from years_and_months
    group by initiative_id

),

compared as (

    select * from at_rates_charged
    union all
    select * from at_hurdle_in_force
    union all
    select * from build_costs
    union all
    select * from years

)

select
    initiative_id,
    basis,
    from_income,
    from_flows
from compared
where coalesce(abs(from_income - from_flows) > tolerance, true)
