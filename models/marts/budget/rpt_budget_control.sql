-- One row per fiscal period, cost center and expense account.
with

-- Year-to-date and full-year amounts are those of the whole version, whichever periods it was in force.
variance_lines as (

    select *
    from {{ ref('rpt_budget_variance') }}
    where
        account_type = 'expense'
        and is_in_force
        and has_begun

),

authorities as (

    select * from {{ ref('int_budget_authorities') }}

),

control_rules as (

    select * from {{ ref('int_budget_control_rules') }}

),

approvals as (

    select * from {{ ref('int_approvals') }}

),

late_postings as (

    select * from {{ ref('int_late_postings') }}

),

funds as (

    select
        variance_lines.entity_id,
        variance_lines.fiscal_year,
        variance_lines.fiscal_period,
        variance_lines.period_number,
        variance_lines.cost_center_id,
        variance_lines.account_id,
        max(variance_lines.budget_version) as budget_version,
        coalesce(bool_and(authorities.is_authorised), false) as is_authorised,
        bool_and(variance_lines.is_closed) as is_closed,
        sum(variance_lines.budget_full_year_amount) as budget_amount,
        sum(variance_lines.actual_ytd_amount) as actual_ytd_amount,
        sum(variance_lines.committed_amount) as committed_amount
    from variance_lines
    left join authorities
        on
            variance_lines.entity_id = authorities.entity_id
            and variance_lines.fiscal_period = authorities.fiscal_period
            and variance_lines.budget_version = authorities.budget_version
    group by
        variance_lines.entity_id,
        variance_lines.fiscal_year,
        variance_lines.fiscal_period,
        variance_lines.period_number,
        variance_lines.cost_center_id,
        variance_lines.account_id

),

breaches as (

    select
        entity_id,
        fiscal_period,
        cost_center_id,
        account_id,
        case when is_self_approval then 1 else 0 end as self_approvals,
        case when is_over_authority then 1 else 0 end as over_authorities,
        0 as late_postings
    from approvals

    union all

    select
        entity_id,
        fiscal_period,
        cost_center_id,
        account_id,
        0 as self_approvals,
        0 as over_authorities,
        1 as late_postings
    from late_postings

),

breaches_of_control as (

    select
        entity_id,
        fiscal_period,
        cost_center_id,
        account_id,
        sum(self_approvals) as self_approval_count,
        sum(over_authorities) as over_authority_count,
        sum(late_postings) as late_posting_count
    from breaches
    group by
        entity_id,
        fiscal_period,
        cost_center_id,
        account_id

),

measured as (

    select
        funds.*,
        coalesce(control_rules.rule_id, 'none') as rule_id,
        coalesce(control_rules.control_mode, 'advisory') as control_mode,
        coalesce(control_rules.warn_share, 1) as warn_share,
        funds.budget_amount - funds.actual_ytd_amount - funds.committed_amount as available_amount,
        coalesce(breaches_of_control.self_approval_count, 0) as self_approval_count,
        coalesce(breaches_of_control.over_authority_count, 0) as over_authority_count,
        coalesce(breaches_of_control.late_posting_count, 0) as late_posting_count
    from funds
    left join control_rules
        on
            funds.cost_center_id = control_rules.cost_center_id
            and funds.account_id = control_rules.account_id
    left join breaches_of_control
        on
            funds.entity_id = breaches_of_control.entity_id
            and funds.fiscal_period = breaches_of_control.fiscal_period
            and funds.cost_center_id is not distinct from breaches_of_control.cost_center_id
            and funds.account_id = breaches_of_control.account_id

),

final as (

    select
        fiscal_period,
        cost_center_id,
        account_id,
        entity_id,
        budget_version,
        rule_id,
        control_mode,
        fiscal_year,
        period_number,
        cast(budget_amount as decimal(18, 2)) as budget_amount,
        cast(actual_ytd_amount as decimal(18, 2)) as actual_ytd_amount,
        cast(committed_amount as decimal(18, 2)) as committed_amount,
        cast(available_amount as decimal(18, 2)) as available_amount,
        cast(
            case
                when budget_version <> 'none' and budget_amount >= 0 then greatest(-available_amount, 0)
                else 0
            end as decimal(18, 2)
        ) as breach_amount,
        case
            when budget_amount > 0
                then cast(actual_ytd_amount + committed_amount as double) / cast(budget_amount as double)
        end as used_rate,
        case
            when budget_amount = 0 then 'no_budget'
            when budget_amount < 0 then 'negative_budget'
        end as used_rate_reason,
        case
            when budget_version = 'none' or budget_amount < 0 then 'not_applicable'
            when available_amount < 0 and control_mode = 'hard_stop' then 'stop_ignored'
            when available_amount < 0 then 'exceeded'
            when
                budget_amount > 0
                and actual_ytd_amount + committed_amount >= warn_share * budget_amount
                then 'near_limit'
            else 'within'
        end as control_status,
        cast(self_approval_count as integer) as self_approval_count,
        cast(over_authority_count as integer) as over_authority_count,
        cast(late_posting_count as integer) as late_posting_count,
        is_authorised,
        budget_version <> 'none' and budget_amount >= 0 and available_amount < 0 as is_breach,
        is_closed
    from measured

)

select * from final
