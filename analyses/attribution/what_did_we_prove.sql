-- What did experiments prove, and what may the benefits ledger claim for it a month?
select
    experiment_id,
    initiative_id,
    outcome_name,
    method,
    effect,
    lower_80_effect,
    upper_80_effect,
    p_value,
    evidence_grade,
    blocked_reason,
    sample_ratio_p_value,
    lower_80_monthly_amount
from {{ ref('rpt_incrementality') }}
where is_headline
order by lower_80_monthly_amount desc nulls last
