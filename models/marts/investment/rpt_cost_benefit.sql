-- One row per open decision and option, doing nothing among them.
with

initiatives as (

    select
        initiative_id,
        initiative_name,
        initiative_type,
        status,
        exclusive_group,
        is_mandatory
    from {{ ref('dim_initiative') }}

),

measures as (

    select
        flow_set_id,
        benefit_amount,
        cost_amount,
        valuation_npv_amount,
        roi_rate
    from {{ ref('int_return_measures_computed') }}

),

flows as (

    select
        flow_set_id,
        flow_on,
        benefit_amount,
        cost_amount
    from {{ ref('int_return_flows_pooled') }}

),

sets as (

    select
        flow_set_id,
        discount_rate,
        valuation_on
    from {{ ref('int_return_sets_defined') }}

),

cash_flows as (

    select
        initiative_id,
        version_role,
        time_released_amount
    from {{ ref('fct_initiative_cash_flows') }}

),

benefits as (

    select
        initiative_id,
        kpi_id,
        cashable_class
    from {{ ref('fct_benefits') }}

),

-- Alternatives are one decision; work begun is a decision to go on or stop, whatever was spent.
open_initiatives as (

    select
        initiative_id,
        initiative_name,
        initiative_type,
        status,
        is_mandatory,
        case
            when status in ('proposed', 'approved') and exclusive_group is not null then 'choose ' || exclusive_group
            when status in ('proposed', 'approved') then 'fund ' || initiative_id
            else 'continue ' || initiative_id
        end as decision_id
    from initiatives
    where status in ('proposed', 'approved', 'in_progress', 'live')

),

present_values as (

    select
        flows.flow_set_id,
        sum(
            cast(flows.benefit_amount as double)
            * power(
                1 + cast(sets.discount_rate as double),
                -{{ dbt.datediff('sets.valuation_on', 'flows.flow_on', 'day') }} / cast(365 as double)
            )
        ) as present_benefit,
        sum(
            cast(flows.cost_amount as double)
            * power(
                1 + cast(sets.discount_rate as double),
                -{{ dbt.datediff('sets.valuation_on', 'flows.flow_on', 'day') }} / cast(365 as double)
            )
        ) as present_cost
    from flows
    inner join sets
        on flows.flow_set_id = sets.flow_set_id
    where flows.flow_set_id like 'to_go|%'
    group by flows.flow_set_id

),

released_time as (

    select
        initiative_id,
        sum(time_released_amount) as time_released_amount
    from cash_flows
    where version_role = 'forecast'
    group by initiative_id

),

unpriced_effects as (

    select
        initiative_id,
        cast(array_sort(array_agg(distinct kpi_id) filter (where kpi_id is not null and cashable_class = 3)) as string)
            as unpriced_kpis
    from benefits
    group by initiative_id

),

funding_options as (

    select
        open_initiatives.decision_id,
        open_initiatives.initiative_id as option_id,
        open_initiatives.initiative_id,
        open_initiatives.initiative_name as option_name,
        open_initiatives.is_mandatory,
        coalesce(present_values.present_benefit, 0) as present_benefit,
        coalesce(present_values.present_cost, 0) as present_cost,
        measures.benefit_amount,
        measures.cost_amount,
        measures.valuation_npv_amount,
        case
            when released_time.time_released_amount > 0
                then 'time released: ' || coalesce(unpriced_effects.unpriced_kpis, '[]')
            when open_initiatives.is_mandatory then 'obligation met'
        end as unpriced_effects
    from open_initiatives
    left join measures
        on 'to_go|' || open_initiatives.initiative_id = measures.flow_set_id
    left join present_values
        on 'to_go|' || open_initiatives.initiative_id = present_values.flow_set_id
    left join released_time
        on open_initiatives.initiative_id = released_time.initiative_id
    left join unpriced_effects
        on open_initiatives.initiative_id = unpriced_effects.initiative_id

),

nothing_options as (

    select
        decision_id,
        'do_nothing' as option_id,
        case when decision_id like 'continue%' then 'Stop' else 'Do nothing' end as option_name,
        bool_or(is_mandatory) and decision_id not like 'continue%' as is_obliged
    from open_initiatives
    group by decision_id

),

options as (

    select
        decision_id,
        option_id,
        initiative_id,
        option_name,
        true as is_permitted,
        present_benefit,
        present_cost,
        coalesce(benefit_amount, 0) as benefit_amount,
        coalesce(cost_amount, 0) as cost_amount,
        coalesce(valuation_npv_amount, 0) as npv_amount,
        unpriced_effects
    from funding_options

    union all

    select
        decision_id,
        option_id,
        null as initiative_id,
        option_name,
        not is_obliged as is_permitted,
        0 as present_benefit,
        0 as present_cost,
        0 as benefit_amount,
        0 as cost_amount,
        0 as npv_amount,
        case when is_obliged then 'obligation not met' end as unpriced_effects
    from nothing_options

),

ranked as (

    select
        *,
        row_number() over (
            partition by decision_id
            order by
                case when is_permitted then 0 else 1 end asc,
                npv_amount desc,
                present_cost asc,
                option_id asc
        ) as option_rank
    from options

),

final as (

    select
        decision_id,
        option_id,
        initiative_id,
        option_name,
        is_permitted,
        option_rank = 1 as is_best,
        cast(option_rank as integer) as option_rank,
        cast(benefit_amount as decimal(18, 2)) as benefit_amount,
        cast(cost_amount as decimal(18, 2)) as cost_amount,
        {{ round_amount('present_benefit') }} as present_benefit_amount,
        {{ round_amount('present_cost') }} as present_cost_amount,
        cast(npv_amount as decimal(18, 2)) as npv_amount,
        case when present_cost > 0 then present_benefit / present_cost end as benefit_cost_ratio,
        case when present_cost > 0 then null else 'no_cost' end as benefit_cost_ratio_reason,
        unpriced_effects
    from ranked

)

select * from final
