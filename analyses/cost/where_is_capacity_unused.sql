-- Where is capacity unused, where is it over-used, and what does that cost? Last twelve months with payroll.
with

utilisation as (

    select * from {{ ref('rpt_resource_utilisation') }}

),

last_months as (

    select distinct period_month
    from utilisation
    order by period_month desc
    limit 12

)

select
    utilisation.cost_center_id,
    utilisation.cost_center_name,
    max(utilisation.people_count) as people_count,
    sum(utilisation.practical_hours) as practical_hours,
    sum(utilisation.used_hours) as used_hours,
    sum(utilisation.unused_hours) as unused_hours,
    sum(utilisation.unused_amount) as unused_amount,
    case
        when sum(case when utilisation.rate_reason is null then utilisation.available_hours else 0 end) > 0
            then
                cast(sum(utilisation.used_hours) as double)
                / cast(sum(case when utilisation.rate_reason is null then utilisation.available_hours end) as double)
    end as utilisation_rate,
    min(utilisation.rate_reason) as rate_reason,
    count_if(utilisation.is_queueing_risk) as months_at_risk
from utilisation
inner join last_months on utilisation.period_month = last_months.period_month
group by
    utilisation.cost_center_id,
    utilisation.cost_center_name
order by unused_amount desc nulls last
