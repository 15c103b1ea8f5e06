-- One row per measured benefit and month of the ledger that does not count.
with

benefits as (

    select
        benefit_id,
        month_date,
        not_counted_reason,
        credited_amount,
        source_file,
        source_row
    from {{ ref('fct_benefits') }}
    where benefit_source = 'ledger'

),

final as (

    select
        'uncounted_benefit' as rule_id,
        'warning' as severity,
        'benefits' as extract_name,
        'benefit_id=' || benefit_id || ', period_month=' || cast(month_date as string) as record_key,
        source_file,
        source_row,
        cast(credited_amount as decimal(38, 2)) as amount,
        case not_counted_reason
            when 'unconfirmed' then 'Nobody in finance has confirmed it. Have the value confirmed.'
            when 'confirmed_by_owner' then 'Its owner confirmed it. Have finance confirm it.'
            when 'past_persistence' then 'It is past the day it persists to. Confirm again that it lasts.'
            when 'grade_not_counted' then 'Its grade of evidence does not count. Measure it, or leave it out.'
        end as message
    from benefits
    where not_counted_reason in ('unconfirmed', 'confirmed_by_owner', 'past_persistence', 'grade_not_counted')

)

select * from final
