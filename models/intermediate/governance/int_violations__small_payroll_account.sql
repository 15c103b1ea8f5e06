-- One row per entity and payroll account that pays fewer people than may be averaged: the ledger itself shows their pay.
with

people as (

    select * from {{ ref('int_payroll_people') }}

),

account_months as (

    select
        entity_id,
        account_id,
        period_month,
        count(*) as people_count
    from people
    group by
        entity_id,
        account_id,
        period_month

),

final as (

    select
        'small_payroll_account' as rule_id,
        'warning' as severity,
        'payroll' as extract_name,
        'entity_id=' || entity_id || ', account_id=' || account_id as record_key,
        cast(null as string) as source_file,
        cast(null as bigint) as source_row,
        cast(null as decimal(38, 2)) as amount,
        'In ' || cast(count(*) as string) || ' months account ' || account_id || ' of ' || entity_id
        || ' pays fewer than {{ var("minimum_group_size") }} people, so its ledger balance tells their pay.'
        || ' Book them with others.' as message
    from account_months
    where people_count < {{ var('minimum_group_size') }}
    group by
        entity_id,
        account_id

)

select * from final
