"""Later knowledge supersedes earlier, deletions and whole months too, and the past stays reachable."""

from typing import Any

import pytest

from gate import GOOD, HEADER, land, load, run
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


def rows_of(
    project: CompiledProject, home: Home, clause: str, columns: str
) -> list[tuple[Any, ...]]:
    connection = project.run([clause.split()[0]], from_raw=home.root)
    return connection.execute(f"select {columns} from staging.{clause} order by all").fetchall()


def cloud_costs(month: str, *costs: str, provider: str = "AWS") -> str:
    return FOCUS + "".join(
        f"{month}-01,{month}-01,{month}-02,Usage,{cost},{cost},USD,Compute,{provider}\n"
        for cost in costs
    )


def payments(project: CompiledProject, home: Home) -> list[tuple[Any, ...]]:
    return rows_of(project, home, "stg_revenue__payments", "payment_id, cast(amount as varchar)")


def test_a_later_row_supersedes_and_the_earlier_stays_reachable(
    home: Home, project: CompiledProject, in_march: CompiledProject
) -> None:
    land(home, "revenue/payments.2026-03-01.csv", HEADER + GOOD)
    land(home, "revenue/payments.2026-04-01.csv", HEADER + GOOD.replace("10.50", "11.00"))
    run(home)
    assert payments(project, home) == [("p1", "11.00")]
    assert payments(in_march, home) == [("p1", "10.50")]


def test_a_correction_taken_back_by_a_later_delivery_is_taken_back(
    home: Home, project: CompiledProject
) -> None:
    for day, amount in (("01", "10.50"), ("02", "11.00"), ("03", "10.50")):
        content = HEADER + GOOD.replace("10.50", amount)
        land(home, f"revenue/payments.2026-03-{day}.csv", content)
    run(home)
    assert payments(project, home) == [("p1", "10.50")]


def test_a_row_that_says_it_is_deleted_needs_its_key_only_and_is_gone(
    home: Home, project: CompiledProject, in_march: CompiledProject
) -> None:
    land(home, "revenue/payments.2026-03-01.csv", HEADER + GOOD + GOOD.replace("p1", "p2"))
    header = HEADER.strip() + ",is_deleted\n"
    content = header + "p1,,,,,,true\n" + GOOD.strip().replace("p1", "p2") + ",false\n"
    result = load(home, content, "revenue/payments.2026-04-01.csv")
    assert (result.rows_accepted, result.rows_quarantined) == (2, 0)
    assert payments(project, home) == [("p2", "10.50")]
    assert payments(in_march, home) == [("p1", "10.50"), ("p2", "10.50")]


def test_a_deleted_row_comes_back_when_it_is_delivered_again(
    home: Home, project: CompiledProject
) -> None:
    land(home, "revenue/payments.2026-03-01.csv", HEADER + GOOD)
    gone = "payment_id,is_deleted,invoice_id,paid_on,amount,currency\np1,true,,,,\n"
    land(home, "revenue/payments.2026-03-02.csv", gone)
    land(home, "revenue/payments.2026-03-03.csv", HEADER + GOOD)
    run(home)
    assert payments(project, home) == [("p1", "10.50")]


def test_a_delivery_replaces_a_whole_month_where_its_mapping_says_so(
    home: Home, project: CompiledProject, in_march: CompiledProject
) -> None:
    folder = "focus_whole_months"
    land(home, f"{folder}/aws.2026-02-02.csv", cloud_costs("2026-01", "1", "2", "3"))
    land(home, f"{folder}/aws-b.2026-02-02.csv", cloud_costs("2026-02", "10"))
    land(home, f"{folder}/azure.2026-02-02.csv", cloud_costs("2026-01", "20", provider="Azure"))
    land(home, f"{folder}/aws.2026-04-02.csv", cloud_costs("2026-01", "1", "2.5"))
    run(home)
    costs = "cast(cast(sum(billed_cost) as decimal(9, 1)) as varchar), count(*)"
    columns = f"cast(billing_period_start as date), provider_name, {costs}"
    model = "stg_cost__cloud_costs group by all"
    now = rows_of(project, home, model, columns)
    assert [(str(day), *rest) for day, *rest in now] == [
        ("2026-01-01", "AWS", "3.5", 2),
        ("2026-01-01", "Azure", "20.0", 1),
        ("2026-02-01", "AWS", "10.0", 1),
    ]
    then = rows_of(in_march, home, model, columns)
    assert (str(then[0][0]), *then[0][1:]) == ("2026-01-01", "AWS", "6.0", 3)


def test_without_that_word_every_delivery_adds(home: Home, project: CompiledProject) -> None:
    land(home, "focus/aws.2026-02-02.csv", cloud_costs("2026-01", "1", "2"))
    land(home, "focus/aws.2026-02-03.csv", cloud_costs("2026-01", "-1"))
    run(home)
    columns = "cast(cast(sum(billed_cost) as decimal(9, 1)) as varchar)"
    assert rows_of(project, home, "stg_cost__cloud_costs", columns) == [("2.0",)]


def test_a_file_sent_again_in_place_repeats_no_row_of_itself(
    home: Home, project: CompiledProject
) -> None:
    second = GOOD.replace("p1", "p2")
    for amount in ("10.50", "11.00"):
        changed = GOOD.replace("10.50", amount)
        land(home, "revenue/payments.2026-03-01.csv", HEADER + changed + second)
        run(home)
    models = [f"int_violations__{rule}" for rule in ("duplicate_row", "corrected_row")]
    connection = project.run(models, from_raw=home.root)
    duplicates, corrected = (
        connection.execute(f"select record_key from intermediate.{model}").fetchall()
        for model in models
    )
    assert (duplicates, corrected) == ([], [("payment_id=p1",)])
