"""Trust: whether the figures can be relied on, and who sees to it."""

from warehouse.report import charts
from warehouse.report.figure import Figure, Page, Total


def quality() -> Figure:
    return Figure(
        title="How good is the data, and where is it not?",
        means="Score of each extract and mart, over all and by dimension of quality, worst first. A failed critical rule makes "
        "a data set red whatever its score; what nobody measures has no score.",
        select="""
            with dimensions as (
                select dataset_type, dataset,
                    max(score) filter (where dimension = 'completeness') as completeness,
                    max(score) filter (where dimension = 'validity') as validity,
                    max(score) filter (where dimension = 'uniqueness') as uniqueness,
                    max(score) filter (where dimension = 'consistency') as consistency,
                    max(score) filter (where dimension = 'timeliness') as timeliness,
                    max(score) filter (where dimension = 'accuracy') as accuracy
                from rpt_data_quality
                where is_current
                group by all
            )

            select dataset_type as type, dataset, quality_status, score, score_reason, completeness, validity, uniqueness,
                consistency, timeliness, accuracy, rules_checked, rules_failed, failed_rules, failed_rows, checked_rows
            from rpt_data_quality
            join dimensions using (dataset_type, dataset)
            where is_current and dimension = 'all'
            order by quality_status = 'red' desc, quality_status = 'amber' desc, score nulls last, dataset""",
        unit="score from 0 to 1",
        # Four digits: one bad row in a thousand shows.
        kinds=dict.fromkeys(
            (
                "score",
                "completeness",
                "validity",
                "uniqueness",
                "consistency",
                "timeliness",
                "accuracy",
            ),
            "price",
        ),
    )


def refused_versions() -> Figure:
    return Figure(
        title="Which versions were kept from being published?",
        means="Builds whose last audit before they were published failed, with the rules it failed by. Readers never saw such a "
        "version: the one before stayed until the next passed.",
        select="""
            select build_number as build, loaded_at as audited, rules_failed, failed_rules
            from rpt_data_quality
            where dataset_type = 'version'
            order by build desc""",
        unit="rules",
        empty="Every version passed its audit.",
    )


def freshness() -> Figure:
    return Figure(
        title="How old is what we know?",
        means="Hours since each source was loaded, against what its owner agreed to. Measured from the latest load of "
        "anything, so a warehouse nobody feeds looks fresh: look at the date below.",
        select="""
            select source_name as source, extract_name as extract, owner, freshness_state, last_loaded_at,
                load_lag_hours, warn_after_hours, error_after_hours, latest_event_at, event_lag_p50_hours,
                event_lag_p50_hours_reason, file_count
            from rpt_freshness
            order by freshness_state <> 'fresh' desc, load_lag_hours desc nulls last, source, extract""",
        unit="hours",
        labels={
            "load_lag_hours": "Age",
            "warn_after_hours": "Warn after",
            "error_after_hours": "Fails after",
            "event_lag_p50_hours": "Event to load, median",
            "latest_event_at": "Latest event",
            "last_loaded_at": "Last loaded",
        },
    )


def reconciliation() -> Figure:
    return Figure(
        title="Does the detail make the ledger?",
        means="Subledgers against the general ledger by month: movements, not balances, so a difference shows once, where "
        "it arose. Differences count whatever their direction. Open periods are not judged yet.",
        select="""
            select month_date as month, subledger, reconciliation_state, count(*) as account_months,
                sum(reporting_subledger_amount) as subledger_amount, sum(reporting_gl_amount) as gl_amount,
                sum(reporting_difference_amount) as difference_amount, sum(abs(reporting_difference_amount)) as off_by_amount
            from rpt_reconciliation
            group by all
            order by month desc, subledger, reconciliation_state""",
        labels={"gl_amount": "Ledger", "account_months": "Accounts", "off_by_amount": "Off by"},
        kinds={"account_months": "count"},
        chart=charts.heat(
            "month",
            "subledger",
            "off_by_amount",
            {"subledger": "Subledger", "month": "Month", "off_by_amount": "Off by"},
            step=30,
        ),
        totals=(
            Total("Subledgers", "subledger_amount"),
            Total("Ledger", "gl_amount"),
            Total("Difference", "difference_amount"),
        ),
    )


def control_totals() -> Figure:
    return Figure(
        title="Did every delivered row arrive?",
        means="Rows of every file in force: read, in force, superseded by later ones, quarantined. The difference is 0 "
        "unless something was lost or counted twice.",
        select="""
            select source_name as source, extract_name as extract, source_file as file, read_total, in_force_total, superseded_total,
                deleted_total, quarantined_total, left_out_total, difference_total, is_complete
            from rpt_control_totals
            where measure = 'rows'
            order by is_complete, quarantined_total desc, source, extract, file""",
        unit="rows",
        kinds=dict.fromkeys(
            (
                "read_total",
                "in_force_total",
                "superseded_total",
                "deleted_total",
                "quarantined_total",
                "left_out_total",
                "difference_total",
            ),
            "count",
        ),
        labels={
            "read_total": "Read",
            "in_force_total": "In force",
            "superseded_total": "Superseded",
            "deleted_total": "Deleted",
            "quarantined_total": "Quarantined",
            "left_out_total": "Left out",
            "difference_total": "Difference",
            "is_complete": "Complete",
        },
    )


def violations() -> Figure:
    return Figure(
        title="Which records should be corrected?",
        means="Records that break a rule and are reported, not hidden: each names its file, row and what mends it. They "
        "are in the figures as delivered, unless rule or message says otherwise. Excepted: accepted by an owner for a time.",
        select="""
            select severity, rule_id as rule, extract_name as extract, record_key as record, message, amount as at_stake_amount,
                is_excepted, source_file, source_row
            from rpt_rule_violations
            order by severity, is_excepted, abs(amount) desc nulls last, rule_id, record_key""",
        labels={"at_stake_amount": "Amount", "source_row": "Row", "source_file": "File"},
        kinds={"source_row": "count"},
        empty="No record breaks a rule.",
    )


def risks() -> Figure:
    return Figure(
        title="What can go wrong, and is it happening?",
        means="Exposure is probability times impact, with the controls in place. Triggered means the warehouse itself shows "
        "the indicator beyond its threshold: do what the contingency says.",
        select="""
            select risk_id as id, risk_name as risk, category, risk_status, residual_exposure_amount, inherent_exposure_amount,
                indicator_value, indicator_value_reason, comparison, cast(threshold as double) as threshold, control, contingency, owner
            from rpt_risk_register
            order by risk_status = 'triggered' desc, residual_exposure_amount desc""",
        labels={
            "residual_exposure_amount": "Exposure",
            "inherent_exposure_amount": "Without controls",
            "indicator_value": "Indicator",
        },
        totals=(Total("Exposure", "residual_exposure_amount"),),
    )


def reviews() -> Figure:
    return Figure(
        title="Is the period fit to be signed?",
        means="The checklist of the latest monthly and quarterly review, every item computed. Signed means a person took "
        "responsibility for it.",
        select="""
            select review_cycle as cycle, review_period as period, item_name as item, item_status, measured_value,
                measured_value_reason, comparison, cast(threshold as double) as threshold, owner,
                columns('^(is_signed|signed_by|signed_on)$')
            from rpt_review_cycle
            where is_latest
            order by cycle, item_status = 'passed', item""",
        unit="as each item says",
        labels={"measured_value": "Value", "is_signed": "Signed"},
    )


def integration_value() -> Figure:
    return Figure(
        title="Does the programme earn what it promised?",
        means="Benefits owed to the programme that count, less its cost, month by month. What is claimed and does not "
        "count stands in the rows with its reason.",
        select="""
            select month_date as month, component_group as part, component_type as type, component_id as component,
                evidence_grade, is_counted, not_counted_reason, claimed_amount, counted_amount
            from rpt_integration_value
            where is_closed
            order by month, part, component""",
        labels={"claimed_amount": "Claimed", "counted_amount": "Counts"},
        chart=charts.stacked_bars(
            "month",
            "counted_amount",
            "type",
            {"month": "Month", "type": "Component", "counted_amount": "Counts"},
        ),
        totals=(Total("Claimed", "claimed_amount"), Total("Counts", "counted_amount")),
    )


PAGE = Page(
    "trust",
    "Trust",
    "Can these figures be relied on, what is wrong with them, and who sees to it?",
    (
        quality,
        refused_versions,
        freshness,
        reconciliation,
        control_totals,
        violations,
        risks,
        reviews,
        integration_value,
    ),
    sheets=12,
)
