-- One row per initiative and fiscal period from the first capitalised cost to the end of the asset's life.
with

development_costs as (

    select * from {{ ref('int_development_costs') }}

),

cost_entries as (

    select * from {{ ref('fct_cost_entries') }}

),

initiatives as (

    select * from {{ ref('dim_initiative') }}

),

decisions as (

    select * from {{ ref('capitalisation_decisions') }}

),

life_changes as (

    select * from {{ ref('useful_life_changes') }}

),

periods as (

    select * from {{ ref('dim_fiscal_period') }}
    where is_reporting_entity

),

reporting_date as (

    select * from {{ ref('int_reporting_date') }}

),

capitalised as (

    select
        initiative_id,
        fiscal_period,
        sum(capitalised_amount) as capitalised_amount
    from development_costs
    where capitalised_amount <> 0
    group by
        initiative_id,
        fiscal_period

),

-- What the ledger booked, to compare.
booked as (

    select
        initiative_id,
        reporting_fiscal_period as fiscal_period,
        sum(case when cost_class = 'capitalised' then -reporting_amount else 0 end) as ledger_capitalised_amount,
        sum(case when cost_class = 'amortisation' then reporting_amount else 0 end) as ledger_amortisation_amount
    from cost_entries
    where
        not is_cash_cost
        and initiative_id is not null
    group by
        initiative_id,
        reporting_fiscal_period

),

abandonments as (

    select
        initiative_id,
        max(valid_from) as stopped_on
    from decisions
    where not is_capitalisable
    group by initiative_id

),

asset_costs as (

    select
        initiative_id,
        sum(capitalised_amount) as asset_amount
    from capitalised
    group by initiative_id

),

initiatives_with_books as (

    select initiative_id
    from asset_costs

    union

    select initiative_id
    from booked

),

assets as (

    select
        initiatives_with_books.initiative_id,
        initiatives.status,
        initiatives.ready_for_use_on,
        initiatives.useful_life_months,
        coalesce(asset_costs.asset_amount, 0) as asset_amount,
        initiatives.status = 'abandoned' as is_abandoned,
        case when initiatives.status = 'abandoned' then abandonments.stopped_on end as stopped_on
    from initiatives_with_books
    left join initiatives on initiatives_with_books.initiative_id = initiatives.initiative_id
    left join asset_costs on initiatives_with_books.initiative_id = asset_costs.initiative_id
    left join abandonments on initiatives_with_books.initiative_id = abandonments.initiative_id

),

-- A life, and each change of it, makes one span of straight-line days; a change takes what is left. Where the new
-- life is over already, all of it is charged on the day of the change.
lives as (

    select
        initiative_id,
        ready_for_use_on as span_start_on,
        useful_life_months
    from assets
    where
        ready_for_use_on is not null
        and useful_life_months > 0

    union all

    select
        life_changes.initiative_id,
        life_changes.effective_on as span_start_on,
        life_changes.useful_life_months
    from life_changes
    inner join assets
        on
            life_changes.initiative_id = assets.initiative_id
            and life_changes.effective_on > assets.ready_for_use_on

),

spans as (

    select
        lives.initiative_id,
        lives.span_start_on,
        assets.asset_amount,
        greatest(
            cast({{ dbt.dateadd("month", "lives.useful_life_months", "assets.ready_for_use_on") }} as date),
            cast(lives.span_start_on + interval '1' day as date)
        ) as life_end_on,
        lead(lives.span_start_on) over (
            partition by lives.initiative_id
            order by lives.span_start_on
        ) as next_start_on
    from lives
    inner join assets on lives.initiative_id = assets.initiative_id

),

measured_spans as (

    select
        *,
        {{ dbt.datediff("span_start_on", "life_end_on", "day") }} as life_days,
        {{ dbt.datediff("span_start_on", "least(coalesce(next_start_on, life_end_on), life_end_on)", "day") }}
            as span_days
    from spans

),

-- Part of the asset left at the start of a span: the product of what each span before left over.
carried_spans as (

    select
        *,
        coalesce(
            exp(sum(
                case
                    when span_days < life_days
                        then ln(1 - cast(span_days as double) / cast(life_days as double))
                    else -1000
                end
            ) over (
                partition by initiative_id
                order by span_start_on
                rows between unbounded preceding and 1 preceding
            )),
            1
        ) as carried_share
    from measured_spans

),

schedule_periods as (

    select
        assets.initiative_id,
        assets.is_abandoned,
        assets.stopped_on,
        assets.ready_for_use_on,
        assets.asset_amount,
        periods.fiscal_period,
        periods.start_on,
        periods.end_on
    from assets
    cross join periods

),

-- Charged to the end of the period and to the end of the one before; the charge is the difference of the rounded two.
span_charges as (

    select
        schedule_periods.initiative_id,
        schedule_periods.fiscal_period,
        sum(
            cast(carried_spans.asset_amount as double) * carried_spans.carried_share
            * greatest(0, least(
                carried_spans.span_days,
                {{ dbt.datediff(
                    "carried_spans.span_start_on",
                    "least(schedule_periods.end_on, coalesce(cast(schedule_periods.stopped_on - interval '1' day as date), schedule_periods.end_on))",
                    "day",
                ) }} + 1
            ))
            / nullif(carried_spans.life_days, 0)
        ) as charged_to_end,
        sum(
            cast(carried_spans.asset_amount as double) * carried_spans.carried_share
            * greatest(0, least(
                carried_spans.span_days,
                {{ dbt.datediff(
                    "carried_spans.span_start_on",
                    "least(schedule_periods.start_on, coalesce(schedule_periods.stopped_on, schedule_periods.start_on))",
                    "day",
                ) }}
            ))
            / nullif(carried_spans.life_days, 0)
        ) as charged_before
    from schedule_periods
    inner join carried_spans on schedule_periods.initiative_id = carried_spans.initiative_id
    group by
        schedule_periods.initiative_id,
        schedule_periods.fiscal_period

),

charges as (

    select
        initiative_id,
        fiscal_period,
        cast(round(cast(charged_to_end as decimal(28, 6)), 2) as decimal(18, 2)) as amortised_to_end,
        cast(round(cast(charged_before as decimal(28, 6)), 2) as decimal(18, 2)) as amortised_before
    from span_charges

),

scheduled as (

    select
        schedule_periods.initiative_id,
        schedule_periods.fiscal_period,
        schedule_periods.start_on,
        -- Without a dated decision, all that is known is that it is abandoned by now.
        schedule_periods.is_abandoned
        and coalesce(schedule_periods.stopped_on, reporting_date.reporting_on) <= schedule_periods.end_on
            as is_abandoned,
        schedule_periods.ready_for_use_on,
        schedule_periods.end_on,
        coalesce(capitalised.capitalised_amount, 0) as capitalised_amount,
        coalesce(sum(capitalised.capitalised_amount) over (
            partition by schedule_periods.initiative_id
            order by schedule_periods.start_on
            rows between unbounded preceding and current row
        ), 0) as cumulative_capitalised_amount,
        coalesce(charges.amortised_to_end, 0) as cumulative_amortisation_amount,
        coalesce(charges.amortised_to_end, 0) - coalesce(charges.amortised_before, 0) as amortisation_amount,
        coalesce(booked.ledger_capitalised_amount, 0) as ledger_capitalised_amount,
        coalesce(booked.ledger_amortisation_amount, 0) as ledger_amortisation_amount,
        schedule_periods.start_on > reporting_date.reporting_on as is_forecast
    from schedule_periods
    cross join reporting_date
    left join capitalised
        on
            schedule_periods.initiative_id = capitalised.initiative_id
            and schedule_periods.fiscal_period = capitalised.fiscal_period
    left join charges
        on
            schedule_periods.initiative_id = charges.initiative_id
            and schedule_periods.fiscal_period = charges.fiscal_period
    left join booked
        on
            schedule_periods.initiative_id = booked.initiative_id
            and schedule_periods.fiscal_period = booked.fiscal_period

),

final as (

    select
        initiative_id,
        fiscal_period,
        case
            when is_abandoned then 'impairment_review'
            when coalesce(ready_for_use_on > end_on, true) then 'in_development'
            when cumulative_amortisation_amount < cumulative_capitalised_amount then 'amortising'
            else 'fully_amortised'
        end as asset_state,
        is_forecast,
        is_abandoned
        and cumulative_capitalised_amount > cumulative_amortisation_amount as is_impairment_flagged,
        cast(
            cumulative_capitalised_amount - capitalised_amount - cumulative_amortisation_amount + amortisation_amount
            as decimal(18, 2)
        ) as opening_carrying_amount,
        cast(capitalised_amount as decimal(18, 2)) as capitalised_amount,
        cast(amortisation_amount as decimal(18, 2)) as amortisation_amount,
        cast(cumulative_capitalised_amount - cumulative_amortisation_amount as decimal(18, 2))
            as closing_carrying_amount,
        cast(cumulative_capitalised_amount as decimal(18, 2)) as cumulative_capitalised_amount,
        cast(cumulative_amortisation_amount as decimal(18, 2)) as cumulative_amortisation_amount,
        cast(ledger_capitalised_amount as decimal(18, 2)) as ledger_capitalised_amount,
        cast(ledger_amortisation_amount as decimal(18, 2)) as ledger_amortisation_amount,
        cast('{{ var("reporting_currency") }}' as {{ dbt.type_string() }}) as currency
    from scheduled
    where
        ledger_capitalised_amount <> 0
        or ledger_amortisation_amount <> 0
        or amortisation_amount <> 0
        or (
            not is_forecast
            and (
                capitalised_amount <> 0
                or cumulative_capitalised_amount > cumulative_amortisation_amount
            )
        )

)

select * from final
