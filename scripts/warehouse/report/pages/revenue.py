"""Revenue: recurring revenue and its movements, who stays, what each product leaves."""

from warehouse.report import charts
from warehouse.report.figure import Figure, Page, Total


def mrr_waterfall() -> Figure:
    return Figure(
        title="Where did recurring revenue come from, and where did it go?",
        means="Monthly recurring revenue at the rates of the latest month, so that only customers move it and months "
        "chain. A customer who changes product neither churns nor is new.",
        select="""
            select month_date as month, step, step_order, holds, amount
            from (
                select month_date,
                    unnest(['Opening', 'New', 'Expansion', 'Reactivation', 'Contraction', 'Churn', 'Closing']) as step,
                    unnest(range(1, 8)) as step_order,
                    unnest(['opening', 'flow', 'flow', 'flow', 'flow', 'flow', 'closing']) as holds,
                    unnest([opening_mrr_amount, new_amount, expansion_amount, reactivation_amount,
                        contraction_amount, churn_amount, closing_mrr_amount]) as amount
                from rpt_mrr_waterfall
                where not is_survivors_only
            )
            order by month, step_order""",
        kinds={"amount": "money"},
        chart=charts.waterfall(("Opening", "Closing")),
    )


def mrr_months() -> Figure:
    return Figure(
        title="How do the movements compare from month to month?",
        means="Each row is one month's bridge from opening to closing. Closing of a month is the opening of the next, at the "
        "exchange rates of the latest month; the scorecard has each month at its own.",
        select="""
            select month_date as month, opening_mrr_amount, new_amount, expansion_amount, reactivation_amount,
                contraction_amount, churn_amount, closing_mrr_amount, closing_customers
            from rpt_mrr_waterfall
            where not is_survivors_only
            order by month desc""",
        totals=(
            Total("Opening", "opening_mrr_amount", "first"),
            Total("New", "new_amount"),
            Total("Churn", "churn_amount"),
            Total("Closing", "closing_mrr_amount", "last"),
        ),
    )


def retention() -> Figure:
    return Figure(
        title="Do customers pay more or less than a year ago?",
        means="Of what customers paid twelve months before: net retention counts their expansion, gross does not. "
        "Above 100 % the base grows without new customers. New customers are in neither.",
        select="""
            select month_date as month, measure, rate
            from (
                select month_date,
                    unnest(['Net revenue retention', 'Gross revenue retention']) as measure,
                    unnest([nrr_rate, grr_rate]) as rate
                from rpt_retention
                where not is_survivors_only
            )
            order by month, measure""",
        unit="% of recurring revenue a year before",
        kinds={"rate": "rate"},
        chart=charts.lines(
            "month",
            "rate",
            "measure",
            {"measure": "Measure", "month": "Month", "rate": "Rate"},
            style="rate",
            zero=False,
        ),
        is_wide=False,
    )


def contribution_ladder() -> Figure:
    return Figure(
        title="What is left of revenue after each kind of cost?",
        means="Steps down to the product's own contribution hold its cost and what a driver led there; shared cost "
        "comes last. With what no product bears the end is the operating result of the ledger.",
        select="""
            select product_id, coalesce(product, product_id) as product, month_date as month, step, step_order, amount
            from (
                select product_id, month_date,
                    unnest(['Revenue', 'Cost to serve', 'Support', 'Acquisition', 'Engineering', 'Shared cost',
                        'Operating result']) as step,
                    unnest(range(1, 8)) as step_order,
                    unnest([revenue_amount, -cost_to_serve_amount, -support_amount, -acquisition_amount,
                        -engineering_amount, -shared_cost_amount, operating_result_amount]) as amount
                from rpt_product_contribution
                where is_closed
            )
            left join report_products using (product_id)
            order by month, product, step_order""",
        kinds={"amount": "money"},
        chart=charts.waterfall(("Revenue", "Operating result"), least=56),
        is_wide=False,
    )


def contribution_by_product() -> Figure:
    return Figure(
        title="Which products carry the company?",
        means="Contribution margins 1 to 3 and the product's contribution by product, in the last month of the period. "
        "Rates are shares of revenue. Borne by no product closes the sum to the ledger.",
        select="""
            select product_id, coalesce(products.product, contribution.product_name, product_id) as product, month_date as month,
                revenue_amount, cm1_amount, cm2_amount, cm3_amount, product_contribution_amount,
                product_contribution_rate, rate_reason, shared_cost_amount, operating_result_amount
            from rpt_product_contribution as contribution
            left join report_products as products using (product_id)
            where is_closed
            order by month, revenue_amount desc""",
        period="last",
        labels={"product_contribution_rate": "Of revenue"},
        totals=(
            Total("Revenue", "revenue_amount"),
            Total("Product contribution", "product_contribution_amount"),
            Total("Operating result", "operating_result_amount"),
        ),
    )


def cohorts() -> Figure:
    return Figure(
        title="How much do customers still pay, months after they came?",
        means="One row per month customers came in, one column per month since. 100 % is what they paid at first; "
        "blue is more, orange is less. Young cohorts are small: one customer moves them. Who came before any loss on "
        "record is left out, as of those only survivors are known.",
        select="""
            select scope_type, scope_id, month, months_since, cohort_customers, active_customers,
                net_revenue_retention_rate, customer_retention_rate
            from (
                select cohort_type as scope_type, cohort_value as scope_id, cohort_month as month, months_since,
                    cohort_customers, active_customers, net_revenue_retention_rate, customer_retention_rate
                from rpt_cohorts
                where cohort_type in ('company', 'product') and months_since <= 12 and not is_survivors_only
            )
            order by month, months_since""",
        unit="% of first month's recurring revenue",
        labels={
            "month": "Came in",
            "months_since": "Months since",
            "net_revenue_retention_rate": "Still paid",
            "customer_retention_rate": "Customers kept",
        },
        chart=charts.heat(
            "months_since",
            "month",
            "net_revenue_retention_rate",
            {
                "month": "Came in",
                "months_since": "Months since",
                "net_revenue_retention_rate": "Still paid",
            },
            style="rate",
            diverging=True,
            middle=1,
            step=24,
        ),
    )


def unit_economics() -> Figure:
    return Figure(
        title="What does a customer bring, cost to win and leave over a lifetime?",
        means="By segment, in the last month of the period, at the exchange rates of the latest; the scorecard has each month "
        "at its own. Lifetime value is capped where hardly anyone leaves: treat such values as a floor. Payback is months of new "
        "customers' gross margin until acquisition cost is back.",
        select="""
            select month_date as month, segment, closing_customers, arpa_amount, arpa_amount_reason,
                gross_margin_rate, gross_margin_rate_reason, monthly_churn_rate, monthly_churn_rate_reason,
                cac_amount, cac_amount_reason, cac_payback_months, cac_payback_months_reason,
                ltv_amount, ltv_amount_reason, ltv_cac_ratio, ltv_cac_ratio_reason, is_ltv_capped
            from rpt_unit_economics
            order by month, segment""",
        unit="{currency}; rates in %",
        period="last",
        labels={
            "closing_customers": "Customers",
            "arpa_amount": "ARPA, latest rates",
            "cac_payback_months": "CAC payback, months",
            "ltv_cac_ratio": "LTV to CAC",
            "is_ltv_capped": "LTV capped",
        },
    )


PAGE = Page(
    "revenue",
    "Revenue",
    "Where does recurring revenue come from, does it stay, and what is left of it?",
    (
        mrr_waterfall,
        retention,
        contribution_ladder,
        mrr_months,
        contribution_by_product,
        cohorts,
        unit_economics,
    ),
)
