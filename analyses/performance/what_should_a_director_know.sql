-- What a director should know today: open findings first, with what they are made of and who should act.
select
    insight_rank,
    topic,
    statement,
    driver_summary,
    stake_amount,
    evidence_grade,
    suggested_owner,
    suggested_action,
    first_seen_on,
    age_months,
    is_open
from {{ ref('rpt_insights') }}
order by insight_rank
