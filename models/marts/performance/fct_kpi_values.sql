-- One row per key figure, scope and month.
with

catalog as (

    select
        kpi_id,
        unit,
        source_model,
        numerator_measure,
        denominator_measure
    from {{ ref('kpi_catalog') }}

),

measures as (

    select
        measure_id,
        product_line,
        product_id,
        objective_id,
        month_date,
        measure_value
    from {{ ref('int_kpi_measures') }}

),

products as (

    select product_id
    from {{ ref('dim_product') }}

),

scoped as (

    select
        measure_id,
        'company' as scope_type,
        'company' as scope_id,
        month_date,
        measure_value
    from measures
    union all
    select
        measure_id,
        'product_line' as scope_type,
        product_line as scope_id,
        month_date,
        measure_value
    from measures
    where product_line is not null
    union all
    select
        measures.measure_id,
        'product' as scope_type,
        measures.product_id as scope_id,
        measures.month_date,
        measures.measure_value
    from measures
    inner join products on measures.product_id = products.product_id
    union all
    select
        measure_id,
        'objective' as scope_type,
        objective_id as scope_id,
        month_date,
        measure_value
    from measures
    where objective_id is not null

),

-- A ratio is divided once, after its parts are added up.
totals as (

    select
        measure_id,
        scope_type,
        scope_id,
        month_date,
        cast({{ sum_complete('measure_value') }} as decimal(28, 6)) as measure_value
    from scoped
    group by measure_id, scope_type, scope_id, month_date

),

-- A figure exists where both of its parts are measured.
parted as (

    select
        catalog.kpi_id,
        numerators.scope_type,
        numerators.scope_id,
        numerators.month_date,
        catalog.unit,
        -- Contributions are in reporting currency: what they lack is cost of its kind.
        coalesce(catalog.source_model like 'rpt_product_contribution%', false) as is_contribution,
        catalog.denominator_measure is not null as is_ratio,
        numerators.measure_value as numerator,
        denominators.measure_value as denominator
    from catalog
    inner join totals as numerators on catalog.numerator_measure = numerators.measure_id
    left join totals as denominators
        on
            catalog.denominator_measure = denominators.measure_id
            and numerators.scope_type = denominators.scope_type
            and numerators.scope_id = denominators.scope_id
            and numerators.month_date = denominators.month_date
    where
        catalog.denominator_measure is null
        or denominators.measure_id is not null

),

final as (

    select
        kpi_id,
        scope_type,
        scope_id,
        month_date,
        unit,
        numerator,
        denominator,
        case
            when not is_ratio then cast(numerator as double)
            when denominator > 0 then cast(numerator as double) / cast(denominator as double)
        end as kpi_value,
        case
            when numerator is null and is_contribution then 'no_cost_data'
            when numerator is null or (is_ratio and denominator is null) then 'missing_rate'
            when is_ratio and denominator <= 0 then 'no_denominator'
        end as kpi_value_reason
    from parted

)

select * from final
