-- One row per experiment and estimation method.
with

units as (

    select
        experiment_id,
        unit_id,
        initiative_id,
        assigned_on,
        variant,
        pre_value,
        outcome_value
    from {{ ref('stg_product__experiments') }}
    where variant in ('control', 'treatment')

),

designs as (

    select * from {{ ref('experiment_designs') }}

),

-- Whoever was assigned counts for the sample ratio, also without an outcome.
assigned as (

    select
        experiment_id,
        max(initiative_id) as initiative_id,
        min(assigned_on) as assigned_on,
        count_if(variant = 'treatment') as assigned_treatment_units,
        count_if(variant = 'control') as assigned_control_units
    from units
    group by experiment_id

),

measured as (

    select *
    from units
    where outcome_value is not null

),

covariates as (

    select
        experiment_id,
        avg(pre_value) as mean_pre_value,
        case
            when count(pre_value) > 2 and var_samp(pre_value) > 0
                then
                    covar_samp(outcome_value, pre_value)
                    / var_samp(pre_value)
        end as theta
    from measured
    group by experiment_id

),

-- A unit without a value before the assignment takes the mean: it is neither helped nor hurt by the adjustment.
observed as (

    select
        measured.experiment_id,
        measured.variant,
        'difference_in_means' as method,
        measured.outcome_value as observed_value
    from measured
    union all
    select
        measured.experiment_id,
        measured.variant,
        'cuped' as method,
        measured.outcome_value
        - covariates.theta * coalesce(measured.pre_value - covariates.mean_pre_value, 0) as observed_value
    from measured
    inner join covariates on measured.experiment_id = covariates.experiment_id
    where covariates.theta is not null
    union all
    select
        experiment_id,
        variant,
        'difference_in_differences' as method,
        outcome_value - pre_value as observed_value
    from measured
    where pre_value is not null

),

arms as (

    select
        experiment_id,
        method,
        cast(count_if(variant = 'treatment') as integer) as treatment_units,
        cast(count_if(variant = 'control') as integer) as control_units,
        avg(case when variant = 'treatment' then observed_value end) as treatment_mean,
        avg(case when variant = 'control' then observed_value end) as control_mean,
        case
            when count_if(variant = 'treatment') > 1
                then
                    var_samp(case when variant = 'treatment' then observed_value end)
                    / count_if(variant = 'treatment')
        end as treatment_variance,
        case
            when count_if(variant = 'control') > 1
                then var_samp(case when variant = 'control' then observed_value end) / count_if(variant = 'control')
        end as control_variance
    from observed
    group by experiment_id, method

),

pre_balance as (

    select
        experiment_id,
        avg(case when variant = 'treatment' then pre_value end)
        - avg(case when variant = 'control' then pre_value end) as pre_difference
    from measured
    group by experiment_id

),

estimated as (

    select
        *,
        treatment_mean - control_mean as effect,
        sqrt(treatment_variance + control_variance) as standard_error,
        power(treatment_variance + control_variance, 2)
        / nullif(
            power(treatment_variance, 2) / (treatment_units - 1) + power(control_variance, 2) / (control_units - 1), 0
        ) as degrees_of_freedom
    from arms

),

designed as (

    select
        estimated.*,
        assigned.initiative_id,
        assigned.assigned_on,
        assigned.assigned_treatment_units,
        assigned.assigned_control_units,
        covariates.theta,
        pre_balance.pre_difference,
        designs.outcome_name,
        designs.value_per_unit_amount,
        designs.margin_rate,
        designs.exposed_units,
        designs.persistence_months,
        coalesce(designs.treatment_share, 0.5) as treatment_share,
        cast(designs.value_per_unit_amount as double)
        * designs.margin_rate * designs.exposed_units * designs.persistence_months as value_per_effect,
        power(
            assigned.assigned_treatment_units
            - coalesce(designs.treatment_share, 0.5)
            * (assigned.assigned_treatment_units + assigned.assigned_control_units),
            2
        ) / (
            (assigned.assigned_treatment_units + assigned.assigned_control_units)
            * coalesce(designs.treatment_share, 0.5) * (1 - coalesce(designs.treatment_share, 0.5))
        ) as sample_ratio_chi_square
    from estimated
    inner join assigned on estimated.experiment_id = assigned.experiment_id
    inner join covariates on estimated.experiment_id = covariates.experiment_id
    inner join pre_balance on estimated.experiment_id = pre_balance.experiment_id
    left join designs on estimated.experiment_id = designs.experiment_id

),

-- Degrees of freedom below one have no interval worth the name.
tested as (

    select
        *,
        2 * {{ normal_cdf('-sqrt(sample_ratio_chi_square)') }} as sample_ratio_p_value,
        case
            when degrees_of_freedom >= 1
                then {{ student_t_critical('1.2815515655446004', 'degrees_of_freedom') }} * standard_error
        end as margin_80,
        case
            when degrees_of_freedom >= 1
                then {{ student_t_critical('1.959963984540054', 'degrees_of_freedom') }} * standard_error
        end as margin_95,
        -- Wallace's normal equivalent of a t value.
        case
            when degrees_of_freedom >= 1 and standard_error > 0
                then
                    (8 * degrees_of_freedom + 1) / (8 * degrees_of_freedom + 3)
                    * sqrt(
                        degrees_of_freedom * ln(1 + power(effect / standard_error, 2) / degrees_of_freedom)
                    )
        end as normal_deviate
    from designed

),

-- One in a thousand is the convention for a check that looks at every experiment; docs/attribution.md states it.
blocked as (

    select
        *,
        case
            when sample_ratio_p_value < 0.001 then 'sample_ratio_mismatch'
            when margin_80 is null then 'too_few_units'
        end as blocked_reason
    from tested

),

judged as (

    select
        *,
        case
            when blocked_reason is not null then 'E'
            when method = 'difference_in_differences' then 'B'
            else 'A'
        end as evidence_grade
    from blocked

),

-- The adjusted difference is the estimate to use wherever something was measured before the assignment.
ranked as (

    select
        *,
        row_number() over (
            partition by experiment_id
            order by
                case
                    when method = 'cuped' and blocked_reason is null then 1
                    when method = 'difference_in_means' then 2
                    else 3
                end
        ) = 1 as is_headline,
        max(case when method = 'difference_in_means' then standard_error end) over (
            partition by experiment_id
        ) as plain_standard_error
    from judged

),

final as (

    select
        experiment_id,
        method,
        initiative_id,
        outcome_name,
        evidence_grade,
        blocked_reason,
        case when method = 'difference_in_differences' then 'one_pre_period' end as guard_reason,
        case
            when blocked_reason is not null then blocked_reason
            when value_per_effect is null then 'no_design'
        end as value_amount_reason,
        treatment_units,
        control_units,
        treatment_share,
        sample_ratio_p_value,
        treatment_mean,
        control_mean,
        pre_difference,
        case when method = 'cuped' then theta end as theta,
        effect,
        standard_error,
        degrees_of_freedom,
        effect - margin_80 as lower_80_effect,
        effect + margin_80 as upper_80_effect,
        effect - margin_95 as lower_95_effect,
        effect + margin_95 as upper_95_effect,
        2 * {{ normal_cdf('-normal_deviate') }} as p_value,
        case
            when method = 'cuped' then 1 - power(standard_error / nullif(plain_standard_error, 0), 2)
        end as variance_reduction_rate,
        exposed_units,
        persistence_months,
        case
            when blocked_reason is null then {{ round_amount('effect * value_per_effect') }}
        end as value_amount,
        case
            when blocked_reason is null
                then {{ round_amount('(effect - margin_80) * value_per_effect') }}
        end as lower_80_value_amount,
        case
            when blocked_reason is null
                then {{ round_amount('(effect + margin_80) * value_per_effect') }}
        end as upper_80_value_amount,
        case
            when blocked_reason is null and persistence_months > 0
                then
                    {{ round_amount('(effect - margin_80) * value_per_effect / persistence_months') }}
        end as lower_80_monthly_amount,
        is_headline,
        evidence_grade in ('A', 'B') as is_causal,
        assigned_on
    from ranked

)

select * from final
