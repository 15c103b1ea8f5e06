"""What worlds are drawn from: every range with its reason, and which worlds are controls.

Declared before the first result. Uniform between the bounds; `log` ones uniform in the logarithm.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Range:
    """Bounds of a parameter, and why no other."""

    low: float
    high: float
    reason: str
    log: bool = False

    def draw(self, rng: np.random.Generator) -> float:
        """One value."""
        if self.log:
            return float(np.exp(rng.uniform(np.log(self.low), np.log(self.high))))
        return float(rng.uniform(self.low, self.high))


# Of ten worlds, one where the baseline is right and the rest of the data agrees with it (plain), and
# one where the baseline is right and all other data is noise (noise, the negative control).
KINDS = ("ordinary",) * 8 + ("plain", "noise")

RETURNS = {
    # Cost of people.
    "pay_spread": Range(0.05, 0.45, "log-sd of pay between people: one grade, to interns beside architects"),
    "location_ratio": Range(0.5, 1.0, "pay of the second location to the first: far shore, to no difference"),
    "unavailable": Range(0.12, 0.30, "leave and meetings of contracted hours; practical capacity is usually put at 80-85 %, and often less"),
    "logging_noise": Range(0.0, 0.15, "log-sd of hours logged to hours worked"),
    # Cloud.
    "cloud_share": Range(0.1, 0.5, "cloud of a product's direct cost"),
    "committed": Range(0.0, 0.7, "share of cloud bought by commitment"),
    "long_terms": Range(0.0, 0.6, "share of commitments for three years instead of one"),
    "central_purchase": Range(0.0, 1.0, "share of commitments bought by a central account"),
    "untagged": Range(0.0, 0.3, "cloud cost without a product tag"),
    # Shared cost.
    "shared": Range(0.1, 0.5, "pools of platform, data and support to direct cost"),
    "caused": Range(0.6, 1.0, "share of the pools that products truly cause; the rest nobody does, and it is allocated all the same"),
    "driver_noise": Range(0.05, 0.5, "log-sd of measured drivers to true use, per product"),
    "initiative_overhead": Range(0.0, 0.1, "shared cost an initiative truly causes, to its direct cost; no method sees it"),
    # Benefits.
    "growth": Range(-0.005, 0.025, "monthly growth of an area's revenue without any initiative"),
    "season": Range(0.0, 0.2, "amplitude of the season of revenue"),
    "revenue_noise": Range(0.02, 0.08, "log-sd of an area's monthly revenue"),
    "effect": Range(0.05, 0.4, "what an initiative adds to its area's revenue", log=True),
    "experiments": Range(0.1, 0.4, "share of initiatives measured by experiment"),
    "invoiced": Range(0.2, 0.4, "share of initiatives whose benefit invoices or contracts verify"),
    "asserted": Range(0.05, 0.2, "share of initiatives nobody measures; the rest is modelled"),
    "experiment_units": Range(150, 1200, "units per arm", log=True),
    "effect_size": Range(0.2, 0.5, "true effect in standard deviations of the outcome"),
    "pre_correlation": Range(0.3, 0.9, "correlation of the outcome with its value before"),
    "invoice_noise": Range(0.02, 0.1, "log-sd of invoiced benefits to true ones"),
    "model_noise": Range(0.1, 0.5, "log-sd of modelled benefits to true ones, per initiative"),
    "optimism": Range(1.0, 1.4, "modelled to true benefit on average"),
    # Channels.
    "organic": Range(-3.2, -2.2, "log-hazard of buying of a prospect nobody touched: about 4 to 10 %"),
    "intent": Range(0.3, 1.2, "how much prospects differ in what they meant to do anyway"),
    "intent_pull": Range(0.0, 0.7, "how much intent draws the touches of search and direct"),
    "channel_effect": Range(0.2, 0.9, "mean log-hazard a channel adds"),
    "touches": Range(0.15, 0.6, "mean touches per channel"),
}  # fmt: skip

# What controls fix. In both, the plain way of reckoning is right by construction.
_BASELINE_RIGHT = {
    "pay_spread": 0.0,
    "location_ratio": 1.0,
    "unavailable": 0.0,
    "logging_noise": 0.0,
    "committed": 0.0,
    "untagged": 0.0,
    "caused": 0.0,
    "initiative_overhead": 0.0,
    "growth": 0.0,
    "season": 0.0,
    "revenue_noise": 0.005,
    "organic": -np.inf,
    "intent": 0.0,
    "intent_pull": 0.0,
}
RETURNS_FIXED = {
    "ordinary": {},
    "plain": {
        **_BASELINE_RIGHT,
        "shared": 0.0,
        "experiments": 0.3,
        "invoiced": 0.7,
        "asserted": 0.0,
        "experiment_units": 1200.0,
        "pre_correlation": 0.9,
        "invoice_noise": 0.02,
    },
    "noise": {**_BASELINE_RIGHT},
}

BUDGET = {
    "history_years": Range(1, 3.999, "complete years before the one that is judged"),
    "season": Range(0.0, 0.5, "amplitude of a line's season"),
    "trend": Range(-0.05, 0.2, "yearly growth of lines"),
    "stepping": Range(0.0, 0.3, "share of lines that change level during a year: hires, projects, contracts"),
    "lumpy": Range(0.0, 0.25, "share of lines paid once or twice a year"),
    "ordered": Range(0.0, 0.3, "share of lines spent by purchase orders placed months ahead"),
    "noise": Range(0.03, 0.2, "log-sd of a month's actual"),
    "deviation": Range(0.02, 0.15, "log-sd of a whole year from what planners could know"),
    "budget_noise": Range(0.03, 0.2, "log-sd of a budget line to what could be known"),
    "budget_bias": Range(-0.05, 0.1, "padding of budgets"),
    "phasing": Range(0.3, 1.0, "how much of a line's shape its monthly budget shows; 0 is flat"),
    "foreseen": Range(0.3, 1.0, "share of level changes the budget foresaw"),
    "late": Range(0.0, 0.15, "share of postings known only after the month was closed"),
}  # fmt: skip

_FLAT = {
    "season": 0.0,
    "trend": 0.0,
    "stepping": 0.0,
    "lumpy": 0.0,
    "ordered": 0.0,
    "deviation": 0.02,
    "late": 0.0,
}
BUDGET_FIXED = {
    "ordinary": {},
    "plain": {**_FLAT, "budget_bias": 0.0, "budget_noise": 0.03},
    "noise": {**_FLAT},
}


def kind_of(world: int) -> str:
    """The kind of a world by its number, so that any ten in a row hold every kind."""
    return KINDS[world % len(KINDS)]


def draw(
    ranges: dict[str, Range], fixed: dict[str, float], rng: np.random.Generator
) -> dict[str, float]:
    """Parameters of one world; fixed ones are drawn too, so that the others stay what they are."""
    drawn = {name: span.draw(rng) for name, span in ranges.items()}
    return {**drawn, **fixed}
