"""Import mappings: the given ones take their example, a user's own work, wrong ones name the line."""

from pathlib import Path

import pytest

from gate import GOOD, HEADER, entries, land, load, quarantined, raw, run
from warehouse import cli, contract, ingest, mapping, verify
from warehouse.errors import MappingError, UsageError
from warehouse.home import Home
from warehouse.mapping import BUILT_IN

CONTRACT = contract.load()
GIVEN = {path.stem: mapping.load(path, CONTRACT) for path in sorted(BUILT_IN.glob("*.yml"))}


@pytest.fixture
def home(empty_home: Home) -> Home:
    return empty_home


def write_mapping(home: Home, name: str, text: str) -> Path:
    home.mappings.mkdir(parents=True, exist_ok=True)
    path = home.mappings / f"{name}.yml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", [name for name, one in GIVEN.items() if one.example])
def test_a_given_mapping_takes_its_own_example(home: Home, name: str) -> None:
    given = GIVEN[name]
    result = load(home, given.example, f"{name}/example.2026-02-01.csv")
    assert result.outcome == "loaded", result.message
    assert result.rows_accepted == result.rows_read > 0
    assert given.title


def test_debit_and_credit_become_one_signed_amount(home: Home) -> None:
    load(home, GIVEN["quickbooks_general_ledger"].example, "quickbooks_general_ledger/gl.csv")
    columns = "journal_id, line_number, cast(posted_on as varchar), account_id, "
    assert raw(home, f"{columns} cast(amount as varchar), currency, _row", "cost/gl_entries") == [
        ("1021", 1, "2026-01-31", "6010 Hosting", "1250.00", "USD", 2),
        ("1021", 2, "2026-01-31", "1000 Bank", "-1250.00", "USD", 3),
    ]


def test_stripe_prices_become_prices_per_unit_and_month(home: Home) -> None:
    content = (
        GIVEN["stripe_subscriptions"].example + "sub_3,cus_3,p,q,1,5000,month,3,jpy,,1704067200,\n"
    )
    load(home, content, "stripe_subscriptions/subscriptions.csv")
    columns = "subscription_id, cast(valid_from as varchar), cast(unit_price as varchar), "
    columns += "cast(discount_rate as varchar), billing_interval_months, currency, "
    columns += "cast(valid_to as varchar)"
    assert raw(home, columns, "revenue/subscriptions") == [
        ("sub_1", "2024-01-01", "200.000000", "0.100000", 12, "USD", None),
        ("sub_2", "2024-02-01", "19.000000", None, 1, "USD", "2025-02-01"),
        ("sub_3", "2024-01-01", "1666.666667", None, 3, "JPY", None),
    ]


def test_stripe_lines_end_the_day_before_the_next_period(home: Home) -> None:
    load(home, GIVEN["stripe_invoice_line_items"].example, "stripe_invoice_line_items/lines.csv")
    columns = "line_number, charge_type, cast(amount as varchar), cast(service_end_on as varchar)"
    assert raw(home, columns, "revenue/invoice_lines") == [
        (1, "recurring", "2400.00", "2024-12-31"),
        (2, "credit", "-50.00", "2024-01-01"),
    ]


def test_months_across_become_rows_and_empty_cells_none(home: Home) -> None:
    content = (
        "Cost center,Account,Product,Jan 2026,Feb 2026,Mar 2026,Note\n"
        'CC-1,6100,P1,"1,200.50",,x,keep\n'
        "CC-1,,,1,2,3,total\n"
    )
    result = load(home, content, "wide_budget/budget.csv")
    counted = (result.rows_read, result.rows_accepted, result.rows_quarantined)
    assert (*counted, result.rows_set_aside) == (6, 1, 1, 4)
    columns = "budget_version, fiscal_period, account_id, cast(amount as varchar), _row, _extra"
    assert raw(home, columns, "budget/budget_lines") == [
        ("FY2026_original", "2026-P01", "6100", "1200.50", 2, '{"Note":"keep"}')
    ]
    assert quarantined(result)[0][:3] == (2, "amount", "x")


WIDE = """\
extends: wide_budget
title: Our budget
header_row: 3
numbers: european
columns:
  budget_version: {value: FY2027_original}
  fiscal_period: {from: $month, fiscal_period: 7}
  currency: {value: EUR}
"""


def test_a_user_adds_a_mapping_by_a_file_of_yaml(home: Home) -> None:
    write_mapping(home, "our_budget", WIDE)
    content = "Budget\n\nDepartment;Account;Jul 26;Jan 27\nCC-1;6100;1.200;1.300\n"
    load(home, content, "our_budget/budget.csv")
    columns = "budget_version, fiscal_period, cast(amount as varchar), currency, _row"
    assert raw(home, columns, "budget/budget_lines") == [
        ("FY2027_original", "2027-P01", "1200.00", "EUR", 4),
        ("FY2027_original", "2027-P07", "1300.00", "EUR", 4),
    ]


def test_a_corrected_mapping_reads_the_file_again_and_takes_the_first_reading_back(
    home: Home,
) -> None:
    write_mapping(home, "our_budget", WIDE)
    name = "our_budget/budget.csv"
    load(home, "Budget\n\nDepartment;Account;Jul 26\nCC-1;6100;1.200\n", name)
    write_mapping(home, "our_budget", "# Only a comment.\n" + WIDE.replace("Our", "My"))
    assert [file.outcome for file in run(home).files] == ["known"]
    write_mapping(home, "our_budget", WIDE.replace("EUR", "CHF"))
    assert [file.outcome for file in run(home).files] == ["loaded"]
    assert raw(home, "currency", "budget/budget_lines") == [("CHF",)]
    (withdrawn,) = home.withdrawn.rglob("*.parquet")
    assert list(verify.problems(home)) == []
    kept = withdrawn.read_bytes()
    withdrawn.write_bytes(b"x")
    assert list(verify.problems(home)) == [
        f"{withdrawn.relative_to(home.root)} was changed after it was written"
    ]
    withdrawn.write_bytes(kept)
    stranger = withdrawn.with_name("stranger.parquet")
    stranger.touch()
    assert list(verify.problems(home)) == [
        f"{stranger.relative_to(home.root)} is not in the ledger"
    ]
    stranger.unlink()
    write_mapping(home, "our_budget", WIDE)
    run(home)
    assert raw(home, "currency", "budget/budget_lines") == [("EUR",)]
    assert [entry["event"] for entry in entries(home)] == ["loaded"] * 3
    assert list(verify.problems(home)) == []


GOOD_MAPPING = """\
into: revenue/payments
columns:
  payment_id: id
  invoice_id: invoice
  paid_on: date
  amount: {from: amount}
  currency: {value: USD}
"""


@pytest.mark.parametrize(
    ("wrong", "right", "line", "message"),
    [
        ("into: revenue/payments", "into: revenue/payment", 1, "did you mean revenue/payments?"),
        ("into: revenue/payments", "title: x", 1, "lacks `into`"),
        ("  amount: {from: amount}\n", "", 3, "says nothing of amount"),
        ("  invoice_id:", "  invoce_id:", 4, "invoce_id is unknown here; did you mean invoice_id?"),
        ("{from: amount}", "{form: amount}", 6, "form is unknown here; did you mean from?"),
        ("{from: amount}", "{times: 2}", 6, "takes its value from nowhere"),
        ("{from: amount}", "{from: a, numbers: german}", 6, "german is no number format"),
        ("paid_on: date", "paid_on: {from: d, dates: usa}", 5, "usa is no date format"),
        ("paid_on: date", "paid_on: $month", 5, "need `months`"),
        ("{from: amount}", "{from: a, letters: big}", 6, "letters is one of upper, lower"),
        ("  paid_on: date", "  paid_on: date\n  paid_on: day", 6, "paid_on stands there twice"),
        ("columns:", "columns: {", 4, "is no YAML"),
        ("columns:", "replaces: [month]\ncolumns:", 2, "has no column month"),
        ("into:", "extends: nobody\ninto:", 1, "extends nobody, and there is no such mapping"),
        ("{from: amount}", "{from: a, days: few}", 6, "few is no whole number"),
        ("{from: amount}", "{from: a, negative_when: {b: {is: minus}}}", 6, "is one of empty"),
        ("{from: amount}", "{from: a, cases: [{when: {b: x}}]}", 6, "needs `when` and `then`"),
    ],
)
def test_a_wrong_mapping_is_refused_with_the_line_to_fix(
    home: Home, wrong: str, right: str, line: int, message: str
) -> None:
    assert wrong in GOOD_MAPPING
    path = write_mapping(home, "mine", GOOD_MAPPING.replace(wrong, right))
    land(home, "mine/file.csv", "id\n1\n")
    land(home, "revenue/payments.csv", HEADER + GOOD)
    refused, loaded = run(home).files
    assert refused.message.startswith(f"its mapping is wrong, correct it: {path} line {line}: ")
    assert message in refused.message
    assert loaded.outcome == "loaded", "a wrong mapping concerns the files that use it"
    with pytest.raises(MappingError, match=f"line {line}: "):
        ingest.ingest_files(home, [home.landing / "mine/file.csv"], "mine")


@pytest.mark.parametrize(
    ("rule", "header", "reason"),
    [
        ("{from: amount}", "id,invoice,date", "lacks amount, which mine needs for amount"),
        ("{from: [gross, net]}", "id,invoice,date", "lacks gross or net"),
        ("{from: a, negative_when: {side: Credit}}", "id,invoice,date,a", "lacks side"),
        ("{from: a}", "id,invoice,date,A,a", "has a more than once"),
        ("{from: a, default: $file_date}", "id,invoice,date", "finds none there: name the file"),
    ],
)
def test_a_file_that_does_not_fit_its_mapping_is_refused(
    home: Home, rule: str, header: str, reason: str
) -> None:
    write_mapping(home, "mine", GOOD_MAPPING.replace("{from: amount}", rule))
    result = load(home, f"{header}\n", "mine/file.csv")
    assert (result.outcome, reason in result.message) == ("refused", True)


STEPS = {
    "{from: a, times: 0.01}": ("250", "2.50"),
    "{from: a, divided_by: 3, round: true}": ("10", "3.33"),
    "{from: a, divided_by: 3}": ("10", None),
    "{from: a, plus: 1.5}": ("10", "11.50"),
    "{from: a, minus: b}": ("10", "8.00"),
    "{from: empty, minus: b}": ("", "-2.00"),
    "{from: a, minus: word}": ("10", None),
    "{from: a, negative_when: {word: [Nope, nonsense]}}": ("10", "-10.00"),
    "{from: a, negative_when: {word: Nope}}": ("10", "10.00"),
    "{from: [missing, empty, a]}": ("7", "7.00"),
    "{from: empty, default: 5}": ("", "5.00"),
    "{from: a, default: 5}": ("x", None),
    "{from: a, values: {ten: 10, X: 9}}": ("x", "9.00"),
    "{from: a, values: {ten: 10}, otherwise: 1}": ("x", "1.00"),
    "{from: a, cases: [{when: {b: '2'}, then: {value: 42}}]}": ("x", "42.00"),
    "{from: a, cases: [{when: {b: {is: negative}}, then: {value: 42}}]}": ("3", "3.00"),
    "{from: a, numbers: european}": ('"1.234,5"', "1234.50"),
    "{from: a, times: 2, numbers: european}": ('"1.234,5"', "2469.00"),
}


@pytest.mark.parametrize(("rule", "amounts"), STEPS.items(), ids=STEPS)
def test_each_step_of_a_rule_does_what_it_says(
    home: Home, rule: str, amounts: tuple[str, str | None]
) -> None:
    given, read = amounts
    write_mapping(home, "mine", GOOD_MAPPING.replace("{from: amount}", rule))
    content = f"id,invoice,date,a,b,empty,word\n1,2,2026-01-05,{given},2,,nonsense\n"
    result = load(home, content, "mine/file.csv")
    found = raw(home, "cast(amount as varchar)")
    assert found == ([(read,)] if read else [])
    if read is None:
        assert [row[1] for row in quarantined(result)] == ["amount"]


def test_only_and_skip_leave_records_out_and_say_how_many(home: Home) -> None:
    write_mapping(home, "mine", GOOD_MAPPING + "only: {kind: [pay, Refund]}\nskip: {id: total}\n")
    content = "id,invoice,date,amount,kind\n1,2,2026-01-05,5,PAY\n2,2,never,x,fee\nTotal,,,5,pay\n"
    result = load(home, content, "mine/file.csv")
    assert (result.rows_accepted, result.rows_set_aside, result.rows_quarantined) == (1, 2, 0)


@pytest.mark.parametrize("condition", ["skip: {kind: {is: empty}}", "only: {kind: {is: filled}}"])
def test_a_file_without_the_column_that_leaves_records_out_is_refused(
    home: Home, condition: str
) -> None:
    write_mapping(home, "mine", GOOD_MAPPING + condition)
    result = load(home, "id,invoice,date,amount\n1,2,2026-01-05,5\n", "mine/file.csv")
    assert result.outcome == "refused"
    assert "lacks kind, which mine needs for the records to take" in result.message
    assert "mine.yml line " in result.message


def test_a_file_is_taken_by_name_of_the_mapping(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WAREHOUSE_HOME", str(home.root))
    file = tmp_path / "subs.csv"
    file.write_text(GIVEN["stripe_subscriptions"].example)
    assert cli.main(["ingest", str(file), "--as", "stripe_subscriptions"]) == 0
    assert cli.main(["ingest", str(file), "--as", "stripe"]) == 2
    assert cli.main(["ingest", str(file)]) == 2
    assert cli.main(["ingest", str(tmp_path / "none.csv"), "--as", "focus"]) == 2
    assert raw(home, "_file", "revenue/subscriptions")[0] == ("stripe_subscriptions/subs.csv",)
    capsys.readouterr()
    write_mapping(home, "mine", GOOD_MAPPING)
    assert cli.main(["mappings"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in (*GIVEN, "mine"))
    assert cli.main(["mappings", "focus"]) == 0
    assert "BillingPeriodStart" in capsys.readouterr().out
    assert cli.main(["mappings", "nothing"]) == 2
    write_mapping(home, "broken", "into: nowhere\n")
    assert cli.main(["mappings"]) == 2
    output = capsys.readouterr()
    assert "focus" in output.out
    assert "broken.yml line 1: fills nowhere" in output.err
    assert cli.main(["mappings", "broken"]) == 2


def test_an_unknown_mapping_is_said_to_be_unknown(home: Home, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no mapping nothing; there are focus"):
        ingest.ingest_files(home, [tmp_path], "nothing")


def test_a_mapping_of_the_home_wins_over_the_given_one_and_can_extend_it(home: Home) -> None:
    write_mapping(
        home, "tempo_worklogs", "extends: tempo_worklogs\ncolumns:\n  hours: hours_spent\n"
    )
    content = "worklog_id,author,started,hours_spent\n1,ada,2026-01-05T09:00:00.000+0000,1.5\n"
    load(home, content, "tempo_worklogs/log.csv")
    columns = "cast(hours as varchar), cast(work_date as varchar)"
    assert raw(home, columns, "cost/timesheets") == [("1.50", "2026-01-05")]
