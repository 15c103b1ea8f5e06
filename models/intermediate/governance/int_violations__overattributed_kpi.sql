-- One row per benefit and month whose KPI and segment are credited to more than their whole change.
with

benefits as (

    select
        benefit_id,
        month_date,
        kpi_id,
        segment,
        attribution_share,
        credited_share,
        reporting_realised_amount,
        source_file,
        source_row
    from {{ ref('fct_benefits') }}
    where benefit_source = 'ledger'

),

final as (

    select
        'overattributed_kpi' as rule_id,
        'error' as severity,
        'benefits' as extract_name,
        'benefit_id=' || benefit_id || ', period_month=' || cast(month_date as string) as record_key,
        source_file,
        source_row,
        cast(
            round(cast(reporting_realised_amount as decimal(19, 2)) * (attribution_share - credited_share), 2)
            as decimal(38, 2)
        ) as amount,
        'The shares of ' || kpi_id || coalesce(' in ' || segment, '')
        || ' sum to more than 1; they were scaled back. Agree on shares that sum to 1 at most.' as message
    from benefits
    where credited_share < attribution_share

)

select * from final
