"""Attribution: what revenue is owed to, how far models disagree, what features earn."""

from warehouse.report import charts
from warehouse.report.figure import Figure, Page, Total


def models() -> Figure:
    return Figure(
        title="How much does each model credit to each channel?",
        means="The same revenue, shared out by each model; every column adds up to all of it. A channel that is large "
        "in one column and small in another rests on a convention, not on evidence.",
        select="""
            select attribution_model as model, channel, channel_rank, credited_conversions, credited_amount, spend_amount,
                credited_ratio
            from rpt_attribution_comparison
            where is_credited
            order by channel, model""",
        labels={
            "channel_rank": "Rank",
            "credited_ratio": "Share of revenue",
            "spend_amount": "Spend",
        },
        kinds={"credited_ratio": "rate"},
        chart=charts.heat(
            "model",
            "channel",
            "credited_amount",
            {"channel": "Channel", "model": "Model", "credited_amount": "Credited"},
            step=28,
        ),
    )


def disagreement() -> Figure:
    return Figure(
        title="How much money hangs on the choice of a model?",
        means="From the least to the most any model credits a channel. Where the range is wide no model can settle the "
        "budget; an experiment can.",
        select="""
            select channel, channel_group, min(lowest_amount) as lowest_amount,
                max(credited_amount) filter (where attribution_model = 'markov') as markov_amount,
                max(highest_amount) as highest_amount, max(at_stake_amount) as at_stake_amount,
                max(spend_amount) as spend_amount, max(spend_verdict) as spend_verdict
            from rpt_attribution_comparison
            where is_credited
            group by all
            order by at_stake_amount desc""",
        labels={"lowest_amount": "Least", "markov_amount": "Markov", "highest_amount": "Most"},
        chart=charts.intervals(
            "channel",
            "lowest_amount",
            "markov_amount",
            "highest_amount",
            "channel_group",
            {
                "channel": "Channel",
                "lowest_amount": "Least",
                "markov_amount": "Markov",
                "highest_amount": "Most",
                "spend_amount": "Spend",
            },
        ),
    )


def channels() -> Figure:
    return Figure(
        title="What did channels bring for their spend?",
        means="Credit of the Markov model by month. It says what came along, not what was caused: evidence grade D "
        "until an experiment says more.",
        select="""
            select month_date as month, channel, sum(credited_conversions) as credited_conversions,
                sum(credited_amount) as credited_amount, sum(contribution_amount) as contribution_amount,
                sum(spend_amount) as spend_amount
            from rpt_channel_attribution
            where attribution_model = 'markov'
            group by all
            order by month, channel""",
        chart=charts.stacked_bars(
            "month",
            "credited_amount",
            "channel",
            {"month": "Month", "channel": "Channel", "credited_amount": "Credited"},
        ),
        totals=(Total("Credited", "credited_amount"), Total("Spend", "spend_amount")),
    )


def features() -> Figure:
    return Figure(
        title="Which features earn their keep?",
        means="Revenue of a product shared by the use of its features, less their part of serving and what building them "
        "costs in the month. Use is not cause: the sensitivity says how far another weighing moves it.",
        select="""
            select product_id, coalesce(product, product_id) as product, month_date as month, feature_name as feature,
                customers, revenue_amount, serving_cost_amount, initiative_cost_amount, contribution_amount,
                sensitivity_amount
            from rpt_feature_contribution
            left join report_products using (product_id)
            where is_closed
            order by month, contribution_amount desc""",
        period="last",
        labels={
            "initiative_cost_amount": "Building cost",
            "serving_cost_amount": "Serving cost",
            "sensitivity_amount": "If weighed raw",
        },
        chart=charts.ranked_bars(
            "feature",
            "contribution_amount",
            {"feature": "Feature", "contribution_amount": "Contribution"},
            step=18,
        ),
        totals=(Total("Revenue", "revenue_amount"), Total("Contribution", "contribution_amount")),
    )


def experiments() -> Figure:
    return Figure(
        title="What did changes cause, and how sure is that?",
        means="The headline method of each experiment with its 80 % interval. An interval across zero proves nothing "
        "yet; a blocked experiment has no value whatever its effect.",
        select="""
            select experiment_id || ' · ' || outcome_name as experiment, initiative_id as of_initiative, method,
                'Evidence grade ' || evidence_grade as evidence_grade, effect, lower_80_effect, upper_80_effect, p_value,
                value_amount, value_amount_reason, lower_80_value_amount, upper_80_value_amount, blocked_reason,
                treatment_units, control_units, assigned_on
            from rpt_incrementality
            where is_headline
            order by experiment""",
        unit="value in {currency}; effect in units of the outcome",
        labels={
            "value_amount": "Worth",
            "lower_80_value_amount": "At least",
            "upper_80_value_amount": "At most",
            "lower_80_effect": "Effect, low",
            "upper_80_effect": "Effect, high",
            "of_initiative": "Initiative",
        },
        chart=charts.intervals(
            "experiment",
            "lower_80_value_amount",
            "value_amount",
            "upper_80_value_amount",
            "evidence_grade",
            {
                "experiment": "Experiment",
                "evidence_grade": "Evidence",
                "lower_80_value_amount": "At least",
                "value_amount": "Worth",
                "upper_80_value_amount": "At most",
            },
        ),
        empty="No experiment yet.",
    )


PAGE = Page(
    "attribution",
    "Attribution",
    "What is revenue owed to: channels, features, changes, and how far can that be trusted?",
    (models, disagreement, channels, features, experiments),
)
