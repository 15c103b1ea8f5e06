"""Scorecard: where the company stands against its goals, and what a director should know."""

from warehouse.report.figure import Figure, Page


def key_figures() -> Figure:
    return Figure(
        title="Are the goals met?",
        means="By objective, what is off target first: the last month of the period against its target. Green, amber "
        "and red follow from the target and its tolerances; the line shows the months of the period, dashed the "
        "target. Against budget, positive helps profit.",
        select="""
            with latest as (
                select max(month_date) as month_date from rpt_kpi_scorecard
            )

            select scope_type, scope_id, kpi_name as kpi, rpt_kpi_scorecard.month_date as month, kpi_value as value,
                kpi_value_reason as value_reason, target_value as target, status, trend, unit, polarity,
                coalesce(objective_name, 'No objective') as objective
            from rpt_kpi_scorecard
            cross join latest
            where scope_type in ('company', 'product_line', 'product')
                and rpt_kpi_scorecard.month_date > latest.month_date - interval 24 month
            order by scope_type, scope_id, objective, kpi, month""",
        unit="as each figure says",
        layout="cards",
    )


def insights() -> Figure:
    return Figure(
        title="What should a director know?",
        means="Findings that hold now, the largest of each kind first, by the money at stake in a year. Each names who should "
        "act and where the proof is; grade A is an experiment, E an assertion. Two findings may look at the same money: do "
        "not add them up.",
        select="""
            -- A role's file need not hold the mart that proves a finding.
            with held as (
                select table_name as evidence_mart, table_name as held_mart
                from duckdb_tables()
                where database_name = 'published'
            )

            select product_id, insight_rank as rank, rule_name as title, statement as text, stake_amount,
                driver_summary as drivers, suggested_action as action, suggested_owner as owner, evidence_grade,
                held_mart as evidence_mart, case when held_mart is not null then evidence_query end as evidence_query,
                age_months, is_favourable
            from rpt_insights
            left join held using (evidence_mart)
            where is_open
            order by insight_rank""",
        labels={
            "stake_amount": "At stake",
            "evidence_mart": "Proof",
            "age_months": "Months open",
            "evidence_query": "Rows behind",
            "is_favourable": "Favourable",
        },
        kinds={"age_months": "count"},
        layout="list",
        empty="Nothing stands out.",
    )


def programme_targets() -> Figure:
    return Figure(
        title="Does the programme keep its promises?",
        means="Six targets frozen before the period, each with an interval: what the evidence carries is its lower bound. "
        "What is missing counts as failed. A target by month is met once the months its card asks for reach it in a row. On "
        "the sample company the figures are illustrative.",
        select="""
            select target_id || ' ' || target_name as kpi, fiscal_period as period, unit, cast(value as double) as value,
                value_reason, cast(target_value as double) as target, cast(lower_bound as double) as lower_bound,
                cast(upper_bound as double) as upper_bound, 1 as polarity, state as status, definition as note, observations,
                failing_items, nullif(months_required, 0) as months_required, consecutive_months,
                case when measured_by = 'simulation' then cast(denominator as double) end as baseline_error,
                case when measured_by = 'simulation' then cast(numerator as double) end as integrated_error,
                evidence_basis, owner
            from rpt_programme_targets
            order by target_id""",
        unit="as each target says",
        layout="cards",
    )


PAGE = Page(
    "scorecard",
    "Scorecard",
    "Are the goals met, what should a director know, and does the programme keep its promises?",
    (key_figures, insights, programme_targets),
    sheets=10,
)
