"""Budget: where actuals leave the plan, why, whether control holds, how the year will end."""

from warehouse.report import charts
from warehouse.report.figure import Figure, Page, Total


def budget_waterfall() -> Figure:
    return Figure(
        title="What took the result from budget to actual?",
        means="Budgeted result, then the variances of revenue and of each cost center, then the actual result. Blue helps, "
        "orange harms it; the arrow says the same. Closed periods, original plan. Much cost names no product: "
        "where only some products are seen it is missing. Revenue says what a product earns.",
        select="""
            -- Much cost names no product, so a product's lines make no result.
            with lines as (
                select variance.*, month_date as month, coalesce(cost_center, cost_center_id) as cost_center
                from rpt_budget_variance as variance
                join report_budgets using (fiscal_year, budget_version)
                left join report_cost_centers using (cost_center_id)
                where variance.is_closed
            ),

            steps as (
                select month, 'Budgeted result' as step, 1 as step_order,
                    sum(polarity * budget_amount) as amount
                from lines
                group by all
                union all
                select month,
                    case when account_type = 'revenue' then 'Revenue' else cost_center end as step,
                    case when account_type = 'revenue' then 2 else 3 end as step_order,
                    sum(variance_favourable_amount) as amount
                from lines
                group by all
                union all
                select month, 'Actual result' as step, 4 as step_order,
                    sum(polarity * actual_amount) as amount
                from lines
                group by all
            )

            select month, step, step_order, amount
            from steps
            where amount <> 0
            order by month, step_order, step""",
        labels={"step": "Step"},
        kinds={"amount": "money"},
        chart=charts.waterfall(("Budgeted result", "Actual result")),
    )


def variance_heat() -> Figure:
    return Figure(
        title="Which cost centers leave their budget, and when?",
        means="Expense variance by cost center and month; numbers in brackets and orange are overspent, blue is "
        "underspent. One orange cell is a month, an orange row is a habit.",
        select="""
            select product_id, coalesce(product, product_id) as product, month_date as month,
                coalesce(cost_center, cost_center_id, 'No cost center') as cost_center,
                sum(budget_amount) as budget_amount, sum(actual_amount) as actual_amount,
                sum(variance_favourable_amount) as variance_favourable_amount
            from rpt_budget_variance
            join report_budgets using (fiscal_year, budget_version)
            left join report_cost_centers using (cost_center_id)
            left join report_products using (product_id)
            where rpt_budget_variance.is_closed and account_type = 'expense'
            group by all
            order by month, cost_center, product""",
        labels={"variance_favourable_amount": "Variance"},
        chart=charts.heat(
            "month",
            "cost_center",
            "variance_favourable_amount",
            {
                "cost_center": "Cost center",
                "month": "Month",
                "variance_favourable_amount": "Variance, favourable positive",
            },
            diverging=True,
            step=30,
        ),
        totals=(
            Total("Budgeted expense", "budget_amount"),
            Total("Actual expense", "actual_amount"),
            Total("Variance", "variance_favourable_amount"),
        ),
    )


def variance_drivers() -> Figure:
    return Figure(
        title="Price, volume or efficiency: what made the difference?",
        means="Revenue and cost bridges, each summing exactly to its variance; positive helps profit. Calendar is "
        "the length of the months, budget difference what the ledger plans otherwise than the units, unitemised revenue "
        "without planned units. Labour is left out here, because it looks at part of the cost again.",
        select="""
            select product_id, coalesce(product, product_id) as product, month_date as month, bridge,
                upper(bridge[1]) || bridge[2:] || ': ' || replace(driver, '_', ' ') as driver, sum(variance_favourable_amount) as variance_favourable_amount
            from rpt_variance_drivers
            join report_budgets using (fiscal_year, budget_version)
            left join report_products using (product_id)
            where rpt_variance_drivers.is_closed and bridge in ('revenue', 'cost')
            group by all
            order by month, bridge, driver, product""",
        labels={"variance_favourable_amount": "Effect on profit"},
        chart=charts.ranked_bars(
            "driver",
            "variance_favourable_amount",
            {"driver": "Driver", "variance_favourable_amount": "Effect on profit"},
        ),
        totals=(Total("Effect on profit", "variance_favourable_amount"),),
        is_wide=False,
    )


def outlook() -> Figure:
    return Figure(
        title="How will the year end, and how far do the methods disagree?",
        means="The bar runs from the lowest to the highest estimate of expense any method makes, the square is the "
        "outlook, the one with the smallest error in earlier years line by line, the circle the budget.",
        select="""
            with latest as (
                select outlook.*, month_date as month,
                    dense_rank() over (order by month_date desc) as report_rank
                from rpt_budget_outlook as outlook
                where account_type = 'expense'
            ),

            lines as (
                select coalesce(cost_center, cost_center_id) as cost_center, product_id, account_id, initiative_id, month,
                    min(outlook_amount) as low_amount, max(outlook_amount) as high_amount,
                    max(outlook_amount) filter (where is_selected) as selected_amount,
                    max(budget_full_year_amount) filter (where is_selected) as budget_amount,
                    max(actual_ytd_amount) filter (where is_selected) as actual_ytd_amount,
                    max(outlook_favourable_amount) filter (where is_selected) as favourable_amount
                from latest
                left join report_cost_centers using (cost_center_id)
                where report_rank = 1
                group by all
            )

            select product_id, coalesce(product, product_id) as product, cost_center, month as reported_month,
                sum(actual_ytd_amount) as actual_ytd_amount, sum(budget_amount) as budget_amount,
                sum(low_amount) as low_amount, sum(selected_amount) as outlook_amount, sum(high_amount) as high_amount,
                sum(favourable_amount) as outlook_favourable_amount
            from lines
            left join report_products using (product_id)
            group by all
            order by cost_center, product""",
        labels={
            "low_amount": "Lowest",
            "high_amount": "Highest",
            "outlook_amount": "Outlook",
            "outlook_favourable_amount": "Against budget",
            "reported_month": "Reported",
        },
        kinds={"reported_month": "month"},
        chart=charts.summed_intervals(
            "cost_center",
            "low_amount",
            "outlook_amount",
            "high_amount",
            "budget_amount",
            {
                "cost_center": "Cost center",
                "low_amount": "Lowest",
                "outlook_amount": "Outlook",
                "high_amount": "Highest",
                "budget_amount": "Budget",
            },
        ),
        totals=(
            Total("Budget of the year", "budget_amount"),
            Total("Outlook", "outlook_amount"),
            Total("Against budget", "outlook_favourable_amount"),
        ),
        is_wide=False,
    )


def material_variances() -> Figure:
    return Figure(
        title="Which variances are material, and has anyone explained them?",
        means="Variances beyond the limits finance set, those without an explanation first, then the largest harm. Overdue "
        "means nobody explained them within the days allowed after the close.",
        select="""
            select product_id, coalesce(product, product_id) as product, month_date as month,
                coalesce(cost_center, cost_center_id) as cost_center,
                coalesce(account, account_id) as account, budget_amount, actual_amount, variance_favourable_amount,
                variance_rate, variance_rate_reason, explanation, action, action_owner, is_explanation_overdue,
                is_action_overdue
            from rpt_budget_variance
            join report_budgets using (fiscal_year, budget_version)
            left join report_cost_centers using (cost_center_id)
            left join report_accounts using (account_id)
            left join report_products using (product_id)
            where is_material
            order by explanation is not null, variance_favourable_amount""",
        labels={
            "variance_favourable_amount": "Variance",
            "variance_rate": "Above (below) budget",
            "is_explanation_overdue": "Explanation overdue",
            "is_action_overdue": "Action overdue",
        },
        empty="No material variance: nothing to explain.",
    )


def breaches() -> Figure:
    return Figure(
        title="Where was a budget limit broken?",
        means="Lines on which actuals and open orders exceed the budget of the year, in the last month of the period. "
        "Stop ignored means a hard stop should have prevented it.",
        select="""
            select month, coalesce(cost_center, cost_center_id) as cost_center, coalesce(account, account_id) as account,
                control_status, budget_amount, actual_ytd_amount, committed_amount, breach_amount,
                self_approval_count, over_authority_count, late_posting_count
            from rpt_budget_control
            join report_entity_periods using (entity_id, fiscal_period)
            left join report_cost_centers using (cost_center_id)
            left join report_accounts using (account_id)
            where is_breach
            order by month, breach_amount desc""",
        period="last",
        labels={
            "breach_amount": "Over",
            "self_approval_count": "Self-approved",
            "over_authority_count": "Over authority",
            "late_posting_count": "Posted late",
        },
        totals=(Total("Over budget", "breach_amount"),),
        empty="No limit was broken.",
    )


PAGE = Page(
    "budget",
    "Budget",
    "Where do actuals leave the budget, why, does control hold, and how will the year end?",
    (
        budget_waterfall,
        variance_heat,
        variance_drivers,
        outlook,
        material_variances,
        breaches,
    ),
)
