-- One row per budget version, fiscal period, cost center or parent, and account or parent.
with

variance_lines as (

    select * from {{ ref('rpt_budget_variance') }}

),

hierarchies as (

    select * from {{ ref('int_hierarchies') }}

),

materiality_rules as (

    select * from {{ ref('materiality_rules') }}

),

cost_centers as (

    select * from {{ ref('dim_cost_center') }}

),

accounts as (

    select * from {{ ref('dim_account') }}

),

-- Products add up here; every line belongs to the company, also those without a cost center.
center_lines as (

    select
        budget_version,
        fiscal_period,
        cost_center_id,
        account_id,
        max(version_type) as version_type,
        max(account_type) as account_type,
        max(fiscal_year) as fiscal_year,
        max(polarity) as polarity,
        sum(actual_amount) as actual_amount,
        sum(budget_amount) as budget_amount,
        sum(flex_budget_amount) as flex_budget_amount,
        sum(committed_amount) as committed_amount,
        sum(prior_year_amount) as prior_year_amount,
        sum(actual_ytd_amount) as actual_ytd_amount,
        sum(budget_ytd_amount) as budget_ytd_amount,
        sum(budget_full_year_amount) as budget_full_year_amount,
        count_if(is_material) as material_line_count
    from variance_lines
    group by
        budget_version,
        fiscal_period,
        cost_center_id,
        account_id

),

centers as (

    select
        center_lines.*,
        hierarchies.ancestor_id as cost_center_node_id
    from center_lines
    inner join hierarchies
        on
            hierarchies.hierarchy = 'cost_center'
            and center_lines.cost_center_id = hierarchies.member_id

    union all

    select
        center_lines.*,
        'all' as cost_center_node_id
    from center_lines

),

summed as (

    select
        centers.budget_version,
        centers.fiscal_period,
        centers.cost_center_node_id,
        hierarchies.ancestor_id as account_node_id,
        max(centers.version_type) as version_type,
        max(centers.account_type) as account_type,
        max(centers.fiscal_year) as fiscal_year,
        max(centers.polarity) as polarity,
        sum(centers.actual_amount) as actual_amount,
        sum(centers.budget_amount) as budget_amount,
        sum(centers.flex_budget_amount) as flex_budget_amount,
        sum(centers.committed_amount) as committed_amount,
        sum(centers.prior_year_amount) as prior_year_amount,
        sum(centers.actual_ytd_amount) as actual_ytd_amount,
        sum(centers.budget_ytd_amount) as budget_ytd_amount,
        sum(centers.budget_full_year_amount) as budget_full_year_amount,
        sum(centers.material_line_count) as material_line_count
    from centers
    inner join hierarchies
        on
            hierarchies.hierarchy = 'account'
            and centers.account_id = hierarchies.member_id
    group by
        centers.budget_version,
        centers.fiscal_period,
        centers.cost_center_node_id,
        hierarchies.ancestor_id

),

final as (

    select
        summed.budget_version,
        summed.fiscal_period,
        summed.cost_center_node_id,
        summed.account_node_id,
        coalesce(cost_centers.cost_center_name, 'Company') as cost_center_node_name,
        accounts.account_name as account_node_name,
        summed.version_type,
        summed.account_type,
        summed.fiscal_year,
        cast(coalesce(cost_centers.depth + 1, 0) as integer) as cost_center_depth,
        accounts.depth as account_depth,
        cast(summed.actual_amount as decimal(18, 2)) as actual_amount,
        cast(summed.budget_amount as decimal(18, 2)) as budget_amount,
        cast(summed.flex_budget_amount as decimal(18, 2)) as flex_budget_amount,
        cast(summed.actual_amount - summed.budget_amount as decimal(18, 2)) as variance_amount,
        cast(
            (summed.actual_amount - summed.budget_amount) * summed.polarity as decimal(18, 2)
        ) as variance_favourable_amount,
        case
            when summed.budget_amount > 0
                then
                    cast(summed.actual_amount - summed.budget_amount as double) / cast(summed.budget_amount as double)
        end as variance_rate,
        case
            when summed.actual_amount is null then 'period_not_begun'
            when summed.budget_amount = 0 then 'no_budget'
            when summed.budget_amount < 0 then 'negative_budget'
        end as variance_rate_reason,
        cast(summed.committed_amount as decimal(18, 2)) as committed_amount,
        cast(summed.prior_year_amount as decimal(18, 2)) as prior_year_amount,
        cast(summed.actual_ytd_amount as decimal(18, 2)) as actual_ytd_amount,
        cast(summed.budget_ytd_amount as decimal(18, 2)) as budget_ytd_amount,
        cast(summed.budget_full_year_amount as decimal(18, 2)) as budget_full_year_amount,
        coalesce(
            abs(summed.actual_amount - summed.budget_amount) >= materiality_rules.override_amount
            or (
                abs(summed.actual_amount - summed.budget_amount) >= materiality_rules.threshold_amount
                and abs(summed.actual_amount - summed.budget_amount)
                >= materiality_rules.threshold_rate
                * greatest(abs(summed.budget_amount), materiality_rules.rate_floor_amount)
            ),
            false
        ) as is_material,
        cast(summed.material_line_count as integer) as material_line_count
    from summed
    inner join accounts on summed.account_node_id = accounts.account_id
    left join cost_centers on summed.cost_center_node_id = cost_centers.cost_center_id
    left join materiality_rules on summed.account_type = materiality_rules.account_type

)

select * from final
