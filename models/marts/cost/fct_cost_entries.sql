-- One row per cost posting: a ledger line, a line of detail that replaces ledger lines, or what the two do not share.
with

gl_entries as (

    select * from {{ ref('int_gl_entries_converted') }}

),

labour_costs as (

    select * from {{ ref('fct_labour_costs') }}

),

cloud_charges as (

    select * from {{ ref('int_cloud_charges') }}

),

accounts as (

    select * from {{ ref('dim_account') }}

),

products as (

    select * from {{ ref('dim_product') }}

),

capitalisation_accounts as (

    select * from {{ ref('capitalisation_accounts') }}

),

fiscal_dates as (

    select * from {{ ref('int_fiscal_dates') }}

),

dates as (

    select * from {{ ref('dim_date') }}

),

reporting_entity as (

    select max(entity_id) as entity_id
    from {{ ref('fiscal_calendars') }}
    where is_reporting

),

expenses as (

    select *
    from gl_entries
    where polarity = -1

),

ledger_entries as (

    select
        'ledger:' || journal_id || ':' || cast(line_number as {{ dbt.type_string() }}) as cost_entry_id,
        'ledger' as entry_type,
        posted_on,
        entity_id,
        account_id,
        cost_center_id,
        product_id,
        initiative_id,
        vendor,
        description,
        natural_amount as amount,
        currency,
        reporting_natural_amount as reporting_amount,
        journal_id,
        line_number,
        source_file,
        source_row
    from expenses
    where detail_source is null

),

-- Detail is dated as the ledger posted it, so that both fall in the same fiscal period.
posting_dates as (

    select
        account_id,
        entity_id,
        posting_month,
        max(posted_on) as posted_on
    from expenses
    where detail_source is not null
    group by
        account_id,
        entity_id,
        posting_month

),

labour_lines as (

    select
        case when line_type = 'unused_capacity' then 'unused_capacity' else 'payroll' end as entry_type,
        period_month,
        entity_id,
        account_id,
        cost_center_id,
        product_id,
        initiative_id,
        sum(payroll_amount) as amount
    from labour_costs
    where
        payroll_amount is not null
        and account_id is not null
    group by
        case when line_type = 'unused_capacity' then 'unused_capacity' else 'payroll' end,
        period_month,
        entity_id,
        account_id,
        cost_center_id,
        product_id,
        initiative_id

),

payroll_entries as (

    select
        concat_ws(
            ':', labour_lines.entry_type, cast(labour_lines.period_month as {{ dbt.type_string() }}),
            labour_lines.account_id, labour_lines.cost_center_id,
            coalesce(labour_lines.product_id, '-'), coalesce(labour_lines.initiative_id, '-')
        ) as cost_entry_id,
        labour_lines.entry_type,
        coalesce(
            posting_dates.posted_on,
            cast(labour_lines.period_month + interval '1' month - interval '1' day as date)
        ) as posted_on,
        labour_lines.entity_id,
        labour_lines.account_id,
        labour_lines.cost_center_id,
        labour_lines.product_id,
        labour_lines.initiative_id,
        labour_lines.amount
    from labour_lines
    left join posting_dates
        on
            labour_lines.account_id = posting_dates.account_id
            and labour_lines.entity_id = posting_dates.entity_id
            and labour_lines.period_month = posting_dates.posting_month

),

-- The account that carries the cloud bill, and where the ledger posts most of it.
cloud_account as (

    select min(account_id) as account_id
    from accounts
    where detail_source = 'cloud'

),

cloud_homes as (

    select
        account_id,
        posting_month,
        entity_id,
        cost_center_id
    from expenses
    where detail_source = 'cloud'
    group by
        account_id,
        posting_month,
        entity_id,
        cost_center_id
    qualify row_number() over (
            partition by account_id, posting_month
            order by sum(abs(reporting_natural_amount)) desc, cost_center_id
        ) = 1

),

cloud_lines as (

    select
        billing_month,
        service_name,
        provider_name,
        product_id,
        unknown_product_id,
        initiative_id,
        cost_center_id,
        currency,
        sum(billed_cost) as billed_cost,
        sum(reporting_billed_cost) as reporting_billed_cost
    from cloud_charges
    group by
        billing_month,
        service_name,
        provider_name,
        product_id,
        unknown_product_id,
        initiative_id,
        cost_center_id,
        currency

),

-- Differences of rounded running totals: each line is in whole cents and the bill keeps its total.
cloud_running as (

    select
        *,
        concat_ws(
            ':', 'cloud', cast(billing_month as {{ dbt.type_string() }}), coalesce(provider_name, '-'), service_name,
            coalesce(product_id, unknown_product_id, '-'), coalesce(initiative_id, '-'),
            coalesce(cost_center_id, '-'), currency
        ) as cost_entry_id,
        round(sum(billed_cost) over (
            partition by billing_month, currency
            order by service_name, provider_name, product_id, unknown_product_id, initiative_id, cost_center_id
            rows between unbounded preceding and current row
        ), 2) as running_amount,
        round(sum(reporting_billed_cost) over (
            partition by billing_month, currency
            order by service_name, provider_name, product_id, unknown_product_id, initiative_id, cost_center_id
            rows between unbounded preceding and current row
        ), 2) as running_reporting_amount
    from cloud_lines

),

cloud_cents as (

    select
        *,
        running_amount - coalesce(lag(running_amount) over (
            partition by billing_month, currency
            order by service_name, provider_name, product_id, unknown_product_id, initiative_id, cost_center_id
        ), 0) as amount,
        running_reporting_amount - coalesce(lag(running_reporting_amount) over (
            partition by billing_month, currency
            order by service_name, provider_name, product_id, unknown_product_id, initiative_id, cost_center_id
        ), 0) as reporting_amount
    from cloud_running

),

cloud_entries as (

    select
        cloud_cents.cost_entry_id,
        coalesce(
            posting_dates.posted_on,
            cast(cloud_cents.billing_month + interval '1' month - interval '1' day as date)
        ) as posted_on,
        coalesce(cloud_homes.entity_id, reporting_entity.entity_id) as entity_id,
        cloud_account.account_id,
        coalesce(cloud_cents.cost_center_id, cloud_homes.cost_center_id) as cost_center_id,
        coalesce(cloud_cents.product_id, cloud_cents.unknown_product_id) as product_id,
        cloud_cents.initiative_id,
        cloud_cents.provider_name as vendor,
        cloud_cents.service_name as description,
        cloud_cents.amount,
        cloud_cents.currency,
        cloud_cents.reporting_amount
    from cloud_cents
    cross join cloud_account
    cross join reporting_entity
    left join cloud_homes
        on
            cloud_account.account_id = cloud_homes.account_id
            and cloud_cents.billing_month = cloud_homes.posting_month
    left join posting_dates
        on
            cloud_account.account_id = posting_dates.account_id
            and cloud_homes.entity_id = posting_dates.entity_id
            and cloud_cents.billing_month = posting_dates.posting_month

),

detail_entries as (

    select
        cost_entry_id,
        entry_type,
        posted_on,
        entity_id,
        account_id,
        cost_center_id,
        product_id,
        initiative_id,
        cast(null as {{ dbt.type_string() }}) as vendor,
        cast(null as {{ dbt.type_string() }}) as description,
        amount,
        '{{ var("reporting_currency") }}' as currency,
        amount as reporting_amount
    from payroll_entries

    union all

    select
        cost_entry_id,
        'cloud' as entry_type,
        posted_on,
        entity_id,
        account_id,
        cost_center_id,
        product_id,
        initiative_id,
        vendor,
        description,
        amount,
        currency,
        reporting_amount
    from cloud_entries

),

-- The ledger on one side and the detail on the other, per account and period of either calendar.
two_sides as (

    select
        account_id,
        entity_id,
        posted_on,
        reporting_natural_amount as ledger_amount,
        cast(0 as decimal(18, 2)) as detail_amount
    from expenses
    where detail_source is not null

    union all

    select
        account_id,
        entity_id,
        posted_on,
        cast(0 as decimal(18, 2)) as ledger_amount,
        reporting_amount as detail_amount
    from detail_entries

),

unreconciled_entries as (

    select
        concat_ws(
            ':', 'unreconciled', two_sides.entity_id, two_sides.account_id,
            fiscal_dates.fiscal_period, dates.fiscal_period
        ) as cost_entry_id,
        max(two_sides.posted_on) as posted_on,
        two_sides.entity_id,
        two_sides.account_id,
        coalesce(sum(two_sides.ledger_amount), 0) - coalesce(sum(two_sides.detail_amount), 0) as amount
    from two_sides
    left join fiscal_dates
        on
            two_sides.entity_id = fiscal_dates.entity_id
            and two_sides.posted_on = fiscal_dates.calendar_date
    left join dates on two_sides.posted_on = dates.date_day
    group by
        two_sides.entity_id,
        two_sides.account_id,
        fiscal_dates.fiscal_period,
        dates.fiscal_period

),

entries as (

    select
        cost_entry_id,
        entry_type,
        posted_on,
        entity_id,
        account_id,
        cost_center_id,
        product_id,
        initiative_id,
        vendor,
        description,
        amount,
        currency,
        reporting_amount,
        journal_id,
        line_number,
        source_file,
        source_row
    from ledger_entries

    union all

    select
        cost_entry_id,
        entry_type,
        posted_on,
        entity_id,
        account_id,
        cost_center_id,
        product_id,
        initiative_id,
        vendor,
        description,
        amount,
        currency,
        reporting_amount,
        null as journal_id,
        null as line_number,
        null as source_file,
        null as source_row
    from detail_entries

    union all

    select
        cost_entry_id,
        'unreconciled' as entry_type,
        posted_on,
        entity_id,
        account_id,
        null as cost_center_id,
        null as product_id,
        null as initiative_id,
        null as vendor,
        'Ledger less detail' as description,
        amount,
        '{{ var("reporting_currency") }}' as currency,
        amount as reporting_amount,
        null as journal_id,
        null as line_number,
        null as source_file,
        null as source_row
    from unreconciled_entries

),

final as (

    select
        entries.cost_entry_id,
        entries.entry_type,
        entries.posted_on,
        fiscal_dates.fiscal_period,
        dates.fiscal_period as reporting_fiscal_period,
        entries.entity_id,
        entries.account_id,
        entries.cost_center_id,
        products.product_id,
        case when products.product_id is null then entries.product_id end as unknown_product_id,
        entries.initiative_id,
        entries.journal_id,
        cast(entries.line_number as integer) as line_number,
        coalesce(capitalisation_accounts.cost_class, accounts.cost_class) as cost_class,
        accounts.cost_behaviour,
        accounts.detail_source,
        entries.vendor,
        entries.description,
        capitalisation_accounts.account_id is null as is_cash_cost,
        cast(entries.amount as decimal(18, 2)) as amount,
        cast(entries.currency as {{ dbt.type_string() }}) as currency,
        cast(entries.reporting_amount as decimal(18, 2)) as reporting_amount,
        entries.source_file,
        entries.source_row
    from entries
    left join accounts on entries.account_id = accounts.account_id
    left join products on entries.product_id = products.product_id
    left join capitalisation_accounts on entries.account_id = capitalisation_accounts.account_id
    left join fiscal_dates
        on
            entries.entity_id = fiscal_dates.entity_id
            and entries.posted_on = fiscal_dates.calendar_date
    left join dates on entries.posted_on = dates.date_day

)

select * from final
