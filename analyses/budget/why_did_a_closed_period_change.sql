-- Why does a closed period look different from what was reported? Profit-and-loss lines only.
select
    restatements.fiscal_period,
    restatements.cost_center_id,
    accounts.account_name,
    restatements.reported_amount,
    restatements.current_amount,
    restatements.restatement_amount,
    restatements.authorised_amount,
    restatements.changed_journals,
    restatements.changed_by_files,
    restatements.closed_at,
    restatements.last_changed_at
from {{ ref('rpt_restatements') }} as restatements
inner join {{ ref('dim_account') }} as accounts on restatements.account_id = accounts.account_id
where
    restatements.is_restated
    and accounts.polarity <> 0
order by
    restatements.fiscal_period,
    restatements.cost_center_id,
    accounts.account_name
