-- One row per broken rule and record.
{{ config(
    materialized=('table' if target.type == 'spark' else 'incremental'),
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook='{{ drop_changed_rules() }}',
    meta={'increments_of': 'any'}
) }}
with

violations as (
    {% for rule in changed_rules() %}
    select
        rule_id,
        severity,
        extract_name,
        record_key,
        source_file,
        source_row,
        amount,
        message
    from {{ ref('int_violations__' ~ rule) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

governance_rules as (

    select * from {{ ref('governance_rules') }}

),

rule_exceptions as (

    select * from {{ ref('rule_exceptions') }}

),

reporting_date as (

    select reporting_on
    from {{ ref('int_reporting_date') }}

),

-- An exception that has run out no longer excuses anything.
exceptions_in_force as (

    select rule_exceptions.*
    from rule_exceptions
    cross join reporting_date
    where reporting_date.reporting_on between rule_exceptions.granted_on and rule_exceptions.expires_on

),

final as (

    select
        violations.rule_id,
        violations.extract_name,
        violations.record_key,
        violations.severity,
        violations.message,
        governance_rules.dimension,
        governance_rules.is_critical,
        governance_rules.owner as rule_owner,
        violations.amount,
        exceptions_in_force.rule_id is not null as is_excepted,
        exceptions_in_force.reason as exception_reason,
        exceptions_in_force.owner as exception_owner,
        exceptions_in_force.expires_on as exception_expires_on,
        violations.source_file,
        cast(violations.source_row as bigint) as source_row
    from violations
    left join governance_rules on violations.rule_id = governance_rules.rule_id
    left join exceptions_in_force
        on
            violations.rule_id = exceptions_in_force.rule_id
            and violations.extract_name = exceptions_in_force.extract_name
            and violations.record_key = exceptions_in_force.record_key

)

select * from final
