-- One row per dataset and rule that was checked in the latest build.
with

rule_results as (

    select * from {{ ref('stg_governance__rule_results') }}

),

rule_violations as (

    select
        rule_id,
        extract_name,
        record_key,
        amount
    from {{ ref('rpt_rule_violations') }}
    where not is_excepted

),

governance_rules as (

    select * from {{ ref('governance_rules') }}

),

reconciliations as (

    select * from {{ ref('rpt_reconciliation') }}
    where is_closed

),

control_totals as (

    select * from {{ ref('rpt_control_totals') }}

),

freshness as (

    select * from {{ ref('rpt_freshness') }}

),

gl_entries as (

    select * from {{ ref('int_gl_entries_converted') }}

),

budget_lines as (

    select * from {{ ref('fct_budget_lines') }}

),

benefits as (

    select * from {{ ref('fct_benefits') }}
    where benefit_source = 'ledger'

),

-- Money of the extracts whose breaches are stated in money, in reporting currency.
extract_amounts as (

    select
        'gl_entries' as dataset,
        sum(abs(reporting_amount)) as checked_amount
    from gl_entries
    union all
    select
        'budget_lines' as dataset,
        sum(abs(reporting_budget_amount)) as checked_amount
    from budget_lines
    union all
    select
        'benefits' as dataset,
        sum(abs(reporting_realised_amount)) as checked_amount
    from benefits

),

extracts as (

    select
        build_number,
        dataset,
        max(checked_rows) as checked_rows,
        max(loaded_at) as loaded_at
    from rule_results
    where dataset_type = 'extract'
    group by build_number, dataset

),

violated as (

    select
        rule_id,
        extract_name,
        count(distinct record_key) as failed_rows,
        case when count(amount) = count(*) then sum(abs(amount)) end as failed_amount
    from rule_violations
    group by rule_id, extract_name

),

governed as (

    select
        extracts.build_number,
        'extract' as dataset_type,
        extracts.dataset,
        governance_rules.dimension,
        governance_rules.rule_id,
        governance_rules.is_critical,
        coalesce(violated.failed_rows, 0) > 0 as is_failed,
        extracts.checked_rows,
        coalesce(violated.failed_rows, 0) as failed_rows,
        -- Tables disagree by money where the rule can state it, else by rows.
        coalesce(
            case
                when governance_rules.dimension = 'consistency'
                    then cast(violated.failed_amount as double) / nullif(cast(extract_amounts.checked_amount as double), 0)
            end,
            cast(violated.failed_rows as double) / nullif(extracts.checked_rows, 0),
            0.0
        ) as failed_share,
        extracts.loaded_at
    from extracts
    inner join governance_rules on ' ' || governance_rules.extracts || ' ' like '% ' || extracts.dataset || ' %'
    left join violated
        on
            extracts.dataset = violated.extract_name
            and governance_rules.rule_id = violated.rule_id
    left join extract_amounts on extracts.dataset = extract_amounts.dataset

),

-- What the gate counted of an extract is where it says it is, to the row and to the penny.
accounted as (

    select
        extracts.build_number,
        'extract' as dataset_type,
        extracts.dataset,
        'completeness' as dimension,
        'every_row_accounted_for' as rule_id,
        true as is_critical,
        bool_or(not control_totals.is_complete) as is_failed,
        count(*) as checked_rows,
        count_if(not control_totals.is_complete) as failed_rows,
        cast(count_if(not control_totals.is_complete) as double) / count(*) as failed_share,
        extracts.loaded_at
    from extracts
    inner join control_totals on extracts.dataset = control_totals.extract_name
    group by extracts.build_number, extracts.dataset, extracts.loaded_at

),

delivered as (

    select
        extracts.build_number,
        'extract' as dataset_type,
        extracts.dataset,
        'timeliness' as dimension,
        'delivered_in_time' as rule_id,
        false as is_critical,
        freshness.freshness_state = 'error' as is_failed,
        1 as checked_rows,
        case when freshness.freshness_state = 'error' then 1 else 0 end as failed_rows,
        case when freshness.freshness_state = 'error' then 1.0 else 0.0 end as failed_share,
        extracts.loaded_at
    from extracts
    inner join freshness on extracts.dataset = freshness.extract_name

),

-- The ledger is the one authority the detail can be held against, per extract that makes a subledger.
compared as (

    select
        case subledger when 'billing' then 'invoice_lines' when 'cloud' then 'cloud_costs' else subledger end as dataset,
        count(*) as checked_rows,
        count_if(not is_reconciled) as failed_rows,
        sum(abs(reporting_difference_amount)) as difference_amount,
        sum(abs(reporting_gl_amount)) as ledger_amount
    from reconciliations
    group by subledger

),

accurate as (

    select
        extracts.build_number,
        'extract' as dataset_type,
        compared.dataset,
        'accuracy' as dimension,
        'agrees_with_ledger' as rule_id,
        false as is_critical,
        compared.failed_rows > 0 as is_failed,
        compared.checked_rows,
        compared.failed_rows,
        cast(compared.difference_amount as double) / nullif(cast(compared.ledger_amount as double), 0) as failed_share,
        extracts.loaded_at
    from compared
    inner join extracts on compared.dataset = extracts.dataset

),

checked as (

    select
        build_number,
        dataset_type,
        dataset,
        dimension,
        rule_id,
        is_critical,
        state <> 'passed' as is_failed,
        checked_rows,
        failed_rows,
        case
            when state = 'passed' then 0.0
            when failed_rows > 0 and checked_rows > 0 then cast(failed_rows as double) / checked_rows
            else 1.0
        end as failed_share,
        loaded_at
    from rule_results
    where dataset_type in ('extract', 'mart')

),

final as (

    select
        build_number,
        dataset_type,
        dataset,
        dimension,
        rule_id,
        is_critical,
        is_failed,
        cast(checked_rows as bigint) as checked_rows,
        cast(failed_rows as bigint) as failed_rows,
        least(1.0, failed_share) as failed_share,
        loaded_at
    from checked
    union all
    select
        build_number,
        dataset_type,
        dataset,
        dimension,
        rule_id,
        is_critical,
        is_failed,
        cast(checked_rows as bigint) as checked_rows,
        cast(failed_rows as bigint) as failed_rows,
        least(1.0, failed_share) as failed_share,
        loaded_at
    from governed
    union all
    select
        build_number,
        dataset_type,
        dataset,
        dimension,
        rule_id,
        is_critical,
        is_failed,
        cast(checked_rows as bigint) as checked_rows,
        cast(failed_rows as bigint) as failed_rows,
        least(1.0, failed_share) as failed_share,
        loaded_at
    from accurate
    union all
    select
        build_number,
        dataset_type,
        dataset,
        dimension,
        rule_id,
        is_critical,
        is_failed,
        cast(checked_rows as bigint) as checked_rows,
        cast(failed_rows as bigint) as failed_rows,
        least(1.0, failed_share) as failed_share,
        loaded_at
    from accounted
    union all
    select
        build_number,
        dataset_type,
        dataset,
        dimension,
        rule_id,
        is_critical,
        is_failed,
        cast(checked_rows as bigint) as checked_rows,
        cast(failed_rows as bigint) as failed_rows,
        least(1.0, failed_share) as failed_share,
        loaded_at
    from delivered

)

select * from final
