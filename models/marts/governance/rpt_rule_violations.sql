-- One row per broken rule and record.
with

violations as (
    {% set rules = [
        'changed_after_lock',
        'closed_loop',
        'corrected_row',
        'duplicate_row',
        'incomplete_coefficients',
        'late_posting',
        'missing_driver',
        'missing_fx_rate',
        'missing_month',
        'over_authority',
        'overattributed_kpi',
        'sample_ratio_mismatch',
        'self_approval',
        'small_payroll_account',
        'unbalanced_journal',
        'unclear_service_period',
        'uncounted_benefit',
        'unknown_consumer',
        'unknown_product',
        'unmapped_channel',
        'unplaced_posting',
        'unreconciled_account',
        'work_without_pay',
    ] -%}
    {%- for rule in rules %}
    select
        rule_id,
        severity,
        extract_name,
        record_key,
        source_file,
        source_row,
        amount,
        message
    from {{ ref('int_violations__' ~ rule) }}
    {% if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}
),

final as (

    select
        rule_id,
        extract_name,
        record_key,
        severity,
        message,
        amount,
        source_file,
        cast(source_row as bigint) as source_row
    from violations

)

select * from final
