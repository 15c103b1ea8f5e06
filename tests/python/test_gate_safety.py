"""Hostile files: each is refused or neutralised with a clear message, and the others load."""

import errno
import gzip
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
import yaml

import bad_files
from gate import GOOD, HEADER, PAYMENTS, land, load, quarantined, raw, run
from warehouse import cli, ingest, prepare, sheet, store, watch
from warehouse.home import PROJECT, Home

TAGGED = (
    "BilledCost,EffectiveCost,ChargeCategory,ChargePeriodStart,ChargePeriodEnd,BillingPeriodStart,"
    "BillingCurrency,ServiceName,Tags\n"
)


@pytest.fixture
def home(empty_home: Home) -> Home:
    return empty_home


def test_a_gzip_bomb_is_refused_before_it_fills_the_disk(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare, "MAX_UNPACKED", 1 << 22)
    land(home, "revenue/payments-bomb.csv.gz", gzip.compress(b"x,\n" * (20 << 20)))
    land(home, PAYMENTS, HEADER + GOOD)
    refused, loaded = sorted(run(home).files, key=lambda file: file.outcome, reverse=True)
    assert "it unpacks to more than" in refused.message
    assert loaded.outcome == "loaded"


def test_a_spreadsheet_bomb_is_refused_by_what_it_says_of_itself(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheet, "MAX_UNPACKED", 1 << 20)
    path = land(home, "wide_budget/bomb.xlsx", b"")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (2 << 20))
    (refused,) = run(home).files
    assert "it unpacks to 2 MiB, and at most 1 MiB of a spreadsheet are taken" in refused.message


@pytest.mark.parametrize("name", ["revenue/payments.csv", "revenue/payments.jsonl"])
def test_one_endless_line_is_refused_without_reading_it_to_the_end(
    home: Home, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(prepare, "MAX_LINE", 1 << 16)
    monkeypatch.setattr(prepare, "CHUNK", 1 << 16)
    read: list[int] = []
    add = prepare.Survey.add

    def counted(self: prepare.Survey, chunk: bytes) -> None:
        read.append(len(chunk))
        add(self, chunk)

    monkeypatch.setattr(prepare.Survey, "add", counted)
    result = load(home, HEADER + "x" * (1 << 22), name)
    assert "a line is longer than" in result.message
    assert sum(read) < 1 << 20


def test_an_endless_row_within_limits_is_quarantined(home: Home) -> None:
    row = GOOD.replace("i1", "i" * (3 << 20))
    result = load(home, HEADER + row + GOOD)
    assert (result.rows_accepted, result.rows_quarantined) == (1, 1)
    assert "longer than 2 MiB" in quarantined(result)[0][3]


def test_ten_thousand_columns_are_refused_in_every_format(home: Home, tmp_path: Path) -> None:
    names = [f"c{at}" for at in range(10_000)]
    land(home, "revenue/payments-a.csv", ",".join(names) + "\n")
    land(home, "revenue/payments-b.jsonl", json.dumps(dict.fromkeys(names, 1)) + "\n")
    columns = ", ".join(f"1 as {name}" for name in names)
    with duckdb.connect() as connection:
        connection.execute(f"copy (select {columns}) to '{tmp_path / 'c.parquet'}'")
    land(home, "revenue/payments-c.parquet", (tmp_path / "c.parquet").read_bytes())
    land(home, PAYMENTS, HEADER + GOOD)
    files = run(home).files
    refused = [file.message for file in files if file.outcome == "refused"]
    assert len(refused) == 3
    assert all("it has 10000 columns; at most 2000 are taken" in message for message in refused)
    assert [file.outcome for file in files if file.file == PAYMENTS] == ["loaded"]


NAMES = [
    "payments.'; drop table parsed; --.csv",
    "payments.{{ env_var('HOME') }}.csv",
    "payments.$(touch x).csv",
    "payments.\u202evsc.csv",
    "payments.a\nb.csv",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_text_and_lead_nowhere(home: Home, name: str) -> None:
    content = HEADER + GOOD + "p2,i1,nope,1,,USD\n"
    result = load(home, content, f"revenue/{name}")
    assert (result.rows_accepted, result.rows_quarantined) == (1, 1)
    assert raw(home, "_file") == [(f"revenue/{name}",)]
    assert result.quarantine is not None
    assert result.quarantine.parent == home.quarantine / "revenue" / "payments"
    written = {path.parent for path in home.root.rglob("*") if path.is_file()}
    assert all(folder.is_relative_to(home.root) for folder in written)


def test_a_linked_folder_outside_is_not_walked_into(home: Home, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "payments.csv").write_text(HEADER + GOOD)
    home.landing.mkdir(parents=True)
    (home.landing / "revenue").symlink_to(tmp_path / "elsewhere")
    assert all(file.outcome == "refused" for file in run(home).files)


FORMULAS = ["=cmd|'/C calc'!A0", "+1+cmd", "-2+3+cmd", "@SUM(1)", " =1+1", "\t=1+1"]


@pytest.mark.parametrize("formula", FORMULAS)
def test_formulas_stay_text_in_raw_and_are_disarmed_in_quarantine(home: Home, formula: str) -> None:
    result = load(home, f'{HEADER}p1,"{formula}",2026-01-05,1,,USD\np2,i1,"{formula}",1,,USD\n')
    assert raw(home, "invoice_id") == [(formula,)]
    assert [value for _, _, value, _ in quarantined(result)] == ["'" + formula]


HOSTILE_TAGS = {
    "[1]": False,
    "not json": False,
    '{"a": ': False,
    '"text"': False,
    "null": False,
    '{"a": NaN}': None,
    '{"a":' * 20_000 + "1" + "}" * 20_000: True,
    '{"product": "=cmd|x", "product": "P2"}': True,
    '{"\\u0000": "\\ud800"}': None,
}


@pytest.mark.parametrize(("tags", "is_sound"), HOSTILE_TAGS.items(), ids=lambda one: str(one)[:20])
def test_hostile_tags_are_taken_as_text_or_quarantined(
    home: Home, tags: str, is_sound: bool | None
) -> None:
    quoted = tags.replace('"', '""')
    row = f'1,1,Usage,2026-01-01,2026-01-02,2026-01-01,USD,Compute,"{quoted}"\n'
    sound = row.replace(quoted, '{""product"": ""P1""}')
    result = load(home, TAGGED + row + sound, "cost/cloud_costs.csv")
    assert result.rows_accepted + result.rows_quarantined == 2
    assert raw(home, "Tags", "cost/cloud_costs")[-1] == ('{"product": "P1"}',)
    if is_sound is not None:
        assert result.rows_accepted == 1 + is_sound


def test_a_file_that_may_not_be_read_is_refused_and_the_others_load(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    barred = land(home, "revenue/payments-a.csv", HEADER + GOOD)
    land(home, PAYMENTS, HEADER + GOOD)

    def denied(path: Path) -> str:
        # As the system answers whoever is not root.
        if path == barred:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return store.fingerprint(path)

    monkeypatch.setattr("warehouse.ingest.fingerprint", denied)
    refused, loaded = run(home).files
    assert (refused.outcome, loaded.outcome) == ("refused", "loaded")
    assert "cannot be read (Permission denied)" in refused.message


def test_a_file_that_is_gone_when_its_turn_comes_is_refused(home: Home) -> None:
    land(home, PAYMENTS, HEADER + GOOD)
    gone = home.landing / "revenue" / "payments-gone.csv"
    files = [gone, home.landing / PAYMENTS]
    refused, loaded = ingest.ingest(home, home.landing, files=files).files
    assert (refused.outcome, loaded.outcome) == ("refused", "loaded")
    assert "cannot be read (No such file or directory)" in refused.message


def test_memory_does_not_grow_with_the_file(home: Home) -> None:
    """The process's own peak, on a file of 15 MB; the benchmark measures gigabytes."""
    path = home.landing / PAYMENTS
    path.parent.mkdir(parents=True)
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADER)
        for at in range(0, 400_000, 1000):
            file.writelines(f"p{at + n},i{n},2026-01-05,{n}.25,0.30,USD\n" for n in range(1000))
    script = (
        "import sys; from pathlib import Path; from warehouse import ingest; "
        "from warehouse.home import Home; home = Home(Path(sys.argv[1])); "
        "print(ingest.ingest(home, home.landing).line, flush=True); "
        # The peak getrusage tells begins with that of the process which started this one.
        "status = Path('/proc/self/status').read_text(); "
        "print(status.partition('VmHWM:')[2].split()[0], flush=True)"
    )
    command = [sys.executable, "-c", script, str(home.root)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    line, peak = done.stdout.splitlines()
    assert "400000 rows accepted" in line
    assert int(peak) < 800_000, "kilobytes"


def as_file(table: bad_files.Table, suffix: str) -> bytes:
    match suffix:
        case "csv":
            return bad_files.written(table).encode()
        case "jsonl":
            return "\n".join(map(json.dumps, table.texts.values())).encode()
        case _:
            return bad_files.parquet(table)


@pytest.mark.parametrize("name", ["-[1]", "*", "-?", "-a\\b", "-a\\*"])
@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_a_name_never_stands_for_other_files(home: Home, name: str, suffix: str) -> None:
    table = replace(bad_files.good_tables()[0], rows=())
    columns = ("own", "i1", "2026-01-05", "1", "", "USD")
    for payment, path in (("own", name), ("other", "-1"), ("other", "-a/payments")):
        rows = ((payment, *columns[1:]),)
        one = replace(table, names=tuple(HEADER.strip().split(",")), rows=rows)
        land(home, f"revenue/payments{path}.{suffix}", as_file(one, suffix))
    run(home)
    own = f"revenue/payments{name}.{suffix}"
    found = raw(home, f"payment_id, _file = '{own}'")
    is_refused = "\\" in name and "*" in name
    # The two others are the same content, which is loaded once.
    assert sorted(found) == [("other", False)] + [("own", True)] * (not is_refused)


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_a_folder_gives_no_column_its_values(home: Home, suffix: str) -> None:
    table = bad_files.good_tables()[0]
    load(home, as_file(table, suffix), f"revenue/currency=CHF/c0=x/payments.{suffix}")
    # Inside, the columns of a CSV file are c0, c1 and so on.
    assert table.names[0] == "payment_id"
    place = table.names.index("currency")
    assert raw(home, "payment_id, currency, _extra") == [
        (row[0], row[place], None) for row in table.rows
    ]


def test_the_models_read_a_home_whose_folder_looks_like_a_column() -> None:
    for file in PROJECT.glob("models/staging/*/_*__sources.yml"):
        for source in yaml.safe_load(file.read_text(encoding="utf-8"))["sources"]:
            location = source["config"]["meta"]["external_location"]
            assert "hive_partitioning = false" in location, file


@pytest.mark.parametrize("name", ["o'brien", "glob[1]", "a*", "b?", "c{1}", "d\\e"])
def test_a_home_the_models_cannot_read_from_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.setenv("WAREHOUSE_HOME", str(tmp_path / name))
    assert cli.main(["ingest"]) == 2
    assert "set WAREHOUSE_HOME to a folder without it" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


NAMES_OF_CELLS = HEADER.strip().split(",")
CELLS: list[str | float] = ["p1", "i1", "2026-01-05", 10.5, 0.25, "USD"]
HOSTILE_CELLS = {
    "far": '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
    "overflow": '<row><c r="A99999999999999999999"><v>1</v></c></row>',
    "panic": '<row r="0"><c r="A0"><v>1</v></c></row>',
}


@pytest.mark.parametrize("cells", HOSTILE_CELLS.values(), ids=HOSTILE_CELLS)
def test_a_sheet_that_reaches_too_far_is_refused_and_the_others_load(
    home: Home, cells: str
) -> None:
    content = bad_files.sheet([NAMES_OF_CELLS, CELLS], cells)
    land(home, "revenue/payments-a.xlsx", content)
    land(home, PAYMENTS, HEADER + GOOD)
    files = {file.file: file for file in run(home).files}
    assert files[PAYMENTS].outcome == "loaded"
    bad = files["revenue/payments-a.xlsx"]
    assert bad.outcome == "refused" or bad.rows_accepted == 1
    if bad.outcome == "refused":
        assert "export the sheet as CSV" in bad.message


def test_a_workbook_without_sheets_is_refused(home: Home) -> None:
    content = bad_files.without_sheets(bad_files.sheet([NAMES_OF_CELLS, CELLS]))
    assert "it has no sheet" in load(home, content, "revenue/payments.xlsx").message


def test_a_sheet_larger_than_its_limit_is_refused(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bad_files.sheet([NAMES_OF_CELLS, *[CELLS] * 2000])
    monkeypatch.setattr(sheet, "MAX_CSV", 1 << 10)
    assert "reach further" in load(home, content, "revenue/payments.xlsx").message


def test_a_parquet_file_that_unpacks_enormously_is_refused_before_it_fills_the_disk(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "MEMORY_LIMIT", "100MB")
    monkeypatch.setattr(ingest, "MAX_UNPACKED", 1 << 25)
    columns = "repeat('x', 4000) as payment_id, repeat('i', 4000) as invoice_id, 'USD' as currency"
    path = tmp_path / "bomb.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select {columns}, date '2026-01-05' as paid_on, 1.00 as amount "
            f"from range(30000)) to '{path}'"
        )
    assert path.stat().st_size < 1 << 16
    land(home, "revenue/payments-a.parquet", path.read_bytes())
    land(home, PAYMENTS, HEADER + GOOD)
    refused, loaded = run(home).files
    assert (refused.outcome, loaded.outcome) == ("refused", "loaded")
    assert "it unpacks to more than" in refused.message


@pytest.mark.parametrize("error", ["#N/A", "#DIV/0!", "#NAME?"])
def test_cells_that_hold_an_error_are_quarantined_with_it(home: Home, error: str) -> None:
    rows = [[*CELLS[:at], error, *CELLS[at + 1 :]] for at in (1, 4)]
    result = load(home, bad_files.sheet([NAMES_OF_CELLS, *rows, CELLS]), "revenue/payments.xlsx")
    assert result.rows_accepted == 1
    assert [row[:3] for row in quarantined(result)] == [
        (2, "invoice_id", error),
        (3, "fee_amount", error),
    ]


def test_what_is_said_of_a_file_is_one_line_of_plain_text(home: Home) -> None:
    name = "revenue/payments\n\x1b[31mrevenue: FAKE LINE\u202e.csv"
    said: list[str] = []
    land(home, name, HEADER + GOOD)
    ingest.ingest(home, home.landing, say=said.append)
    assert said == ["revenue/payments\\n\\x1b[31mrevenue: FAKE LINE\\u202e.csv: 1 rows accepted."]


def test_a_link_that_leads_nowhere_is_refused(home: Home, tmp_path: Path) -> None:
    folder = home.landing / "revenue"
    folder.mkdir(parents=True)
    (folder / "payments-inside.csv").symlink_to(folder / "gone.csv")
    (folder / "payments-outside.csv").symlink_to(tmp_path / "gone.csv")
    (folder / "payments-self.csv").symlink_to(folder / "payments-self.csv")
    land(home, PAYMENTS, HEADER + GOOD)
    messages = {file.file[17:-4]: file.message for file in run(home).files}
    assert messages.pop("") == ""
    assert "cannot be read" in messages["inside"]
    assert "outside the landing folder" in messages["outside"]
    assert "link that leads to itself" in messages["self"]
    arrivals = watch.Arrivals(home.landing)
    arrivals.look()
    assert len(arrivals.look()) == 4
