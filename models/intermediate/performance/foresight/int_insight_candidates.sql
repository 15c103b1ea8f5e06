-- One row per finding above its rule's thresholds, month it holds in and driver.
with

rules as (

    select
        rule_id,
        threshold_rate,
        threshold_amount
    from {{ ref('insight_rules') }}

),

possible as (

    select * from {{ ref('int_insights__investment') }}
    union all
    select * from {{ ref('int_insights__cost') }}
    union all
    select * from {{ ref('int_insights__revenue') }}
    union all
    select * from {{ ref('int_insights__outlook') }}

),

final as (

    select
        possible.rule_id || ': ' || possible.scope_id || coalesce(' ' || possible.event_id, '') as insight_id,
        possible.rule_id,
        possible.scope_type,
        possible.scope_id,
        possible.product_id,
        possible.month_date,
        possible.since_on,
        possible.period_start_on,
        possible.period_end_on,
        possible.metric,
        cast(possible.actual_amount as decimal(18, 2)) as actual_amount,
        cast(possible.reference_amount as decimal(18, 2)) as reference_amount,
        {{ round_amount('possible.stake_amount') }} as stake_amount,
        possible.is_favourable,
        possible.evidence_grade,
        possible.is_causal,
        possible.owner,
        possible.statement,
        possible.evidence_mart,
        possible.evidence_filter,
        possible.driver,
        cast(possible.driver_amount as decimal(18, 2)) as driver_amount
    from possible
    inner join rules on possible.rule_id = rules.rule_id
    where
        possible.measure >= rules.threshold_rate
        and possible.stake_amount >= rules.threshold_amount

)

select * from final
