"""Cost: what products and their output cost, who bears what is shared, where money leaks."""

from warehouse.report import charts
from warehouse.report.figure import Figure, Page, Total


def cost_by_product() -> Figure:
    return Figure(
        title="Which products cost most, and for what?",
        means="Cost in profit and loss, direct and allocated. Borne by no product is what no driver leads to a "
        "product; with it the bars make the ledger. Negative parts are credits.",
        select="""
            select product_id, coalesce(product, product_id) as product, month, cost_class,
                sum(pnl_amount) as cost_amount
            from rpt_product_cost
            left join report_products using (product_id)
            join report_periods using (fiscal_period)
            where rpt_product_cost.is_closed
            group by all
            having cost_amount <> 0
            order by month, product, cost_class""",
        chart=charts.ranked_bars(
            "product",
            "cost_amount",
            {"product": "Product", "cost_class": "Kind of cost", "cost_amount": "Cost"},
            color="cost_class",
            step=30,
        ),
        totals=(Total("Cost in profit and loss", "cost_amount"),),
        is_wide=False,
    )


def cost_over_time() -> Figure:
    return Figure(
        title="Is cost growing, and in which class?",
        means="Closed periods, profit-and-loss view: software is spread over its life, cloud commitments over their "
        "use. A jump in one class is a question for its owner before it is a trend.",
        select="""
            select product_id, coalesce(product, product_id) as product, month, cost_class,
                sum(direct_amount) as direct_amount, sum(allocated_amount) as allocated_amount,
                sum(unallocated_amount) as unallocated_amount, sum(pnl_amount) as cost_amount
            from rpt_product_cost
            left join report_products using (product_id)
            join report_periods using (fiscal_period)
            where rpt_product_cost.is_closed
            group by all
            having cost_amount <> 0
            order by month, product, cost_class""",
        chart=charts.stacked_bars(
            "month",
            "cost_amount",
            "cost_class",
            {"month": "Month", "cost_class": "Kind of cost", "cost_amount": "Cost"},
        ),
        labels={"unallocated_amount": "Borne by none"},
        is_wide=False,
    )


def cost_allocation() -> Figure:
    return Figure(
        title="Who bears which shared cost?",
        means="Each column is a pool of shared cost, each row who it is led to by the method in force. Every pool is "
        "handed out to the penny; what has no driver stays with nobody. Read down before blaming a product for "
        "its overhead.",
        select="""
            select case when target_type = 'product' then target_id else 'unallocated' end as product_id,
                coalesce(product, target_id) as product, month, pool_id as pool, allocation_method,
                sum(allocated_amount) as allocated_amount
            from fct_cost_allocations
            left join report_products on product_id = target_id
            join report_periods using (fiscal_period)
            where is_in_force and is_closed
            group by all
            having allocated_amount <> 0
            order by month, pool, product""",
        chart=charts.heat(
            "pool",
            "product",
            "allocated_amount",
            {"pool": "Pool", "product": "Borne by", "allocated_amount": "Allocated"},
            step=30,
        ),
        totals=(Total("Allocated", "allocated_amount"),),
    )


def unit_cost() -> Figure:
    return Figure(
        title="What does serving one customer cost, and is it falling?",
        means="All cost of a product, shared cost included, by customers with a live subscription at the end of the "
        "month. It is an average: what growth costs is the marginal cost in the rows, empty where nothing grew.",
        select="""
            select product_id, coalesce(product, product_id) as product, month, unit_cost, unit_cost_reason,
                unit_cost_to_serve, marginal_cost_to_serve, marginal_cost_to_serve_reason,
                quantity, cost_amount
            from rpt_unit_costs
            left join report_products using (product_id)
            join report_periods using (fiscal_period)
            where unit_type = 'customer' and rpt_unit_costs.is_closed
            order by month, product""",
        unit="{currency} per customer and month",
        labels={
            "unit_cost": "Per customer",
            "unit_cost_to_serve": "To serve one",
            "marginal_cost_to_serve": "One more to serve",
            "quantity": "Customers",
        },
        kinds={"quantity": "count"},
        chart=charts.lines(
            "month",
            "unit_cost",
            "product",
            {
                "product": "Product",
                "month": "Month",
                "unit_cost": "Per customer",
                "quantity": "Customers",
            },
        ),
    )


def unit_cost_now() -> Figure:
    return Figure(
        title="What does one more unit of output cost each product?",
        means="Unit cost is total cost by output; cost to serve is the part that hangs on use. Revenue is one unit of "
        "currency earned: above 1 a product costs more than it earns.",
        select="""
            select product_id, coalesce(product, product_id) as product, month, unit_type, quantity, unit_cost,
                unit_cost_reason, unit_cost_to_serve, marginal_cost_to_serve, marginal_cost_to_serve_reason
            from rpt_unit_costs
            left join report_products using (product_id)
            join report_periods using (fiscal_period)
            where rpt_unit_costs.is_closed
            order by product, unit_type""",
        unit="{currency} per unit",
        period="last",
        kinds={"quantity": "count"},
        labels={"unit_type": "Unit", "marginal_cost_to_serve": "One more to serve"},
    )


def cloud_savings() -> Figure:
    return Figure(
        title="How much do negotiated prices and commitments save on the cloud?",
        means="Usage at list prices, at contracted prices, and what it costs with commitments, their unused part "
        "included. The savings rate over contracted prices is the headline; waste is the unused part of what "
        "was committed.",
        select="""
            select scope_type, scope_id, month_date as month, list_amount, contracted_amount,
                usage_effective_amount, savings_rate_contracted, savings_rate_list, commitment_utilisation_rate,
                commitment_waste_rate, commitment_coverage_rate, allocation_coverage_rate
            from rpt_cloud_efficiency
            where scope_type in ('company', 'product')
            order by month""",
        labels={
            "list_amount": "At list prices",
            "contracted_amount": "At contracted prices",
            "usage_effective_amount": "Effective cost",
            "savings_rate_contracted": "Saved, contracted",
            "savings_rate_list": "Saved, list",
        },
        kinds={"savings_rate_contracted": "rate", "savings_rate_list": "rate"},
        chart=charts.measures(
            "month",
            {
                "list_amount": "At list prices",
                "contracted_amount": "At contracted prices",
                "usage_effective_amount": "Effective cost",
            },
        ),
        totals=(
            Total("At list prices", "list_amount"),
            Total("At contracted prices", "contracted_amount"),
            Total("Effective cost", "usage_effective_amount"),
        ),
    )


def cost_anomalies() -> Figure:
    return Figure(
        title="Where did cloud spending suddenly change?",
        means="Days far outside their own weekday pattern, by score and by money. Late billing explains the suppressed "
        "ones. An anomaly is a question, not yet a loss.",
        select="""
            select product_id, coalesce(product, product_id) as product,
                cast(date_trunc('month', charge_date) as date) as month, charge_date, service_name as service,
                sub_account_id as sub_account, direction, anomaly_status, expected_amount, actual_amount,
                excess_amount
            from rpt_cost_anomalies
            left join report_products using (product_id)
            order by charge_date desc, excess_amount desc""",
        labels={"charge_date": "Day"},
        totals=(Total("Beyond expectation", "excess_amount"),),
        empty="Nothing out of line: that is good news.",
    )


def opportunities() -> Figure:
    return Figure(
        title="Where is money to be saved, won or kept?",
        means="Observed amounts at stake in the window named, ranked. They are not savings yet, and two rules may look "
        "at the same money: do not add them up.",
        select="""
            select case when scope_type = 'product' then opportunities.scope_id end as product_id, amount_rank as rank, rule_name as opportunity,
                coalesce(product, cost_center, opportunities.scope_id) as concerns, observed_amount as at_stake_amount, action, owner, evidence
            from rpt_optimisation_opportunities as opportunities
            left join report_products on scope_type = 'product' and opportunities.scope_id = report_products.product_id
            left join report_cost_centers on scope_type = 'cost_center' and opportunities.scope_id = cost_center_id
            order by amount_rank""",
        labels={"rank": "Rank"},
    )


PAGE = Page(
    "cost",
    "Cost",
    "What do products and their output cost, who bears what is shared, and where can less be spent?",
    (
        cost_by_product,
        cost_over_time,
        cost_allocation,
        unit_cost,
        unit_cost_now,
        cloud_savings,
        cost_anomalies,
        opportunities,
    ),
)
