-- One row per calendar month and component of the programme's own value: benefits owed to it, its run cost and its
-- amortised build cost.
with

benefits as (

    select * from {{ ref('fct_benefits') }}
    where reporting_realised_amount is not null

),

integration_benefits as (

    select * from {{ ref('integration_benefits') }}

),

integration_costs as (

    select * from {{ ref('integration_costs') }}

),

home_events as (

    select * from {{ ref('stg_governance__home_events') }}

),

fiscal_periods as (

    select
        is_closed,
        {{ period_month('end_on') }} as month_date
    from {{ ref('dim_fiscal_period') }}
    where is_reporting_entity

),

dates as (

    select distinct cast(date_trunc('month', date_day) as date) as month_date
    from {{ ref('dim_date') }}

),

fx_rates as (

    select
        from_currency,
        rate_month,
        average_rate
    from {{ ref('int_fx_rates') }}

),

-- A home without own data holds the sample company, whose figures prove nothing.
demo as (

    select count(*) > 0 as is_illustrative
    from home_events
    where
        event_type = 'origin'
        and subject = 'sample'

),

last_closed as (

    select max(month_date) as month_date
    from fiscal_periods
    where is_closed

),

-- What an experiment measured bounds what the ledger may claim for the same initiative and month.
lower_bounds as (

    select
        initiative_id,
        month_date,
        sum(credited_amount) as lower_bound_amount
    from benefits
    where benefit_source = 'experiment'
    group by initiative_id, month_date

),

claimed as (

    select
        benefits.benefit_id,
        benefits.initiative_id,
        benefits.month_date,
        benefits.evidence_grade,
        benefits.cashable_class,
        integration_benefits.owner,
        benefits.is_counted,
        benefits.is_verified,
        benefits.not_counted_reason,
        integration_benefits.integration_share,
        benefits.credited_amount,
        -- Several benefits of one initiative share its bound by their claims.
        lower_bounds.lower_bound_amount
        * benefits.credited_amount
        / nullif(sum(benefits.credited_amount) over (partition by benefits.initiative_id, benefits.month_date), 0)
            as bound_amount
    from benefits
    inner join integration_benefits
        on
            benefits.initiative_id = integration_benefits.initiative_id
            and benefits.month_date >= integration_benefits.valid_from
            and (benefits.month_date <= integration_benefits.valid_to or integration_benefits.valid_to is null)
    left join lower_bounds
        on
            benefits.initiative_id = lower_bounds.initiative_id
            and benefits.month_date = lower_bounds.month_date
            and benefits.evidence_grade in ('A', 'B')
    where benefits.benefit_source = 'ledger'

),

benefit_components as (

    select
        month_date,
        'benefit' as component_group,
        case cashable_class when 1 then 'cashable' when 2 then 'avoided_cost' else 'time_released' end as component_type,
        benefit_id as component_id,
        initiative_id,
        owner,
        evidence_grade,
        case
            when cashable_class = 3 then 'time_released'
            when not is_counted then not_counted_reason
            when not is_verified then 'grade_below_c'
        end as not_counted_reason,
        cast(round(credited_amount * integration_share, 2) as decimal(18, 2)) as claimed_amount,
        {{ round_amount('least(credited_amount, coalesce(bound_amount, credited_amount)) * integration_share') }}
            as bounded_amount
    from claimed

),

cost_months as (

    select
        integration_costs.*,
        dates.month_date,
        row_number() over (partition by integration_costs.cost_id order by dates.month_date) as month_number,
        count(*) over (partition by integration_costs.cost_id) as months
    from integration_costs
    inner join dates
        on
            integration_costs.starts_on < {{ dbt.dateadd('month', 1, 'dates.month_date') }}
            and integration_costs.ends_on >= dates.month_date

),

-- Each cost spreads evenly over its months; differences of rounded running totals sum to it exactly.
cost_shares as (

    select
        month_date,
        cost_id,
        cost_type,
        currency,
        owner,
        {{ round_amount('cast(amount * month_number as decimal(38, 6)) / months') }}
        - {{ round_amount('cast(amount * (month_number - 1) as decimal(38, 6)) / months') }} as amount
    from cost_months

),

cost_components as (

    select
        cost_shares.month_date,
        'cost' as component_group,
        cost_shares.cost_type as component_type,
        cost_shares.cost_id as component_id,
        cast(null as string) as initiative_id,
        cost_shares.owner,
        cast(null as string) as evidence_grade,
        cast(null as string) as not_counted_reason,
        -{{ convert_amount('cost_shares.amount', 'fx_rates.average_rate') }} as claimed_amount
    from cost_shares
    left join fx_rates
        on
            cost_shares.currency = fx_rates.from_currency
            and cost_shares.month_date = fx_rates.rate_month

),

components as (

    select
        month_date,
        component_group,
        component_type,
        component_id,
        initiative_id,
        owner,
        evidence_grade,
        not_counted_reason,
        claimed_amount,
        bounded_amount
    from benefit_components
    union all
    select
        month_date,
        component_group,
        component_type,
        component_id,
        initiative_id,
        owner,
        evidence_grade,
        not_counted_reason,
        cast(claimed_amount as decimal(18, 2)) as claimed_amount,
        cast(claimed_amount as decimal(18, 2)) as bounded_amount
    from cost_components

),

final as (

    select
        components.month_date,
        components.component_group,
        components.component_type,
        components.component_id,
        components.initiative_id,
        components.owner,
        components.evidence_grade,
        components.not_counted_reason is null as is_counted,
        components.not_counted_reason,
        coalesce(components.month_date <= last_closed.month_date, false) as is_closed,
        coalesce(
            components.month_date <= last_closed.month_date
            and components.month_date > {{ dbt.dateadd('month', -12, 'last_closed.month_date') }},
            false
        ) as is_in_target_window,
        components.claimed_amount,
        case
            when components.not_counted_reason is null then components.bounded_amount else cast(0 as decimal(18, 2))
        end as counted_amount,
        case when demo.is_illustrative then 'illustrative' else 'own_data' end as evidence_basis
    from components
    cross join last_closed
    cross join demo

)

select * from final
