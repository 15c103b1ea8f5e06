-- Where does spend pay whatever the model says, and where does only an experiment decide? Per channel.
select
    channel,
    spend_verdict,
    max(spend_amount) as spend_amount,
    min(lowest_amount) as lowest_amount,
    max(highest_amount) as highest_amount,
    max(at_stake_amount) as at_stake_amount,
    max(rank_range) as rank_range
from {{ ref('rpt_attribution_comparison') }}
where is_credited
group by channel, spend_verdict
order by at_stake_amount desc, channel asc
