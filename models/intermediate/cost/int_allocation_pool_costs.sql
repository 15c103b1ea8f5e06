-- One row per fiscal period, pool and cost class: the cost no product caused directly, in minor units.
with

cost_entries as (

    select * from {{ ref('fct_cost_entries') }}

),

rules as (

    select * from {{ ref('allocation_rules') }}

),

periods as (

    select * from {{ ref('dim_fiscal_period') }}
    where is_reporting_entity

),

-- Unused capacity, prepayments, unknown products and differences between ledger and detail stay where they can be seen.
shared_entries as (

    select
        cost_entries.cost_entry_id,
        cost_entries.account_id,
        cost_entries.cost_center_id,
        cost_entries.cost_class,
        cost_entries.reporting_amount,
        periods.fiscal_period,
        periods.start_on as period_start_on,
        periods.end_on as period_end_on
    from cost_entries
    inner join periods on cost_entries.reporting_fiscal_period = periods.fiscal_period
    where
        cost_entries.product_id is null
        and cost_entries.unknown_product_id is null
        and cost_entries.entry_type not in ('unused_capacity', 'pay_averaging', 'cloud_prepayment', 'unreconciled')
        and cost_entries.reporting_amount is not null

),

-- A rule for an account goes before a rule for a cost center.
pooled as (

    select
        shared_entries.fiscal_period,
        shared_entries.period_start_on,
        shared_entries.period_end_on,
        shared_entries.cost_class,
        shared_entries.reporting_amount,
        rules.rule_id,
        rules.pool_id,
        rules.pool_type
    from shared_entries
    inner join rules
        on
            (shared_entries.account_id = rules.account_id or rules.account_id is null)
            and (shared_entries.cost_center_id = rules.cost_center_id or rules.cost_center_id is null)
            and shared_entries.period_end_on >= rules.valid_from
            and (shared_entries.period_end_on <= rules.valid_to or rules.valid_to is null)
    qualify row_number() over (
            partition by shared_entries.cost_entry_id
            order by
                case when rules.account_id is null then 1 else 0 end,
                case when rules.cost_center_id is null then 1 else 0 end,
                rules.rule_id
        ) = 1

),

final as (

    select
        fiscal_period,
        pool_id,
        cost_class,
        rule_id,
        pool_type,
        period_start_on,
        period_end_on,
        cast(sum(reporting_amount) * 100 as bigint) as amount_units
    from pooled
    group by
        fiscal_period,
        pool_id,
        cost_class,
        rule_id,
        pool_type,
        period_start_on,
        period_end_on
    having sum(reporting_amount) <> 0

)

select * from final
