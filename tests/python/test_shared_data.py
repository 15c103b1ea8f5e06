"""Real exports and awkward files, where they lie beside the checkout, go through the gate."""

import csv
import json
import shutil
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from gate import entries, quarantined, raw, run
from shared import DATA, needs_data
from warehouse.home import Home
from warehouse.prepare import prepare
from warehouse.scan import open_table

MESSY = DATA / "messy_csv"
pytestmark = needs_data


@pytest.fixture
def home(empty_home: Home) -> Home:
    return empty_home


def deliver(home: Home, path: Path, mapping: str, name: str | None = None) -> None:
    target = home.landing / mapping / (name or path.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


# The examples of the specification leave out columns that every bill has.
EXAMPLES = """\
extends: focus
columns:
  BillingCurrency: {from: BillingCurrency, default: USD}
  ServiceName: {from: ServiceName, default: Example}
"""


def test_focus_bills_come_to_their_published_sums(home: Home) -> None:
    home.mappings.mkdir(parents=True)
    (home.mappings / "examples.yml").write_text(EXAMPLES)
    (home.mappings / "examples_us.yml").write_text("extends: examples\ndates: mdy\n")
    for path in (DATA / "focus").glob("*/*.csv"):
        is_american = path.name.startswith("virtual_currency")
        deliver(home, path, "examples_us" if is_american else "examples")
    assert {file.outcome for file in run(home).files} == {"loaded"}
    loaded = {Path(entry["file"]).name: entry for entry in entries(home)}
    totals = [
        row
        for row in rows_of(DATA / "focus" / "expected_aggregates.csv")
        if row["dimension"] == "(total)"
    ]
    assert len(totals) == len(loaded) == 10
    for expected in totals:
        entry = loaded[Path(expected["file"]).name]
        assert entry["rows_read"] == int(expected["row_count"])
        for column, name in (
            ("BilledCost", "billed_cost"),
            ("EffectiveCost", "effective_cost"),
            ("ListCost", "list_cost"),
            ("ContractedCost", "contracted_cost"),
        ):
            if expected[name]:
                assert Decimal(entry["totals"][column]["read"]) == Decimal(expected[name])
    # A day has no hour 30: the one row that is wrong is kept back, with its money.
    faulty = [entry for entry in loaded.values() if entry["rows_quarantined"]]
    assert [(entry["rows_quarantined"], entry["faults"][0]["column"]) for entry in faulty] == [
        (1, "ChargePeriodEnd")
    ]
    assert faulty[0]["totals"]["BilledCost"]["quarantined"] == "0.5000000000"
    classes = {value for (value,) in raw(home, "ChargeClass", "cost/cloud_costs")}
    assert classes == {None, "Correction"}, "null literals are no values"


def net_by(home: Home, column: str) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for key, amount in raw(home, f"{column}, amount", "cost/gl_entries"):
        sums[key] += amount
    return dict(sums)


def test_quickbooks_nets_to_its_totals_and_every_entry_balances(home: Home) -> None:
    folder = DATA / "gl" / "quickbooks"
    deliver(home, folder / "journal_entry_line_data.csv", "quickbooks_journal_lines")
    (result,) = run(home).files
    assert (result.rows_accepted, result.rows_quarantined) == (result.rows_read, 0)
    expected = {
        row["account_id"]: Decimal(row["net_debit"])
        for row in rows_of(folder / "expected_account_net_debit.csv")
    }
    assert net_by(home, "account_id").items() >= expected.items()
    by_entry = net_by(home, "journal_id")
    assert (len(by_entry), set(by_entry.values())) == (29, {Decimal(0)})


def test_xero_journals_balance_and_keep_leading_zeros(home: Home) -> None:
    path = DATA / "gl" / "xero" / "journal_cash_line_data.csv"
    deliver(home, path, "xero_journals", "lines.2026-01-31.csv")
    (result,) = run(home).files
    assert result.rows_accepted == result.rows_read == len(rows_of(path))
    assert set(net_by(home, "journal_id").values()) == {Decimal(0)}
    assert "0900" in net_by(home, "account_id")


def test_the_one_sided_batch_of_sage_is_found(home: Home) -> None:
    folder = DATA / "gl" / "sage_intacct"
    deliver(home, folder / "gl_detail.csv", "sage_intacct_gl_detail")
    (result,) = run(home).files
    assert result.rows_accepted == result.rows_read
    balances = {
        row["batch_no"]: Decimal(row["debit_minus_credit"])
        for row in rows_of(folder / "expected_batch_balance.csv")
    }
    assert net_by(home, "journal_id") == balances
    assert [amount for amount in balances.values() if amount] == [Decimal("2270.28")]


def parsed(path: Path, tmp_path: Path) -> tuple[tuple[str, ...], list[tuple[Any, ...]], list[str]]:
    """Names, values and what was rejected, as the gate reads a file."""
    prepared = prepare(path, tmp_path)
    with duckdb.connect() as connection:
        table = open_table(connection, prepared)
        texts = ", ".join(f"coalesce({text}, '')" for text in table.texts)
        rows = connection.execute(
            f"select {texts} from {table.relation} where not {table.blank}"
        ).fetchall()
        rejected = connection.execute("select error_type from reject_errors order by line")
        return table.names, rows, [kind for (kind,) in rejected.fetchall()]


SPECTRUM = sorted((MESSY / "files" / "csv-spectrum").glob("*.csv"))


@pytest.mark.parametrize("path", SPECTRUM, ids=[path.stem for path in SPECTRUM])
def test_awkward_files_parse_to_their_true_values(path: Path, tmp_path: Path) -> None:
    expected = MESSY / "expected_json_csv_spectrum" / f"{path.stem}.json"
    names, rows, rejected = parsed(path, tmp_path)
    true_rows = json.loads(expected.read_text(encoding="utf-8"))
    true_rows = true_rows if isinstance(true_rows, list) else [true_rows]
    assert rejected == []
    found = [dict(zip(names, row, strict=True)) for row in rows]
    if path.stem == "location_coordinates":
        # The published parse has another telephone number than the published file.
        assert found[0].pop("Contact Phone Number") == "2095257564"
        assert true_rows[0].pop("Contact Phone Number") == "1234567890"
    assert found == true_rows


ABC = ("a", "b", "c")
AWKWARD: dict[str, tuple[tuple[str, ...], list[tuple[str, ...]], list[str]]] = {
    "bad": (
        ("column_a", "column_b", "column_c"),
        [("0", "mixed types.... uh oh", "17")],
        ["TOO MANY COLUMNS", "MISSING COLUMNS"],
    ),
    "blanks": (tuple("abcdef"), [("", "NA", "N/A", "NONE", "NULL", ".")], []),
    "dummy_col_shuffled_ragged": (tuple("bcad"), [("2", "3", "1", "4")], []),
    "mac_newlines": (ABC, [("1", "2", "3"), ("Once upon\ra time", "5", "6")], []),
    "no_header_row": (("1", "2", "3"), [], []),
    "null_byte": (ABC, [("\0", "2", "3")], []),
    "optional_quote_characters": (ABC, [("1", "2", "3")], []),
    "test_header_newline": (
        ("\t\n\v\f\r start \t\n\v\f\r end \t\n\v\f\r", "b", "c"),
        [("d", "e", "f")],
        [],
    ),
    "test_latin1": (ABC, [("1", "2", "3"), ("4", "5", "©")], []),
    "test_locale": (ABC, [("1,7", "200.000.000", "")], []),
    "test_locale_converted": (ABC, [("1.7", "200000000", "")], []),
    "test_numeric_date_format": (("a",), [("20140102",), ("20121231",)], []),
    "test_precision": (("a",), [("1.234567",)], []),
    "test_utf16_big": (ABC, [("1", "2", "3"), ("4", "5", "ʤ")], []),
    "test_utf8_bom": (("foo", "bar", "baz"), [("1", "2", "3"), ("4", "5", "ʤ")], []),
}


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_files_are_read_or_rejected_for_the_true_reason(name: str, tmp_path: Path) -> None:
    assert parsed(MESSY / "files" / "csvkit" / f"{name}.csv", tmp_path) == AWKWARD[name]


def test_every_awkward_file_is_tested() -> None:
    names = {path.stem for path in (MESSY / "files" / "csvkit").glob("*.csv")}
    assert names == {*AWKWARD, "realdata_FY09_EDU_Recipients_by_State"}


def test_a_real_report_with_notes_below_its_table_is_read(home: Home) -> None:
    path = MESSY / "files" / "csvkit" / "realdata_FY09_EDU_Recipients_by_State.csv"
    home.mappings.mkdir(parents=True)
    (home.mappings / "recipients.yml").write_text(
        "into: cost/usage_drivers\n"
        "only: {State Abbreviate: {is: filled}}\n"
        "columns:\n"
        "  driver_id: {value: recipients}\n"
        "  period_month: {value: 2009-10-01}\n"
        "  consumer_id: State Abbreviate\n"
        "  quantity: {from: TOTAL, numbers: us}\n"
    )
    deliver(home, path, "recipients")
    (result,) = run(home).files
    totals = {
        row["State Abbreviate"]: Decimal(row["TOTAL"].replace(",", ""))
        for row in rows_of(path)
        if row["State Abbreviate"]
    }
    found = dict(raw(home, "consumer_id, quantity", "cost/usage_drivers"))
    assert found == totals
    assert result.rows_quarantined == 0 or quarantined(result)
