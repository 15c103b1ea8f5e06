{#- Rules of the violations' mart, each the model int_violations__<rule>: all, or in an increment those whose records may be
    others now. -#}
{% macro changed_rules() -%}
    {%- set rules = [
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
        'overdue_explanation',
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
    {%- set reached = increment().get('reached', []) if execute and is_incremental() else none -%}
    {#- A new day lets exceptions of any rule run out. -#}
    {%- if reached is none or 'int_reporting_date' in reached -%}
        {{ return(rules) }}
    {%- endif -%}
    {%- set changed = [] -%}
    {%- for rule in rules if 'int_violations__' ~ rule in reached -%}
        {%- do changed.append(rule) -%}
    {%- endfor -%}
    {{ return(changed) }}
{%- endmacro %}

{#- Removes, before an increment, the records of the rules that are looked at again. -#}
{% macro drop_changed_rules() -%}
    {%- if execute and is_incremental() -%}
    delete from {{ this }} where rule_id in ('{{ changed_rules() | join("', '") }}')
    {%- endif -%}
{%- endmacro %}
