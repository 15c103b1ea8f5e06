-- One row per bridge, budget version, fiscal period, product, item and driver of the variance.
with

revenue_items as (

    select * from {{ ref('int_revenue_variance_items') }}

),

labour_items as (

    select * from {{ ref('int_labour_variance_items') }}

),

variance_lines as (

    select *
    from {{ ref('int_budget_variance_lines') }}
    where actual_amount is not null

),

-- Accounts whose budget is planned in units, too.
itemised_accounts as (

    select distinct revenue_account_id as account_id
    from {{ ref('charge_types') }}
    where charge_type = 'recurring'

),

fiscal_periods as (

    select
        is_closed,
        {{ period_month('end_on') }} as month_date
    from {{ ref('dim_fiscal_period') }}

),

-- Customers and work belong to no entity: their periods are those of the reporting entity.
fiscal_months as (

    select * from {{ ref('int_fiscal_months') }}

),

-- The plan of an add-on is its feature.
add_ons as (

    select feature_id
    from {{ ref('dim_feature') }}
    where is_add_on

),

-- Price, volume and mix compare the items present in both, in one set of units: the plans of a product, or one add-on,
-- whose seats are those of the plans once more.
revenue_sets as (

    select
        revenue_items.*,
        add_ons.feature_id as add_on_id,
        revenue_items.actual_at_budget_rate_amount - revenue_items.calendar_amount as even_amount,
        case
            when revenue_items.budget_quantity = 0 then 'new'
            when revenue_items.actual_quantity = 0 then 'discontinued'
            else 'both'
        end as presence
    from revenue_items
    left join add_ons on revenue_items.plan_id = add_ons.feature_id

),

revenue_totals as (

    select
        budget_version,
        fiscal_period,
        product_id,
        add_on_id,
        sum(budget_quantity) as total_budget_quantity,
        sum(actual_quantity) as total_actual_quantity,
        cast(sum(budget_amount) as double) as total_budget_amount
    from revenue_sets
    where presence = 'both'
    group by budget_version, fiscal_period, product_id, add_on_id

),

-- Currency first, then the length of the periods; the rest at the budget rate, as if they were all alike.
revenue_measures as (

    select
        revenue_sets.budget_version,
        revenue_sets.fiscal_year,
        revenue_sets.fiscal_period,
        revenue_sets.product_id,
        revenue_sets.plan_id || ' / ' || revenue_sets.segment as item_id,
        revenue_sets.presence,
        revenue_sets.actual_amount - revenue_sets.actual_at_budget_rate_amount as currency_amount,
        revenue_sets.calendar_amount,
        revenue_sets.even_amount - revenue_sets.budget_amount as rest_amount,
        cast(revenue_sets.even_amount as double)
        - revenue_sets.actual_quantity
        * cast(revenue_sets.budget_amount as double) / nullif(revenue_sets.budget_quantity, 0) as price_effect,
        (
            revenue_sets.actual_quantity
            - revenue_totals.total_actual_quantity
            * revenue_sets.budget_quantity / nullif(revenue_totals.total_budget_quantity, 0)
        ) * (
            cast(revenue_sets.budget_amount as double) / nullif(revenue_sets.budget_quantity, 0)
            - revenue_totals.total_budget_amount / nullif(revenue_totals.total_budget_quantity, 0)
        ) as mix_effect
    from revenue_sets
    left join revenue_totals
        on
            revenue_sets.budget_version = revenue_totals.budget_version
            and revenue_sets.fiscal_period = revenue_totals.fiscal_period
            and revenue_sets.product_id = revenue_totals.product_id
            and revenue_sets.add_on_id is not distinct from revenue_totals.add_on_id

),

-- Volume takes what price and mix leave, so that each item sums to its variance to the penny.
revenue_rounded as (

    select
        *,
        case
            when presence = 'both' then {{ round_amount('price_effect') }} else 0
        end as price_amount,
        case
            when presence = 'both' then {{ round_amount('coalesce(mix_effect, 0)') }} else 0
        end as mix_amount
    from revenue_measures

),

revenue_drivers as (
    {% for driver, amount in {
        'currency': 'currency_amount',
        'calendar': 'calendar_amount',
        'price': 'price_amount',
        'mix': 'mix_amount',
        'volume': "case when presence = 'both' then rest_amount - price_amount - mix_amount else 0 end",
        'new': "case when presence = 'new' then rest_amount else 0 end",
        'discontinued': "case when presence = 'discontinued' then rest_amount else 0 end",
    }.items() %}
    select
        'revenue' as bridge,
        budget_version,
        fiscal_year,
        fiscal_period,
        product_id,
        item_id,
        '{{ driver }}' as driver,
        1 as polarity,
        {{ amount }} as variance_amount
    from revenue_rounded
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

itemised as (

    select
        budget_version,
        fiscal_year,
        fiscal_period,
        product_id,
        sum(actual_amount) as actual_amount,
        sum(budget_amount) as budget_amount
    from revenue_items
    group by budget_version, fiscal_year, fiscal_period, product_id

),

itemised_versions as (

    select distinct
        itemised.budget_version,
        itemised.fiscal_year,
        itemised.fiscal_period,
        fiscal_months.month_date
    from itemised
    inner join fiscal_months on itemised.fiscal_period = fiscal_months.fiscal_period

),

version_types as (

    select
        budget_version,
        max(version_type) as version_type
    from variance_lines
    group by budget_version

),

entity_versions as (

    select distinct
        entity_id,
        month_date,
        budget_version,
        version_type
    from variance_lines
    where account_type = 'revenue'

),

-- An entity whose year begins in another month is in a plan of another year there: the one of the same type.
compared_versions as (

    select
        itemised_versions.budget_version,
        itemised_versions.fiscal_year,
        itemised_versions.fiscal_period,
        itemised_versions.month_date,
        entity_versions.entity_id,
        entity_versions.budget_version as entity_version
    from itemised_versions
    inner join version_types on itemised_versions.budget_version = version_types.budget_version
    inner join entity_versions
        on
            itemised_versions.month_date = entity_versions.month_date
            and (
                itemised_versions.budget_version = entity_versions.budget_version
                or version_types.version_type = entity_versions.version_type
            )
    qualify
        row_number() over (
            partition by itemised_versions.budget_version, itemised_versions.month_date, entity_versions.entity_id
            order by
                case when itemised_versions.budget_version = entity_versions.budget_version then 0 else 1 end,
                entity_versions.budget_version
        ) = 1

),

ledger_revenue as (

    select
        compared_versions.budget_version,
        compared_versions.fiscal_year,
        compared_versions.fiscal_period,
        variance_lines.product_id,
        sum(variance_lines.actual_amount) as actual_amount,
        sum(variance_lines.budget_amount) as budget_amount,
        sum(
            case when itemised_accounts.account_id is not null then variance_lines.budget_amount else 0 end
        ) as itemised_budget_amount
    from variance_lines
    inner join compared_versions
        on
            variance_lines.entity_id = compared_versions.entity_id
            and variance_lines.month_date = compared_versions.month_date
            and variance_lines.budget_version = compared_versions.entity_version
    left join itemised_accounts on variance_lines.account_id = itemised_accounts.account_id
    where variance_lines.account_type = 'revenue'
    group by all

),

-- What the items do not explain: two budgets of the same revenue that differ; then usage, services, credits, and what
-- was billed and posted differently.
revenue_gaps as (

    select
        coalesce(ledger_revenue.budget_version, itemised.budget_version) as budget_version,
        coalesce(ledger_revenue.fiscal_year, itemised.fiscal_year) as fiscal_year,
        coalesce(ledger_revenue.fiscal_period, itemised.fiscal_period) as fiscal_period,
        coalesce(ledger_revenue.product_id, itemised.product_id) as product_id,
        coalesce(itemised.budget_amount, 0)
        - coalesce(ledger_revenue.itemised_budget_amount, 0) as budget_difference_amount,
        coalesce(ledger_revenue.actual_amount, 0) - coalesce(itemised.actual_amount, 0)
        - coalesce(ledger_revenue.budget_amount - ledger_revenue.itemised_budget_amount, 0) as unitemised_amount
    from ledger_revenue
    full outer join itemised
        on
            ledger_revenue.budget_version = itemised.budget_version
            and ledger_revenue.fiscal_period = itemised.fiscal_period
            and ledger_revenue.product_id is not distinct from itemised.product_id

),

gap_drivers as (
    {% for driver, item in {
        'budget_difference': 'units and ledger',
        'unitemised': 'without units',
    }.items() %}
    select
        'revenue' as bridge,
        budget_version,
        fiscal_year,
        fiscal_period,
        product_id,
        '{{ item }}' as item_id,
        '{{ driver }}' as driver,
        1 as polarity,
        {{ driver }}_amount as variance_amount
    from revenue_gaps
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

labour_rounded as (

    select
        *,
        {{ round_amount('(standard_hours - budget_hours) * cast(standard_rate as double)') }} as activity_amount,
        {{ round_amount('(actual_hours - standard_hours) * cast(standard_rate as double)') }} as efficiency_amount
    from labour_items

),

labour_drivers as (
    {% for driver, amount in {
        'activity': 'case when is_planned then activity_amount else 0 end',
        'efficiency': 'case when is_planned then efficiency_amount else 0 end',
        'rate': 'case when is_planned then actual_amount - budget_amount - activity_amount - efficiency_amount else 0 end',
        'new': 'case when is_planned then 0 else actual_amount end',
    }.items() %}
    select
        'labour' as bridge,
        budget_version,
        fiscal_year,
        fiscal_period,
        product_id,
        activity_type as item_id,
        '{{ driver }}' as driver,
        -1 as polarity,
        {{ amount }} as variance_amount
    from labour_rounded
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

cost_drivers as (
    {% for driver, amount in {
        'currency': 'variance_lines.actual_amount - variance_lines.actual_at_budget_rate_amount',
        'activity': 'variance_lines.flex_budget_amount - variance_lines.budget_amount',
        'efficiency': 'variance_lines.actual_at_budget_rate_amount - variance_lines.flex_budget_amount',
    }.items() %}
    select
        'cost' as bridge,
        variance_lines.budget_version,
        variance_lines.fiscal_year,
        variance_lines.fiscal_period,
        variance_lines.product_id,
        variance_lines.account_id || ' / ' || coalesce(variance_lines.cost_center_id, '') as item_id,
        '{{ driver }}' as driver,
        -1 as polarity,
        {{ amount }} as variance_amount,
        variance_lines.month_date
    from variance_lines
    where
        variance_lines.account_type = 'expense'
        and variance_lines.version_type <> 'none'
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

company_drivers as (

    select * from revenue_drivers

    union all

    select * from gap_drivers

    union all

    select * from labour_drivers

),

drivers as (

    select
        company_drivers.*,
        fiscal_months.month_date
    from company_drivers
    inner join fiscal_months on company_drivers.fiscal_period = fiscal_months.fiscal_period

    union all

    select * from cost_drivers

),

-- A month of several entities is final once the last of them has closed it.
closed_months as (

    select
        month_date,
        bool_and(is_closed) as is_closed
    from fiscal_periods
    group by month_date

),

final as (

    select
        drivers.bridge,
        drivers.budget_version,
        drivers.fiscal_period,
        drivers.product_id,
        drivers.item_id,
        drivers.driver,
        drivers.fiscal_year,
        drivers.month_date,
        cast(drivers.variance_amount as decimal(18, 2)) as variance_amount,
        cast(drivers.variance_amount * drivers.polarity as decimal(18, 2)) as variance_favourable_amount,
        coalesce(closed_months.is_closed, false) as is_closed
    from drivers
    left join closed_months on drivers.month_date = closed_months.month_date
    where drivers.variance_amount <> 0

)

select * from final
