-- Do cloud commitments pay: what do they save, how much is wasted, how much usage do they cover? Per quarter.
select
    cast(date_trunc('quarter', month_date) as date) as quarter_date,
    sum(contracted_amount) as contracted_amount,
    sum(usage_effective_amount) as usage_effective_amount,
    sum(contracted_amount) - sum(usage_effective_amount) as saved_amount,
    sum(commitment_unused_amount) as wasted_amount,
    cast(sum(contracted_amount) - sum(usage_effective_amount) as double)
    / nullif(cast(sum(contracted_amount) as double), 0) as savings_rate_contracted,
    cast(sum(commitment_used_amount) as double)
    / nullif(cast(sum(commitment_used_amount) + sum(commitment_unused_amount) as double), 0)
        as commitment_utilisation_rate,
    cast(sum(covered_amount) as double) / nullif(cast(sum(eligible_amount) as double), 0) as commitment_coverage_rate
from {{ ref('rpt_cloud_efficiency') }}
where scope_type = 'company'
group by cast(date_trunc('quarter', month_date) as date)
order by quarter_date
