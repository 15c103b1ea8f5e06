-- One row per initiative, business-case version and month: planned flows in reporting currency.
with

business_cases as (

    select
        initiative_id,
        case_version,
        period_month,
        flow_class,
        flow_type,
        amount,
        currency,
        locked_at,
        known_at
    from {{ ref('stg_product__business_cases') }}

),

flow_classes as (

    select
        flow_class,
        flow_phase
    from {{ ref('flow_classes') }}

),

fx_rates as (

    select
        from_currency,
        rate_month,
        average_rate
    from {{ ref('int_fx_rates') }}

),

-- A version is locked as a whole: a single line in draft keeps it a draft.
versions as (

    select
        initiative_id,
        case_version,
        case when count(locked_at) = count(*) then max(locked_at) end as locked_at,
        max(known_at) as known_at
    from business_cases
    group by initiative_id, case_version

),

ranked_versions as (

    select
        initiative_id,
        case_version,
        locked_at,
        cast(date_trunc('month', coalesce(locked_at, known_at)) as date) as plan_rate_month,
        row_number() over (
            partition by initiative_id
            order by case when locked_at is null then 1 else 0 end, locked_at, known_at, case_version
        ) as place_from_first,
        row_number() over (
            partition by initiative_id
            order by
                case when locked_at is null then 1 else 0 end,
                locked_at desc,
                known_at desc,
                case_version desc
        ) as place_from_last
    from versions

),

rate_ranges as (

    select
        from_currency,
        min(rate_month) as first_month,
        max(rate_month) as last_month
    from fx_rates
    group by from_currency

),

-- The case keeps the rate of the month it was locked in, so that currencies do not move a frozen plan.
converted as (

    select
        business_cases.initiative_id,
        business_cases.case_version,
        cast(date_trunc('month', business_cases.period_month) as date) as month_date,
        coalesce(
            flow_classes.flow_phase, case when business_cases.flow_type = 'benefit' then 'benefit' else 'build' end
        ) as flow_phase,
        {{ convert_amount('business_cases.amount', 'fx_rates.average_rate') }} as reporting_amount,
        ranked_versions.locked_at,
        ranked_versions.place_from_first = 1 as is_baseline,
        ranked_versions.place_from_last = 1 as is_current
    from business_cases
    inner join ranked_versions
        on
            business_cases.initiative_id = ranked_versions.initiative_id
            and business_cases.case_version = ranked_versions.case_version
    left join flow_classes
        on business_cases.flow_class = flow_classes.flow_class
    left join rate_ranges
        on business_cases.currency = rate_ranges.from_currency
    left join fx_rates
        on
            business_cases.currency = fx_rates.from_currency
            and least(greatest(ranked_versions.plan_rate_month, rate_ranges.first_month), rate_ranges.last_month)
            = fx_rates.rate_month

),

final as (

    select
        initiative_id,
        case_version,
        month_date,
        locked_at,
        is_baseline,
        is_current,
        cast(sum(case when flow_phase = 'build' then reporting_amount else 0 end) as decimal(18, 2)) as build_cost_amount,
        cast(sum(case when flow_phase = 'run' then reporting_amount else 0 end) as decimal(18, 2)) as run_cost_amount,
        cast(sum(case when flow_phase = 'benefit' then reporting_amount else 0 end) as decimal(18, 2)) as benefit_amount
    from converted
    group by initiative_id, case_version, month_date, locked_at, is_baseline, is_current

)

select * from final
