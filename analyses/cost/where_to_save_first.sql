-- Where to save first: what was found, how much was at stake, who acts, and which rows say so.
select
    amount_rank,
    rule_name,
    scope_id,
    observed_amount,
    currency,
    window_start_on,
    window_end_on,
    evidence,
    measure,
    owner,
    action,
    evidence_mart,
    evidence_filter
from {{ ref('rpt_optimisation_opportunities') }}
order by amount_rank
