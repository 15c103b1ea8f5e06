-- One row per registered pair, segment, unit (company, product or customer) and month: the metric beside the key figure.
with

pairs as (

    select
        pair_id,
        metric_id,
        kpi_id,
        scope_type
    from {{ ref('kpi_pairs') }}

),

kpi_values as (

    select
        kpi_id,
        scope_type,
        scope_id,
        month_date,
        kpi_value
    from {{ ref('fct_kpi_values') }}
    where kpi_value is not null

),

feature_usage as (

    select
        customer_id,
        feature_id,
        month_date,
        event_count
    from {{ ref('int_feature_usage_months') }}

),

features as (

    select
        feature_id,
        product_id,
        is_add_on,
        cast(date_trunc('month', released_on) as date) as released_month
    from {{ ref('dim_feature') }}

),

customers as (

    select
        customer_id,
        segment
    from {{ ref('dim_customer') }}

),

product_months as (

    select
        customer_id,
        product_id,
        month_date,
        movement_type,
        opening_mrr_amount,
        quantity_change_amount
    from {{ ref('int_mrr_product_months') }}

),

reporting_date as (

    select cast(date_trunc('month', reporting_on) as date) as open_month
    from {{ ref('int_reporting_date') }}

),

customer_use as (

    select
        feature_usage.customer_id,
        feature_usage.feature_id,
        feature_usage.month_date,
        sum(feature_usage.event_count) as event_count
    from feature_usage
    cross join reporting_date
    where feature_usage.month_date < reporting_date.open_month
    group by feature_usage.customer_id, feature_usage.feature_id, feature_usage.month_date
    having sum(feature_usage.event_count) > 0

),

months_over_time as (

    select
        pairs.pair_id,
        metrics.scope_id as segment,
        metrics.scope_id as unit_id,
        'all' as stratum,
        metrics.month_date,
        metrics.kpi_value as metric_value,
        figures.kpi_value
    from pairs
    inner join kpi_values as metrics
        on
            pairs.metric_id = metrics.kpi_id
            and pairs.scope_type = metrics.scope_type
    inner join kpi_values as figures
        on
            pairs.kpi_id = figures.kpi_id
            and metrics.scope_type = figures.scope_type
            and metrics.scope_id = figures.scope_id
            and metrics.month_date = figures.month_date

),

-- Features everybody has say nothing; the first months of the data hold all customers as new.
customer_months as (

    select
        pairs.pair_id,
        features.feature_id as segment,
        product_months.customer_id as unit_id,
        coalesce(customers.segment, 'none') as stratum,
        product_months.month_date,
        cast(case when customer_use.customer_id is null then 0 else 1 end as double) as metric_value,
        cast(
            case
                when
                    product_months.movement_type = 'expansion'
                    and product_months.quantity_change_amount > 0
                    then 1
                else 0
            end as double
        ) as kpi_value
    from pairs
    inner join features
        on
            pairs.scope_type = 'feature'
            and not features.is_add_on
    inner join product_months
        on
            features.product_id = product_months.product_id
            and product_months.opening_mrr_amount > 0
            and features.released_month <= product_months.month_date
    cross join reporting_date
    left join customers on product_months.customer_id = customers.customer_id
    left join customer_use
        on
            features.feature_id = customer_use.feature_id
            and product_months.customer_id = customer_use.customer_id
            and product_months.month_date = customer_use.month_date
    where product_months.month_date < reporting_date.open_month

),

first_use as (

    select min(month_date) as first_month
    from customer_use

),

observations as (

    select * from months_over_time
    union all
    select customer_months.*
    from customer_months
    inner join first_use on customer_months.month_date >= first_use.first_month

),

final as (

    select
        pair_id,
        segment,
        unit_id,
        stratum,
        month_date,
        cast(12 * extract(year from month_date) + extract(month from month_date) as integer) as month_number,
        metric_value,
        kpi_value
    from observations

)

select * from final
