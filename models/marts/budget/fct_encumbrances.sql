-- One row per purchase-order line and event that changes what is committed.
with

purchase_orders as (

    select * from {{ ref('stg_cost__purchase_orders') }}

),

po_invoices as (

    select * from {{ ref('stg_cost__po_invoices') }}

),

cost_centers as (

    select * from {{ ref('cost_centers') }}

),

fiscal_dates as (

    select * from {{ ref('int_fiscal_dates') }}

),

fiscal_years as (

    select distinct
        entity_id,
        fiscal_year,
        year_start_on,
        year_end_on
    from {{ ref('int_fiscal_periods') }}

),

control_rules as (

    select * from {{ ref('int_budget_control_rules') }}

),

fx_rates as (

    select * from {{ ref('int_fx_rates') }}

),

reporting_entity as (

    select max(entity_id) as entity_id
    from {{ ref('fiscal_calendars') }}
    where is_reporting

),

reporting_date as (

    select * from {{ ref('int_reporting_date') }}

),

-- An order converts at the rate of its month until it is gone, so that it closes at zero.
orders as (

    select
        purchase_orders.po_id,
        purchase_orders.line_number,
        purchase_orders.cost_center_id,
        purchase_orders.account_id,
        purchase_orders.product_id,
        purchase_orders.initiative_id,
        purchase_orders.vendor,
        purchase_orders.amount,
        purchase_orders.currency,
        purchase_orders.ordered_on,
        purchase_orders.closed_on,
        purchase_orders.status,
        coalesce(cost_centers.entity_id, reporting_entity.entity_id) as entity_id,
        coalesce(control_rules.year_end_policy, 'carry') as year_end_policy,
        fx_rates.average_rate as fx_rate,
        reporting_date.reporting_on
    from purchase_orders
    cross join reporting_entity
    cross join reporting_date
    left join cost_centers on purchase_orders.cost_center_id = cost_centers.cost_center_id
    left join control_rules
        on
            purchase_orders.cost_center_id = control_rules.cost_center_id
            and purchase_orders.account_id = control_rules.account_id
    left join fx_rates
        on
            purchase_orders.currency = fx_rates.from_currency
            and cast(date_trunc('month', purchase_orders.ordered_on) as date) = fx_rates.rate_month

),

-- What is left when an order is closed or cancelled is released; what may not be carried lapses with its year.
ended_orders as (

    select
        orders.*,
        case
            when orders.year_end_policy = 'lapse'
                then least(coalesce(orders.closed_on, fiscal_years.year_end_on), fiscal_years.year_end_on)
            else orders.closed_on
        end as ended_on,
        case
            when
                orders.year_end_policy = 'lapse'
                and coalesce(orders.closed_on > fiscal_years.year_end_on, true)
                then 'lapse'
            else 'release'
        end as end_type
    from orders
    left join fiscal_years
        on
            orders.entity_id = fiscal_years.entity_id
            and orders.ordered_on between fiscal_years.year_start_on and fiscal_years.year_end_on

),

-- An invoice uses up its share of the order as far as the order reaches; its price difference is actual cost only.
invoiced as (

    select
        ended_orders.*,
        po_invoices.invoice_id,
        po_invoices.invoiced_on,
        po_invoices.invoice_amount,
        sum(po_invoices.po_share_amount) over (
            partition by ended_orders.po_id, ended_orders.line_number
            order by po_invoices.invoiced_on, po_invoices.invoice_id
            rows between unbounded preceding and current row
        ) as invoiced_share
    from ended_orders
    inner join po_invoices
        on
            ended_orders.po_id = po_invoices.po_id
            and ended_orders.line_number = po_invoices.line_number
    where coalesce(po_invoices.invoiced_on <= ended_orders.ended_on, true)

),

balances as (

    select
        po_id,
        line_number,
        ordered_on as event_on,
        1 as event_rank,
        'order' as event_type,
        cast(null as string) as invoice_id,
        cast(null as decimal(18, 2)) as invoice_amount,
        amount as open_amount
    from ended_orders

    union all

    select
        po_id,
        line_number,
        greatest(invoiced_on, ordered_on) as event_on,
        2 as event_rank,
        'liquidation' as event_type,
        invoice_id,
        invoice_amount,
        amount - least(greatest(invoiced_share, 0), amount) as open_amount
    from invoiced

    union all

    select
        po_id,
        line_number,
        ended_on as event_on,
        3 as event_rank,
        end_type as event_type,
        cast(null as string) as invoice_id,
        cast(null as decimal(18, 2)) as invoice_amount,
        cast(0 as decimal(18, 2)) as open_amount
    from ended_orders
    where
        ended_on is not null
        and (end_type = 'release' or ended_on <= reporting_on)

),

converted as (

    select
        balances.*,
        ended_orders.entity_id,
        ended_orders.fx_rate,
        row_number() over (
            partition by balances.po_id, balances.line_number
            order by balances.event_on, balances.event_rank, balances.invoice_id
        ) as event_order,
        {{ convert_amount('balances.open_amount', 'ended_orders.fx_rate') }} as reporting_open_amount
    from balances
    inner join ended_orders
        on
            balances.po_id = ended_orders.po_id
            and balances.line_number = ended_orders.line_number

),

changes as (

    select
        *,
        open_amount - coalesce(
            lag(open_amount) over (partition by po_id, line_number order by event_order), 0
        ) as amount,
        reporting_open_amount - coalesce(
            lag(reporting_open_amount) over (partition by po_id, line_number order by event_order), 0
        ) as reporting_amount,
        lead(event_on) over (partition by po_id, line_number order by event_order) as next_event_on
    from converted

),

-- An order open over the end of a year leaves its budget and enters the next one.
carried as (

    select
        changes.po_id,
        changes.line_number,
        changes.open_amount,
        changes.reporting_open_amount,
        fiscal_years.year_end_on
    from changes
    inner join fiscal_years
        on
            changes.entity_id = fiscal_years.entity_id
            and changes.event_on <= fiscal_years.year_end_on
            and coalesce(changes.next_event_on > fiscal_years.year_end_on, true)
    cross join reporting_date
    where
        changes.open_amount <> 0
        and fiscal_years.year_end_on < reporting_date.reporting_on

),

events as (

    select
        po_id,
        line_number,
        event_on,
        event_rank,
        event_type,
        invoice_id,
        invoice_amount,
        amount,
        open_amount,
        reporting_amount,
        reporting_open_amount
    from changes
    -- An order that was used up has nothing to release.
    where
        event_type in ('order', 'liquidation')
        or amount <> 0

    union all

    select
        po_id,
        line_number,
        year_end_on as event_on,
        4 as event_rank,
        'carry_out' as event_type,
        null as invoice_id,
        null as invoice_amount,
        -open_amount as amount,
        cast(0 as decimal(18, 2)) as open_amount,
        -reporting_open_amount as reporting_amount,
        cast(0 as decimal(18, 2)) as reporting_open_amount
    from carried

    union all

    select
        po_id,
        line_number,
        cast(year_end_on + interval '1' day as date) as event_on,
        0 as event_rank,
        'carry_in' as event_type,
        null as invoice_id,
        null as invoice_amount,
        open_amount as amount,
        open_amount,
        reporting_open_amount as reporting_amount,
        reporting_open_amount
    from carried

),

final as (

    select
        events.po_id,
        events.line_number,
        cast(
            row_number() over (
                partition by events.po_id, events.line_number
                order by events.event_on, events.event_rank, events.invoice_id
            ) as integer
        ) as event_number,
        events.invoice_id,
        ended_orders.entity_id,
        ended_orders.cost_center_id,
        ended_orders.account_id,
        ended_orders.product_id,
        ended_orders.initiative_id,
        ended_orders.vendor,
        events.event_type,
        ended_orders.status as order_status,
        fiscal_dates.fiscal_year,
        fiscal_dates.fiscal_period,
        cast(events.amount as decimal(18, 2)) as encumbrance_amount,
        cast(events.open_amount as decimal(18, 2)) as open_amount,
        events.invoice_amount,
        ended_orders.currency,
        ended_orders.fx_rate,
        cast(events.reporting_amount as decimal(18, 2)) as reporting_encumbrance_amount,
        cast(events.reporting_open_amount as decimal(18, 2)) as reporting_open_amount,
        events.event_on
    from events
    inner join ended_orders
        on
            events.po_id = ended_orders.po_id
            and events.line_number = ended_orders.line_number
    left join fiscal_dates
        on
            ended_orders.entity_id = fiscal_dates.entity_id
            and events.event_on = fiscal_dates.calendar_date

)

select * from final
