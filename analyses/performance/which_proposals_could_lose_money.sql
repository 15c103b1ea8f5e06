-- Which proposals could lose money, how likely and how much in a bad case, beside what the allocation says.
select
    allocation.initiative_id,
    allocation.is_selected,
    simulation.base_npv_amount,
    simulation.p10_amount,
    simulation.p90_amount,
    simulation.loss_probability,
    simulation.cvar10_amount,
    simulation.cvar10_error_amount
from {{ ref('rpt_capital_allocation') }} as allocation
inner join {{ ref('rpt_simulation') }} as simulation
    on
        simulation.subject_type = 'initiative'
        and allocation.initiative_id = simulation.subject_id
order by simulation.loss_probability desc, allocation.initiative_id asc
