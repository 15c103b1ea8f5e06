-- One row per initiative and month: cash cost to date, capitalised or expensed.
with

cost_entries as (

    select
        initiative_id,
        cast(date_trunc('month', posted_on) as date) as month_date,
        reporting_amount
    from {{ ref('fct_cost_entries') }}
    where is_cash_cost and initiative_id is not null

),

initiatives as (

    select
        initiative_id,
        ready_for_use_on
    from {{ ref('dim_initiative') }}

),

policy as (

    select cutoff_month
    from {{ ref('int_investment_policy') }}

),

final as (

    select
        cost_entries.initiative_id,
        cost_entries.month_date,
        cast(
            sum(
                case
                    when cost_entries.month_date > initiatives.ready_for_use_on then 0
                    else cost_entries.reporting_amount
                end
            ) as decimal(18, 2)
        ) as build_cost_amount,
        cast(
            sum(case when cost_entries.month_date > initiatives.ready_for_use_on then cost_entries.reporting_amount else 0 end)
            as decimal(18, 2)
        ) as run_cost_amount
    from cost_entries
    inner join initiatives
        on cost_entries.initiative_id = initiatives.initiative_id
    inner join policy
        on cost_entries.month_date <= policy.cutoff_month
    group by cost_entries.initiative_id, cost_entries.month_date

)

select * from final
