-- One row per cost posting: a ledger line, subledger detail in its place, or their difference.
with

gl_entries as (

    select * from {{ ref('int_gl_entries_converted') }}

),

labour_costs as (

    select * from {{ ref('fct_labour_costs') }}

),

people as (

    select * from {{ ref('int_payroll_people') }}

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

policies as (

    select payroll_accounts_hold_tools_and_space
    from {{ ref('cost_policies') }}

),

-- Detail stands in the ledger's place where it is delivered at all.
detail_sources as (

    select distinct 'payroll' as detail_source
    from people
    union all
    select distinct 'cloud' as detail_source
    from cloud_charges

),

expenses as (

    select
        gl_entries.*,
        detail_sources.detail_source is not null as has_detail
    from gl_entries
    left join detail_sources on gl_entries.detail_source = detail_sources.detail_source
    where gl_entries.polarity = -1

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
    where not has_detail

),

-- A month of detail belongs to the fiscal period that holds its middle, and is dated as the ledger posted that period.
period_months as (

    select
        entity_id,
        fiscal_period,
        cast(date_trunc('month', calendar_date) as date) as period_month,
        least(
            period_end_on,
            cast({{ dbt.dateadd("month", 1, "date_trunc('month', calendar_date)") }} - interval '1' day as date)
        ) as closing_on
    from fiscal_dates
    where cast(substr(cast(calendar_date as {{ dbt.type_string() }}), 9, 2) as integer) = 15

),

ledger_homes as (

    select
        expenses.account_id,
        period_months.period_month,
        expenses.entity_id,
        expenses.cost_center_id,
        expenses.product_id,
        max(expenses.posted_on) as posted_on,
        sum(abs(expenses.reporting_natural_amount)) as posted_amount
    from expenses
    inner join period_months
        on
            expenses.entity_id = period_months.entity_id
            and expenses.fiscal_period = period_months.fiscal_period
    where expenses.has_detail
    group by
        expenses.account_id,
        period_months.period_month,
        expenses.entity_id,
        expenses.cost_center_id,
        expenses.product_id

),

posting_dates as (

    select
        account_id,
        period_month,
        entity_id,
        max(posted_on) as posted_on
    from ledger_homes
    group by
        account_id,
        period_month,
        entity_id

),

labour_lines as (

    select
        case when labour_costs.line_type = 'unused_capacity' then 'unused_capacity' else 'payroll' end as entry_type,
        labour_costs.period_month,
        labour_costs.entity_id,
        labour_costs.account_id,
        labour_costs.cost_center_id,
        labour_costs.product_id,
        labour_costs.initiative_id,
        sum(
            labour_costs.payroll_amount
            + case when policies.payroll_accounts_hold_tools_and_space then labour_costs.loading_amount else 0 end
        ) as amount
    from labour_costs
    cross join policies
    where
        labour_costs.payroll_amount is not null
        and labour_costs.account_id is not null
    group by
        case when labour_costs.line_type = 'unused_capacity' then 'unused_capacity' else 'payroll' end,
        labour_costs.period_month,
        labour_costs.entity_id,
        labour_costs.account_id,
        labour_costs.cost_center_id,
        labour_costs.product_id,
        labour_costs.initiative_id

),

-- Pay of people averaged with those of another account, or too few to average: shown per account, as the ledger does.
averaging_lines as (

    select
        two_totals.period_month,
        two_totals.entity_id,
        two_totals.account_id,
        sum(two_totals.amount) as amount
    from (
        select
            people.period_month,
            people.entity_id,
            people.account_id,
            people.payroll_amount
            + case
                when policies.payroll_accounts_hold_tools_and_space then people.tools_amount + people.space_amount
                else 0
            end as amount
        from people
        cross join policies

        union all

        select
            period_month,
            entity_id,
            account_id,
            -amount as amount
        from labour_lines
    ) as two_totals
    where two_totals.account_id is not null
    group by
        two_totals.period_month,
        two_totals.entity_id,
        two_totals.account_id
    having sum(two_totals.amount) <> 0

),

payroll_lines as (

    select
        entry_type,
        period_month,
        entity_id,
        account_id,
        cost_center_id,
        product_id,
        initiative_id,
        amount
    from labour_lines

    union all

    select
        'pay_averaging' as entry_type,
        period_month,
        entity_id,
        account_id,
        null as cost_center_id,
        null as product_id,
        null as initiative_id,
        amount
    from averaging_lines

),

payroll_entries as (

    select
        concat_ws(
            ':', payroll_lines.entry_type, cast(payroll_lines.period_month as {{ dbt.type_string() }}),
            payroll_lines.entity_id, payroll_lines.account_id, coalesce(payroll_lines.cost_center_id, '-'),
            coalesce(payroll_lines.product_id, '-'), coalesce(payroll_lines.initiative_id, '-')
        ) as cost_entry_id,
        payroll_lines.entry_type,
        coalesce(
            posting_dates.posted_on,
            period_months.closing_on,
            cast({{ dbt.dateadd("month", 1, "payroll_lines.period_month") }} - interval '1' day as date)
        ) as posted_on,
        payroll_lines.entity_id,
        payroll_lines.account_id,
        payroll_lines.cost_center_id,
        payroll_lines.product_id,
        payroll_lines.initiative_id,
        payroll_lines.amount
    from payroll_lines
    left join posting_dates
        on
            payroll_lines.account_id = posting_dates.account_id
            and payroll_lines.entity_id = posting_dates.entity_id
            and payroll_lines.period_month = posting_dates.period_month
    left join period_months
        on
            payroll_lines.entity_id = period_months.entity_id
            and payroll_lines.period_month = period_months.period_month

),

-- The account that carries the cloud bill.
cloud_account as (

    select min(account_id) as account_id
    from accounts
    where detail_source = 'cloud'

),

-- Where the ledger posts most of a product's bill, and most of what no tag gives to a product.
cloud_homes as (

    select
        account_id,
        period_month,
        entity_id,
        cost_center_id,
        product_id
    from ledger_homes
    where account_id in (select cloud_account.account_id from cloud_account)
    qualify row_number() over (
            partition by account_id, period_month, product_id
            order by posted_amount desc, entity_id asc, cost_center_id asc
        ) = 1

),

-- Effective cost is what the month used; billed less effective was paid for another month, and nets to zero over a term.
cloud_lines as (

    select
        'cloud' as entry_type,
        billing_month,
        service_name,
        provider_name,
        product_id,
        unknown_product_id,
        is_product_tagged,
        initiative_id,
        cost_center_id,
        currency,
        sum(effective_cost) as cost,
        sum(reporting_effective_cost) as reporting_cost
    from cloud_charges
    group by
        billing_month,
        service_name,
        provider_name,
        product_id,
        unknown_product_id,
        is_product_tagged,
        initiative_id,
        cost_center_id,
        currency

    union all

    select
        'cloud_prepayment' as entry_type,
        billing_month,
        service_name,
        provider_name,
        product_id,
        unknown_product_id,
        is_product_tagged,
        initiative_id,
        cost_center_id,
        currency,
        sum(billed_cost - effective_cost) as cost,
        sum(reporting_billed_cost - reporting_effective_cost) as reporting_cost
    from cloud_charges
    where billed_cost <> effective_cost
    group by
        billing_month,
        service_name,
        provider_name,
        product_id,
        unknown_product_id,
        is_product_tagged,
        initiative_id,
        cost_center_id,
        currency

),

cloud_named as (

    select
        *,
        concat_ws(
            ':', entry_type, cast(billing_month as {{ dbt.type_string() }}), coalesce(provider_name, '-'), service_name,
            coalesce(product_id, unknown_product_id, '-'), case when is_product_tagged then 'tagged' else 'untagged' end,
            coalesce(initiative_id, '-'), coalesce(cost_center_id, '-'), currency
        ) as cost_entry_id
    from cloud_lines

),

-- Differences of rounded running totals: each line is in whole cents and the bill keeps its total.
cloud_running as (

    select
        *,
        round(sum(cost) over (
            partition by billing_month, currency
            order by cost_entry_id
            rows between unbounded preceding and current row
        ), 2) as running_amount,
        round(sum(reporting_cost) over (
            partition by billing_month, currency
            order by cost_entry_id
            rows between unbounded preceding and current row
        ), 2) as running_reporting_amount
    from cloud_named

),

cloud_cents as (

    select
        *,
        running_amount - coalesce(
            lag(running_amount) over (partition by billing_month, currency order by cost_entry_id), 0
        ) as amount,
        running_reporting_amount - coalesce(
            lag(running_reporting_amount) over (partition by billing_month, currency order by cost_entry_id), 0
        ) as reporting_amount
    from cloud_running

),

cloud_placed as (

    select
        cloud_cents.cost_entry_id,
        cloud_cents.entry_type,
        cloud_cents.billing_month,
        coalesce(product_homes.entity_id, shared_homes.entity_id, reporting_entity.entity_id) as entity_id,
        cloud_account.account_id,
        coalesce(
            cloud_cents.cost_center_id, product_homes.cost_center_id, shared_homes.cost_center_id
        ) as cost_center_id,
        -- Who buys a commitment is not who uses it: what is used has a product, paying ahead for it has none.
        case
            when cloud_cents.entry_type = 'cloud' then coalesce(cloud_cents.product_id, cloud_cents.unknown_product_id)
        end as product_id,
        case when cloud_cents.entry_type = 'cloud' then cloud_cents.initiative_id end as initiative_id,
        cloud_cents.provider_name as vendor,
        cloud_cents.service_name as description,
        cloud_cents.amount,
        cloud_cents.currency,
        cloud_cents.reporting_amount
    from cloud_cents
    cross join cloud_account
    cross join reporting_entity
    left join cloud_homes as product_homes
        on
            cloud_cents.billing_month = product_homes.period_month
            and cloud_cents.product_id = product_homes.product_id
            and cloud_cents.is_product_tagged
    left join cloud_homes as shared_homes
        on
            cloud_cents.billing_month = shared_homes.period_month
            and shared_homes.product_id is null

),

cloud_entries as (

    select
        cloud_placed.*,
        coalesce(
            posting_dates.posted_on,
            period_months.closing_on,
            cast({{ dbt.dateadd("month", 1, "cloud_placed.billing_month") }} - interval '1' day as date)
        ) as posted_on
    from cloud_placed
    left join posting_dates
        on
            cloud_placed.account_id = posting_dates.account_id
            and cloud_placed.entity_id = posting_dates.entity_id
            and cloud_placed.billing_month = posting_dates.period_month
    left join period_months
        on
            cloud_placed.entity_id = period_months.entity_id
            and cloud_placed.billing_month = period_months.period_month

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
    where has_detail

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
        case
            when entries.entry_type = 'cloud_prepayment' then 'prepaid_cloud'
            else coalesce(capitalisation_accounts.cost_class, accounts.cost_class)
        end as cost_class,
        accounts.cost_behaviour,
        accounts.detail_source,
        entries.vendor,
        entries.description,
        coalesce(capitalisation_accounts.role, 'none') not in ('capitalised', 'amortisation') as is_cash_cost,
        entries.entry_type <> 'cloud_prepayment' as is_accrued_cost,
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
