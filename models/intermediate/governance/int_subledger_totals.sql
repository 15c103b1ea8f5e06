-- One row per subledger, account, fiscal period of the reporting entity and currency: what the ledger should hold.
with

line_periods as (

    select
        charge_type,
        revenue_account_id,
        deferral_account_id,
        fiscal_period,
        currency,
        billed_amount,
        recognised_amount
    from {{ ref('int_revenue_line_periods') }}

),

invoice_lines as (

    select
        invoiced_on,
        amount,
        tax_amount,
        currency
    from {{ ref('stg_revenue__invoice_lines') }}

),

payments as (

    select
        paid_on,
        amount,
        fee_amount,
        currency
    from {{ ref('stg_revenue__payments') }}

),

cloud_costs as (

    select
        cast(billing_period_start as date) as billed_on,
        billed_cost,
        billing_currency
    from {{ ref('stg_cost__cloud_costs') }}

),

payroll as (

    select
        cost_center_id,
        period_month,
        currency,
        coalesce(base_pay, 0) + coalesce(bonus, 0) + coalesce(employer_taxes, 0) + coalesce(benefits_cost, 0)
        + coalesce(tools_cost, 0) + coalesce(space_cost, 0) as amount
    from {{ ref('stg_cost__payroll') }}

),

cost_centers as (

    select
        cost_center_id,
        payroll_account_id
    from {{ ref('cost_centers') }}

),

accounts as (

    select
        account_id,
        detail_source
    from {{ ref('chart_of_accounts') }}

),

dates as (

    select
        date_day,
        fiscal_period
    from {{ ref('dim_date') }}

),

policies as (

    select
        receivable_account_id,
        payment_fee_account_id
    from {{ ref('revenue_policies') }}

),

cloud_account as (

    select min(account_id) as account_id
    from accounts
    where detail_source = 'cloud'

),

-- Natural direction: revenue, liabilities, receivables and cost are positive.
entries as (

    select
        'billing' as subledger,
        revenue_account_id as account_id,
        fiscal_period,
        currency,
        recognised_amount as amount
    from line_periods

    union all

    select
        'billing' as subledger,
        deferral_account_id as account_id,
        fiscal_period,
        currency,
        billed_amount - recognised_amount as amount
    from line_periods

    union all

    select
        'billing' as subledger,
        policies.receivable_account_id as account_id,
        dates.fiscal_period,
        invoice_lines.currency,
        invoice_lines.amount + coalesce(invoice_lines.tax_amount, 0) as amount
    from invoice_lines
    cross join policies
    inner join dates on invoice_lines.invoiced_on = dates.date_day

    union all

    select
        'billing' as subledger,
        policies.receivable_account_id as account_id,
        dates.fiscal_period,
        payments.currency,
        -payments.amount as amount
    from payments
    cross join policies
    inner join dates on payments.paid_on = dates.date_day

    union all

    select
        'billing' as subledger,
        policies.payment_fee_account_id as account_id,
        dates.fiscal_period,
        payments.currency,
        coalesce(payments.fee_amount, 0) as amount
    from payments
    cross join policies
    inner join dates on payments.paid_on = dates.date_day

    union all

    select
        'cloud' as subledger,
        cloud_account.account_id,
        dates.fiscal_period,
        cloud_costs.billing_currency as currency,
        cloud_costs.billed_cost as amount
    from cloud_costs
    cross join cloud_account
    inner join dates on cloud_costs.billed_on = dates.date_day

    union all

    select
        'payroll' as subledger,
        cost_centers.payroll_account_id as account_id,
        dates.fiscal_period,
        payroll.currency,
        payroll.amount
    from payroll
    inner join cost_centers on payroll.cost_center_id = cost_centers.cost_center_id
    inner join dates on payroll.period_month = dates.date_day

),

final as (

    select
        subledger,
        account_id,
        fiscal_period,
        currency,
        cast(round(sum(amount), 2) as decimal(18, 2)) as amount
    from entries
    where account_id is not null and account_id <> ''
    group by subledger, account_id, fiscal_period, currency

)

select * from final
