-- One row per key figure, scope (company, product line or product) and month.
with

catalog as (

    select
        kpi_id,
        unit
    from {{ ref('kpi_catalog') }}

),

contributions as (

    select
        product_id,
        month_date,
        revenue_amount,
        cm1_amount,
        product_contribution_amount,
        operating_result_amount
    from {{ ref('rpt_product_contribution') }}
    where is_closed

),

waterfall as (

    select
        month_date,
        snapshot_on,
        reporting_closing_mrr_amount
    from {{ ref('rpt_mrr_waterfall') }}
    where
        not is_survivors_only
        and snapshot_on = cast({{ dbt.dateadd('day', -1, dbt.dateadd('month', 1, 'month_date')) }} as date)

),

retention as (

    select
        month_date,
        opening_mrr_amount,
        retained_mrr_amount,
        closing_mrr_amount
    from {{ ref('rpt_retention') }}
    where
        retention_reason is null
        and not is_survivors_only

),

utilisation as (

    select
        period_month,
        used_hours,
        practical_hours
    from {{ ref('rpt_resource_utilisation') }}
    where used_hours is not null

),

products as (

    select
        product_id,
        product_line
    from {{ ref('dim_product') }}

),

-- What each figure is made of; a ratio is divided once, after its parts are added up.
parts as (

    select
        'revenue' as kpi_id,
        product_id,
        month_date,
        cast(revenue_amount as decimal(28, 2)) as numerator,
        cast(null as decimal(28, 2)) as denominator
    from contributions
    union all
    select
        'cost' as kpi_id,
        product_id,
        month_date,
        revenue_amount - operating_result_amount as numerator,
        null as denominator
    from contributions
    union all
    select
        'product_contribution' as kpi_id,
        product_id,
        month_date,
        product_contribution_amount as numerator,
        null as denominator
    from contributions
    union all
    select
        'cm1_rate' as kpi_id,
        product_id,
        month_date,
        cm1_amount as numerator,
        revenue_amount as denominator
    from contributions
    union all
    select
        'operating_margin_rate' as kpi_id,
        product_id,
        month_date,
        operating_result_amount as numerator,
        revenue_amount as denominator
    from contributions
    union all
    select
        'mrr' as kpi_id,
        null as product_id,
        month_date,
        reporting_closing_mrr_amount as numerator,
        null as denominator
    from waterfall
    union all
    select
        'nrr_rate' as kpi_id,
        null as product_id,
        month_date,
        closing_mrr_amount as numerator,
        opening_mrr_amount as denominator
    from retention
    union all
    select
        'grr_rate' as kpi_id,
        null as product_id,
        month_date,
        retained_mrr_amount as numerator,
        opening_mrr_amount as denominator
    from retention
    union all
    select
        'utilisation_rate' as kpi_id,
        null as product_id,
        period_month as month_date,
        cast(used_hours as decimal(28, 2)) as numerator,
        cast(practical_hours as decimal(28, 2)) as denominator
    from utilisation

),

scoped as (

    select
        kpi_id,
        'company' as scope_type,
        'company' as scope_id,
        month_date,
        numerator,
        denominator
    from parts
    union all
    select
        parts.kpi_id,
        'product_line' as scope_type,
        products.product_line as scope_id,
        parts.month_date,
        parts.numerator,
        parts.denominator
    from parts
    inner join products on parts.product_id = products.product_id
    union all
    select
        parts.kpi_id,
        'product' as scope_type,
        parts.product_id as scope_id,
        parts.month_date,
        parts.numerator,
        parts.denominator
    from parts
    inner join products on parts.product_id = products.product_id

),

totals as (

    select
        kpi_id,
        scope_type,
        scope_id,
        month_date,
        {{ sum_complete('numerator') }} as numerator,
        sum(denominator) as denominator
    from scoped
    group by kpi_id, scope_type, scope_id, month_date

),

measured as (

    select
        totals.kpi_id,
        totals.scope_type,
        totals.scope_id,
        totals.month_date,
        catalog.unit,
        cast(totals.numerator as decimal(28, 2)) as numerator,
        cast(totals.denominator as decimal(28, 2)) as denominator,
        case
            when catalog.unit = 'amount' then cast(totals.numerator as double)
            when totals.denominator > 0 then cast(totals.numerator as double) / cast(totals.denominator as double)
        end as kpi_value
    from totals
    inner join catalog on totals.kpi_id = catalog.kpi_id

),

final as (

    select
        kpi_id,
        scope_type,
        coalesce(scope_id, 'unknown') as scope_id,
        month_date,
        unit,
        numerator,
        denominator,
        kpi_value,
        case
            when kpi_value is null and numerator is null then 'missing_rate'
            when kpi_value is null then 'no_denominator'
        end as kpi_value_reason
    from measured

)

select * from final
