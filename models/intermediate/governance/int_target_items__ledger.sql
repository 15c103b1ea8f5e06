-- One row per closed fiscal period, account, product and initiative of the ledger in scope.
with

asked as (

    select * from {{ ref('int_target_controls') }}
    where target_id = 'T1'

),

programme_targets as (

    select * from {{ ref('programme_targets') }}
    where target_id = 'T1'

),

dates as (

    select
        date_day,
        fiscal_period
    from {{ ref('dim_date') }}

),

products as (

    select
        product_id,
        launched_on,
        retired_on
    from {{ ref('dim_product') }}

),

gl_entries as (

    select * from {{ ref('int_gl_entries_converted') }}
    where account_type = 'revenue'

),

cost_entries as (

    select * from {{ ref('fct_cost_entries') }}

),

product_costs as (

    select * from {{ ref('rpt_product_cost') }}

),

reconciliations as (

    select * from {{ ref('rpt_reconciliation') }}

),

rule_violations as (

    select distinct
        source_file,
        source_row,
        rule_id
    from {{ ref('rpt_rule_violations') }}
    where
        severity = 'error'
        and not is_excepted
        and source_file is not null

),

ledger_lines as (

    select
        dates.fiscal_period,
        gl_entries.account_id,
        gl_entries.product_id,
        cast(null as string) as initiative_id,
        'revenue' as cost_class,
        'ledger' as entry_type,
        gl_entries.posted_on,
        gl_entries.reporting_amount,
        gl_entries.source_file,
        gl_entries.source_row
    from gl_entries
    inner join dates on gl_entries.posted_on = dates.date_day
    union all
    select
        reporting_fiscal_period as fiscal_period,
        account_id,
        coalesce(product_id, unknown_product_id) as product_id,
        initiative_id,
        cost_class,
        entry_type,
        posted_on,
        reporting_amount,
        source_file,
        source_row
    from cost_entries

),

-- Shared cost is mapped as far as a driver takes it to products.
class_shares as (

    select
        fiscal_period,
        cost_class,
        cast(sum(abs(allocated_amount)) as double)
        / nullif(
            cast(
                sum(
                    abs(allocated_amount)
                    + case when unallocated_reason in ('no_driver', 'retained') then abs(unallocated_amount) else 0 end
                ) as double
            ),
            0
        ) as mapped_share
    from product_costs
    group by fiscal_period, cost_class

),

differing_accounts as (

    select distinct
        account_id,
        fiscal_period
    from reconciliations
    where not is_reconciled

),

broken_rows as (

    select
        source_file,
        source_row,
        max(case when rule_id = 'late_posting' then 1 else 0 end) as is_late,
        max(case when rule_id <> 'late_posting' then 1 else 0 end) as is_broken
    from rule_violations
    group by source_file, source_row

),

judged_lines as (

    select
        asked.fiscal_period,
        asked.month_date,
        ledger_lines.account_id,
        ledger_lines.product_id,
        ledger_lines.initiative_id,
        abs(coalesce(ledger_lines.reporting_amount, 0)) as amount,
        differing_accounts.account_id is not null as is_unreconciled,
        ledger_lines.reporting_amount is null as is_unrated,
        ledger_lines.product_id is not null
        and (
            products.product_id is null
            or coalesce(ledger_lines.posted_on < products.launched_on, false)
            or coalesce(ledger_lines.posted_on > products.retired_on, false)
        ) as is_inactive,
        ledger_lines.cost_class = 'capitalised' and ledger_lines.initiative_id is null as is_uninvested,
        coalesce(broken_rows.is_late = 1, false) as is_late,
        coalesce(broken_rows.is_broken = 1, false) as is_broken,
        case
            when ledger_lines.product_id is not null then 1.0
            -- Products bear a commitment when they use it; no line of paying ahead is theirs to miss.
            when ledger_lines.entry_type = 'cloud_prepayment' then 1.0
            when ledger_lines.entry_type in ('unused_capacity', 'pay_averaging', 'unreconciled') then 0.0
            else coalesce(class_shares.mapped_share, 0.0)
        end as mapped_share
    from asked
    inner join ledger_lines
        on
            asked.fiscal_period = ledger_lines.fiscal_period
            and asked.item_id = ledger_lines.account_id
    left join products on ledger_lines.product_id = products.product_id
    left join differing_accounts
        on
            ledger_lines.account_id = differing_accounts.account_id
            and ledger_lines.fiscal_period = differing_accounts.fiscal_period
    left join broken_rows
        on
            ledger_lines.source_file = broken_rows.source_file
            and ledger_lines.source_row = broken_rows.source_row
    left join class_shares
        on
            ledger_lines.fiscal_period = class_shares.fiscal_period
            and ledger_lines.cost_class = class_shares.cost_class

),

ledger_items as (

    select
        fiscal_period,
        month_date,
        account_id,
        product_id,
        initiative_id,
        sum(amount) as amount,
        sum(
            case
                when is_unreconciled or is_unrated or is_inactive or is_uninvested or is_late or is_broken then 0
                else cast(amount as double) * mapped_share
            end
        ) as passed_amount,
        bool_or(is_unreconciled) as is_unreconciled,
        bool_or(is_unrated) as is_unrated,
        bool_or(is_inactive) as is_inactive,
        bool_or(is_uninvested) as is_uninvested,
        bool_or(is_late) as is_late,
        bool_or(is_broken) as is_broken,
        sum(cast(amount as double) * (1 - mapped_share)) as unmapped_amount
    from judged_lines
    group by fiscal_period, month_date, account_id, product_id, initiative_id

),

final as (

    select
        programme_targets.target_id,
        ledger_items.fiscal_period,
        ledger_items.month_date,
        'account' as item_type,
        ledger_items.account_id as control_id,
        concat_ws(
            '/', ledger_items.account_id, coalesce(ledger_items.product_id, 'shared'), ledger_items.initiative_id
        ) as item_id,
        cast(ledger_items.amount as decimal(18, 2)) as amount,
        {{ round_amount('ledger_items.passed_amount') }} as passed_amount,
        concat_ws(
            ', ',
            case when ledger_items.is_unreconciled then 'not_reconciled' end,
            case when ledger_items.is_unrated then 'no_exchange_rate' end,
            case when ledger_items.is_inactive then 'product_unknown_or_inactive' end,
            case when ledger_items.is_uninvested then 'no_initiative' end,
            case when ledger_items.is_late then 'after_close' end,
            case when ledger_items.is_broken then 'breaks_rule' end,
            case
                when ledger_items.unmapped_amount > ledger_items.amount * programme_targets.tolerance_share
                    then 'not_mapped_to_product'
            end
        ) as failed_conditions
    from ledger_items
    cross join programme_targets

)

select * from final
