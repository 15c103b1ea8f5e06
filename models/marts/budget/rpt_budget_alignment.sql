-- One row per budget version, fiscal year, account type, cost center, objective, initiative and product.
with

budget_lines as (

    select * from {{ ref('fct_budget_lines') }}

),

accounts as (

    select * from {{ ref('chart_of_accounts') }}

),

objectives as (

    select * from {{ ref('strategic_objectives') }}

),

initiatives as (

    select * from {{ ref('dim_initiative') }}

),

fiscal_periods as (

    select * from {{ ref('int_fiscal_periods') }}

),

examined as (

    select
        budget_lines.budget_version,
        budget_lines.version_type,
        budget_lines.fiscal_year,
        budget_lines.cost_center_id,
        budget_lines.objective_id,
        budget_lines.initiative_id,
        budget_lines.product_id,
        accounts.account_type,
        coalesce(budget_lines.reporting_budget_amount, 0) as budget_amount,
        case
            when budget_lines.objective_id is null then 'orphan'
            when objectives.objective_id is null then 'unknown'
            when
                fiscal_periods.end_on < objectives.starts_on
                or fiscal_periods.start_on > objectives.ends_on
                then 'out_of_time'
            when initiatives.objective_id <> budget_lines.objective_id then 'contradicts_initiative'
            else 'linked'
        end as objective_status,
        case
            when budget_lines.initiative_id is null then 'run'
            when initiatives.initiative_id is null then 'unknown'
            when initiatives.status in ('rejected', 'abandoned') then 'stopped'
            when initiatives.status = 'proposed' then 'not_approved'
            else 'linked'
        end as roadmap_status,
        coalesce(cast(budget_lines.locked_at as date) < fiscal_periods.start_on, false) as is_locked_on_time,
        budget_lines.owner is not null as is_owned,
        coalesce(budget_lines.approved_by <> budget_lines.prepared_by, false) as is_approved_by_another
    from budget_lines
    inner join accounts on budget_lines.account_id = accounts.account_id
    inner join fiscal_periods
        on
            budget_lines.entity_id = fiscal_periods.entity_id
            and budget_lines.fiscal_period = fiscal_periods.fiscal_period
    left join objectives on budget_lines.objective_id = objectives.objective_id
    left join initiatives on budget_lines.initiative_id = initiatives.initiative_id
    where accounts.polarity <> 0

),

-- Negative lines (credits, capitalised cost) weigh as much as positive ones.
links as (

    select
        budget_version,
        max(version_type) as version_type,
        fiscal_year,
        account_type,
        cost_center_id,
        objective_id,
        initiative_id,
        product_id,
        case
            when bool_and(objective_status = 'linked') then 'linked'
            else min(case when objective_status <> 'linked' then objective_status end)
        end as objective_status,
        max(roadmap_status) as roadmap_status,
        count(*) as line_count,
        sum(budget_amount) as budget_amount,
        sum(abs(budget_amount)) as gross_amount,
        sum(case when objective_status = 'linked' then abs(budget_amount) else 0 end) as objective_linked_amount,
        sum(case when roadmap_status = 'linked' then abs(budget_amount) else 0 end) as roadmap_linked_amount,
        sum(
            case
                when objective_status <> 'linked' or roadmap_status in ('unknown', 'stopped') then abs(budget_amount)
                else 0
            end
        ) as orphan_amount,
        sum(case when is_locked_on_time then abs(budget_amount) else 0 end) as locked_on_time_amount,
        sum(case when is_owned then abs(budget_amount) else 0 end) as owned_amount,
        sum(case when is_approved_by_another then abs(budget_amount) else 0 end) as approved_amount
    from examined
    group by
        budget_version,
        fiscal_year,
        account_type,
        cost_center_id,
        objective_id,
        initiative_id,
        product_id

),

-- Rates of a whole version, recomputed from sums.
version_totals as (

    select
        budget_version,
        fiscal_year,
        account_type,
        cast(nullif(sum(gross_amount), 0) as double) as gross_amount,
        cast(sum(gross_amount - orphan_amount) as double) as aligned_amount
    from links
    group by budget_version, fiscal_year, account_type

),

final as (

    select
        links.budget_version,
        links.fiscal_year,
        links.account_type,
        links.cost_center_id,
        links.objective_id,
        links.initiative_id,
        links.product_id,
        links.version_type,
        objectives.objective_name,
        initiatives.initiative_name,
        initiatives.status as initiative_status,
        links.objective_status,
        links.roadmap_status,
        cast(links.line_count as integer) as line_count,
        cast(links.budget_amount as decimal(18, 2)) as budget_amount,
        cast(links.gross_amount as decimal(18, 2)) as gross_amount,
        cast(links.objective_linked_amount as decimal(18, 2)) as objective_linked_amount,
        cast(links.roadmap_linked_amount as decimal(18, 2)) as roadmap_linked_amount,
        cast(links.orphan_amount as decimal(18, 2)) as orphan_amount,
        cast(links.locked_on_time_amount as decimal(18, 2)) as locked_on_time_amount,
        cast(links.owned_amount as decimal(18, 2)) as owned_amount,
        cast(links.approved_amount as decimal(18, 2)) as approved_amount,
        cast(links.gross_amount as double) / version_totals.gross_amount as version_share,
        version_totals.aligned_amount / version_totals.gross_amount as version_alignment_rate,
        case when version_totals.gross_amount is null then 'no_budget' end as version_alignment_rate_reason
    from links
    inner join version_totals
        on
            links.budget_version = version_totals.budget_version
            and links.fiscal_year = version_totals.fiscal_year
            and links.account_type = version_totals.account_type
    left join objectives on links.objective_id = objectives.objective_id
    left join initiatives on links.initiative_id = initiatives.initiative_id

)

select * from final
