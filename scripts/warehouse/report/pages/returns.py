"""Returns: what was promised, what came, what it is worth, and what to fund next."""

from warehouse.report import charts
from warehouse.report.figure import Figure, Page, Total


def initiatives() -> Figure:
    return Figure(
        title="What was each initiative meant to return, and what does it return?",
        means="Whatever was approved. Ex ante is the first locked business case, which never changes; ex post is realised "
        "plus outlook. A realised return of work in progress is no loss yet: read the forecast. Where run cost is not "
        "measured, value and return are too high by what running it has cost so far.",
        select="""
            select returns.initiative_id, initiatives.product_id, initiative, status,
                max(cost_amount) filter (where version_role = 'baseline') as promised_cost_amount,
                max(cost_amount) filter (where version_role = 'forecast') as expected_cost_amount,
                max(npv_amount) filter (where version_role = 'baseline') as promised_npv_amount,
                max(npv_amount) filter (where version_role = 'forecast') as expected_npv_amount,
                max(roi_rate) filter (where version_role = 'baseline') as promised_roi_rate,
                max(roi_rate) filter (where version_role = 'forecast') as expected_roi_rate,
                max(roi_rate) filter (where version_role = 'realised') as realised_roi_rate,
                max(irr_annual_rate) filter (where version_role = 'forecast') as expected_irr_rate,
                max(irr_status) filter (where version_role = 'forecast' and irr_annual_rate is null) as expected_irr_rate_reason,
                max(payback_months) filter (where version_role = 'forecast') as expected_payback_months,
                max(payback_months_reason) filter (where version_role = 'forecast') as expected_payback_months_reason,
                replace(max(run_cost_status) filter (where version_role = 'forecast'), '_', ' ') as run_cost_status
            from rpt_initiative_returns as returns
            left join report_initiatives as initiatives using (initiative_id)
            where status is distinct from 'proposed'
            group by all
            order by expected_npv_amount desc nulls last""",
        unit="{currency}; rates in %",
        labels={
            "promised_cost_amount": "Cost, ex ante",
            "expected_cost_amount": "Cost, ex post",
            "promised_npv_amount": "NPV, ex ante",
            "expected_npv_amount": "NPV, ex post",
            "promised_roi_rate": "ROI, ex ante",
            "expected_roi_rate": "ROI, ex post",
            "realised_roi_rate": "ROI to date",
            "expected_irr_rate": "IRR a year",
            "expected_payback_months": "Payback, months",
            "run_cost_status": "Run cost",
        },
        totals=(
            Total("Cost, ex ante", "promised_cost_amount"),
            Total("Cost, ex post", "expected_cost_amount"),
            Total("NPV, ex ante", "promised_npv_amount"),
            Total("NPV, ex post", "expected_npv_amount"),
        ),
    )


def npv_bridge() -> Figure:
    return Figure(
        title="What moved net present value from promise to forecast?",
        means="Every approved case, added up, exact to the cent. Run cost not measured is that of initiatives in use without "
        "any in the ledger: no saving. Timing is delay, volume is benefit that never came, value is what the rest is worth "
        "against its promise. The last step goes to today's discount rate.",
        select="""
            select initiative_id, product_id, initiative_name as initiative, step, step_order, amount
            from (
                select initiative_id, product_id, initiative_name,
                    unnest(['Promised', 'Build cost', 'Run cost', 'Run cost not measured', 'Timing', 'Benefit volume',
                        'Benefit value', 'Discount rate', 'Forecast']) as step,
                    unnest(range(1, 10)) as step_order,
                    unnest([approved_npv_amount, build_cost_effect_amount,
                        case when run_cost_status <> 'not_measured' then run_cost_effect_amount else 0 end,
                        case when run_cost_status = 'not_measured' then run_cost_effect_amount else 0 end,
                        timing_effect_amount, benefit_volume_effect_amount, benefit_value_effect_amount,
                        discount_rate_effect_amount, forecast_npv_amount]) as amount
                from rpt_benefit_realisation
            )
            order by initiative_id, step_order""",
        kinds={"amount": "money"},
        chart=charts.waterfall(("Promised", "Forecast")),
    )


def payback() -> Figure:
    return Figure(
        title="When is the money back?",
        means="Net cash flows of what was approved, added up since the first one: the money is back where a line crosses "
        "zero for good. Choose an initiative above to see its own curve.",
        select="""
            select flows.initiative_id, initiatives.product_id, initiative, month_date as flow_month, version_role as version,
                sum(net_amount) as net_amount
            from fct_initiative_cash_flows as flows
            left join report_initiatives as initiatives using (initiative_id)
            where version_role in ('baseline', 'forecast', 'realised') and status is distinct from 'proposed'
            group by all
            order by flow_month, version""",
        labels={"flow_month": "Month"},
        kinds={"flow_month": "month"},
        chart=charts.running_lines(
            "flow_month",
            "net_amount",
            "version",
            {"version": "Version", "flow_month": "Month", "running": "Net cash so far"},
        ),
    )


def portfolio() -> Figure:
    return Figure(
        title="Is the money where the value is?",
        means="Right is more money, up is more value, size is the benefit realised so far. Below the line value is "
        "destroyed at the initiative's own discount rate.",
        select="""
            select returns.initiative_id, initiatives.product_id, initiative, initiative_type as type, status,
                max(cost_amount) filter (where version_role = 'forecast') as cost_amount,
                max(npv_amount) filter (where version_role = 'forecast') as npv_amount,
                coalesce(max(benefit_amount) filter (where version_role = 'realised'), 0) as realised_benefit_amount
            from rpt_initiative_returns as returns
            left join report_initiatives as initiatives using (initiative_id)
            group by all
            order by cost_amount desc nulls last""",
        chart=charts.bubbles(
            "cost_amount",
            "npv_amount",
            "realised_benefit_amount",
            "type",
            {
                "initiative": "Initiative",
                "type": "Type",
                "status": "Status",
                "cost_amount": "Cost, forecast",
                "npv_amount": "NPV, forecast",
                "realised_benefit_amount": "Benefit so far",
            },
        ),
        labels={
            "cost_amount": "Cost, forecast",
            "npv_amount": "NPV, forecast",
            "realised_benefit_amount": "Benefit so far",
        },
        is_wide=False,
    )


def realisation() -> Figure:
    return Figure(
        title="Did the promised benefits come, and has anyone looked?",
        means="Benefits due by now against those finance confirmed, in money; time released stands beside it and is no cash. "
        "Below 100 % is expected where the best-looking cases were chosen; an overdue review means nobody can say why.",
        select="""
            select initiative_id, product_id, initiative_name as initiative, owner, planned_benefit_to_date_amount,
                realised_benefit_amount, time_released_amount, realisation_rate, realisation_rate_reason, cost_overrun_rate,
                cost_overrun_rate_reason, forecast_cost_overrun_rate, forecast_cost_overrun_rate_reason, slip_days,
                slip_days_reason, review_state, review_due_on
            from rpt_benefit_realisation
            order by realisation_rate nulls last""",
        labels={
            "planned_benefit_to_date_amount": "Due by now",
            "realised_benefit_amount": "Confirmed, cash",
            "time_released_amount": "Time released",
            "realisation_rate": "Realised",
            "cost_overrun_rate": "Cost overrun",
            "forecast_cost_overrun_rate": "Cost overrun, expected",
            "slip_days": "Days late",
        },
        totals=(
            Total("Due by now", "planned_benefit_to_date_amount"),
            Total("Confirmed, cash", "realised_benefit_amount"),
            Total("Time released", "time_released_amount"),
        ),
    )


def frontier() -> Figure:
    return Figure(
        title="How much more value would more money buy?",
        means="For each budget the best selection under skills, dependencies and obligations. A flat step means the "
        "extra money buys nothing; levels on which even obligations do not fit have no point.",
        select="""
            select budget_amount, npv_amount, cost_amount, initiative_count, initiative_ids, marginal_npv_ratio,
                marginal_npv_ratio_reason, solution_status,
                case when is_current_budget then 'Budget in force' else 'Other budgets' end as budget
            from rpt_efficient_frontier
            where npv_amount is not null
            order by budget_amount""",
        labels={
            "initiative_ids": "Initiatives",
            "initiative_count": "Count",
            "npv_amount": "Value bought",
            "marginal_npv_ratio": "Value per extra unit",
        },
        chart=charts.frontier(
            {
                "budget": "Level",
                "budget_amount": "Budget",
                "npv_amount": "NPV bought",
                "cost_amount": "Cost",
                "initiative_ids": "Initiatives",
            }
        ),
        is_wide=False,
    )


def funding() -> Figure:
    return Figure(
        title="What should be funded next?",
        means="The selection worth most that keeps every limit. Expected NPV is the case as its reference class says it "
        "turns out; the promise stands beside it. Obligations are funded whatever they are worth.",
        select="""
            select allocation.initiative_id, initiatives.product_id, coalesce(initiative, initiative_id) as initiative,
                is_selected, decision_reason as decision, cost_amount, npv_amount, case_npv_amount, npv_per_cost_ratio,
                npv_per_cost_ratio_reason, index_rank
            from rpt_capital_allocation as allocation
            left join report_initiatives as initiatives using (initiative_id)
            order by is_selected desc, npv_amount desc""",
        labels={
            "is_selected": "Fund",
            "npv_amount": "NPV, expected",
            "case_npv_amount": "NPV, promised",
            "npv_per_cost_ratio": "NPV per cost",
            "index_rank": "Rank by index",
        },
    )


def product_returns() -> Figure:
    return Figure(
        title="What does each product return on what it costs?",
        means="Twelve months to the last month of the period. The headline carries shared cost; direct return shows what "
        "allocation does to it, the profit-and-loss return what capitalisation does.",
        select="""
            select product_id, coalesce(product, product_id) as product, month_date as month, ttm_revenue_amount,
                ttm_direct_cost_amount, ttm_allocated_cost_amount, ttm_return_amount, ttm_direct_roi_rate,
                ttm_direct_roi_rate_reason, ttm_roi_rate, ttm_roi_rate_reason, ttm_pnl_roi_rate, ttm_pnl_roi_rate_reason
            from rpt_product_roi
            left join report_products using (product_id)
            where is_closed
            order by month, ttm_return_amount desc""",
        unit="{currency} over twelve months; rates in %",
        period="last",
        labels={
            "ttm_revenue_amount": "Revenue",
            "ttm_direct_cost_amount": "Direct cost",
            "ttm_allocated_cost_amount": "Shared cost",
            "ttm_return_amount": "Return",
            "ttm_direct_roi_rate": "Direct ROI",
            "ttm_roi_rate": "ROI",
            "ttm_pnl_roi_rate": "P&L ROI",
        },
        totals=(Total("Revenue", "ttm_revenue_amount"), Total("Return", "ttm_return_amount")),
    )


def product_roi_trend() -> Figure:
    return Figure(
        title="Are products returning more or less?",
        means="Headline return on investment over the twelve months to each month, shared cost included. Below zero a "
        "product does not earn its full cost.",
        select="""
            select product_id, coalesce(product, product_id) as product, month_date as month, ttm_roi_rate, ttm_return_amount
            from rpt_product_roi
            left join report_products using (product_id)
            where is_closed and ttm_roi_rate is not null and product_id <> 'unallocated'
            order by month, product""",
        unit="% of cost over twelve months",
        labels={"ttm_roi_rate": "ROI", "ttm_return_amount": "Return"},
        chart=charts.lines(
            "month",
            "ttm_roi_rate",
            "product",
            {
                "product": "Product",
                "month": "To",
                "ttm_roi_rate": "ROI",
                "ttm_return_amount": "Return",
            },
            style="rate",
        ),
    )


PAGE = Page(
    "returns",
    "Returns",
    "What were products and initiatives meant to return, what do they return, and what should be funded next?",
    (
        product_returns,
        product_roi_trend,
        initiatives,
        npv_bridge,
        payback,
        portfolio,
        frontier,
        funding,
        realisation,
    ),
)
