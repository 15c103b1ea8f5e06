"""Chart forms of the report: Vega-Lite specifications over data named `rows`, drawn by the page.

Numbers are written by the page's own functions (`money`, `short`, `rate`, `plain`, `period`, `words`), so
charts follow the locale and the accounting style of the tables.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

# Okabe and Ito's colours, told apart with every kind of colour blindness; on light and dark paper.
COLOURS = (
    "#3a87c8",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#d55e00",
    "#8f7fc0",
    "#8a8a8a",
    "#b0a030",
    "#8c5f2f",
    "#1f7a7a",
    "#c2b29a",
)
# More members than these are not told apart: the largest are drawn, the rows hold all.
LINES_DRAWN, BARS_DRAWN = 8, 30
HELPS, HARMS, NEUTRAL = "#3a87c8", "#d55e00", "#8a8a8a"
INK = "currentColor"

Spec = Mapping[str, Any]
Tips = Mapping[str, str]


def stacked_bars(x: str, y: str, color: str, tips: Tips, *, height: int = 280) -> Spec:
    """Amounts over months or members, stacked by class; negative ones below the line."""
    return _spec(
        _rows()
        .mark_bar()
        .encode(
            x=_category(x),
            y=alt.Y(f"sum({y}):Q", axis=_number_axis("short")),
            color=_colour(color),
            tooltip=_tips(tips, summed=(y,)),
        ),
        height,
        (color, y, len(COLOURS)),
    )


def ranked_bars(y: str, x: str, tips: Tips, *, color: str | None = None, step: int = 24) -> Spec:
    """One bar per member, longest first."""
    bars = (
        _rows()
        .mark_bar()
        .encode(
            y=alt.Y(
                f"{y}:N",
                sort="-x",
                axis=alt.Axis(title=None, labelLimit=190, labelExpr="words(datum.label)"),
            ),
            x=alt.X(f"sum({x}):Q", axis=_number_axis("short")),
            color=_colour(color) if color else _sign(f"sum({x})", f"datum['sum_{x}'] < 0"),
            tooltip=_tips(tips, summed=(x,)),
        )
    )
    return _spec(bars, alt.Step(step), (y, x, BARS_DRAWN))


def lines(
    x: str,
    y: str,
    color: str,
    tips: Tips,
    *,
    style: str = "short",
    height: int = 280,
    zero: bool = True,
) -> Spec:
    """One line per class over months."""
    return _spec(
        _rows()
        .mark_line(point=alt.OverlayMarkDef(size=24, filled=True), strokeWidth=2)
        .encode(
            x=_category(x),
            y=alt.Y(f"{y}:Q", axis=_number_axis(style), scale=alt.Scale(zero=zero)),
            color=_colour(color),
            strokeDash=_dash(color),
            tooltip=_tips(tips),
        ),
        height,
        (color, y, LINES_DRAWN),
    )


def measures(x: str, columns: Tips, *, height: int = 260) -> Spec:
    """One line per column over months."""
    chart = (
        _rows()
        .transform_fold(list(columns), as_=["measure", "amount"])
        .transform_aggregate(amount="sum(amount)", groupby=[x, "measure"])
        .transform_calculate(
            name=" : ".join(
                f"datum.measure === '{column}' ? '{title}'" for column, title in columns.items()
            )
            + " : ''"
        )
        .mark_line(point=alt.OverlayMarkDef(size=24, filled=True), strokeWidth=2)
        .encode(
            x=_category(x),
            y=alt.Y("amount:Q", axis=_number_axis("short")),
            color=_colour("name"),
            strokeDash=_dash("name"),
            tooltip=_tips({"name": "Measure", x: "Month", "amount": "Amount"}),
        )
    )
    return _spec(chart, height)


def running_lines(x: str, y: str, color: str, tips: Tips, *, height: int = 300) -> Spec:
    """Running totals over months, one line per class."""
    base = (
        _rows()
        .transform_aggregate(amount=f"sum({y})", groupby=[x, color])
        .transform_window(
            running="sum(amount)", sort=[alt.SortField(x)], groupby=[color], frame=[None, 0]
        )
    )
    line = base.mark_line(strokeWidth=2, interpolate="step-after").encode(
        x=_category(x),
        y=alt.Y("running:Q", axis=_number_axis("short")),
        color=_colour(color),
        # The legend is the points': they have no dashes.
        strokeDash=alt.StrokeDash(f"{color}:N", legend=None),
    )
    points = base.mark_point(filled=True, size=30).encode(
        x=_category(x), y="running:Q", color=_colour(color), tooltip=_tips(tips)
    )
    zero = alt.Chart().mark_rule(aria=False, color=NEUTRAL).encode(y=alt.datum(0))
    return _spec(alt.layer(zero, line, points, data=alt.NamedData("rows")), height)


def waterfall(ends: tuple[str, str], *, height: int = 300, least: int = 62) -> Spec:
    """From one amount over its changes to another: rows with step, step_order and amount.

    The last bar is the mart's own figure, not the sum of the bars before it: a gap would show.
    `least` is the width a step needs for its name.
    """
    first, last = ends
    base = (
        _rows()
        .transform_aggregate(amount="sum(amount)", groupby=["step", "step_order"])
        .transform_calculate(
            is_end=f"datum.step === '{first}' || datum.step === '{last}'",
            move=f"datum.step === '{last}' ? 0 : datum.amount",
        )
        .transform_window(
            running="sum(move)",
            sort=[alt.SortField("step_order"), alt.SortField("step")],
            frame=[None, 0],
        )
        .transform_calculate(
            upper=f"datum.step === '{last}' ? datum.amount : datum.running",
            lower="datum.is_end ? 0 : datum.running - datum.amount",
            label="short(datum.amount)",
            effect="datum.is_end ? 'Total' : datum.amount < 0 ? '▼ lowers it' : '▲ raises it'",
        )
    )
    x = alt.X(
        "step:N",
        sort=alt.EncodingSortField("step_order", op="min"),
        axis=alt.Axis(
            title=None, labelExpr="wrap(datum.label)", labelLimit=130, labelOverlap=False
        ),
        scale=alt.Scale(paddingInner=0.25),
    )
    bars = base.mark_bar().encode(
        x=x,
        y=alt.Y("lower:Q", axis=_number_axis("short")),
        y2="upper:Q",
        color=alt.Color(
            "effect:N",
            scale=alt.Scale(
                domain=["Total", "▲ raises it", "▼ lowers it"], range=[NEUTRAL, HELPS, HARMS]
            ),
            legend=alt.Legend(title=None),
        ),
        tooltip=[
            alt.Tooltip("step:N", title="Step"),
            alt.Tooltip("amount:Q", title="Amount", formatType="money"),
        ],
    )
    labels = (
        base.transform_calculate(top="max(datum.lower, datum.upper)")
        .mark_text(dy=-8, color=INK, aria=False)
        .encode(x=x, y="top:Q", text="label:N")
    )
    return _spec(
        alt.layer(bars, labels, data=alt.NamedData("rows")), height, across=("step", least)
    )


def heat(
    x: str,
    y: str,
    value: str,
    tips: Tips,
    *,
    style: str = "short",
    diverging: bool = False,
    middle: float = 0,
    step: int = 28,
) -> Spec:
    """A matrix whose cells carry their number; with `diverging`, blue helps and orange harms."""
    scale = (
        alt.Scale(range=["#c65a11", "#f4ede4", "#2f76b5"], domainMid=middle, interpolate="rgb")
        if diverging
        else alt.Scale(range=["#eef3f6", "#7fb1d6", "#1f5f96"], interpolate="rgb")
    )
    base = (
        _rows()
        .transform_aggregate(value=f"sum({value})", groupby=[x, y])
        .transform_joinaggregate(low="min(value)", high="max(value)")
        .transform_calculate(
            label=f"{style}(datum.value)",
            # How deep the colour is, so that the number on it stays legible.
            depth=(
                f"datum.value < {middle} ? (datum.value - {middle}) / (datum.low - {middle})"
                f" : (datum.value - {middle}) / (datum.high - {middle})"
                if diverging
                else "(datum.value - datum.low) / (datum.high - datum.low)"
            ),
        )
    )
    axis = alt.Axis(title=None, orient="top", labelExpr=_axis_text(x))
    if x.endswith("month"):
        # Month over year, for which there is a second line: side by side the headings would touch.
        axis.labelExpr, axis.labelPadding = f"split({_axis_text(x)}, ' ')", 15
    across = alt.X(f"{x}:O", axis=axis)
    down = alt.Y(f"{y}:O", axis=alt.Axis(title=None, labelLimit=180, labelExpr=_axis_text(y)))
    cells = base.mark_rect(stroke="white", strokeOpacity=0.5).encode(
        x=across,
        y=down,
        color=alt.Color("value:Q", scale=scale, legend=None),
        tooltip=_tips(tips, renamed={value: "value"}),
    )
    numbers = base.mark_text(fontSize=10, aria=False, tooltip=None).encode(
        x=across,
        y=down,
        text="label:N",
        color=alt.condition("datum.depth > 0.62", alt.value("#ffffff"), alt.value("#1c2430")),
    )
    return _spec(
        alt.layer(cells, numbers, data=alt.NamedData("rows")),
        alt.Step(step),
        (y, value, BARS_DRAWN),
        (x, 52),
    )


def bubbles(x: str, y: str, size: str, color: str, tips: Tips, *, height: int = 340) -> Spec:
    """One bubble per member: what it costs, what it is worth, what has come."""
    dots = (
        _rows()
        .mark_point(filled=True, opacity=0.8, stroke="white", strokeWidth=1)
        .encode(
            x=alt.X(f"{x}:Q", axis=_number_axis("short", title=tips[x])),
            y=alt.Y(f"{y}:Q", axis=_number_axis("short", title=tips[y])),
            size=alt.Size(f"{size}:Q", scale=alt.Scale(range=[40, 900]), legend=None),
            color=_colour(color),
            shape=_shape(color),
            tooltip=_tips(tips),
        )
    )
    zero = alt.Chart().mark_rule(aria=False, color=NEUTRAL).encode(y=alt.datum(0))
    return _spec(alt.layer(zero, dots, data=alt.NamedData("rows")), height)


def intervals(
    y: str, low: str, middle: str, high: str, color: str, tips: Tips, *, step: int = 28
) -> Spec:
    """A range and the value within it, one line per member."""
    down = alt.Y(
        f"{y}:N",
        axis=alt.Axis(title=None, labelLimit=230, labelExpr="words(datum.label)"),
        sort=None,
    )
    bars = (
        _rows()
        .mark_rule(strokeWidth=6, opacity=0.35, color=COLOURS[0])
        .encode(
            y=down,
            x=alt.X(f"{low}:Q", axis=_number_axis("short")),
            x2=f"{high}:Q",
            tooltip=_tips(tips),
        )
    )
    dots = (
        _rows()
        .mark_point(filled=True, size=70)
        .encode(
            y=down, x=f"{middle}:Q", color=_colour(color), shape=_shape(color), tooltip=_tips(tips)
        )
    )
    return _spec(
        alt.layer(bars, dots, data=alt.NamedData("rows")), alt.Step(step), (y, high, BARS_DRAWN)
    )


def summed_intervals(y: str, low: str, middle: str, high: str, target: str, tips: Tips) -> Spec:
    """Ranges of members whose rows add up, with the target as a tick."""
    sums = [
        alt.AggregatedFieldDef(op="sum", field=name, **{"as": name})
        for name in (low, middle, high, target)
    ]
    base = _rows().transform_aggregate(sums, groupby=[y])
    down = alt.Y(f"{y}:N", axis=alt.Axis(title=None, labelLimit=190))
    bars = base.mark_rule(strokeWidth=7, opacity=0.35, color=COLOURS[0]).encode(
        y=down, x=alt.X(f"{low}:Q", axis=_number_axis("short")), x2=f"{high}:Q", tooltip=_tips(tips)
    )
    marks = (
        base.transform_fold([middle, target], as_=["which", "amount"])
        .transform_calculate(mark=f"datum.which === '{middle}' ? 'Outlook' : 'Budget'")
        .mark_point(filled=True, size=70)
        .encode(
            y=down,
            x="amount:Q",
            color=_colour("mark"),
            shape=_shape("mark"),
            tooltip=_tips(tips),
        )
    )
    return _spec(alt.layer(bars, marks, data=alt.NamedData("rows")), alt.Step(30))


def fan(tips: Tips, *, height: int = 300) -> Spec:
    """What was, what is expected, and how sure that is: rows with month, actual, forecast, bounds."""
    x = _category("target_month")
    base = _rows()

    def band(level: int, opacity: float) -> Any:
        return base.mark_area(opacity=opacity, color=COLOURS[0]).encode(
            x=x,
            y=alt.Y(f"lower_{level}_amount:Q", axis=_number_axis("short")),
            y2=f"upper_{level}_amount:Q",
        )

    expected = base.mark_line(strokeDash=[5, 3], color=COLOURS[0]).encode(
        x=x, y="forecast_amount:Q"
    )
    actual = base.mark_line(color=INK, strokeWidth=2).encode(x=x, y="actual_amount:Q")
    points = (
        base.transform_calculate(
            value="isValid(datum.actual_amount) ? datum.actual_amount : datum.forecast_amount"
        )
        .mark_point(filled=True, size=26, color=COLOURS[0])
        .encode(x=x, y="value:Q", tooltip=_tips(tips))
    )
    return _spec(
        alt.layer(
            band(95, 0.15), band(80, 0.25), expected, actual, points, data=alt.NamedData("rows")
        ),
        height,
    )


def frontier(tips: Tips, *, height: int = 280) -> Spec:
    """The most value each amount of money buys; the budget in force is the filled square."""
    base = _rows()
    axis = _number_axis("short", title=tips["budget_amount"])
    step = base.mark_line(interpolate="step-after", color=COLOURS[0], strokeWidth=2).encode(
        x=alt.X("budget_amount:Q", axis=axis),
        y=alt.Y("npv_amount:Q", axis=_number_axis("short", title=tips["npv_amount"])),
    )
    dots = base.mark_point(filled=True, size=80).encode(
        x="budget_amount:Q",
        y="npv_amount:Q",
        color=_colour("budget"),
        shape=_shape("budget"),
        tooltip=_tips(tips),
    )
    return _spec(alt.layer(step, dots, data=alt.NamedData("rows")), height)


def tornado(y: str, base: str, low: str, high: str, tips: Tips) -> Spec:
    """What each driver moves the result by, widest first, from the value expected to either end."""
    down = alt.Y(
        f"{y}:N",
        sort=alt.EncodingSortField("swing", op="max", order="descending"),
        axis=alt.Axis(title=None, labelLimit=190, labelExpr="words(datum.label)"),
    )
    ends = (
        _rows()
        .transform_calculate(swing=f"abs(datum['{high}'] - datum['{low}'])")
        .transform_fold([low, high], as_=["which", "amount"])
        .transform_calculate(end=f"datum.which === '{low}' ? 'Driver low' : 'Driver high'")
    )
    bars = ends.mark_bar().encode(
        y=down,
        x=alt.X("amount:Q", axis=_number_axis("short"), scale=alt.Scale(zero=False)),
        x2=f"{base}:Q",
        color=_colour("end"),
        tooltip=_tips(tips),
    )
    expected = _rows().mark_rule(aria=False, color=NEUTRAL).encode(x=f"max({base}):Q")
    return _spec(alt.layer(bars, expected, data=alt.NamedData("rows")), alt.Step(28))


def _rows() -> alt.Chart:
    return alt.Chart(alt.NamedData("rows"))


def _spec(
    chart: Any,
    height: Any,
    largest: tuple[str, str, int] | None = None,
    across: tuple[str, int] | None = None,
) -> Spec:
    """A chart as the page takes it.

    `largest` keeps members, by a measure, to a number; `across` gives each member of a column a
    least width, below which the chart scrolls.
    """
    spec: dict[str, Any] = chart.properties(width=600, height=height).to_dict(validate=False)
    usermeta: dict[str, Any] = {}
    if largest:
        usermeta |= dict(zip(("member", "measure", "limit"), largest, strict=True))
    if across:
        usermeta |= dict(zip(("across", "least"), across, strict=True))
    spec["usermeta"] = usermeta
    # The schema's address is documentation; a page that asks no other host does not carry it.
    for name in ("$schema", "config"):
        spec.pop(name, None)
    return spec


def _axis_text(column: str) -> str:
    return "period(datum.label)" if column.endswith("month") else "words(datum.label)"


def _category(column: str) -> alt.X:
    is_month = column.endswith("month")
    return alt.X(
        f"{column}:O",
        axis=alt.Axis(
            title=None,
            labelExpr=_axis_text(column),
            labelOverlap="greedy" if is_month else True,
            labelSeparation=10,
            labelLimit=120,
        ),
    )


def _number_axis(style: str, title: str | None = None) -> alt.Axis:
    return alt.Axis(title=title, formatType=style, tickCount=6)


def _legend() -> alt.Legend:
    return alt.Legend(title=None, labelExpr="words(datum.label)")


def _colour(column: str) -> alt.Color:
    return alt.Color(f"{column}:N", scale=alt.Scale(range=list(COLOURS)), legend=_legend())


def _dash(column: str) -> alt.StrokeDash:
    """Told apart without colour too; one legend serves both."""
    return alt.StrokeDash(f"{column}:N", legend=_legend())


def _shape(column: str) -> alt.Shape:
    return alt.Shape(f"{column}:N", legend=_legend())


def _sign(_: str, is_negative: str) -> Any:
    return alt.condition(is_negative, alt.value(HARMS), alt.value(HELPS))


def _tips(
    tips: Tips, *, summed: Sequence[str] = (), renamed: Mapping[str, str] | None = None
) -> list[alt.Tooltip]:
    """Tooltips by column and title; the way a number is written follows from its name."""
    styles = (
        ("_amount", "money"),
        ("running", "money"),
        ("amount", "money"),
        ("_rate", "rate"),
        ("_share", "rate"),
        ("_probability", "rate"),
        ("_ratio", "plain"),
        ("_months", "plain"),
        ("month", "period"),
    )
    found = []
    for column, title in tips.items():
        style = next((style for ending, style in styles if column.endswith(ending)), None)
        name = (renamed or {}).get(column, column)
        shown = f"sum({name})" if column in summed else name
        if style is None:
            found.append(alt.Tooltip(f"{shown}:N", title=title, formatType="words"))
        else:
            found.append(
                alt.Tooltip(
                    f"{shown}:{'O' if style == 'period' else 'Q'}", title=title, formatType=style
                )
            )
    return found
