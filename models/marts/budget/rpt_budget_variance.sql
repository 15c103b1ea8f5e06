-- One row per budget version, fiscal period, cost center, account and product.
with

lines as (

    select * from {{ ref('int_budget_variance_lines') }}

),

materiality_rules as (

    select * from {{ ref('materiality_rules') }}

),

explanations as (

    select * from {{ ref('stg_budget__variance_explanations') }}

),

authorities as (

    select * from {{ ref('int_budget_authorities') }}

),

year_versions as (

    select distinct
        fiscal_year,
        budget_version
    from lines

),

-- A version of balance-sheet lines alone is in no year of this mart.
governing as (

    select
        authorities.entity_id,
        authorities.fiscal_period,
        authorities.budget_version
    from authorities
    inner join year_versions
        on
            authorities.fiscal_year = year_versions.fiscal_year
            and authorities.budget_version = year_versions.budget_version

),

-- Where nothing authorises a year, say with forecasts alone, its first version stands for it.
first_versions as (

    select
        fiscal_year,
        min(budget_version) as budget_version
    from year_versions
    group by fiscal_year

),

cumulated as (

    select
        *,
        actual_amount - budget_amount as variance_amount,
        sum(actual_amount) over quarter_to_date as actual_qtd_amount,
        sum(budget_amount) over quarter_to_date as budget_qtd_amount,
        sum(actual_amount) over year_to_date as actual_ytd_amount,
        sum(budget_amount) over year_to_date as budget_ytd_amount,
        -- Part of a year is no year to date.
        case
            when count(prior_year_amount) over year_to_date = count(*) over year_to_date
                then sum(prior_year_amount) over year_to_date
        end as prior_year_ytd_amount,
        sum(budget_amount) over (
            partition by budget_version, entity_id, fiscal_year, cost_center_id, account_id, product_id
        ) as budget_full_year_amount
    from lines
    window
        quarter_to_date as (
            partition by
                budget_version, entity_id, fiscal_year, cost_center_id, account_id, product_id, fiscal_quarter
            order by period_number
        ),
        year_to_date as (
            partition by budget_version, entity_id, fiscal_year, cost_center_id, account_id, product_id
            order by period_number
        )

),

judged as (

    select
        cumulated.*,
        materiality_rules.sla_days,
        case
            when cumulated.variance_amount is null then null
            when
                abs(cumulated.variance_amount) >= materiality_rules.override_amount
                then 'override_amount'
            when
                abs(cumulated.variance_amount) >= materiality_rules.threshold_amount
                and abs(cumulated.variance_amount)
                >= materiality_rules.threshold_rate
                * greatest(abs(cumulated.budget_amount), materiality_rules.rate_floor_amount)
                then 'amount_and_rate'
            when sign(cumulated.actual_amount) * sign(cumulated.budget_amount) < 0 then 'sign_flip'
        end as materiality_reason
    from cumulated
    left join materiality_rules on cumulated.account_type = materiality_rules.account_type

),

explained as (

    select
        judged.*,
        judged.budget_version = coalesce(governing.budget_version, first_versions.budget_version) as is_in_force,
        explanations.explanation,
        explanations.action,
        explanations.action_owner,
        explanations.explained_at,
        explanations.action_due_on,
        explanations.action_done_on,
        -- A year without a budget has nothing to explain a variance from.
        case
            when
                judged.materiality_reason is not null
                and judged.version_type <> 'none'
                then cast(judged.closed_at + judged.sla_days * interval '1' day as date)
        end as explanation_due_on
    from judged
    inner join first_versions on judged.fiscal_year = first_versions.fiscal_year
    left join governing
        on
            judged.entity_id = governing.entity_id
            and judged.fiscal_period = governing.fiscal_period
    left join explanations
        on
            judged.fiscal_period = explanations.fiscal_period
            and judged.cost_center_id is not distinct from explanations.cost_center_id
            and judged.account_id = explanations.account_id
            and judged.product_id is not distinct from explanations.product_id

),

final as (

    select
        budget_version,
        fiscal_period,
        cost_center_id,
        account_id,
        product_id,
        entity_id,
        version_type,
        is_in_force,
        account_type,
        fiscal_year,
        fiscal_quarter,
        period_number,
        month_date,
        polarity,
        actual_amount,
        budget_amount,
        cast(variance_amount as decimal(18, 2)) as variance_amount,
        cast(variance_amount * polarity as decimal(18, 2)) as variance_favourable_amount,
        case
            when budget_amount > 0 and not coalesce(is_rate_missing, false)
                then cast(variance_amount as double) / cast(budget_amount as double)
        end as variance_rate,
        case
            when variance_amount is null then 'period_not_begun'
            when is_rate_missing then 'missing_rate'
            when budget_amount = 0 then 'no_budget'
            when budget_amount < 0 then 'negative_budget'
        end as variance_rate_reason,
        flex_budget_amount,
        committed_amount,
        prior_year_amount,
        prior_year_comparable_amount,
        cast(actual_qtd_amount as decimal(18, 2)) as actual_qtd_amount,
        cast(budget_qtd_amount as decimal(18, 2)) as budget_qtd_amount,
        cast(actual_ytd_amount as decimal(18, 2)) as actual_ytd_amount,
        cast(budget_ytd_amount as decimal(18, 2)) as budget_ytd_amount,
        cast(prior_year_ytd_amount as decimal(18, 2)) as prior_year_ytd_amount,
        cast(budget_full_year_amount as decimal(18, 2)) as budget_full_year_amount,
        has_begun,
        is_closed,
        materiality_reason is not null as is_material,
        materiality_reason,
        explanation,
        action,
        action_owner,
        explained_at,
        explanation_due_on,
        coalesce(
            explanation_due_on < coalesce(cast(explained_at as date), reporting_on), false
        ) as is_explanation_overdue,
        action_due_on,
        action_done_on,
        coalesce(action_due_on < coalesce(action_done_on, reporting_on), false) as is_action_overdue
    from explained

)

select * from final
