"""Foresight: what to expect, how sure that is, and what would change it."""

from warehouse.report import charts
from warehouse.report.figure import Figure, Page


def _fan(measure: str, title: str, means: str) -> Figure:
    return Figure(
        title=title,
        means=means,
        select=f"""
            with actuals as (
                select scope_type, case when scope_type = 'company' then 'company' else scope_id end as scope_id,
                    month_date as target_month, kpi_value as actual_amount
                from fct_kpi_values
                where kpi_id = '{measure}' and kpi_value is not null
            ),

            origins as (
                select max(origin_month) as origin_month
                from fct_forecasts
                where measure = '{measure}'
            )

            select scope_type, scope_id, target_month, actual_amount, null as forecast_amount,
                null as lower_80_amount, null as upper_80_amount, null as lower_95_amount, null as upper_95_amount,
                null as forecast_model
            from actuals
            cross join origins
            where target_month <= origin_month and target_month > origin_month - interval 24 month
            union all
            select series_level, case when series_level = 'company' then 'company' else member_id end, target_month,
                null, forecast_amount, lower_80_amount, upper_80_amount, lower_95_amount, upper_95_amount, forecast_model
            from fct_forecasts
            where measure = '{measure}'
            order by scope_type, scope_id, target_month""",
        labels={
            "target_month": "Month",
            "actual_amount": "Actual",
            "forecast_amount": "Forecast",
            "forecast_model": "Method",
            "lower_80_amount": "80 % low",
            "upper_80_amount": "80 % high",
            "lower_95_amount": "95 % low",
            "upper_95_amount": "95 % high",
        },
        kinds={"actual_amount": "money"},
        chart=charts.fan(
            {
                "target_month": "Month",
                "actual_amount": "Actual",
                "forecast_amount": "Forecast",
                "lower_80_amount": "80 % low",
                "upper_80_amount": "80 % high",
                "forecast_model": "Method",
            }
        ),
        is_wide=False,
    )


def forecast_revenue() -> Figure:
    return _fan(
        "revenue",
        "What revenue is to be expected?",
        "Solid is recognised, dashed is expected, bands hold 80 and 95 of 100 outcomes if the past goes on. A price rise "
        "decided but not yet billed is not in it.",
    )


def forecast_cost() -> Figure:
    return _fan(
        "cost",
        "What cost is to be expected?",
        "All cost of the ledger. What the backtest says about bands like these stands in the accuracy table below.",
    )


def forecast_mrr() -> Figure:
    return _fan(
        "mrr",
        "Where is recurring revenue heading?",
        "Closing monthly recurring revenue. Forecasts of products add up to those of lines and the company.",
    )


def forecast_accuracy() -> Figure:
    return Figure(
        title="How well would these forecasts have done before?",
        means="Backtests over earlier months. MASE below 1 beats last year's value; coverage says how often the 80 % band "
        "held, and should be near 80 %. The chosen method was chosen for this: expect a little less.",
        select="""
            select series_level as scope_type, case when series_level = 'company' then 'company' else member_id end as scope_id,
                measure, forecast_model as method, is_selected, observations, mase, mase_reason, wape_rate, wape_rate_reason,
                bias_rate, bias_rate_reason, coverage_80_rate, coverage_95_rate
            from rpt_forecast_accuracy
            order by measure, is_selected desc, mase""",
        unit="MASE, and % of the actual",
        kinds={"mase": "ratio"},
        labels={
            "is_selected": "Used",
            "wape_rate": "Error",
            "bias_rate": "Bias",
            "coverage_80_rate": "80 % band held",
            "coverage_95_rate": "95 % band held",
        },
    )


def scenarios() -> Figure:
    return Figure(
        title="What if things go better, worse, or very wrong?",
        means="Operating result a month under each scenario of the scenario table. Crisis is the one with a trigger and "
        "an owner; read it for how long the money lasts, not for how likely it is.",
        select="""
            select scope_type, scope_id, scenario, target_month, revenue_amount, cost_amount, operating_result_amount,
                operating_result_change_amount, cash_flow_amount, cumulative_cash_flow_amount, mrr_amount,
                operating_margin_rate
            from rpt_scenarios
            order by scope_type, scope_id, scenario, target_month""",
        labels={
            "target_month": "Month",
            "operating_result_amount": "Operating result",
            "cash_flow_amount": "Cash flow",
            "operating_result_change_amount": "Against base",
            "cumulative_cash_flow_amount": "Cash, cumulative",
        },
        chart=charts.lines(
            "target_month",
            "operating_result_amount",
            "scenario",
            {
                "scenario": "Scenario",
                "target_month": "Month",
                "operating_result_amount": "Operating result",
                "cumulative_cash_flow_amount": "Cash, cumulative",
            },
        ),
        is_wide=False,
    )


def tornado() -> Figure:
    return Figure(
        title="Which uncertainty moves the company's result most?",
        means="Operating result of the next twelve months with one driver at its low or high end (10 and 90 of 100) and all "
        "others as expected. Work on the widest bar first.",
        select="""
            select driver, base_amount, p10_amount, p90_amount, swing_amount, driver_p10_value, driver_p90_value
            from rpt_sensitivity
            where subject_type = 'company'
            order by swing_rank""",
        labels={
            "base_amount": "As expected",
            "p10_amount": "Driver low",
            "p90_amount": "Driver high",
            "swing_amount": "Swing",
            "driver_p10_value": "Driver, low end",
            "driver_p90_value": "Driver, high end",
        },
        chart=charts.tornado(
            "driver",
            "base_amount",
            "p10_amount",
            "p90_amount",
            {
                "driver": "Driver",
                "base_amount": "As expected",
                "p10_amount": "Driver at its low end",
                "p90_amount": "Driver at its high end",
            },
        ),
    )


def simulation() -> Figure:
    return Figure(
        title="How likely is it that an initiative loses money?",
        means="Net present value over 10,000 draws: the bar holds 80 of 100, the point is the median. The worst tenth "
        "averages what the rows call the bad case. Valued at the last closed month, not at the start of each initiative.",
        select="""
            select product_id, coalesce(initiative, subject_id) as subject, base_npv_amount,
                p10_amount, p50_amount, p90_amount, cvar10_amount, loss_probability, status
            from rpt_simulation as simulation
            left join (select initiative_id as subject_id, initiative, status from report_initiatives) using (subject_id)
            where subject_type = 'initiative'
            order by loss_probability desc, p50_amount""",
        labels={
            "base_npv_amount": "NPV as forecast",
            "p10_amount": "10 of 100 below",
            "p50_amount": "Median",
            "p90_amount": "90 of 100 below",
            "cvar10_amount": "Bad case",
            "loss_probability": "Loses money",
            "status": "Status",
        },
        chart=charts.intervals(
            "subject",
            "p10_amount",
            "p50_amount",
            "p90_amount",
            "status",
            {
                "subject": "Initiative",
                "p10_amount": "10 of 100 below",
                "p50_amount": "Median",
                "p90_amount": "90 of 100 below",
                "loss_probability": "Loses money",
            },
            step=22,
        ),
    )


def portfolio_risk() -> Figure:
    return Figure(
        title="And the portfolio as a whole?",
        means="Initiatives fail together less than alone, but not independently: the draws share what hits all of "
        "them. The bad case is the average of the worst tenth.",
        select="""
            select subject_id as portfolio, initiatives, base_npv_amount, mean_npv_amount, p10_amount, p50_amount,
                p90_amount, cvar10_amount, loss_probability
            from rpt_simulation
            where subject_type = 'portfolio'
            order by initiatives desc""",
        labels={
            "base_npv_amount": "NPV as forecast",
            "mean_npv_amount": "Mean",
            "p10_amount": "10 of 100 below",
            "p50_amount": "Median",
            "p90_amount": "90 of 100 below",
            "cvar10_amount": "Bad case",
            "loss_probability": "Loses money",
        },
    )


def associations() -> Figure:
    return Figure(
        title="Which product metrics move together with money?",
        means="Registered pairs only, with seasons and trends taken out and corrected for the number of looks. Moving "
        "together is not causing: the next step is an experiment.",
        select="""
            select product_id, replace(statement, '_', ' ') as statement, pair_id as pair, lag_months as lag, spearman, pearson, q_value, effective_observations, is_as_expected
            from rpt_kpi_associations
            where is_significant
            order by abs(spearman) desc, pair, lag""",
        unit="correlation",
        kinds={
            "spearman": "ratio",
            "pearson": "ratio",
            "q_value": "price",
            "effective_observations": "count",
        },
        labels={
            "is_as_expected": "As expected",
            "effective_observations": "Observations",
            "lag": "Months later",
        },
        empty="No registered pair moves together beyond chance.",
    )


PAGE = Page(
    "foresight",
    "Foresight",
    "What is to be expected, how sure is that, and what would change it?",
    (
        forecast_revenue,
        forecast_cost,
        forecast_mrr,
        scenarios,
        forecast_accuracy,
        tornado,
        simulation,
        portfolio_risk,
        associations,
    ),
)
