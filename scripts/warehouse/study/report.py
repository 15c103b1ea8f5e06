"""Writes what a study found: a report, its tables and plots, and the seed the warehouse reads."""

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from warehouse.study import (
    baseline,
    budget_world,
    outlook_estimates,
    ranges,
    return_estimates,
    score,
)
from warehouse.study.score import Pooled, Scores

TARGETS = {"T4": 0.40, "T5": 0.35}
ARMS: Mapping[str, tuple[str, ...]] = {
    "all worlds": ("ordinary", "plain", "noise"),
    "ordinary": ("ordinary",),
    "plain": ("plain",),
    "noise": ("noise",),
}
NAMES = {"T4": "T4, return on investment", "T5": "T5, year-end outlook"}
RULES = {
    "baseline": "the straight line exceeds the budget (baseline)",
    "integrated": "the warehouse flags the line: the outlook misses the budget, or 80 % probable",
    "by_probability_alone": "only when missing the budget is 80 % probable (before)",
    "at_even_odds": "missing the budget is likelier than not",
}
REPORT = "README.md"
KINDS = ("initiative", "product", "channel")
Row = Sequence[object]


def write(results: Sequence[Mapping[str, Any]], seed: int, out: Path, seed_file: Path) -> None:
    """Report, tables and plots into `out`, rows of T4 and T5 into `seed_file`.

    The same results give the same bytes.
    """
    out.mkdir(parents=True, exist_ok=True)
    found = Findings(results, seed)
    tables = {
        "targets": found.targets(),
        "investments": found.investments(),
        "ablation": found.ablation(),
        "attribution": found.attribution(),
        "guardrails": found.guardrails(),
        "conditions": found.conditions(),
        "worlds": found.by_world(),
        "ranges": _ranges(),
    }
    for name, (header, rows) in tables.items():
        _write_table(out / f"{name}.csv", header, rows)
    _write_table(seed_file, *found.seed_rows())
    _plots(out, tables)
    (out / REPORT).write_text(_text(found, tables), encoding="utf-8")


class Findings:
    """Everything the report states, computed from the scores of worlds."""

    def __init__(self, results: Sequence[Mapping[str, Any]], seed: int) -> None:
        self.seed = seed
        self.count = len(results)
        self.returns: list[Scores] = [result["returns"] for result in results]
        self.budgets: list[Scores] = [result["budget"] for result in results]

    def pooled(self, target: str, kinds: Iterable[str], **compared: str) -> Pooled:
        """Both errors of a target over worlds of some kinds."""
        if target == "T4":
            worlds = score.of_kind(self.returns, *kinds)
            return score.pool(
                worlds, score.returns_weight, score.returns_error, self.seed, **compared
            )
        worlds = score.of_kind(self.budgets, *kinds)
        return score.pool(worlds, score.budget_weight, score.budget_error, self.seed, **compared)

    def targets(self) -> tuple[Row, list[Row]]:
        """Both targets by kind of world, and T5 against the seasonal naive outlook."""
        header = ("target_id", "against", "worlds_of_kind", "worlds", "baseline_error", "integrated_error", "error_reduction", "lower_bound", "upper_bound", "worse_share")  # fmt: skip
        rows: list[Row] = []
        for target in TARGETS:
            for arm, kinds in ARMS.items():
                rows.append((target, "baseline", arm, *_figures(self.pooled(target, kinds))))
        for arm, kinds in ARMS.items():
            naive = self.pooled("T5", kinds, reference="seasonal_naive")
            rows.append(("T5", "seasonal_naive", arm, *_figures(naive)))
        return header, rows

    def seed_rows(self) -> tuple[Row, list[Row]]:
        """The rows of seeds/governance/study_results.csv."""
        header = ("target_id", "worlds", "study_seed", "baseline_error", "integrated_error", "error_reduction", "lower_bound", "upper_bound", "worse_share", "state")  # fmt: skip
        rows: list[Row] = []
        for target in TARGETS:
            worlds, *figures = _figures(self.pooled(target, ARMS["all worlds"]))
            rows.append((target, worlds, self.seed, *figures, "simulated_only"))
        return header, rows

    def investments(self) -> tuple[Row, list[Row]]:
        """T4 by kind of investment, in all worlds and in ordinary ones."""
        rows: list[Row] = []
        for arm in ("all worlds", "ordinary"):
            worlds = score.of_kind(self.returns, *ARMS[arm])
            total = sum(score.returns_weight(world) for world in worlds)
            for kind in KINDS:
                pooled = score.pool(worlds, _weight_of(kind), _error_of(kind), self.seed)
                share = sum(world["weights"][kind] for world in worlds) / total
                rows.append((arm, kind, _number(share), *_figures(pooled)[1:]))
        return (
            ("worlds_of_kind", "investment", "share_of_money", "baseline_error", "integrated_error", "error_reduction", "lower_bound", "upper_bound", "worse_share"),
            rows,
        )  # fmt: skip

    def ablation(self) -> tuple[Row, list[Row]]:
        """What the error becomes when one component gives way to the baseline's part."""
        header = ("target_id", "without", "error", "error_reduction", "reduction_lost")
        rows: list[Row] = []
        for target, components in (
            ("T4", return_estimates.ABLATIONS),
            ("T5", tuple(outlook_estimates.ABLATIONS)),
        ):
            whole = self.pooled(target, ARMS["ordinary"])
            rows.append(
                (
                    target,
                    "nothing",
                    _number(whole.integrated_error),
                    _number(whole.reduction),
                    _number(0.0),
                )
            )
            for component in components:
                part = self.pooled(target, ARMS["ordinary"], variant=f"without_{component}")
                lost = (whole.reduction or 0.0) - (part.reduction or 0.0)
                rows.append(
                    (
                        target,
                        component,
                        _number(part.integrated_error),
                        _number(part.reduction),
                        _number(lost),
                    )
                )
        return header, rows

    def attribution(self) -> tuple[Row, list[Row]]:
        """Accuracy of channel shares per model and kind of world: mean, and the middle 90 % of worlds."""
        rows: list[Row] = []
        for arm in ("ordinary", "plain", "noise"):
            worlds = score.of_kind(self.returns, *ARMS[arm])
            for model in sorted(worlds[0]["attribution_accuracy"]) if worlds else ():
                values = [world["attribution_accuracy"][model] for world in worlds]
                low, high = np.percentile(values, [5, 95])
                rows.append(
                    (arm, model, len(values), _number(np.mean(values)), _number(low), _number(high))
                )
        return (
            ("worlds_of_kind", "attribution_model", "worlds", "accuracy", "percentile_5", "percentile_95"),
            rows,
        )  # fmt: skip

    def guardrails(self) -> tuple[Row, list[Row]]:
        """How early overspending was seen and how often a line that kept its budget was warned of."""
        rows: list[Row] = []
        for arm in ("all worlds", "ordinary"):
            worlds = score.of_kind(self.budgets, *ARMS[arm])
            over = sum(world["overspent"] for world in worlds)
            kept = sum(world["kept"] for world in worlds)
            for rule in worlds[0]["lead_periods"]:
                lead = sum(world["lead_periods"][rule] for world in worlds) / max(over, 1)
                alarms = sum(world["false_alarms"][rule] for world in worlds) / max(kept, 1)
                rows.append((arm, rule, over, kept, _number(lead), _number(alarms)))
        return (
            ("worlds_of_kind", "rule", "overspent_lines", "kept_lines", "lead_periods", "false_alarm_rate"),
            rows,
        )  # fmt: skip

    def conditions(self) -> tuple[Row, list[Row]]:
        """Reduction in the ordinary worlds with the lowest and the highest third of each parameter."""
        rows: list[Row] = []
        for target, worlds, weight, error in (
            (
                "T4",
                score.of_kind(self.returns, "ordinary"),
                score.returns_weight,
                score.returns_error,
            ),
            (
                "T5",
                score.of_kind(self.budgets, "ordinary"),
                score.budget_weight,
                score.budget_error,
            ),
        ):
            third = len(worlds) // 3
            for name in worlds[0]["parameters"] if third else ():
                ordered = sorted(worlds, key=lambda world: world["parameters"][name])
                low, high = (
                    score.pool(part, weight, error, self.seed).reduction
                    for part in (ordered[:third], ordered[-third:])
                )
                rows.append((target, name, _number(low), _number(high)))
        return ("target_id", "parameter", "reduction_lowest_third", "reduction_highest_third"), rows

    def by_world(self) -> tuple[Row, list[Row]]:
        """Both errors of each world."""
        rows: list[Row] = []
        for number, (returns, budget) in enumerate(zip(self.returns, self.budgets, strict=True)):
            errors = [
                score.returns_error(returns, variant) / score.returns_weight(returns)
                for variant in ("baseline", "integrated")
            ]
            errors += [
                score.budget_error(budget, variant) / score.budget_weight(budget)
                for variant in ("baseline", "integrated")
            ]
            rows.append((number, returns["kind"], *map(_number, errors)))
        return ("world", "kind", "t4_baseline_error", "t4_integrated_error", "t5_baseline_error", "t5_integrated_error"), rows  # fmt: skip


def _weight_of(kind: str) -> Callable[[Scores], float]:
    return lambda world: float(world["weights"][kind])


def _error_of(kind: str) -> Callable[[Scores, str], float]:
    return lambda world, variant: float(world["errors"][variant][kind])


def _figures(pooled: Pooled) -> tuple[object, ...]:
    return (
        pooled.worlds,
        _number(pooled.baseline_error),
        _number(pooled.integrated_error),
        _number(pooled.reduction),
        _number(pooled.lower),
        _number(pooled.upper),
        _number(pooled.worse_share),
    )


def _number(value: float | None) -> str:
    """Six digits are more than the study knows, and few enough to be the same everywhere."""
    return "" if value is None else f"{value:.6f}"


def _ranges() -> tuple[Row, list[Row]]:
    rows: list[Row] = []
    for part, spans, fixed in (
        ("returns", ranges.RETURNS, ranges.RETURNS_FIXED),
        ("budget", ranges.BUDGET, ranges.BUDGET_FIXED),
    ):
        for name, span in spans.items():
            kept = [
                f"{fixed[kind][name]:g}" if name in fixed[kind] else ""
                for kind in ("plain", "noise")
            ]
            rows.append((part, name, f"{span.low:g}", f"{span.high:g}", *kept, span.reason))
    return ("part", "parameter", "low", "high", "fixed_in_plain", "fixed_in_noise", "reason"), rows


def _write_table(path: Path, header: Row, rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _plots(out: Path, tables: Mapping[str, tuple[Row, list[Row]]]) -> None:
    import altair as alt
    import pandas as pd
    import vl_convert

    def frame(name: str) -> pd.DataFrame:
        header, rows = tables[name]
        return pd.DataFrame(rows, columns=list(header)).apply(_numeric)

    def save(chart: Any, name: str) -> None:
        (out / f"{name}.svg").write_text(
            vl_convert.vegalite_to_svg(chart.to_json()), encoding="utf-8"
        )

    worlds = frame("worlds")
    pieces = []
    for target, title in (("t4", "T4: return on investment"), ("t5", "T5: year-end outlook")):
        before, after = f"{target}_baseline_error", f"{target}_integrated_error"
        top = float(worlds[before].quantile(0.98))
        line = (
            alt.Chart(pd.DataFrame({"error": [0.0, top]}))
            .mark_line(color="#999")
            .encode(x="error:Q", y="error:Q")
        )
        points = (
            alt.Chart(worlds[(worlds[before] <= top) & (worlds[after] <= top)])
            .mark_point(filled=True, opacity=0.7, size=30)
            .encode(
                x=alt.X(f"{before}:Q", title="error of the baseline"),
                y=alt.Y(f"{after}:Q", title="error of the warehouse"),
                color=alt.Color("kind:N", title="worlds", sort=["ordinary", "plain", "noise"]),
                shape=alt.Shape("kind:N", title="worlds", sort=["ordinary", "plain", "noise"]),
            )
        )
        pieces.append((line + points).properties(title=title, width=300, height=260))
    save(alt.hconcat(*pieces), "worlds")
    ablation = frame("ablation")
    bars = (
        alt.Chart(ablation[ablation["without"] != "nothing"])
        .mark_bar()
        .encode(
            x=alt.X(
                "reduction_lost:Q",
                title="error reduction lost without it",
                axis=alt.Axis(format="%"),
            ),
            y=alt.Y("without:N", title=None, sort=None),
            row=alt.Row("target_id:N", title=None),
        )
        .properties(width=420)
        .resolve_scale(y="independent")
    )
    save(bars, "ablation")
    attribution = frame("attribution")
    accuracy = (
        alt.Chart(attribution[attribution["worlds_of_kind"] == "ordinary"])
        .mark_bar()
        .encode(
            x=alt.X("accuracy:Q", title="share of credit at the right channel, ordinary worlds", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])),
            y=alt.Y("attribution_model:N", title=None, sort="-x"),
        )
        .properties(width=420)
    )  # fmt: skip
    save(accuracy, "attribution")


def _numeric(column: Any) -> Any:
    import pandas as pd

    try:
        return pd.to_numeric(column)
    except ValueError:
        return column


def _text(
    found: Findings,
    tables: Mapping[str, tuple[Row, list[Row]]],
) -> str:
    def records(name: str) -> list[dict[str, str]]:
        header, rows = tables[name]
        return [dict(zip(map(str, header), map(str, row), strict=True)) for row in rows]

    verdicts = []
    for target, wanted in TARGETS.items():
        pooled = found.pooled(target, ARMS["all worlds"])
        verdicts.append(
            {
                "name": NAMES[target],
                "target": wanted,
                "baseline": pooled.baseline_error,
                "integrated": pooled.integrated_error,
                "reduction": pooled.reduction,
                "lower": pooled.lower,
                "worse_share": pooled.worse_share,
                "is_reached": pooled.lower is not None and pooled.lower >= wanted,
            }
        )
    targets = records("targets")
    accuracies = records("attribution")
    whole = found.pooled("T4", ARMS["ordinary"])
    point = found.pooled("T4", ARMS["ordinary"], variant="point_estimates")
    environment = Environment(
        loader=PackageLoader("warehouse.study"),
        autoescape=False,  # nosec B701 - Markdown of our own figures, no page
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters |= {"percent": _percent, "decimal": _decimal, "words": _words}
    return environment.get_template("study.md.j2").render(
        count=found.count,
        seed=found.seed,
        lines=len(budget_world.LINES),
        resamples=score.RESAMPLES,
        model=return_estimates.ATTRIBUTION_MODEL,
        before_months=baseline.BEFORE_MONTHS,
        verdicts=verdicts,
        targets=targets,
        naive=next(row for row in targets if row["against"] == "seasonal_naive"),
        investments=records("investments"),
        ablation=records("ablation"),
        point={"before": whole.integrated_error, "after": point.integrated_error},
        models=sorted({row["attribution_model"] for row in accuracies}),
        accuracy={
            (row["worlds_of_kind"], row["attribution_model"]): row["accuracy"] for row in accuracies
        },
        guardrails=records("guardrails"),
        rules=RULES,
        conditions=_strongest(records("conditions")),
        worse=_worse(records("worlds")),
    )


def _strongest(conditions: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """The five parameters of each target between whose thirds the reduction differs most."""

    def span(row: Mapping[str, str]) -> float:
        low, high = row["reduction_lowest_third"], row["reduction_highest_third"]
        return abs(float(low) - float(high)) if low and high else 0.0

    return [
        row
        for target in TARGETS
        for row in sorted((r for r in conditions if r["target_id"] == target), key=span, reverse=True)[:5]
    ]  # fmt: skip


def _worse(worlds: Sequence[Mapping[str, str]]) -> str:
    parts = []
    for target in TARGETS:
        before, after = (
            f"{target.lower()}_{method}_error" for method in ("baseline", "integrated")
        )
        counts = []
        for kind in ("ordinary", "plain", "noise"):
            of_kind = [row for row in worlds if row["kind"] == kind]
            worse = sum(float(row[after]) > float(row[before]) for row in of_kind)
            counts.append(f"{worse} of {len(of_kind)} {kind}")
        parts.append(f"{target}: {', '.join(counts)} worlds")
    return "; ".join(parts)


def _percent(value: str | float | None, digits: int = 1) -> str:
    return "none" if value in ("", None) else f"{100 * float(value or 0):.{digits}f} %"


def _decimal(value: str | float, digits: int) -> str:
    return f"{float(value):.{digits}f}"


def _words(name: str) -> str:
    return name.replace("_", " ")
