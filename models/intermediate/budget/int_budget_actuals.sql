-- One row per fiscal period, cost center, account and product with posted profit-and-loss lines.
with

gl_entries as (

    select * from {{ ref('int_gl_entries_converted') }}

),

budget_rates as (

    select * from {{ ref('int_budget_rates') }}

),

final as (

    select
        gl_entries.entity_id,
        gl_entries.fiscal_year,
        gl_entries.fiscal_period,
        gl_entries.comparable_fiscal_period,
        gl_entries.cost_center_id,
        gl_entries.account_id,
        gl_entries.product_id,
        sum(gl_entries.reporting_natural_amount) as actual_amount,
        sum({{ convert_amount('gl_entries.natural_amount', 'budget_rates.budget_rate') }}) as budget_rate_amount,
        count(gl_entries.reporting_natural_amount) < count(*) as is_rate_missing
    from gl_entries
    left join budget_rates
        on
            gl_entries.entity_id = budget_rates.entity_id
            and gl_entries.fiscal_year = budget_rates.fiscal_year
            and gl_entries.currency = budget_rates.from_currency
    where
        gl_entries.polarity <> 0
        and gl_entries.fiscal_period is not null
    group by
        gl_entries.entity_id,
        gl_entries.fiscal_year,
        gl_entries.fiscal_period,
        gl_entries.comparable_fiscal_period,
        gl_entries.cost_center_id,
        gl_entries.account_id,
        gl_entries.product_id

)

select * from final
