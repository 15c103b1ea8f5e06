"""What the company sells and invests in: products, features, plans, prices and initiatives."""

from dataclasses import dataclass

from .calendar import day, month_of, month_start
from .parameters import PRICE_RISE, PRICE_RISE_DAY, PRICE_RISE_PRODUCT, YEARLY_PRICE_RISE


@dataclass(frozen=True)
class Product:
    """A product; `stages` are (day, lifecycle stage), prices are USD per seat and month."""

    product_id: str
    name: str
    line: str
    stages: tuple[tuple[str, str], ...]
    launched: str
    owner: str
    cost_center: str  # the engineering team that makes it
    prices: tuple[int, int, int]  # starter, pro, enterprise
    share_before: float  # of new customers before 2025
    share_after: float
    usage_price: float  # USD per thousand events above the included ones; 0 means none
    cloud_base: int  # USD a month at scale 1
    cloud_unit: float  # USD per thousand events
    tickets: float  # per hundred seats and month


PRODUCTS = (
    Product("P1", "Insight Core", "Analytics", (("2019-03-01", "mature"),), "2019-03-01",
            "Head of Insight", "CC100", (25, 39, 54), 0.44, 0.36, 0.0, 10_000, 40.0, 1.1),
    Product("P2", "Insight Forecast", "Analytics", (("2021-06-01", "growth"),), "2021-06-01",
            "Head of Insight", "CC110", (30, 46, 62), 0.17, 0.21, 0.0, 5_500, 55.0, 1.2),
    Product("P3", "Flow Automate", "Automation", (("2020-09-01", "growth"),), "2020-09-01",
            "Head of Flow", "CC100", (21, 33, 45), 0.19, 0.24, 60.0, 8_000, 27.0, 1.5),
    Product("P4", "Flow Connect", "Automation", (("2018-02-01", "mature"), ("2025-01-01", "sunset")),
            "2018-02-01", "Head of Flow", "CC110", (18, 26, 34), 0.12, 0.02, 0.0, 6_500, 45.0, 2.6),
    Product("P5", "Guard Compliance", "Trust", (("2022-11-01", "growth"),), "2022-11-01",
            "Head of Trust", "CC110", (16, 25, 33), 0.08, 0.08, 0.0, 4_500, 50.0, 1.4),
    Product("P6", "Assist", "Automation", (("2024-03-01", "build"), ("2025-02-10", "growth")), "2025-02-10",
            "Head of Trust", "CC100", (12, 20, 29), 0.0, 0.09, 80.0, 5_000, 110.0, 1.6),
)  # fmt: skip
PRODUCT = {p.product_id: p for p in PRODUCTS}
PRODUCT_IDS = tuple(p.product_id for p in PRODUCTS)

SEGMENTS = ("self_serve", "mid_market", "enterprise")
PLANS = ("starter", "pro", "enterprise")
CURRENCIES = ("USD", "EUR", "GBP", "JPY")
PRICE_FACTOR = {"USD": 1.0, "EUR": 0.92, "GBP": 0.8, "JPY": 148.0}


@dataclass(frozen=True)
class Feature:
    """A feature; an add-on has a price of its own, in USD per seat and month."""

    feature_id: str
    product_id: str
    name: str
    released: str
    retired: str
    weight: float
    intensity: float  # uses per seat and month of an adopter
    adoption: float
    add_on_price: float = 0.0


def _features() -> tuple[Feature, ...]:
    # product: name, released, weight, intensity, adoption[, add-on price]
    table: dict[str, list[tuple[str, str, *tuple[float, ...]]]] = {
        "P1": [
            ("Data connectors", "2019-03-01", 1.5, 22, 0.95),
            ("Report builder", "2019-03-01", 2.0, 18, 0.9),
            ("Embedded reports", "2021-04-01", 1.5, 30, 0.4, 7.0),
            ("Scheduled delivery", "2019-11-01", 0.8, 8, 0.6),
            ("Dashboards", "2020-02-01", 2.5, 40, 0.85),
            ("Anomaly alerts", "2025-10-15", 1.2, 10, 0.4, 6.0),
            ("Mobile briefing", "2025-04-20", 0.6, 12, 0.35),
            ("Semantic search", "", 1.0, 15, 0.3),
            ("Spreadsheet export", "2019-03-01", 0.4, 6, 0.7),
        ],
        "P2": [
            ("Baseline forecast", "2021-06-01", 2.0, 9, 0.9),
            ("Forecast accuracy review", "2021-09-01", 1.0, 4, 0.6),
            ("Scenario planner", "2024-06-17", 2.2, 14, 0.45),
            ("Driver-based forecast", "2025-01-20", 1.4, 8, 0.35, 8.0),
            ("Budget import", "2021-06-01", 0.8, 3, 0.65),
            ("Approval workflow", "2022-05-01", 0.7, 5, 0.5),
            ("Plan comments", "2022-10-01", 0.3, 11, 0.4),
        ],
        "P3": [
            ("Workflow designer", "2024-05-13", 2.0, 16, 0.75),
            ("Workflow runs", "2020-09-01", 2.5, 90, 0.95),
            ("Event streaming", "2025-04-10", 1.5, 60, 0.3),
            ("Priority queue", "2022-03-01", 1.0, 25, 0.3, 5.0),
            ("Field mapping", "2021-02-01", 0.8, 12, 0.55),
            ("Run history", "2020-09-01", 0.5, 9, 0.6),
            ("Error routing", "2021-11-01", 0.7, 7, 0.45),
        ],
        "P4": [
            ("File transfer", "2018-02-01", 1.5, 30, 0.9),
            ("Partner gateway", "2018-06-01", 1.2, 14, 0.5),
            ("Legacy adapters", "2018-02-01", 1.8, 20, 0.6),
            ("Format conversion", "2019-01-01", 0.9, 12, 0.6),
            ("Fax bridge", "2018-02-01", 0.2, 2, 0.15),
        ],
        "P5": [
            ("Control library", "2022-11-01", 1.5, 6, 0.85),
            ("Policy attestations", "2022-11-01", 1.0, 4, 0.7),
            ("Evidence collection", "2024-11-18", 1.6, 9, 0.45, 5.0),
            ("Audit rooms", "2023-05-01", 0.8, 3, 0.45),
            ("Vendor risk", "", 1.0, 4, 0.4),
            ("Access reviews", "2023-03-01", 1.1, 5, 0.5),
        ],
        "P6": [
            ("Ask a question", "2025-02-10", 2.0, 35, 0.95),
            ("Summaries", "2025-02-10", 1.2, 18, 0.7),
            ("Enterprise grounding", "2025-10-20", 1.5, 14, 0.4),
            ("Actions", "2025-06-02", 1.1, 10, 0.45),
            ("Voice", "", 0.8, 8, 0.3),
            ("Prompt library", "2025-04-07", 0.4, 6, 0.4),
        ],
    }  # fmt: skip
    features: list[Feature] = []
    for product_id, rows in table.items():
        for name, released, *numbers in rows:
            feature_id = f"F{len(features) + 1:02d}"
            retired = "2025-06-30" if name == "Fax bridge" else ""
            features.append(
                Feature(feature_id, product_id, name, released, retired, *numbers)
            )  # fmt: skip
    return tuple(features)


FEATURES = _features()
FEATURE = {f.feature_id: f for f in FEATURES}


def list_price(product_id: str, plan: int, currency: str, on: int) -> int:
    """List price per seat and month in hundredths; yen have no hundredths."""
    usd = PRODUCT[product_id].prices[plan] * _price_index(product_id, on)
    return _in_currency(usd, currency)


def add_on_price(feature_id: str, currency: str, on: int) -> int:
    """List price of an add-on per seat and month in hundredths."""
    return _in_currency(FEATURE[feature_id].add_on_price * _price_index("", on), currency)


def _price_index(product_id: str, on: int) -> float:
    years = max(0, (month_of(on) + 9) // 12)  # each January from 2024
    index = (1 + YEARLY_PRICE_RISE) ** years
    if product_id == PRICE_RISE_PRODUCT and on >= day(PRICE_RISE_DAY):
        index *= 1 + PRICE_RISE
    return float(index)


def _in_currency(usd: float, currency: str) -> int:
    price = usd * PRICE_FACTOR[currency]
    if currency == "JPY":
        return round(price / 10) * 1000
    return round(price * 4) * 25


@dataclass(frozen=True)
class Initiative:
    """An investment. Team in full-time people, contractors in USD a month at scale 1.

    `value` is the true yearly benefit at full effect, in USD at scale 1; `optimism` what the business
    case promised as a multiple of it; `overrun` true cost over the cost the case promised.
    """

    initiative_id: str
    product_id: str
    feature_id: str
    name: str
    kind: str
    objective: str
    status: str
    planned_start: str
    planned_end: str
    started: str
    ready: str
    team: float
    contractors: int
    value: int
    optimism: float
    overrun: float
    kpi: str
    cashable_class: int
    grade: str
    depends: str = ""
    exclusive: str = ""
    mandatory: bool = False

    @property
    def end(self) -> str:
        """Day work stopped: ready, abandoned, or not yet."""
        return "2025-01-31" if self.status == "abandoned" else self.ready

    def active(self, month: int) -> bool:
        """True when people work on it in the month."""
        if not self.started or month_of(day(self.started)) > month:
            return False
        return not self.end or day(self.end) > month_start(month)


INITIATIVES = (
    Initiative("I01", "P1", "F05", "Dashboards rebuilt", "growth", "OBJ2", "live", "2023-10-02", "2024-03-29", "2023-10-02", "2024-04-12", 4, 9_000, 520_000, 1.25, 1.15, "expansion_mrr", 1, "B"),
    Initiative("I02", "P3", "F17", "Workflow designer", "growth", "OBJ1", "live", "2023-10-02", "2024-04-30", "2023-10-09", "2024-05-13", 4, 6_000, 610_000, 1.1, 1.1, "new_mrr", 1, "B"),
    Initiative("I03", "P2", "F12", "Scenario planner", "growth", "OBJ2", "live", "2023-11-01", "2024-05-31", "2023-11-06", "2024-06-17", 4, 5_000, 690_000, 0.9, 1.05, "expansion_mrr", 1, "A"),
    Initiative("I04", "P4", "", "Connector upkeep", "retention", "OBJ2", "live", "2023-11-01", "2024-03-15", "2023-11-01", "2024-03-20", 2.5, 0, 110_000, 1.9, 1.05, "churned_mrr", 1, "D"),
    Initiative("I05", "", "", "Single sign-on and audit log", "compliance", "OBJ5", "live", "2024-01-08", "2024-06-28", "2024-01-15", "2024-07-05", 3, 8_000, 90_000, 1.3, 1.1, "won_deals", 1, "C", mandatory=True),
    Initiative("I06", "P1", "", "Storage tiering", "efficiency", "OBJ3", "live", "2024-02-01", "2024-06-28", "2024-02-05", "2024-07-01", 2, 0, 150_000, 1.1, 0.95, "cloud_cost", 1, "C"),
    Initiative("I07", "P3", "F19", "Event streaming", "growth", "OBJ1", "live", "2024-03-01", "2024-09-30", "2024-03-11", "2025-04-10", 4, 14_000, 380_000, 1.8, 1.85, "expansion_mrr", 1, "C"),
    Initiative("I08", "P5", "F31", "Evidence collection", "growth", "OBJ5", "live", "2024-04-01", "2024-10-31", "2024-04-08", "2024-11-18", 3, 4_000, 290_000, 1.35, 1.1, "new_mrr", 1, "C"),
    Initiative("I09", "P6", "F35", "Assist launch", "new_product", "OBJ4", "live", "2024-04-01", "2025-01-31", "2024-04-02", "2025-02-10", 5.5, 18_000, 640_000, 1.6, 1.2, "new_mrr", 1, "C"),
    Initiative("I10", "P2", "F13", "Driver-based forecast", "growth", "OBJ2", "live", "2024-07-01", "2025-01-10", "2024-07-08", "2025-01-20", 3.5, 0, 360_000, 1.2, 1.0, "expansion_mrr", 1, "C"),
    Initiative("I11", "P4", "F25", "Connect marketplace", "growth", "OBJ1", "abandoned", "2024-06-03", "2025-02-28", "2024-06-10", "", 3, 7_000, 0, 0.0, 1.3, "new_mrr", 1, "E"),
    Initiative("I12", "", "", "Metering platform", "platform", "OBJ4", "live", "2024-09-02", "2025-03-14", "2024-09-02", "2025-03-31", 3.5, 5_000, 240_000, 1.4, 1.15, "usage_revenue", 1, "C"),
    Initiative("I13", "P1", "F07", "Mobile briefing", "retention", "OBJ2", "live", "2024-10-01", "2025-03-31", "2024-10-07", "2025-04-20", 3, 6_000, 210_000, 1.7, 1.1, "churned_mrr", 1, "A"),
    Initiative("I14", "P3", "", "Runtime efficiency", "efficiency", "OBJ3", "live", "2025-01-06", "2025-06-13", "2025-01-06", "2025-06-20", 2.5, 0, 230_000, 1.05, 0.95, "cloud_cost", 1, "C"),
    Initiative("I15", "P5", "", "Regional hosting", "compliance", "OBJ5", "live", "2025-01-06", "2025-07-31", "2025-01-13", "2025-08-25", 3, 9_000, 130_000, 1.5, 1.2, "won_deals", 1, "D", mandatory=True),
    Initiative("I16", "P6", "F37", "Assist for enterprise", "growth", "OBJ4", "live", "2025-03-03", "2025-09-30", "2025-03-03", "2025-10-20", 4.5, 12_000, 420_000, 1.5, 1.15, "expansion_mrr", 1, "C", depends="I09"),
    Initiative("I17", "P1", "F06", "Anomaly alerts", "growth", "OBJ2", "live", "2025-04-07", "2025-09-30", "2025-04-22", "2025-10-15", 3.5, 0, 480_000, 1.15, 1.05, "expansion_mrr", 1, "B"),
    Initiative("I18", "P4", "", "Move Connect customers to Automate", "retention", "OBJ2", "live", "2025-01-06", "2025-04-30", "2025-01-13", "2025-05-12", 2.5, 5_000, 300_000, 0.95, 1.05, "churned_mrr", 2, "B"),
    Initiative("I19", "P2", "", "Onboarding wizard", "retention", "OBJ1", "live", "2025-06-02", "2025-11-14", "2025-06-02", "2025-11-24", 3, 0, 270_000, 1.2, 1.0, "activation", 1, "A"),
    Initiative("I20", "", "", "Support self-service", "efficiency", "OBJ3", "live", "2025-08-04", "2026-01-16", "2025-08-11", "2026-01-26", 2.5, 4_000, 180_000, 1.6, 1.1, "ticket_hours", 3, "D"),
    Initiative("I21", "P3", "F21", "Assisted field mapping", "growth", "OBJ1", "in_progress", "2025-10-06", "2026-08-28", "2025-10-20", "", 4, 8_000, 450_000, 1.3, 1.2, "expansion_mrr", 1, "D"),
    Initiative("I22", "P1", "F08", "Semantic search", "growth", "OBJ2", "in_progress", "2026-02-02", "2026-12-18", "2026-02-09", "", 4.5, 9_000, 560_000, 1.25, 1.05, "expansion_mrr", 1, "D"),
    Initiative("I23", "P6", "F39", "Assist voice", "growth", "OBJ4", "approved", "2026-11-02", "2027-06-30", "", "", 4, 10_000, 390_000, 1.4, 1.15, "expansion_mrr", 1, "E", depends="I16"),
    Initiative("I24", "P5", "F33", "Vendor risk", "growth", "OBJ5", "proposed", "2027-01-04", "2027-07-30", "", "", 3, 4_000, 300_000, 1.3, 1.1, "new_mrr", 1, "E"),
    Initiative("I25", "P1", "", "Warehouse-native engine", "platform", "OBJ4", "proposed", "2027-01-04", "2027-09-30", "", "", 5, 15_000, 520_000, 1.3, 1.15, "cloud_cost", 1, "E"),
    Initiative("I26", "P2", "", "Collaborative planning", "growth", "OBJ2", "proposed", "2027-01-04", "2027-08-31", "", "", 3.5, 5_000, 640_000, 1.25, 1.1, "expansion_mrr", 1, "E", depends="I25"),
    Initiative("I27", "P3", "", "Agent workflows, built", "growth", "OBJ1", "proposed", "2027-02-01", "2027-10-29", "", "", 4.5, 6_000, 610_000, 1.4, 1.15, "new_mrr", 1, "E", exclusive="agents"),
    Initiative("I28", "P3", "", "Agent workflows, bought", "growth", "OBJ1", "proposed", "2027-02-01", "2027-05-28", "", "", 1.5, 42_000, 430_000, 1.2, 1.05, "new_mrr", 1, "E", exclusive="agents"),
    Initiative("I29", "", "", "Accessibility act", "compliance", "OBJ5", "proposed", "2027-01-04", "2027-05-31", "", "", 2.5, 6_000, 40_000, 1.0, 1.1, "won_deals", 1, "E", mandatory=True),
    Initiative("I30", "P4", "", "Connect end-of-life archive", "efficiency", "OBJ3", "proposed", "2027-03-01", "2027-06-30", "", "", 1.5, 0, 120_000, 1.2, 1.0, "cloud_cost", 2, "E"),
)  # fmt: skip
INITIATIVE = {i.initiative_id: i for i in INITIATIVES}
