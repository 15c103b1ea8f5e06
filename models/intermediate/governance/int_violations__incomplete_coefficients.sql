-- One row per allocation rule whose fixed coefficients do not make 100 %.
with

coefficients as (

    select * from {{ ref('allocation_coefficients') }}

),

final as (

    select
        'incomplete_coefficients' as rule_id,
        'error' as severity,
        'allocation_coefficients' as extract_name,
        'rule_id=' || rule_id as record_key,
        cast(null as string) as source_file,
        cast(null as bigint) as source_row,
        cast(null as decimal(38, 2)) as amount,
        'Coefficients of rule ' || rule_id || ' make ' || cast(cast(sum(coefficient) * 100 as decimal(9, 4)) as string)
        || ' %, so a fixed split allocates nothing. Make them 100 %.' as message
    from coefficients
    group by rule_id
    having abs(sum(coefficient) - 1) >= 0.000001

)

select * from final
