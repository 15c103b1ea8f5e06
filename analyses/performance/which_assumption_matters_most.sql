-- Which assumption moves the company's result and each portfolio's NPV most: the bars of a tornado, longest first.
select
    subject_type,
    subject_id,
    swing_rank,
    driver,
    driver_p10_value,
    driver_p90_value,
    p10_amount,
    base_amount,
    p90_amount,
    swing_amount
from {{ ref('rpt_sensitivity') }}
where subject_type <> 'initiative'
order by subject_type, subject_id, swing_rank
