"""The gate: what is taken, what is quarantined and why, what is refused, and that nothing is lost."""

import gzip
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from bad_files import MAPPING, sheet
from gate import GOOD, HEADER, PAYMENTS, entries, land, load, quarantined, raw, run
from warehouse import contract, ingest, sift
from warehouse.home import Home
from warehouse.ledger import Ledger
from warehouse.suites.landing import RULES, Between, Never, OneOf


@pytest.fixture
def home(empty_home: Home) -> Home:
    return empty_home


def test_accepted_rows_are_typed_and_say_where_they_came_from(home: Home) -> None:
    before = datetime.now(UTC).replace(tzinfo=None)
    result = load(home, HEADER + GOOD + "p2,i1,2026-01-06,-3,,EUR\n")
    assert (result.outcome, result.rows_read, result.rows_accepted) == ("loaded", 2, 2)
    assert raw(home, "payment_id, cast(paid_on as varchar), cast(amount as varchar)") == [
        ("p1", "2026-01-05", "10.50"),
        ("p2", "2026-01-06", "-3.00"),
    ]
    assert raw(home, "fee_amount is null, _file, _row, _extra") == [
        (False, PAYMENTS, 2, None),
        (True, PAYMENTS, 3, None),
    ]
    ((loaded_at, known_at), _) = raw(home, "_loaded_at, _known_at")
    assert before <= loaded_at == known_at <= datetime.now(UTC).replace(tzinfo=None)


@pytest.mark.parametrize(
    ("name", "recorded_at", "known_at"),
    [
        ("revenue/payments.2026-02-03.csv", "", datetime.fromisoformat("2026-02-03")),
        (
            "revenue/payments_2026-02-03_late.csv",
            "2026-01-31T23:00:00Z",
            datetime.fromisoformat("2026-01-31T23:00"),
        ),
        ("revenue/payments.csv", "2026-02-01 02:00:00+02:00", datetime.fromisoformat("2026-02-01")),
    ],
)
def test_a_row_is_known_since_it_was_recorded_else_since_the_day_in_the_file_name(
    home: Home, name: str, recorded_at: str, known_at: datetime
) -> None:
    header, row = HEADER.strip() + ",recorded_at\n", GOOD.strip() + f",{recorded_at}\n"
    load(home, header + row, name)
    assert raw(home, "_known_at") == [(known_at,)]


WRONG_ROWS = [
    ("p1,i1,2026-02-30,1,,USD", "paid_on", "not a day"),
    ("p1,i1,05/01/2026,1,,USD", "paid_on", "not a day"),
    ("p1,i1,0026-01-05,1,,USD", "paid_on", "not a day"),
    ("p1,i1,infinity,1,,USD", "paid_on", "not a day"),
    ("p1,i1,2026-01-05T10:00:00,1,,USD", "paid_on", "not a day"),
    ("p1,i1,2026-01-05,1.005,,USD", "amount", "at most 16 digits before and 2 after"),
    ("p1,i1,2026-01-05,1e-5,,USD", "amount", "at most 16 digits before and 2 after"),
    ("p1,i1,2026-01-05,12345678901234567,,USD", "amount", "at most 16 digits before"),
    ("p1,i1,2026-01-05,1_000,,USD", "amount", "without separators"),
    ("p1,i1,2026-01-05,ten,,USD", "amount", "not a number"),
    ("p1,i1,2026-01-05,NaN,,USD", "amount", "not a number"),
    ("p1,i1,2026-01-05,,,USD", "amount", "required but empty"),
    ('p1,"",2026-01-05,1,,USD', "invoice_id", "required but empty"),
    ("p1,i1,2026-01-05,1,x,USD", "fee_amount", "not a number"),
    ("p1,i1,2026-01-05,1,,usd", "currency", "ISO 4217"),
    ("p1,i1,2026-01-05,1,,DOLLAR", "currency", "ISO 4217"),
    ("p1,i1", None, "fewer values"),
    ("p1,i1,2026-01-05,1,,USD,more", None, "more values"),
    ('p1,"i"1,2026-01-05,1,,USD', None, "quote"),
]


def test_a_wrong_row_is_quarantined_with_its_place_and_reason(home: Home) -> None:
    rows = [f"{row}\n{GOOD}" for row, _, _ in WRONG_ROWS]
    result = load(home, HEADER + "".join(rows))
    assert result.rows_accepted == result.rows_quarantined == len(WRONG_ROWS)
    found = {row: (column, reason) for row, column, _, reason in quarantined(result)}
    assert list(found) == list(range(2, 2 + 2 * len(WRONG_ROWS), 2))
    for (row, column, reason), (in_column, why) in zip(WRONG_ROWS, found.values(), strict=True):
        assert (in_column, reason in why) == (column, True), row
    assert raw(home, "_row") == [(at + 1,) for at in found]


def test_numbers_that_fit_are_read_exactly(home: Home) -> None:
    values = {
        "5": "5.00",
        "+5.": "5.00",
        ".5": "0.50",
        "1.2300": "1.23",
        "5e1": "50.00",
        "-9999999999999999.99": "-9999999999999999.99",
    }
    load(home, HEADER + "".join(f"p,i1,2026-01-05,{text},,USD\n" for text in values))
    assert raw(home, "cast(amount as varchar)") == [(value,) for value in values.values()]


# Amounts as delivered, and as accepted; None where the row is quarantined.
WRITTEN = [
    (("12.50", "1.005", "20.125"), ("12.50", None, None)),
    (("$12.50", "1.005", "20.125"), ("12.50", None, None)),
    (("1.234.567", "1.005", "5"), ("1234567.00", "1005.00", "5.00")),
    (('"1,5"', "1.005", "1 234"), ("1.50", "1005.00", "1234.00")),
    (('"1,234"', '"2,345.10"', "5"), ("1234.00", "2345.10", "5.00")),
    (('"1,234"', '"1,234,567"', '"2,3"'), None),
    (("1.005", "20.125"), None),
    (("5", "1.005"), None),
    (("$1.005", "20.125 EUR"), None),
    (('"1,234"', '"2,345"'), None),
    (('"1,5"', "1.005", "2.50"), None),
]


@pytest.mark.parametrize(("texts", "values"), WRITTEN, ids=[str(texts) for texts, _ in WRITTEN])
def test_a_point_is_a_thousand_only_where_a_value_proves_it(
    home: Home, texts: Sequence[str], values: Sequence[str | None] | None
) -> None:
    result = load(home, HEADER + "".join(f"p,i1,2026-01-05,{text},,USD\n" for text in texts))
    if values is None:
        assert result.outcome == "refused"
        assert "amount can be read in two ways" in result.message
    else:
        assert raw(home, "cast(amount as varchar)") == [(one,) for one in values if one]
        assert result.rows_quarantined == values.count(None)


def _typed(kind: str) -> str:
    rows = "select 'p' as payment_id, 'i' as invoice_id, date '2026-01-05' as paid_on, 'USD' as currency"
    return f"{rows}, cast(30.005 as {kind}) as amount"


NUMBERS_OF_FILES: dict[str, Callable[[], bytes]] = {
    "decimal.parquet": lambda: _parquet(_typed("decimal(18, 3)")),
    "double.parquet": lambda: _parquet(_typed("double")),
    "float.parquet": lambda: _parquet(_typed("float")),
    "number.jsonl": lambda: json.dumps(
        {"payment_id": "p", "invoice_id": "i", "paid_on": "2026-01-05", "amount": 30.005}
        | {"currency": "USD"}
    ).encode(),
    "cell.xlsx": lambda: sheet(
        [HEADER.strip().split(","), ["p", "i", "2026-01-05", 30.005, "", "USD"]]
    ),
}


@pytest.mark.parametrize("name", NUMBERS_OF_FILES)
@pytest.mark.parametrize("written", ["", "numbers: european\n"])
def test_a_number_is_what_it_is_however_texts_are_written(
    home: Home, name: str, written: str
) -> None:
    folder = "revenue"
    if written:
        folder = "mine"
        home.mappings.mkdir(parents=True)
        (home.mappings / "mine.yml").write_text(MAPPING + written, encoding="utf-8")
    result = load(home, NUMBERS_OF_FILES[name](), f"{folder}/payments-{name}")
    assert (result.rows_accepted, result.rows_quarantined) == (0, 1), result.message
    ((_, column, value, _),) = quarantined(result)
    assert (column, value) == ("amount", "30.005")


def test_a_sheet_may_hold_numbers_beside_texts_of_them(home: Home) -> None:
    amounts: list[str | float] = [30.5, "1.234,50", 30.005, 7.0]
    rows: list[list[str | float]] = [
        ["p", "i", "2026-01-05", amount, 0.25, "USD"] for amount in amounts
    ]
    result = load(home, sheet([HEADER.strip().split(","), *rows]), "revenue/payments.xlsx")
    assert raw(home, "cast(amount as varchar), cast(fee_amount as varchar)") == [
        (amount, "0.25") for amount in ("30.50", "1234.50", "7.00")
    ]
    assert [value for _, _, value, _ in quarantined(result)] == ["30.005"]


def test_a_column_that_json_lines_name_late_is_read(home: Home) -> None:
    row = {"payment_id": "p", "invoice_id": "i", "paid_on": "2026-01-05", "amount": 1}
    row |= {"currency": "USD"}
    late = row | {"Fee Amount": 0.25, "is_deleted": True}
    lines = [json.dumps(row)] * 1200 + [json.dumps(late)] * 300
    content = b"\xef\xbb\xbf" + "\n".join(lines).encode()
    assert load(home, content, "revenue/payments.jsonl").rows_accepted == 1500
    found = (
        "cast(fee_amount as varchar), _is_deleted, _extra, count(*) over (partition by fee_amount)"
    )
    assert set(raw(home, found)) == {(None, None, None, 1200), ("0.25", True, None, 300)}


def test_moments_are_read_as_utc(home: Home) -> None:
    moments = {
        "2026-01-05": "2026-01-05 00:00:00",
        "2026-01-05T10:11:12Z": "2026-01-05 10:11:12",
        "2026-01-05 10:11": "2026-01-05 10:11:00",
        "2026-01-05T10:11:12.5+02:00": "2026-01-05 08:11:12.5",
        "2026-01-05 10:11:12 -0130": "2026-01-05 11:41:12",
    }
    header = "touch_id,customer_id,occurred_at,channel,is_paid\n"
    rows = "".join(f"t1,c1,{text},email,true\n" for text in moments)
    load(home, header + rows, "revenue/touchpoints.csv")
    assert raw(home, "cast(occurred_at as varchar)", "revenue/touchpoints") == [
        (value,) for value in moments.values()
    ]


def test_impossible_moments_are_quarantined(home: Home) -> None:
    moments = ["2026-01-05T30:00:00Z", "2026-01-05 10:00 Europe/Berlin", "now"]
    header = "touch_id,customer_id,occurred_at,channel,is_paid\n"
    rows = "".join(f"t1,c1,{text},email,maybe\n" for text in moments)
    result = load(home, header + rows, "revenue/touchpoints.csv")
    expected = [[("is_paid", "maybe"), ("occurred_at", moment)] for moment in moments]
    assert [row[1:3] for row in quarantined(result)] == [fault for row in expected for fault in row]


def test_records_keep_their_number_when_others_are_rejected(home: Home) -> None:
    rows = [
        f"p{at},i\n" if at % 7 < 2 else f'p{at},"i\n{at}",2026-01-05,1,,USD\n'
        for at in range(2, 2002)
    ]
    result = load(home, HEADER + "".join(rows))
    assert result.rows_read == 2000
    assert all(name == f"p{at}" for name, at in raw(home, "payment_id, _row"))
    assert all(value == f"p{at},i" for at, _, value, _ in quarantined(result))


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_blank_records_are_counted_and_the_others_keep_their_number(
    home: Home, line_end: str
) -> None:
    rows = [GOOD, "\n", ",,,,,\n", "bad\n", GOOD.replace("i1", '"i""\n\n1"'), "\n", "\n", GOOD]
    content = (HEADER + "".join(rows)).replace("\n", line_end)
    result = load(home, content)
    counted = (result.rows_accepted, result.rows_quarantined, result.rows_blank)
    assert (result.rows_read, counted) == (8, (3, 1, 4))
    quoted = f'i"{line_end}{line_end}1'
    assert raw(home, "_row, invoice_id") == [(2, "i1"), (6, quoted), (9, "i1")]
    assert [row[0] for row in quarantined(result)] == [5]


def test_a_stray_quote_does_not_make_blank_lines_of_what_is_quoted(home: Home) -> None:
    rows = ['p1,5" pipe,2026-01-05,1,,USD\n\n', 'p2,"a\n\nb",2026-01-05,1,,USD\n\r\n']
    result = load(home, HEADER + "".join(rows))
    assert (result.rows_read, result.rows_blank) == (4, 2)
    assert raw(home, "_row, invoice_id") == [(2, '5" pipe'), (4, "a\n\nb")]


def test_blank_lines_between_json_objects_are_counted(home: Home) -> None:
    row = '{"payment_id": 7, "invoice_id": "i", "paid_on": "2026-01-05", "amount": 1, '
    row += '"currency": "USD"}\n'
    result = load(home, row + "\n{}\n" + row, "revenue/payments.jsonl")
    assert (result.rows_read, result.rows_accepted, result.rows_blank) == (4, 2, 2)
    assert raw(home, "_row") == [(1,), (4,)]


def test_columns_are_found_whatever_their_order_case_and_punctuation(home: Home) -> None:
    header = "Currency,Payment ID,PAID ON,Amount,invoice-id,Card type,\n"
    load(home, header + "USD,p1,2026-01-05,1,i1,visa,\n" + "USD,p2,2026-01-05,1,i1,,x\n")
    assert raw(home, "payment_id, invoice_id, _extra") == [
        ("p1", "i1", '{"Card type":"visa"}'),
        ("p2", "i1", '{"column_7":"x"}'),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_header_tells_the_delimiter(home: Home, delimiter: str) -> None:
    content = (HEADER + GOOD).replace(",", delimiter)
    assert load(home, content).rows_accepted == 1
    assert raw(home, "invoice_id, cast(amount as varchar)") == [("i1", "10.50")]


def _parquet(query: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        path = Path(folder) / "made.parquet"
        connection.execute(f"copy ({query}) to '{path}'")
        return path.read_bytes()


def _as_parquet(text_types: bool) -> bytes:
    typed = "'p1' as payment_id, 'i1' as invoice_id, date '2026-01-05' as paid_on, "
    typed += "cast(10.5 as decimal(18, 2)) as amount, 0.3 as fee_amount, 'USD' as currency"
    columns = "cast(columns(*) as varchar)" if text_types else "*"
    return _parquet(f"select {columns} from (select {typed})")


@pytest.fixture
def delivered() -> Callable[[str], bytes]:
    record = dict(zip(HEADER.strip().split(","), GOOD.strip().split(","), strict=True))
    line = json.dumps({**record, "amount": 10.5, "fee_amount": 0.3})
    contents: dict[str, Callable[[], bytes]] = {
        ".csv.gz": lambda: gzip.compress((HEADER + GOOD).encode()),
        ".jsonl": lambda: f"{line}\n".encode(),
        ".ndjson.gz": lambda: gzip.compress(line.encode()),
        ".parquet": lambda: _as_parquet(text_types=False),
        ".text.parquet": lambda: _as_parquet(text_types=True),
    }
    return lambda suffix: contents[suffix]()


@pytest.mark.parametrize("suffix", [".csv.gz", ".jsonl", ".ndjson.gz", ".parquet", ".text.parquet"])
def test_every_format_gives_the_same_row(
    home: Home, delivered: Callable[[str], bytes], suffix: str
) -> None:
    assert load(home, delivered(suffix), f"revenue/payments{suffix}").rows_accepted == 1
    assert raw(home, "columns('^[^_]'), _extra") == [
        ("p1", "i1", date(2026, 1, 5), *raw(home, "amount, fee_amount")[0], "USD", None)
    ]
    assert raw(home, "cast(amount as varchar), cast(fee_amount as varchar)") == [("10.50", "0.30")]


def test_json_lines_that_are_no_objects_are_quarantined(home: Home) -> None:
    good = '{"payment_id": 7, "invoice_id": "i", "paid_on": "2026-01-05", "amount": 1, '
    good += '"currency": "USD", "tags": {"a": [1]}, "empty": null}\n'
    result = load(home, good + "[1]\n" + '{"payment_id": \n' + good, "revenue/payments.jsonl")
    assert (result.rows_read, result.rows_accepted) == (4, 2)
    assert [(row[0], row[3]) for row in quarantined(result)] == [
        (2, "is no JSON object"),
        (3, "is no JSON object"),
    ]
    assert raw(home, "payment_id, _row, _extra") == [
        ("7", 1, '{"tags":{"a":[1]}}'),
        ("7", 4, '{"tags":{"a":[1]}}'),
    ]


def test_what_looks_like_a_formula_is_harmless_in_the_quarantine_file(home: Home) -> None:
    result = load(home, f"{HEADER}p1,i1,=cmd|'/C calc'!A0,-5,@x,USD\n")
    assert [row[2] for row in quarantined(result)] == ["'@x", "'=cmd|'/C calc'!A0"]


def test_rows_read_are_accepted_or_quarantined_and_amounts_are_too(home: Home) -> None:
    load(home, HEADER + GOOD + "p2,i1,nope,2.25,,USD\np3,i1,2026-01-05,4,,usd\np4\n")
    (entry,) = entries(home)
    assert (entry["rows_read"], entry["rows_accepted"], entry["rows_quarantined"]) == (4, 1, 3)
    assert entry["totals"]["amount"] == {
        "read": "16.75",
        "accepted": "10.50",
        "quarantined": "6.25",
        "set_aside": "0.00",
    }
    assert {fault["reason"][:9]: fault["rows"] for fault in entry["faults"]} == {
        "a currenc": 1,
        "not a day": 1,
        "the recor": 1,
    }


def test_the_same_file_twice_changes_nothing(home: Home) -> None:
    land(home, PAYMENTS, HEADER + GOOD + "bad\n")
    run(home)
    before = {path: path.stat().st_mtime_ns for path in home.root.rglob("*") if path.is_file()}
    land(home, "revenue/payments_again.csv", HEADER + GOOD + "bad\n")
    before[home.landing / "revenue/payments_again.csv"] = 0
    assert [file.outcome for file in run(home).files] == ["known", "known"]
    after = {path: path.stat().st_mtime_ns for path in home.root.rglob("*") if path.is_file()}
    before[home.landing / "revenue/payments_again.csv"] = after[
        home.landing / "revenue/payments_again.csv"
    ]
    assert after == before


def test_the_same_content_under_a_later_day_is_news(home: Home) -> None:
    land(home, "revenue/payments.2026-01-31.csv", HEADER + GOOD)
    land(home, "revenue/payments.2026-02-28.csv", HEADER + GOOD)
    assert [file.outcome for file in run(home).files] == ["loaded", "loaded"]
    assert len(raw(home, "1")) == 2


WRONG_FILES: list[tuple[str, str | bytes, str]] = [
    ("revenue/payments-a.csv", "payment_id,amount\np1,1\n", "lacks invoice_id, paid_on, currency"),
    ("revenue/payments-b.csv", "1,2,3\n4,5,6\n", "its columns are 1, 2, 3"),
    (
        "revenue/payments-c.csv",
        HEADER.replace("fee_amount", "Amount") + GOOD,
        "amount more than once",
    ),
    ("revenue/payments-d.csv", "", "empty"),
    ("revenue/payments-e.csv", ",".join(f"c{at}" for at in range(10_000)), "10000 columns"),
    ("revenue/payments.2026-13-01.csv", HEADER + GOOD, "2026-13-01 in its name is no day"),
    ("revenue/paymentsx.csv", HEADER + GOOD, "begins with no extract of revenue"),
    ("revenues/payments.csv", HEADER + GOOD, "put it into one of budget, cost"),
    ("payments.csv", HEADER + GOOD, "no folder of a source"),
    ("revenue/payments.pdf", "%PDF", "ends in none of .csv"),
    ("revenue/payments.parquet", "not parquet", "DuckDB cannot read it"),
    ("revenue/payments-f.csv.gz", b"\x1f\x8bnot gzip", "not a valid gzip file"),
    ("revenue/payments-g.csv.gz", gzip.compress(b"x" * 999)[:-9], "cut off"),
]


def test_a_wrong_file_is_refused_with_the_fix_and_the_others_load(home: Home) -> None:
    for name, content, _ in WRONG_FILES:
        land(home, name, content)
    land(home, "revenue/payments-good.csv", HEADER + GOOD)
    for _ in range(2):
        refused = {file.file: file.message for file in run(home).of("refused")}
        assert len(refused) == len(WRONG_FILES)
        for name, _, reason in WRONG_FILES:
            assert reason in refused[name]
    assert [entry["event"] for entry in entries(home)].count("refused") == len(WRONG_FILES)
    assert raw(home, "payment_id, _file") == [("p1", "revenue/payments-good.csv")]


def test_a_link_out_of_the_landing_folder_is_refused(home: Home, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text(HEADER + GOOD)
    (home.landing / "revenue").mkdir(parents=True)
    (home.landing / PAYMENTS).symlink_to(tmp_path / "secret.csv")
    (refused,) = run(home).of("refused")
    assert "outside the landing folder" in refused.message


def test_files_that_are_not_deliveries_are_left_alone(home: Home) -> None:
    for name in (".hidden.csv", "payments.csv.part", "README.md", "payments.csv.done", "_x/a.csv"):
        land(home, f"revenue/{name}", "x")
    assert run(home).files == ()


def test_every_extract_has_its_columns_before_its_first_file(home: Home) -> None:
    run(home)
    for extract in contract.load().extracts:
        file = str(home.raw / extract.id / "contract.parquet")
        with duckdb.connect() as connection:
            rows = connection.execute("describe select * from read_parquet(?)", [file]).fetchall()
            assert connection.execute("select count(*) from read_parquet(?)", [file]).fetchall()[
                0
            ] == (0,)
        types = {row[0]: row[1].lower() for row in rows}
        expected = {c.name: c.data_type.replace("string", "varchar") for c in extract.columns}
        assert types.items() >= expected.items()


class Killed(BaseException):
    """Stands for kill -9: nothing after it runs."""


@pytest.mark.parametrize(
    ("owner", "step"),
    [
        (sift, "parse"),
        (sift, "write_quarantine"),
        (sift, "write_raw"),
        (ingest, "fingerprint"),
        (Ledger, "append"),
    ],
)
def test_a_killed_run_is_completed_by_the_next(
    home: Home, monkeypatch: pytest.MonkeyPatch, owner: Any, step: str
) -> None:
    land(home, "revenue/payments-1.csv", HEADER + GOOD)
    run(home)
    land(home, "revenue/payments-2.csv", HEADER + GOOD.replace("p1", "p2") + "bad\n")
    work, calls = getattr(owner, step), iter(range(9))

    def die(*arguments: Any, **named: Any) -> Any:
        # The second fingerprint is that of a file just written.
        if step == "fingerprint" and next(calls) < 2:
            return work(*arguments, **named)
        if step.startswith("write"):
            work(*arguments, **named)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(owner, step, die)
        with pytest.raises(Killed):
            run(home)
    run(home)
    assert raw(home, "payment_id") == [("p1",), ("p2",)]
    assert [entry["file"][-5:] for entry in entries(home)] == ["1.csv", "2.csv"]
    unfinished = [path for path in home.root.rglob(".*") if path.is_file()]
    assert unfinished == []


def test_rows_of_a_killed_run_are_not_kept_when_its_file_is_withdrawn(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = land(home, PAYMENTS, HEADER + GOOD)

    def die(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "append", die)
        with pytest.raises(Killed):
            run(home)
    path.unlink()
    run(home)
    assert raw(home, "payment_id") == []


def _example(data_type: str) -> str:
    kind = data_type.partition("(")[0]
    return {"date": "2026-01-01", "timestamp": "2026-01-01", "boolean": "true"}.get(kind, "1")


# A row that breaks a rule written in SQL, as changes to a sound row.
BREAKING: dict[str, dict[str, str]] = {
    "period_month_is_first_of_month": {"period_month": "2026-01-02"},
    "fiscal_period_is_named_by_year_and_number": {"fiscal_period": "2026-03"},
    "ChargePeriodEnd_after_ChargePeriodStart": {"ChargePeriodEnd": "2026-01-01"},
    "Tags_is_json": {"Tags": "[1]"},
    "absent_hours_within_contracted": {"leave_hours": "100", "contracted_hours": "99"},
    "valid_to_after_valid_from": {"valid_to": "2026-01-01"},
    "quantity_times_unit_price_in_range": {"quantity": "10000000", "unit_price": "1000000.1"},
    "budget_hours_times_standard_rate_in_range": {
        "budget_hours": "10000000",
        "standard_rate": "1000000.1",
    },
    "output_units_times_standard_hours_per_unit_times_standard_rate_in_range": {
        "output_units": "10000000",
        "standard_hours_per_unit": "1000",
        "standard_rate": "1000.1",
    },
    "credit_is_negative": {"charge_type": "credit", "amount": "1"},
}
SOUND: dict[str, dict[str, str]] = {
    "cost/cloud_costs": {"ChargePeriodEnd": "2026-01-02", "Tags": '"{}"'},
    "revenue/subscriptions": {"valid_to": "2026-01-02"},
    "revenue/payments": {},
}
FISCAL = {"fiscal_period": "2026-P01"}


def _rows() -> Iterator[tuple[str, dict[str, str], list[tuple[str, dict[str, str]]]]]:
    for extract in contract.load().extracts:
        rules = RULES.get(extract.id, ())
        sound = {column.name: _example(column.data_type) for column in extract.columns}
        sound |= {n: "USD" for n in ("currency", "BillingCurrency") if n in sound}
        sound |= {r.column: str(r.values[0]) for r in rules if isinstance(r, OneOf)}
        sound |= {**FISCAL} if "fiscal_period" in sound else {}
        sound |= {"contracted_hours": "9"} if "contracted_hours" in sound else {}
        sound |= SOUND.get(extract.id, {})
        breaks: list[tuple[str, dict[str, str]]] = []
        for rule in rules:
            match rule:
                case Between(column, least, most):
                    breaks += (
                        [(f"{column} is", {column: str(least - 1)})] if least is not None else []
                    )
                    breaks += (
                        [(f"{column} is", {column: str(most + 1)})] if most is not None else []
                    )
                case OneOf(column):
                    breaks.append((f"{column} is one of", {column: "9"}))
                case Never(name, column, _, message) if name in BREAKING:
                    breaks.append((message, BREAKING[name]))
                case Never(_, column, _, message):
                    breaks.append((message, {column: "2025-01-01"}))
        if rules:
            yield extract.id, sound, breaks


@pytest.mark.parametrize(
    ("extract", "sound", "breaks"), list(_rows()), ids=[extract for extract, _, _ in _rows()]
)
def test_every_landing_rule_catches_what_breaks_it_and_nothing_else(
    home: Home, extract: str, sound: dict[str, str], breaks: list[tuple[str, dict[str, str]]]
) -> None:
    rows = [sound, *({**sound, **change} for _, change in breaks)]
    lines = [",".join(sound), *(",".join(row.values()) for row in rows)]
    result = load(home, "\n".join(lines) + "\n", f"{extract}.csv")
    found: dict[int, list[str]] = {}
    for row, _, _, reason in quarantined(result):
        found.setdefault(row, []).append(reason)
    assert list(found) == list(range(3, 3 + len(breaks)))
    for (message, _), reasons in zip(breaks, found.values(), strict=True):
        assert any(message in reason for reason in reasons)
