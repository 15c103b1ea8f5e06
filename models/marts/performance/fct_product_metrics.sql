-- One row per product and whole calendar month, and one for what each product line, and the company, has beside them
-- (unallocated).
with

products as (

    select
        product_id,
        coalesce(product_line, 'unknown') as product_line
    from {{ ref('dim_product') }}

),

features as (

    select
        feature_id,
        product_id
    from {{ ref('dim_feature') }}

),

contract_months as (

    select
        customer_id,
        product_id,
        month_date,
        constant_closing_mrr_amount,
        reporting_closing_mrr_amount
    from {{ ref('int_mrr_product_months') }}

),

-- Months before the first loss hold only the contracts that survived, unless nothing has been lost yet.
company_months as (

    select
        month_date,
        snapshot_on,
        reporting_closing_mrr_amount,
        closing_customers
    from {{ ref('rpt_mrr_waterfall') }}
    qualify not is_survivors_only or bool_and(is_survivors_only) over ()

),

company_retention as (

    select
        month_date,
        opening_month,
        opening_mrr_amount,
        retained_mrr_amount,
        closing_mrr_amount,
        opening_customers,
        lost_customers
    from {{ ref('rpt_retention') }}
    where
        retention_reason is null
        and not is_survivors_only

),

feature_usage as {{ inlined() }} (

    select
        month_date,
        last_used_on,
        customer_id,
        feature_id,
        peak_active_users
    from {{ ref('int_feature_usage_months') }}
    where last_used_on <= cast(known_at as date)

),

support_tickets as (

    select
        product_id,
        cast(opened_at as date) as opened_on,
        cast(resolved_at as date) as resolved_on,
        {{ seconds_between('opened_at', 'resolved_at') }} / 3600 as resolution_hours
    from {{ ref('stg_product__support_tickets') }}
    where opened_at <= known_at

),

survey_responses as (

    select
        product_id,
        responded_on,
        score
    from {{ ref('stg_product__survey_responses') }}
    where responded_on <= cast(known_at as date)

),

reporting_date as (

    select reporting_on
    from {{ ref('int_reporting_date') }}

),

-- What each source speaks of: from its first month to the last day of any.
spans as (

    select
        'mrr' as source,
        min(month_date) as first_on,
        max(snapshot_on) as last_on
    from company_months
    union all
    select
        'usage' as source,
        min(month_date) as first_on,
        max(last_used_on) as last_on
    from feature_usage
    union all
    select
        'tickets' as source,
        min(opened_on) as first_on,
        max(opened_on) as last_on
    from support_tickets
    union all
    select
        'surveys' as source,
        min(responded_on) as first_on,
        max(responded_on) as last_on
    from survey_responses
    union all
    select
        'ledger' as source,
        null as first_on,
        reporting_on as last_on
    from reporting_date

),

bounds as (

    select
        cast(date_trunc('month', min(first_on)) as date) as first_month,
        cast(date_trunc('month', min(case when source = 'mrr' then first_on end)) as date) as mrr_month,
        cast(date_trunc('month', min(case when source = 'usage' then first_on end)) as date) as usage_month,
        cast(date_trunc('month', min(case when source = 'tickets' then first_on end)) as date) as ticket_month,
        cast(date_trunc('month', min(case when source = 'surveys' then first_on end)) as date) as survey_month,
        max(last_on) as last_on
    from spans

),

-- A product stands for itself and, with the others, for its line.
memberships as (

    select
        product_id as part_id,
        product_line,
        product_id
    from products
    union all
    select
        product_id as part_id,
        product_line,
        'unallocated' as product_id
    from products

),

members as (

    select distinct
        product_line,
        product_id
    from memberships
    union all
    select
        'unallocated' as product_line,
        'unallocated' as product_id

),

scaffold as (

    select
        members.product_line,
        members.product_id,
        cast({{ dbt.dateadd('month', 'numbers.months', 'bounds.first_month') }} as date) as month_date,
        bounds.mrr_month,
        bounds.usage_month,
        bounds.ticket_month,
        bounds.survey_month
    from members
    cross join bounds
    cross join range(0, 1200) as numbers (months)
    where cast({{ dbt.dateadd('month', 'numbers.months + 1', 'bounds.first_month') }} as date) <= bounds.last_on + 1

),

-- A customer counts once per product and once per line, whatever he moves between within it.
contracts as (

    select
        contract_months.customer_id,
        memberships.product_line,
        memberships.product_id,
        contract_months.month_date,
        sum(contract_months.constant_closing_mrr_amount) as constant_amount,
        {{ sum_complete('contract_months.reporting_closing_mrr_amount') }} as reporting_amount
    from contract_months
    inner join memberships on contract_months.product_id = memberships.part_id
    where contract_months.constant_closing_mrr_amount is not null
    group by
        contract_months.customer_id,
        memberships.product_line,
        memberships.product_id,
        contract_months.month_date

),

recurring as (

    select
        product_line,
        product_id,
        month_date,
        cast(round({{ sum_complete('reporting_amount') }}, 2) as decimal(18, 2)) as mrr_amount,
        count(case when constant_amount > 0 then 1 end) as customers
    from contracts
    group by product_line, product_id, month_date

),

-- The closed cohort of a product, or of a line: who paid for it when the window opened.
cohorts as (

    select
        openings.product_line,
        openings.product_id,
        company_retention.month_date,
        cast(round(sum(openings.constant_amount), 2) as decimal(18, 2)) as opening_mrr_amount,
        cast(
            round(sum(least(openings.constant_amount, coalesce(endings.constant_amount, 0))), 2) as decimal(18, 2)
        ) as retained_mrr_amount,
        cast(round(sum(coalesce(endings.constant_amount, 0)), 2) as decimal(18, 2)) as closing_mrr_amount,
        count(*) as opening_customers,
        count(case when coalesce(endings.constant_amount, 0) <= 0 then 1 end) as lost_customers
    from company_retention
    inner join contracts as openings
        on
            company_retention.opening_month = openings.month_date
            and openings.constant_amount > 0
    left join contracts as endings
        on
            openings.customer_id = endings.customer_id
            and openings.product_line = endings.product_line
            and openings.product_id = endings.product_id
            and company_retention.month_date = endings.month_date
    group by openings.product_line, openings.product_id, company_retention.month_date

),

-- Users of a customer are not identified across features, so its busiest feature and day stand for all.
customer_usage as (

    select
        features.product_id,
        feature_usage.month_date,
        feature_usage.customer_id,
        max(feature_usage.peak_active_users) as active_users
    from feature_usage
    inner join features on feature_usage.feature_id = features.feature_id
    group by
        features.product_id,
        feature_usage.month_date,
        feature_usage.customer_id

),

-- A customer is active where he uses a product he pays for.
customer_activity as (

    select
        customer_usage.product_id,
        customer_usage.month_date,
        customer_usage.customer_id,
        customer_usage.active_users,
        case when customer_usage.active_users > 0 and contracts.constant_amount > 0 then 1 else 0 end as is_active
    from customer_usage
    left join contracts
        on
            customer_usage.product_id = contracts.product_id
            and customer_usage.customer_id = contracts.customer_id
            and customer_usage.month_date = contracts.month_date

),

member_customer_usage as (

    select
        memberships.product_line,
        memberships.product_id,
        customer_activity.month_date,
        customer_activity.customer_id,
        max(customer_activity.active_users) as active_users,
        max(customer_activity.is_active) as is_active
    from customer_activity
    inner join memberships on customer_activity.product_id = memberships.part_id
    group by
        memberships.product_line,
        memberships.product_id,
        customer_activity.month_date,
        customer_activity.customer_id

),

usage as (

    select
        product_line,
        product_id,
        month_date,
        sum(active_users) as active_users,
        sum(is_active) as active_customers
    from member_customer_usage
    group by product_line, product_id, month_date

),

company_customer_usage as (

    select
        month_date,
        customer_id,
        max(active_users) as active_users,
        max(is_active) as is_active
    from customer_activity
    group by month_date, customer_id

),

company_usage as (

    select
        month_date,
        sum(active_users) as active_users,
        sum(is_active) as active_customers
    from company_customer_usage
    group by month_date

),

ticket_events as (

    select
        product_id,
        opened_on as event_on,
        1 as opened_tickets,
        0 as resolved_tickets,
        cast(0 as double) as resolution_hours
    from support_tickets
    union all
    select
        product_id,
        resolved_on as event_on,
        0 as opened_tickets,
        1 as resolved_tickets,
        resolution_hours
    from support_tickets
    where resolved_on is not null

),

tickets as (

    select
        coalesce(products.product_line, 'unallocated') as product_line,
        coalesce(products.product_id, 'unallocated') as product_id,
        cast(date_trunc('month', ticket_events.event_on) as date) as month_date,
        sum(ticket_events.opened_tickets) as opened_tickets,
        sum(ticket_events.resolved_tickets) as resolved_tickets,
        sum(ticket_events.resolution_hours) as resolution_hours
    from ticket_events
    left join products on ticket_events.product_id = products.product_id
    group by
        coalesce(products.product_line, 'unallocated'),
        coalesce(products.product_id, 'unallocated'),
        cast(date_trunc('month', ticket_events.event_on) as date)

),

surveys as (

    select
        coalesce(products.product_line, 'unallocated') as product_line,
        coalesce(products.product_id, 'unallocated') as product_id,
        cast(date_trunc('month', survey_responses.responded_on) as date) as month_date,
        count(survey_responses.score) as responses,
        count(case when survey_responses.score >= 9 then 1 end) as promoters,
        count(case when survey_responses.score <= 6 then 1 end) as detractors
    from survey_responses
    left join products on survey_responses.product_id = products.product_id
    group by
        coalesce(products.product_line, 'unallocated'),
        coalesce(products.product_id, 'unallocated'),
        cast(date_trunc('month', survey_responses.responded_on) as date)

),

-- A month of a source without a row is a zero; a month before the source begins is unknown.
product_months as (

    select
        scaffold.product_line,
        scaffold.product_id,
        scaffold.month_date,
        case
            when scaffold.month_date < scaffold.mrr_month then null
            when recurring.product_id is null then 0
            else recurring.mrr_amount
        end as mrr_amount,
        case when scaffold.month_date >= scaffold.mrr_month then coalesce(recurring.customers, 0) end as customers,
        case when company_retention.month_date is not null then coalesce(cohorts.opening_mrr_amount, 0) end
            as opening_mrr_amount,
        case when company_retention.month_date is not null then coalesce(cohorts.retained_mrr_amount, 0) end
            as retained_mrr_amount,
        case when company_retention.month_date is not null then coalesce(cohorts.closing_mrr_amount, 0) end
            as closing_mrr_amount,
        case when company_retention.month_date is not null then coalesce(cohorts.opening_customers, 0) end
            as opening_customers,
        case when company_retention.month_date is not null then coalesce(cohorts.lost_customers, 0) end
            as lost_customers,
        case when scaffold.month_date >= scaffold.usage_month then coalesce(usage.active_users, 0) end as active_users,
        case when scaffold.month_date >= scaffold.usage_month then coalesce(usage.active_customers, 0) end
            as active_customers,
        case when scaffold.month_date >= scaffold.ticket_month then coalesce(tickets.opened_tickets, 0) end
            as opened_tickets,
        case when scaffold.month_date >= scaffold.ticket_month then coalesce(tickets.resolved_tickets, 0) end
            as resolved_tickets,
        case when scaffold.month_date >= scaffold.ticket_month then coalesce(tickets.resolution_hours, 0) end
            as resolution_hours,
        case when scaffold.month_date >= scaffold.survey_month then coalesce(surveys.responses, 0) end as responses,
        case when scaffold.month_date >= scaffold.survey_month then coalesce(surveys.promoters, 0) end as promoters,
        case when scaffold.month_date >= scaffold.survey_month then coalesce(surveys.detractors, 0) end as detractors,
        case when scaffold.month_date >= scaffold.usage_month then coalesce(company_usage.active_users, 0) end
            as company_active_users,
        case when scaffold.month_date >= scaffold.usage_month then coalesce(company_usage.active_customers, 0) end
            as company_active_customers,
        company_months.reporting_closing_mrr_amount as company_mrr_amount,
        company_months.closing_customers as company_customers,
        company_retention.opening_mrr_amount as company_opening_mrr_amount,
        company_retention.retained_mrr_amount as company_retained_mrr_amount,
        company_retention.closing_mrr_amount as company_closing_mrr_amount,
        company_retention.opening_customers as company_opening_customers,
        company_retention.lost_customers as company_lost_customers
    from scaffold
    left join recurring
        on
            scaffold.product_line = recurring.product_line
            and scaffold.product_id = recurring.product_id
            and scaffold.month_date = recurring.month_date
    left join company_usage on scaffold.month_date = company_usage.month_date
    left join company_months on scaffold.month_date = company_months.month_date
    left join company_retention on scaffold.month_date = company_retention.month_date
    left join cohorts
        on
            scaffold.product_line = cohorts.product_line
            and scaffold.product_id = cohorts.product_id
            and scaffold.month_date = cohorts.month_date
    left join usage
        on
            scaffold.product_line = usage.product_line
            and scaffold.product_id = usage.product_id
            and scaffold.month_date = usage.month_date
    left join tickets
        on
            scaffold.product_line = tickets.product_line
            and scaffold.product_id = tickets.product_id
            and scaffold.month_date = tickets.month_date
    left join surveys
        on
            scaffold.product_line = surveys.product_line
            and scaffold.product_id = surveys.product_id
            and scaffold.month_date = surveys.month_date

),

-- What makes the products the line and the lines the company: customers of several are one, moves between them are none,
-- and amounts converted per customer round differently from those converted per product. Without any product all is
-- the company's.
completed as (

    select
        product_line,
        product_id,
        month_date,
        {% for measure in [
            'mrr_amount',
            'customers',
            'opening_mrr_amount',
            'retained_mrr_amount',
            'closing_mrr_amount',
            'opening_customers',
            'lost_customers',
            'active_users',
            'active_customers',
        ] %}
        case
            when product_line = 'unallocated'
                then
                    company_{{ measure }}
                    - coalesce(
                        sum(case when product_line <> 'unallocated' and product_id = 'unallocated' then {{ measure }} end)
                            over (partition by month_date),
                        0
                    )
            when product_id = 'unallocated'
                then
                    {{ measure }}
                    - sum(case when product_id <> 'unallocated' then {{ measure }} end)
                        over (partition by month_date, product_line)
            else {{ measure }}
        end as {{ measure }},
        {% endfor %}
        opened_tickets,
        resolved_tickets,
        resolution_hours,
        responses,
        promoters,
        detractors
    from product_months

),

final as (

    select
        product_line,
        product_id,
        month_date,
        cast(mrr_amount as decimal(18, 2)) as mrr_amount,
        cast(customers as bigint) as customers,
        cast(opening_mrr_amount as decimal(18, 2)) as opening_mrr_amount,
        cast(retained_mrr_amount as decimal(18, 2)) as retained_mrr_amount,
        cast(closing_mrr_amount as decimal(18, 2)) as closing_mrr_amount,
        cast(opening_customers as bigint) as opening_customers,
        cast(lost_customers as bigint) as lost_customers,
        cast(active_users as bigint) as active_users,
        cast(active_customers as bigint) as active_customers,
        cast(opened_tickets as bigint) as opened_tickets,
        cast(resolved_tickets as bigint) as resolved_tickets,
        {{ round_amount('resolution_hours') }} as resolution_hours,
        cast(
            sum(responses)
                over (
                    partition by product_line, product_id
                    order by month_date
                    rows between 11 preceding and current row
                )
            as bigint
        ) as ttm_responses,
        cast(
            sum(promoters)
                over (
                    partition by product_line, product_id
                    order by month_date
                    rows between 11 preceding and current row
                )
            as bigint
        ) as ttm_promoters,
        cast(
            sum(detractors)
                over (
                    partition by product_line, product_id
                    order by month_date
                    rows between 11 preceding and current row
                )
            as bigint
        ) as ttm_detractors
    from completed

)

select * from final
