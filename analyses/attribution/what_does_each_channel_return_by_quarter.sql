-- What does each channel return by quarter? ROAS and ROMI from summed parts, under linear credit.
select
    cast(date_trunc('quarter', month_date) as date) as quarter_date,
    channel,
    sum(credited_conversions) as credited_conversions,
    sum(credited_amount) as credited_amount,
    sum(spend_amount) as spend_amount,
    cast(sum(credited_amount) as double) / nullif(cast(sum(spend_amount) as double), 0) as roas_ratio,
    cast(sum(contribution_amount) - sum(spend_amount) as double)
    / nullif(cast(sum(spend_amount) as double), 0) as romi_ratio
from {{ ref('rpt_channel_attribution') }}
where attribution_model = 'linear'
group by cast(date_trunc('quarter', month_date) as date), channel
order by quarter_date, channel
