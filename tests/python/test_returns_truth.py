"""How near realised returns come to what the simulated company's initiatives really cost and brought.

The truth is read here and nowhere else; no model sees it.
"""

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from warehouse.home import PROJECT, Home

# Cost misses what people did not write down, benefits what measuring them blurs.
COST_TOLERANCE, BENEFIT_TOLERANCE = 0.05, 0.07
# They seldom miss to opposite sides: what comes for what is spent is nearer than both together.
RATIO_TOLERANCE = 0.08


@pytest.fixture(scope="module")
def published(sample: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(sample.published / "current" / "marts.duckdb", read_only=True) as opened:
        yield opened


def compared(published: duckdb.DuckDBPyConnection) -> dict[str, dict[str, Any]]:
    """True and realised cost, benefit and net present value of each initiative, to the same month."""
    rows = published.execute(
        """
        with realised as (
            select *, pow(1 + discount_rate, 1.0 / 12) as monthly_factor
            from rpt_initiative_returns
            where case_version = 'realised'
        ),
        truth as (
            select
                initiative_id,
                cast(period_month as date) as month_date,
                benefit_usd,
                cost_usd,
                min(cast(period_month as date)) over (partition by initiative_id) as first_month
            from read_csv(?)
        )
        select
            realised.initiative_id,
            cast(max(realised.cost_amount) as double) as cost,
            cast(max(realised.benefit_amount) as double) as benefit,
            cast(max(realised.npv_amount) as double) as npv,
            sum(truth.cost_usd) as true_cost,
            sum(truth.benefit_usd) as true_benefit,
            sum((truth.benefit_usd - truth.cost_usd) / pow(
                realised.monthly_factor, datediff('month', truth.first_month, truth.month_date)
            )) as true_npv
        from realised
        inner join truth
            on realised.initiative_id = truth.initiative_id
            and truth.month_date <= (select max(last_flow_on) from realised)
        group by realised.initiative_id
        """,
        [str(PROJECT / "sample-truth" / "initiatives.csv")],
    )
    names = [column[0] for column in rows.description or []]
    return {row[0]: dict(zip(names, row, strict=True)) for row in rows.fetchall()}


def test_realised_returns_are_near_the_truth(published: duckdb.DuckDBPyConnection) -> None:
    found = compared(published)
    assert len(found) == 22
    assert not {
        name: row
        for name, row in found.items()
        if abs(row["cost"] / row["true_cost"] - 1) > COST_TOLERANCE
    }
    short = {
        name
        for name, row in found.items()
        if abs(row["benefit"] - row["true_benefit"]) > BENEFIT_TOLERANCE * row["true_benefit"]
    }
    # Never counted above the truth; below it only where the ledger has a reason, which it says.
    for name in short:
        assert found[name]["benefit"] < found[name]["true_benefit"]
        assert published.execute(
            """
            select count(*) > 0 from fct_benefits
            where initiative_id = ? and benefit_source = 'ledger' and realised_amount > 0 and not is_counted
            """,
            [name],
        ).fetchall() == [(True,)]
    assert len(short) <= 3
    for name in found.keys() - short:
        row = found[name]
        allowed = COST_TOLERANCE * row["true_cost"] + BENEFIT_TOLERANCE * row["true_benefit"]
        assert abs(row["npv"] - row["true_npv"]) <= allowed, name
        ratio, true_ratio = (row[f"{kind}benefit"] / row[f"{kind}cost"] for kind in ("", "true_"))
        assert ratio == pytest.approx(true_ratio, rel=RATIO_TOLERANCE), name


def test_the_planted_slip_and_abandonment_are_seen(published: duckdb.DuckDBPyConnection) -> None:
    rows = published.execute(
        """
        select
            initiative_id, status, slip_days > 150, cost_overrun_rate > 0.5,
            timing_effect_amount < 0, benefit_volume_effect_amount = -approved_benefit_amount,
            realised_benefit_amount = 0, cost_effect_amount > 0, forecast_npv_amount < 0
        from rpt_benefit_realisation
        where initiative_id in ('I07', 'I11')
        order by initiative_id
        """
    ).fetchall()
    assert rows[0] == ("I07", "live", True, True, True, False, False, False, True)
    assert rows[1][:2] == ("I11", "abandoned")
    assert rows[1][6:] == (True, True, True)


def test_an_experiment_and_the_ledger_differ_as_documented(
    published: duckdb.DuckDBPyConnection,
) -> None:
    """The experiment stands beside what counts, over the same months."""
    [(shown, claimed)] = published.execute(
        """
        with experiment as (
            select month_date, credited_amount
            from fct_benefits where initiative_id = 'I03' and benefit_id = 'experiment|X1'
        )
        select
            (select sum(credited_amount) from experiment),
            (select sum(cash_amount) from fct_benefits where initiative_id = 'I03'
                and is_counted and month_date in (select month_date from experiment))
        """
    ).fetchall()
    text = (PROJECT / "docs" / "investment.md").read_text(encoding="utf-8")
    assert (
        f"shows at least {shown:,} over its twelve months, of which the ledger claims {claimed:,}"
        in text
    )
