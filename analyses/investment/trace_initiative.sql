-- Which records of which files make the return of one initiative? One row per record; the sums are those of
-- fct_initiative_cash_flows. Run: uv run dbt show --select trace_initiative --limit 1000 --vars 'initiative_id: I07'
with

cost_entries as (

    select
        initiative_id,
        account_id,
        vendor,
        posted_on,
        amount,
        currency,
        reporting_amount,
        source_file,
        source_row
    from {{ ref('fct_cost_entries') }}
    where is_cash_cost and entry_type = 'ledger'

),

labour_costs as (

    select
        labour_cost_id,
        initiative_id,
        activity_type,
        work_date,
        hours,
        fully_loaded_rate,
        fully_loaded_amount
    from {{ ref('fct_labour_costs') }}
    where line_type = 'timesheet'

),

timesheets as (

    select
        entry_id,
        source_file,
        source_row
    from {{ ref('stg_cost__timesheets') }}

),

benefits as (

    select
        initiative_id,
        benefit_id,
        benefit_source,
        month_date,
        realised_amount,
        credited_share,
        currency,
        cash_amount,
        not_counted_reason,
        source_file,
        source_row
    from {{ ref('fct_benefits') }}
    where benefit_source = 'ledger' and realised_amount is not null

),

business_cases as (

    select
        initiative_id,
        case_version,
        flow_class,
        flow_type,
        period_month,
        amount,
        currency,
        source_file,
        source_row
    from {{ ref('stg_product__business_cases') }}

),

final as (

    select
        business_cases.initiative_id,
        business_cases.case_version,
        business_cases.flow_type || ', ' || business_cases.flow_class as what,
        business_cases.period_month as dated_on,
        cast(business_cases.amount as string) || ' ' || business_cases.currency as origin,
        business_cases.amount * case when business_cases.flow_type = 'cost' then -1 else 1 end as net_amount,
        business_cases.source_file,
        business_cases.source_row
    from business_cases

    union all

    select
        cost_entries.initiative_id,
        'realised' as case_version,
        'cost, ledger account ' || cost_entries.account_id || coalesce(', ' || cost_entries.vendor, '') as what,
        cost_entries.posted_on as dated_on,
        cast(cost_entries.amount as string) || ' ' || cost_entries.currency as origin,
        -cost_entries.reporting_amount as net_amount,
        cost_entries.source_file,
        cost_entries.source_row
    from cost_entries

    union all

    select
        labour_costs.initiative_id,
        'realised' as case_version,
        'cost, ' || labour_costs.activity_type as what,
        labour_costs.work_date as dated_on,
        cast(labour_costs.hours as string) || ' hours at ' || cast(labour_costs.fully_loaded_rate as string) as origin,
        -labour_costs.fully_loaded_amount as net_amount,
        timesheets.source_file,
        timesheets.source_row
    from labour_costs
    left join timesheets
        on labour_costs.labour_cost_id = timesheets.entry_id

    union all

    select
        benefits.initiative_id,
        'realised' as case_version,
        'benefit, ' || benefits.benefit_id || coalesce(' not counted: ' || benefits.not_counted_reason, '') as what,
        benefits.month_date as dated_on,
        cast(benefits.realised_amount as string) || ' ' || benefits.currency
        || ' x ' || cast(benefits.credited_share as string) as origin,
        coalesce(benefits.cash_amount, 0) as net_amount,
        benefits.source_file,
        benefits.source_row
    from benefits

)

select * from final
where initiative_id = '{{ var("initiative_id", "I07") }}'
order by case_version, dated_on, source_file, source_row
