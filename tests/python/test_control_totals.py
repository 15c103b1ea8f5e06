"""Nothing is lost between a delivered file and the marts, and how old each source is."""

from datetime import datetime, timedelta
from typing import Any

import duckdb
import pytest

from gate import GOOD, HEADER, entries, land, load, run
from warehouse import contract, totals
from warehouse.compiled import CompiledProject
from warehouse.home import Home

# dbt leaves its log of one run open when the next begins.
pytestmark = pytest.mark.filterwarnings("default::ResourceWarning")

FOCUS = (
    "BillingPeriodStart,ChargePeriodStart,ChargePeriodEnd,ChargeCategory,BilledCost,EffectiveCost,"
    "BillingCurrency,ServiceName,ProviderName\n"
)


@pytest.fixture
def home(empty_home: Home) -> Home:
    return empty_home


def control_totals(project: CompiledProject, home: Home, measure: str) -> list[tuple[Any, ...]]:
    connection = project.run(["rpt_control_totals"], from_raw=home.root)
    return connection.execute(
        """
        select
            source_file,
            read_total::double, in_force_total::double, superseded_total::double,
            deleted_total::double, quarantined_total::double, left_out_total::double,
            difference_total::double, is_complete
        from marts.rpt_control_totals
        where measure = ?
        order by all
        """,
        [measure],
    ).fetchall()


def deliver(home: Home) -> None:
    deletion = HEADER.strip() + ",is_deleted\np2,,,,,,true\n"
    rows = GOOD + GOOD.replace("p1", "p2") + GOOD.replace("p1", "p3") + "p4,i1,nope,2.25,,USD\n\n"
    land(home, "revenue/payments.2026-03-01.csv", HEADER + rows)
    land(home, "revenue/payments.2026-04-01.csv", HEADER + GOOD.replace("10.50", "11.00"))
    land(home, "revenue/payments.2026-04-02.csv", deletion)
    month = "2026-02-01,2026-02-01,2026-02-02,Usage,{0},{0},USD,Compute,AWS\n"
    land(home, "focus_whole_months/a.2026-03-01.csv", FOCUS + month.format(5) + month.format(6))
    land(home, "focus_whole_months/b.2026-03-02.csv", FOCUS + month.format(7))
    run(home)


def test_every_row_and_amount_read_is_in_one_place(home: Home, project: CompiledProject) -> None:
    deliver(home)
    assert control_totals(project, home, "rows") == [
        ("focus_whole_months/a.2026-03-01.csv", 2, 0, 2, 0, 0, 0, 0, True),
        ("focus_whole_months/b.2026-03-02.csv", 1, 1, 0, 0, 0, 0, 0, True),
        ("revenue/payments.2026-03-01.csv", 5, 1, 2, 0, 1, 1, 0, True),
        ("revenue/payments.2026-04-01.csv", 1, 1, 0, 0, 0, 0, 0, True),
        ("revenue/payments.2026-04-02.csv", 1, 0, 0, 1, 0, 0, 0, True),
    ]
    assert control_totals(project, home, "amount") == [
        ("revenue/payments.2026-03-01.csv", 33.75, 10.5, 21, 0, 2.25, 0, 0, True),
        ("revenue/payments.2026-04-01.csv", 11, 11, 0, 0, 0, 0, 0, True),
        ("revenue/payments.2026-04-02.csv", 0, 0, 0, 0, 0, 0, 0, True),
    ]
    assert control_totals(project, home, "BilledCost") == [
        ("focus_whole_months/a.2026-03-01.csv", 11, 0, 11, 0, 0, 0, 0, True),
        ("focus_whole_months/b.2026-03-02.csv", 7, 7, 0, 0, 0, 0, 0, True),
    ]


@pytest.mark.parametrize(
    ("change", "difference"),
    [("where payment_id <> 'p3'", 1), ("union all by name from rows where _row = 2", -1)],
)
def test_a_stored_row_that_is_lost_or_doubled_shows(
    home: Home, project: CompiledProject, change: str, difference: int
) -> None:
    deliver(home)
    (path,) = (home.raw / "revenue/payments").glob("2026-03-01-*.parquet")
    with duckdb.connect() as connection:
        connection.execute("create table rows as from read_parquet(?)", [str(path)])
        connection.execute(f"copy (from rows {change}) to '{path}' (format parquet)")
    found = {row[0]: row[-2:] for row in control_totals(project, home, "rows")}
    assert found["revenue/payments.2026-03-01.csv"] == (difference, False)
    assert found["revenue/payments.2026-04-01.csv"] == (0, True)


def test_totals_are_written_again_only_when_they_change(home: Home) -> None:
    load(home, HEADER + GOOD)
    path = home.raw / totals.SOURCE / totals.EXTRACT / f"{totals.EXTRACT}.parquet"
    before = path.stat().st_mtime_ns
    run(home)
    assert path.stat().st_mtime_ns == before
    path.unlink()
    totals.write(home, contract.load(), home.open_ledger())
    assert path.exists()


def test_lags_are_measured_from_the_last_load_of_anything(
    home: Home, project: CompiledProject
) -> None:
    load(home, HEADER + "p1,i1,2026-01-01,1,,USD\n", "revenue/payments-1.csv")
    rows = "".join(f"q{day},i1,2026-01-{day:02},1,,USD\n" for day in range(1, 22))
    load(home, HEADER + rows, "revenue/payments-2.csv")
    load(home, "customer_id,acquired_on\nc1,\n", "revenue/customers.csv")
    first, second, third = (datetime.fromisoformat(entry["loaded_at"]) for entry in entries(home))
    connection = project.run(["rpt_freshness"], from_raw=home.root)
    found = {
        row[0]: row[1:]
        for row in connection.execute(
            """
            select extract_name, file_count, freshness_state, observed_at, last_loaded_at,
                load_lag_hours, load_interval_p50_hours, latest_event_at, event_lag_p50_hours,
                event_lag_p95_hours, event_lag_p50_hours_reason, warn_after_hours, error_after_hours
            from marts.rpt_freshness
            """
        ).fetchall()
    }

    def hours(span: timedelta) -> Any:
        return pytest.approx(span / timedelta(hours=1), abs=1e-6)

    assert found["payments"] == (
        2,
        "fresh",
        third,
        second,
        hours(third - second),
        hours(second - first),
        datetime.fromisoformat("2026-01-21"),
        hours(second - datetime.fromisoformat("2026-01-11")),
        hours(second - datetime.fromisoformat("2026-01-02")),
        None,
        36,
        72,
    )
    assert found["customers"][:2] == (1, "fresh")
    assert found["customers"][-3] == "no_dated_rows"
    assert found["products"][1] == "not_delivered"
    assert found["products"][-3] == "no_event_column"


@pytest.mark.parametrize(("hours", "state"), [(35, "fresh"), (40, "warn"), (80, "error")])
def test_an_extract_is_judged_by_the_agreed_age_of_its_last_load(
    project: CompiledProject, hours: int, state: str
) -> None:
    last = datetime.fromisoformat("2026-03-31T12:00")
    loads = [("payments", last - timedelta(hours=hours)), ("customers", last)]
    given = [
        {
            "source_name": "revenue",
            "extract_name": name,
            "source_file": name,
            "measure": "rows",
            "loaded_at": at,
        }
        for name, at in loads
    ]
    connection = project.run(["rpt_freshness"], given={"stg_governance__load_totals": given})
    found = connection.execute(
        "select freshness_state, load_lag_hours from marts.rpt_freshness where extract_name = 'payments'"
    ).fetchall()
    assert found == [(state, hours)]
