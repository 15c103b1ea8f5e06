-- One row per entity, fiscal year and currency, with the rate into the reporting currency budgets are set at.
with

fiscal_years as (

    select distinct
        entity_id,
        fiscal_year,
        year_start_on
    from {{ ref('int_fiscal_periods') }}

),

budget_rates as (

    select *
    from {{ ref('budget_rates') }}
    where to_currency = '{{ var("reporting_currency") }}'

),

fx_rates as (

    select * from {{ ref('int_fx_rates') }}

),

-- A year of weeks starts up to six days beside its month, hence the middle of its first month.
planned_years as (

    select
        entity_id,
        fiscal_year,
        cast(
            date_trunc('month', cast(year_start_on + interval '15' day as date)) - interval '1' month as date
        ) as planning_month
    from fiscal_years

),

-- Without a rate set by the treasury, the closing rate known when the year began.
rates as (

    select
        planned_years.entity_id,
        planned_years.fiscal_year,
        fx_rates.from_currency,
        fx_rates.closing_rate as budget_rate,
        2 as preference
    from planned_years
    inner join fx_rates on planned_years.planning_month = fx_rates.rate_month

    union all

    select
        planned_years.entity_id,
        planned_years.fiscal_year,
        budget_rates.from_currency,
        budget_rates.budget_rate,
        1 as preference
    from planned_years
    inner join budget_rates on planned_years.fiscal_year = budget_rates.fiscal_year

),

final as (

    select
        entity_id,
        fiscal_year,
        from_currency,
        min_by(budget_rate, preference) as budget_rate
    from rates
    group by entity_id, fiscal_year, from_currency

)

select * from final
