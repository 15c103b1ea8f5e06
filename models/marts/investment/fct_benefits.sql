-- One row per benefit and month, of the benefits ledger or estimated beside it (experiments, revenue of the feature
-- built).
with

benefits as (

    select
        benefit_id,
        period_month,
        initiative_id,
        kpi_id,
        segment,
        planned_amount,
        realised_amount,
        currency,
        attribution_share,
        cashable_class,
        evidence_grade,
        owner,
        confirmed_by,
        confirmed_at,
        persistence_end_on,
        source_file,
        source_row
    from {{ ref('stg_product__benefits') }}

),

evidence_grades as (

    select
        evidence_grade,
        is_counted,
        is_verified
    from {{ ref('evidence_grades') }}

),

benefit_sources as (

    select
        benefit_source,
        priority,
        is_counted
    from {{ ref('benefit_sources') }}

),

estimates as (

    select
        benefit_id,
        month_date,
        initiative_id,
        benefit_source,
        kpi_id,
        evidence_grade,
        owner,
        estimated_amount
    from {{ ref('int_benefit_estimates') }}

),

fx_rates as (

    select
        from_currency,
        rate_month,
        average_rate
    from {{ ref('int_fx_rates') }}

),

rate_ranges as (

    select
        from_currency,
        min(rate_month) as first_month,
        max(rate_month) as last_month
    from fx_rates
    group by from_currency

),

-- Plans of months without a rate yet keep the last one known.
converted as (

    select
        benefits.benefit_id,
        cast(date_trunc('month', benefits.period_month) as date) as month_date,
        benefits.initiative_id,
        benefits.kpi_id,
        benefits.segment,
        benefits.planned_amount,
        benefits.realised_amount,
        benefits.currency,
        benefits.attribution_share,
        benefits.cashable_class,
        benefits.evidence_grade,
        benefits.owner,
        benefits.confirmed_by,
        benefits.confirmed_at,
        benefits.persistence_end_on,
        benefits.source_file,
        benefits.source_row,
        fx_rates.average_rate as fx_rate,
        coalesce(evidence_grades.is_counted, false) as is_grade_counted,
        coalesce(evidence_grades.is_verified, false) as is_grade_verified,
        sum(benefits.attribution_share) over (
            partition by
                benefits.kpi_id,
                benefits.segment,
                cast(date_trunc('month', benefits.period_month) as date)
        ) as attribution_total
    from benefits
    left join evidence_grades
        on benefits.evidence_grade = evidence_grades.evidence_grade
    left join rate_ranges
        on benefits.currency = rate_ranges.from_currency
    left join fx_rates
        on
            benefits.currency = fx_rates.from_currency
            and least(cast(date_trunc('month', benefits.period_month) as date), rate_ranges.last_month)
            = fx_rates.rate_month

),

-- Shares of one change of a KPI that promise more than the change are scaled back to it.
credited as (

    select
        *,
        cast(
            attribution_share / case when kpi_id is not null and attribution_total > 1 then attribution_total else 1 end
            as decimal(9, 6)
        ) as credited_share,
        case
            when realised_amount is null then 'not_measured'
            when confirmed_by is null then 'unconfirmed'
            when confirmed_by = owner then 'confirmed_by_owner'
            when
                persistence_end_on < month_date
                and coalesce(cast(confirmed_at as date) <= persistence_end_on, true)
                then 'past_persistence'
            when not is_grade_counted then 'grade_not_counted'
        end as not_counted_reason
    from converted

),

valued as (

    select
        *,
        {{ convert_amount('planned_amount', 'fx_rate') }} as reporting_planned_amount,
        {{ convert_amount('realised_amount', 'fx_rate') }} as reporting_realised_amount,
        cast(
            round(
                cast({{ convert_amount('realised_amount', 'fx_rate') }} as decimal(19, 2)) * credited_share, 2
            ) as decimal(18, 2)
        ) as credited_amount
    from credited

),

-- One unit of money counts once: by the first of the sources that knows an initiative.
first_sources as (

    select
        known_sources.initiative_id,
        min(benefit_sources.priority) as priority
    from (
        select distinct
            initiative_id,
            benefit_source
        from estimates

        union all

        select distinct
            initiative_id,
            'ledger' as benefit_source
        from benefits
    ) as known_sources
    inner join benefit_sources
        on known_sources.benefit_source = benefit_sources.benefit_source
    group by known_sources.initiative_id

),

estimated as (

    select
        estimates.benefit_id,
        estimates.month_date,
        estimates.initiative_id,
        estimates.benefit_source,
        estimates.kpi_id,
        estimates.evidence_grade,
        estimates.owner,
        estimates.estimated_amount,
        coalesce(evidence_grades.is_verified, false) as is_grade_verified,
        case
            when not coalesce(benefit_sources.is_counted, false) then 'source_not_counted'
            when benefit_sources.priority > first_sources.priority then 'other_source_counts'
            when not coalesce(evidence_grades.is_counted, false) then 'grade_not_counted'
        end as not_counted_reason
    from estimates
    left join benefit_sources
        on estimates.benefit_source = benefit_sources.benefit_source
    left join evidence_grades
        on estimates.evidence_grade = evidence_grades.evidence_grade
    left join first_sources
        on estimates.initiative_id = first_sources.initiative_id

),

final as (

    select
        benefit_id,
        month_date,
        initiative_id,
        'ledger' as benefit_source,
        kpi_id,
        segment,
        evidence_grade,
        cashable_class,
        owner,
        confirmed_by,
        not_counted_reason,
        currency,
        planned_amount,
        realised_amount,
        attribution_share,
        credited_share,
        reporting_planned_amount,
        reporting_realised_amount,
        credited_amount,
        case when not_counted_reason is null and cashable_class in (1, 2) then credited_amount end as cash_amount,
        case when not_counted_reason is null and cashable_class = 3 then credited_amount end as time_released_amount,
        not_counted_reason is null as is_counted,
        not_counted_reason is null and is_grade_verified as is_verified,
        persistence_end_on,
        confirmed_at,
        source_file,
        source_row
    from valued

    union all

    select
        benefit_id,
        month_date,
        initiative_id,
        benefit_source,
        kpi_id,
        null as segment,
        evidence_grade,
        1 as cashable_class,
        owner,
        null as confirmed_by,
        not_counted_reason,
        '{{ var("reporting_currency") }}' as currency,
        null as planned_amount,
        estimated_amount as realised_amount,
        cast(1 as decimal(9, 6)) as attribution_share,
        cast(1 as decimal(9, 6)) as credited_share,
        null as reporting_planned_amount,
        estimated_amount as reporting_realised_amount,
        estimated_amount as credited_amount,
        case when not_counted_reason is null then estimated_amount end as cash_amount,
        null as time_released_amount,
        not_counted_reason is null as is_counted,
        not_counted_reason is null and is_grade_verified as is_verified,
        null as persistence_end_on,
        null as confirmed_at,
        null as source_file,
        null as source_row
    from estimated

)

select * from final
