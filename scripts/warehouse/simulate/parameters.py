"""What is planted in the sample company: seeded defects and their rates, and known effects.

Every number a reader may want to recover from the extracts stands here, and is written to the truth
folder by name. `docs/sample.md` explains them.
"""

# --- Seeded defects -----------------------------------------------------------------------------

# Share of rows delivered twice, byte for byte.
DUPLICATE_RATE = {
    "feature_usage": 0.001,
    "invoice_lines": 0.002,
    "payments": 0.002,
    "timesheets": 0.002,
    "touchpoints": 0.003,
}
# Share of rows whose date cannot be read (CSV only: a typed Parquet column cannot hold one).
BAD_DATE_RATE = {"support_tickets": 0.004, "survey_responses": 0.004, "touchpoints": 0.002}
BAD_DATE_COLUMN = {
    "support_tickets": "opened_at",
    "survey_responses": "responded_on",
    "touchpoints": "occurred_at",
}
BAD_DATES = ("2025-02-30", "31/13/2025", "n/a", "0000-00-00")
# Share of rows that name a product nobody sells.
UNKNOWN_PRODUCT_RATE = {"invoice_lines": 0.0006, "support_tickets": 0.004, "timesheets": 0.0015}
UNKNOWN_PRODUCT = "P99"
# Share of the two to five months old supplier invoices that a file restates after the period was closed, without an adjustment.
LATE_CORRECTION_RATE = 0.05
LATE_CORRECTION_FILES = ("2026-03-20", "2026-07-15")
# Journals approved by the person who posted them.
SELF_APPROVED_JOURNALS = 2
# One journal whose lines do not sum to zero, and by how much (hundredths, USD, scale 1).
UNBALANCED_MONTH, UNBALANCED_AMOUNT = "2026-06", 12_500
# Ledger postings without their detail (hundredths, USD): month, product, difference.
REVENUE_DIFFERENCE = ("2025-07", "P2", 432_100)
CLOUD_DIFFERENCE = ("2026-02", "P3", -185_025)
# A conference paid in a currency without a rate (hundredths).
UNRATED_CURRENCY, UNRATED_DAY, UNRATED_AMOUNT = "CHF", "2026-03-16", 240_000
# Marketing spend of this month never arrived; the ledger has it.
MISSING_EXTRACT, MISSING_MONTH = "marketing_spend", "2026-04"
# Budget lines changed after they were locked.
LOCKED_BUDGET_CHANGES = 3
# Share of material variances nobody explained, and share explained after the deadline.
UNEXPLAINED_RATE, LATE_EXPLANATION_RATE = 0.15, 0.10
# Share of cloud charges without a product tag.
UNTAGGED_RATE = 0.06

# --- Planted effects ----------------------------------------------------------------------------

# The feature whose adoption drives expansion, and the factor on a customer's odds of expanding.
EXPANSION_FEATURE, EXPANSION_FACTOR = "F12", 2.5
EXPANSION_ADOPTION_RATE = 0.45
# List prices rise every January; this product's rose once more.
YEARLY_PRICE_RISE = 0.03
PRICE_RISE_PRODUCT, PRICE_RISE_DAY, PRICE_RISE = "P1", "2025-02-01", 0.08
PRICE_RISE_CHURN_FACTOR = 1.6  # on the odds of leaving at the first renewal after it
# Churn and expansion follow engagement, which usage shows.
CHURN_PER_ENGAGEMENT, EXPANSION_PER_ENGAGEMENT = -0.9, 0.5
# Storage nobody deletes: from this month the cost of one product's storage compounds monthly.
LEAK_PRODUCT, LEAK_SERVICE, LEAK_MONTH, LEAK_GROWTH = "P3", "Object Storage", "2025-12", 0.11
# One-off cost anomalies: first day, days, product (empty: shared), service, factor.
COST_ANOMALIES = (
    ("2026-05-12", 1, "P3", "Virtual Machines", 3.4),
    ("2026-06-20", 3, "P1", "Managed Database", 2.2),
    ("2026-08-08", 1, "", "Data Warehouse", 4.0),
    ("2026-09-17", 1, "P6", "Model Inference", 2.8),
    ("2026-10-06", 2, "P3", "Data Transfer", 3.0),
)
# Initiatives that lowered the cloud bill: initiative, product, services, first full month, saving.
CLOUD_SAVINGS = (
    ("I06", "P1", ("Virtual Machines", "Managed Database", "Object Storage"), "2024-07-01", 0.25),
    ("I14", "P3", ("Virtual Machines",), "2025-07-01", 0.22),
)
SLIPPING_INITIATIVE, ABANDONED_INITIATIVE = "I07", "I11"
# Log-odds a touch on the channel adds to an opportunity; what the prospect's intent adds is not causal.
CHANNEL_EFFECT = {
    "paid_search": 0.15,
    "organic_search": 0.10,
    "paid_social": 0.35,
    "organic_social": 0.15,
    "email": 0.45,
    "webinar": 0.90,
    "partner": 1.10,
    "outbound": 0.60,
    "display": 0.05,
    "direct": 0.0,
}
# Share of the true product cost that measured drivers miss or misplace (relative noise).
DRIVER_NOISE = 0.08
# Randomised experiments: id, initiative, effect on the outcome of a treated unit, share treated, first day.
EXPERIMENTS = (
    ("X1", "I03", 6.0, 0.5, "2024-07-01"),
    ("X2", "I13", 2.5, 0.5, "2025-05-01"),
    ("X3", "I19", 4.0, 0.5, "2025-12-01"),
    ("X4", "I20", 0.0, 0.5, "2026-02-01"),
    ("X5", "I17", 3.0, 0.5, "2025-11-01"),
)
# This experiment lost part of its treatment group: its sample ratio does not match its design.
BROKEN_EXPERIMENT, BROKEN_LOSS = "X5", 0.35


def all_parameters() -> dict[str, object]:
    """Every constant of this module by name, for the truth folder."""
    return {name: value for name, value in sorted(globals().items()) if name.isupper()}
