-- One row per benefit estimated outside the ledger and month: experiments, and the revenue of the feature built.
with

experiments as (

    select
        experiment_id,
        initiative_id,
        outcome_name,
        evidence_grade,
        persistence_months,
        cast(lower_80_value_amount as double) as value_amount,
        assigned_on
    from {{ ref('rpt_incrementality') }}
    where
        is_headline
        and blocked_reason is null
        and lower_80_value_amount is not null
        and persistence_months > 0

),

feature_revenue as (

    select
        product_id,
        feature_id,
        month_date,
        fiscal_period,
        evidence_grade,
        revenue_amount
    from {{ ref('fct_feature_revenue') }}

),

contributions as (

    select
        product_id,
        fiscal_period,
        cm1_rate
    from {{ ref('rpt_product_contribution') }}
    where product_id <> 'unallocated'

),

initiatives as (

    select
        initiative_id,
        feature_id,
        owner,
        ready_for_use_on
    from {{ ref('dim_initiative') }}

),

-- What the experiment shows to be caused at least, spread over the months it is taken to last.
experiment_months as (

    select
        'experiment|' || experiments.experiment_id as benefit_id,
        experiments.initiative_id,
        'experiment' as benefit_source,
        experiments.outcome_name as kpi_id,
        experiments.evidence_grade,
        initiatives.owner,
        cast(
            {{ dbt.dateadd(
                'month', 'steps.i + 1',
                "date_trunc('month', coalesce(initiatives.ready_for_use_on, experiments.assigned_on))"
            ) }} as date
        ) as month_date,
        {{ round_amount('experiments.value_amount / experiments.persistence_months') }} as estimated_amount
    from experiments
    inner join initiatives
        on experiments.initiative_id = initiatives.initiative_id
    inner join range(0, 120) as steps (i)
        on experiments.persistence_months > steps.i

),

feature_months as (

    select
        'feature_revenue|' || initiatives.initiative_id as benefit_id,
        initiatives.initiative_id,
        'feature_revenue' as benefit_source,
        cast(null as string) as kpi_id,
        max(feature_revenue.evidence_grade) as evidence_grade,
        initiatives.owner,
        feature_revenue.month_date,
        {{ round_amount(
            'sum(cast(feature_revenue.revenue_amount as double) * contributions.cm1_rate)'
        ) }} as estimated_amount
    from feature_revenue
    inner join initiatives
        on
            feature_revenue.feature_id = initiatives.feature_id
            and feature_revenue.month_date > initiatives.ready_for_use_on
    inner join contributions
        on
            feature_revenue.product_id = contributions.product_id
            and feature_revenue.fiscal_period = contributions.fiscal_period
    group by initiatives.initiative_id, initiatives.owner, feature_revenue.month_date

),

final as (

    select
        benefit_id,
        month_date,
        initiative_id,
        benefit_source,
        kpi_id,
        evidence_grade,
        owner,
        estimated_amount
    from experiment_months

    union all

    select
        benefit_id,
        month_date,
        initiative_id,
        benefit_source,
        kpi_id,
        evidence_grade,
        owner,
        estimated_amount
    from feature_months

)

select * from final
