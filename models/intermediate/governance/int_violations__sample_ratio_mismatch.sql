-- One row per experiment whose units are split otherwise than designed.
with

incrementality as (

    select * from {{ ref('rpt_incrementality') }}

),

judged as (

    select
        experiment_id,
        max(treatment_share) as treatment_share,
        max(sample_ratio_p_value) as sample_ratio_p_value,
        max(case when blocked_reason = 'sample_ratio_mismatch' then 1 else 0 end) = 1 as is_blocked,
        max(case when method = 'difference_in_means' then treatment_units end) as treatment_units,
        max(case when method = 'difference_in_means' then control_units end) as control_units
    from incrementality
    group by experiment_id

),

final as (

    select
        'sample_ratio_mismatch' as rule_id,
        case when is_blocked then 'error' else 'warning' end as severity,
        'experiments' as extract_name,
        'experiment_id=' || experiment_id as record_key,
        cast(null as string) as source_file,
        cast(null as bigint) as source_row,
        cast(null as decimal(38, 2)) as amount,
        cast(treatment_units as string) || ' treated and ' || cast(control_units as string) || ' control units, designed as '
        || cast(cast(round(100 * treatment_share) as integer) as string) || ' % treated: by chance once in '
        || cast(cast(round(1 / greatest(sample_ratio_p_value, 1e-9)) as bigint) as string)
        || '. Find what lost the units before believing the effect.' as message
    from judged
    where sample_ratio_p_value < 0.05

)

select * from final
