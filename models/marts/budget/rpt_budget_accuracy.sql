-- One row per fiscal year, plan, account type, owner and horizon.
with

variance_lines as (

    select *
    from {{ ref('rpt_budget_variance') }}
    where is_closed

),

budget_lines as (

    select * from {{ ref('fct_budget_lines') }}

),

outlooks as (

    select * from {{ ref('rpt_budget_outlook') }}

),

cost_centers as (

    select * from {{ ref('cost_centers') }}

),

authorities as (

    select * from {{ ref('int_budget_authorities') }}

),

versions as (

    select * from {{ ref('int_budget_versions') }}

),

fiscal_periods as (

    select * from {{ ref('int_fiscal_periods') }}

),

owners as (

    select
        budget_version,
        fiscal_year,
        cost_center_id,
        account_id,
        product_id,
        max(owner) as owner
    from budget_lines
    group by all

),

-- Periods between the day a version was known and the period it speaks of; 0 is hindsight.
version_horizons as (

    select
        versions.fiscal_year,
        versions.budget_version,
        versions.version_type,
        fiscal_periods.entity_id,
        fiscal_periods.fiscal_period,
        sum(
            case when fiscal_periods.start_on > cast(versions.known_at as date) then 1 else 0 end
        ) over (
            partition by versions.fiscal_year, versions.budget_version, fiscal_periods.entity_id
            order by fiscal_periods.period_number
        ) as horizon
    from versions
    inner join fiscal_periods on versions.fiscal_year = fiscal_periods.fiscal_year

),

version_points as (

    select
        variance_lines.fiscal_year,
        'version' as plan_type,
        variance_lines.budget_version as plan_id,
        variance_lines.account_type,
        coalesce(owners.owner, cost_centers.owner, 'nobody') as owner,
        cast(version_horizons.horizon as integer) as horizon,
        variance_lines.actual_amount,
        variance_lines.budget_amount as planned_amount,
        authorities.budget_version is not null and authorities.is_authorised as is_in_force,
        variance_lines.is_material
    from variance_lines
    inner join version_horizons
        on
            variance_lines.budget_version = version_horizons.budget_version
            and variance_lines.fiscal_year = version_horizons.fiscal_year
            and variance_lines.entity_id = version_horizons.entity_id
            and variance_lines.fiscal_period = version_horizons.fiscal_period
    left join authorities
        on
            variance_lines.entity_id = authorities.entity_id
            and variance_lines.fiscal_period = authorities.fiscal_period
            and variance_lines.budget_version = authorities.budget_version
    left join owners
        on
            variance_lines.budget_version = owners.budget_version
            and variance_lines.fiscal_year = owners.fiscal_year
            and variance_lines.cost_center_id is not distinct from owners.cost_center_id
            and variance_lines.account_id = owners.account_id
            and variance_lines.product_id is not distinct from owners.product_id
    left join cost_centers on variance_lines.cost_center_id = cost_centers.cost_center_id
    where
        variance_lines.actual_amount <> 0
        or variance_lines.budget_amount <> 0

),

plans as (

    select 'selected' as plan_id
    union all
    select 'straight_line' as plan_id

),

-- Year-end outlooks against what the year came to; the pace so far is the baseline they have to beat.
outlook_points as (

    select
        outlooks.fiscal_year,
        'outlook' as plan_type,
        plans.plan_id,
        outlooks.account_type,
        coalesce(cost_centers.owner, 'nobody') as owner,
        12 - outlooks.period_number as horizon,
        outlooks.final_amount as actual_amount,
        outlooks.outlook_amount as planned_amount,
        false as is_in_force,
        false as is_material
    from outlooks
    inner join plans
        on
            (plans.plan_id = 'selected' and outlooks.is_selected)
            or (plans.plan_id = 'straight_line' and outlooks.outlook_method = 'straight_line')
    left join cost_centers on outlooks.cost_center_id = cost_centers.cost_center_id
    where
        outlooks.final_amount is not null
        and outlooks.period_number < 12

),

points as (

    select * from version_points

    union all

    select * from outlook_points

),

totals as (

    select
        owners_or_all.number = 1 as is_owner_total,
        horizons_or_all.number = 1 as is_horizon_total
    from range(0, 2) as owners_or_all (number)
    cross join range(0, 2) as horizons_or_all (number)

),

-- Totals over owners and over horizons stand beside the parts, computed from the lines again.
levels as (

    select
        points.*,
        totals.is_owner_total,
        totals.is_horizon_total
    from points
    cross join totals
    -- Hindsight improves no total.
    where
        points.horizon > 0
        or not totals.is_horizon_total

),

summed as (

    select
        fiscal_year,
        plan_type,
        plan_id,
        account_type,
        case when is_owner_total then 'all' else owner end as owner,
        case when not is_horizon_total then horizon end as horizon,
        count(*) as line_count,
        sum(actual_amount) as actual_amount,
        sum(planned_amount) as planned_amount,
        sum(abs(actual_amount)) as absolute_actual_amount,
        sum(abs(actual_amount - planned_amount)) as absolute_error_amount,
        count_if(actual_amount <> 0) as mape_line_count,
        avg(
            case
                when actual_amount <> 0
                    then abs(cast(actual_amount - planned_amount as double) / cast(actual_amount as double))
            end
        ) as mape,
        sum(case when is_in_force then greatest(abs(planned_amount), abs(actual_amount)) end) as governed_amount,
        sum(
            case when is_in_force and not is_material then greatest(abs(planned_amount), abs(actual_amount)) else 0 end
        ) as adhering_amount
    from levels
    group by
        fiscal_year,
        plan_type,
        plan_id,
        account_type,
        case when is_owner_total then 'all' else owner end,
        case when not is_horizon_total then horizon end

),

final as (

    select
        fiscal_year,
        plan_type,
        plan_id,
        account_type,
        owner,
        horizon,
        cast(line_count as integer) as line_count,
        cast(actual_amount as decimal(18, 2)) as actual_amount,
        cast(planned_amount as decimal(18, 2)) as planned_amount,
        cast(absolute_error_amount as decimal(18, 2)) as absolute_error_amount,
        cast(absolute_actual_amount as decimal(18, 2)) as absolute_actual_amount,
        cast(absolute_error_amount as double) / nullif(cast(absolute_actual_amount as double), 0) as wape_rate,
        case when absolute_actual_amount = 0 then 'no_actuals' end as wape_rate_reason,
        1 - cast(absolute_error_amount as double) / nullif(cast(absolute_actual_amount as double), 0) as accuracy_rate,
        case when absolute_actual_amount = 0 then 'no_actuals' end as accuracy_rate_reason,
        case
            when actual_amount > 0
                then cast(planned_amount - actual_amount as double) / cast(actual_amount as double)
        end as bias_rate,
        case when actual_amount <= 0 then 'no_positive_actuals' end as bias_rate_reason,
        mape as mape_rate,
        case when mape is null then 'no_actuals' end as mape_rate_reason,
        cast(mape_line_count as integer) as mape_line_count,
        cast(adhering_amount as double) / nullif(cast(governed_amount as double), 0) as adherence_rate,
        case when coalesce(governed_amount, 0) = 0 then 'not_in_force' end as adherence_rate_reason
    from summed

)

select * from final
