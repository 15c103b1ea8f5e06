"""The pages of the report, in the order of their navigation."""

from warehouse.report.pages import (
    attribution,
    budget,
    catalogue,
    cost,
    foresight,
    returns,
    revenue,
    scorecard,
    trust,
)

PAGES = (
    scorecard.PAGE,
    returns.PAGE,
    cost.PAGE,
    budget.PAGE,
    revenue.PAGE,
    attribution.PAGE,
    foresight.PAGE,
    trust.PAGE,
    catalogue.PAGE,
)
