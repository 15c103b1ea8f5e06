"""The report in a browser: drawn, filtered as SQL says, linked to, read by keyboard, printed."""

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
from playwright.sync_api import Browser

from browser import Opened, launched, opened
from homes import current
from warehouse.home import Home
from warehouse.report import site
from warehouse.report.pages import PAGES

SECONDS_TO_INTERACTIVE = 2.0
BYTES_PER_PAGE = 3_000_000
PHONE = 390


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def version(sample: Home) -> Path:
    """The published version of the sample company, whose report is tested."""
    return current(sample).path


@pytest.fixture
def desktop(browser: Browser) -> Iterator[Opened]:
    with opened(browser) as page:
        yield page


def source_of(version: Path, database: Path) -> site.Source:
    facts = json.loads((version / "manifest.json").read_text(encoding="utf-8"))
    return site.Source(database, "", facts, "2026-01-01 00:00 UTC")


def scalars(version: Path, query: str, parameters: Sequence[Any] = ()) -> list[float]:
    with duckdb.connect(version / "marts.duckdb", read_only=True) as connection:
        (row,) = connection.execute(query, list(parameters)).fetchall()
    return [float(value) for value in row]


@pytest.mark.parametrize("page", [page.id for page in PAGES])
def test_a_page_is_drawn_offline_fast_and_without_barriers(
    desktop: Opened, version: Path, page: str
) -> None:
    path = version / ("index.html" if page == "scorecard" else f"{page}.html")
    seconds = []
    for _ in range(2):
        desktop.go(path)
        marks = desktop.page.evaluate("performance.getEntriesByName('interactive')[0].startTime")
        seconds.append(marks / 1000)
    assert min(seconds) < SECONDS_TO_INTERACTIVE
    assert desktop.complaints == []
    assert {url.split(":")[0] for url in desktop.requests} <= {"file", "about", "data", "blob"}
    weight = path.stat().st_size + sum(one.stat().st_size for one in (version / "assets").iterdir())
    assert weight < BYTES_PER_PAGE
    charts = desktop.page.locator("[data-chart]")
    for position in range(charts.count()):
        chart = charts.nth(position)
        figure = chart.evaluate("one => one.closest('section').id")
        assert int(chart.get_attribute("data-drawn") or 0) > 0, f"{figure} has no marks"
    assert desktop.page.locator(".absent").count() == 0
    assert desktop.too_wide() == []
    assert desktop.scrolling() == []
    assert desktop.barriers() == []


@pytest.mark.parametrize(
    "page", ["index.html", "budget.html", "revenue.html", "foresight.html", "quality.html"]
)
def test_dark_and_narrow_pages_have_no_barriers(browser: Browser, version: Path, page: str) -> None:
    with opened(browser, width=PHONE, height=844, scheme="dark") as phone:
        if page == "quality.html":
            phone.page.goto((version / page).as_uri())
        else:
            phone.go(version / page)
        assert phone.too_wide() == []
        assert phone.barriers() == []
        assert phone.complaints == []


def test_the_filter_changes_figures_to_what_sql_says(desktop: Opened, version: Path) -> None:
    desktop.go(version / "revenue.html")
    first, last = "2026-02-01", "2026-07-01"
    desktop.choose(product="P3", **{"from": first, "to": last})
    revenue, contribution, result = scalars(
        version,
        """select revenue_amount, product_contribution_amount, operating_result_amount
        from rpt_product_contribution where product_id = 'P3' and month_date = ?""",
        [last],
    )
    figure = "contribution-by-product"
    assert [desktop.total(figure, at) for at in range(3)] == [revenue, contribution, result]
    # Company-wide figures say so and follow the period alone: balances at its ends, flows within.
    assert "not split by product" in desktop.page.locator("#mrr-months [data-scope]").inner_text()
    opening, new, closing = scalars(
        version,
        """select min_by(opening_mrr_amount, month_date), sum(new_amount),
            max_by(closing_mrr_amount, month_date)
        from rpt_mrr_waterfall where month_date between ? and ?""",
        [first, last],
    )
    assert [desktop.total("mrr-months", at) for at in (0, 1, 3)] == [opening, new, closing]


def test_a_result_is_not_split_while_cost_names_no_product(desktop: Opened, version: Path) -> None:
    desktop.go(version / "budget.html").choose(product="P3")
    assert (
        "not split by product"
        in desktop.page.locator("#budget-waterfall [data-scope]").inner_text()
    )
    assert desktop.page.locator("#variance-drivers [data-scope]").inner_text() == ""


def test_a_target_says_what_it_was_counted_from(desktop: Opened, version: Path) -> None:
    cards = desktop.go(version / "index.html").page.locator("#programme-targets .card")
    texts = {text[:2]: text for text in cards.all_inner_texts()}
    query = """
        select observations, failing_items, denominator, numerator, consecutive_months, months_required
        from rpt_programme_targets where target_id = ?"""
    with duckdb.connect(version / "marts.duckdb", read_only=True) as connection:
        for target in ("T1", "T2", "T3"):
            [(items, failing, _, _, months, needed)] = connection.execute(
                query, [target]
            ).fetchall()
            assert f"{failing} of {items} items fail" in texts[target]
            assert f"Months in a row at target: {months} ({needed} needed)" in texts[target]
        for target in ("T4", "T5"):
            [(worlds, _, before, after, _, _)] = connection.execute(query, [target]).fetchall()
            assert f"Error {before:.3f} → {after:.3f} in {worlds} simulated worlds" in texts[target]


def test_the_filter_travels_with_links_and_addresses(desktop: Opened, version: Path) -> None:
    desktop.go(version / "cost.html").choose(line="Automation", **{"from": "2026-01-01"})
    query = """
        select sum(pnl_amount) from rpt_product_cost
        join dim_fiscal_period using (fiscal_period)
        join dim_product using (product_id)
        where is_reporting_entity and rpt_product_cost.is_closed
            and product_line = 'Automation' and start_on >= date '2026-01-01'"""
    (expected,) = scalars(version, query)
    assert desktop.total("cost-by-product") == expected
    address = desktop.page.url
    assert "line=Automation" in address
    assert "from=2026-01-01" in address
    desktop.page.goto("about:blank")
    desktop.page.goto(address)
    assert desktop.drawn().total("cost-by-product") == expected
    desktop.page.get_by_role("link", name="Budget", exact=True).click()
    desktop.drawn()
    assert desktop.page.locator("[name=line]").input_value() == "Automation"
    desktop.page.get_by_role("button", name="Reset").click()
    desktop.drawn()
    assert "line" not in desktop.page.url
    assert desktop.complaints == []


def test_a_link_leads_to_its_figure(desktop: Opened, version: Path) -> None:
    desktop.go(version / "budget.html", "#at=breaches")
    desktop.page.wait_for_function(
        "Math.abs(document.getElementById('breaches').getBoundingClientRect().top) < innerHeight"
    )
    link = desktop.page.locator("#outlook a[data-at]")
    assert link.get_attribute("href") == "#at=outlook"


def test_a_choice_of_an_initiative_leads_to_its_rows(desktop: Opened, version: Path) -> None:
    desktop.go(version / "returns.html")
    (promised,) = scalars(
        version,
        "select approved_npv_amount from rpt_benefit_realisation where initiative_id = 'I07'",
    )
    desktop.choose(initiative="I07")
    rows = desktop.page.locator("#initiatives tbody tr")
    assert rows.count() == 1
    assert desktop.total("initiatives", 2) == promised


def test_charts_are_read_and_drilled_into_by_keyboard(desktop: Opened, version: Path) -> None:
    page = desktop.go(version / "budget.html", "#at=variance-heat").page
    chart = page.locator("#variance-heat [data-chart]")
    chart.focus()
    said = page.locator("form .status")
    page.keyboard.press("ArrowRight")
    first = said.inner_text()
    page.keyboard.press("ArrowRight")
    assert "Cost center: " in first
    assert said.inner_text() != first
    page.keyboard.press("Enter")
    picked = page.locator("#variance-heat .picked")
    assert "Rows behind" in picked.inner_text()
    assert page.evaluate("document.activeElement.textContent") == "Show all"
    cost_center = re.search(r"Cost center: (.+?), ", picked.inner_text() + ", ")
    assert cost_center
    cells = page.locator("#variance-heat tbody td:nth-child(3)").all_inner_texts()
    assert set(cells) == {cost_center.group(1).removesuffix(" Show all")}
    page.keyboard.press("Enter")
    assert picked.count() == 0
    header = page.locator("#breaches thead button").first
    header.focus()
    page.keyboard.press("Enter")
    assert page.locator("#breaches th[aria-sort]").count() == 1
    assert desktop.complaints == []


def test_rows_and_pictures_are_downloaded(desktop: Opened, version: Path, tmp_path: Path) -> None:
    page = desktop.go(version / "cost.html").page
    for kind, start in (("csv", b"\xef\xbb\xbf"), ("png", b"\x89PNG"), ("svg", b"<svg")):
        attribute = "data-csv" if kind == "csv" else f"data-image={kind}"
        with page.expect_download() as waiting:
            page.locator(f"#cost-over-time [{attribute}]").click()
        path = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(path)
        assert path.name == f"cost-over-time.{kind}"
        assert path.read_bytes().startswith(start)
    picture = (tmp_path / "cost-over-time.svg").read_text(encoding="utf-8")
    for told in ("Unit USD", "Period Oct 2025", "Source rpt_product_cost", "Data as of 2026-10-20"):
        assert told in picture
    with duckdb.connect() as connection:
        total, rows = connection.execute(
            "select sum(cost_amount), count(*) from read_csv(?)",
            [str(tmp_path / "cost-over-time.csv")],
        ).fetchall()[0]
    assert rows > 100
    assert total == pytest.approx(desktop.total("cost-by-product"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.id)
def test_a_page_prints_on_the_sheets_it_may_take(desktop: Opened, version: Path, page: Any) -> None:
    desktop.go(version / site.address(page))
    pdf = desktop.page.pdf(prefer_css_page_size=True, print_background=True)
    sheets = re.findall(rb"/Type\s*/Page\b", pdf)
    boxes = set(re.findall(rb"/MediaBox \[([^\]]+)\]", pdf))
    assert 1 <= len(sheets) <= page.sheets
    for box in boxes:
        _, _, width, height = map(float, box.split())
        assert (round(width), round(height)) == (842, 595), "A4 landscape"
    # As wide as the sheet within its margins; of what is wider the browser cuts the edge.
    desktop.page.set_viewport_size({"width": 1032, "height": 700})
    desktop.page.emulate_media(media="print")
    assert desktop.too_wide() == []
    assert desktop.page.locator("footer").is_hidden()
    assert desktop.page.locator(".asof").is_visible()


def test_one_file_holds_the_whole_report(desktop: Opened, version: Path, tmp_path: Path) -> None:
    path = site.write_single(source_of(version, version / "marts.duckdb"), tmp_path / "pack.html")
    assert path.stat().st_size < BYTES_PER_PAGE
    desktop.go(path, "#page=budget&product=P1")
    assert desktop.page.locator("article:not([hidden]) h1").inner_text() == "Budget"
    desktop.page.get_by_role("link", name="Returns", exact=True).click()
    desktop.page.wait_for_selector("#page-returns:not([hidden])")
    desktop.drawn()
    assert desktop.page.locator("[name=product]").input_value() == "P1"
    assert desktop.complaints == []
    assert {url.split(":")[0] for url in desktop.requests} <= {"file", "about", "data", "blob"}
    # The board pack: every page drawn and printed.
    desktop.page.evaluate(
        "window.print = () => { window.printed = document.querySelectorAll('article:not([hidden])').length }"
    )
    desktop.page.get_by_role("button", name="Print").click()
    desktop.page.wait_for_function("window.printed")
    assert desktop.page.evaluate("window.printed") == len(PAGES)


def test_definitions_and_lineage_unpack_themselves(desktop: Opened, version: Path) -> None:
    path = version / "docs.html"
    assert path.stat().st_size < BYTES_PER_PAGE
    model = "#!/model/model.product_finance.rpt_budget_variance"
    desktop.page.goto(f"{path.as_uri()}{model}?g_v=1&g_i=%2Brpt_budget_variance")
    desktop.page.wait_for_selector("h1:has-text('rpt_budget_variance')")
    desktop.page.wait_for_selector("text=Lineage Graph")
    assert {url.split(":")[0] for url in desktop.requests} <= {"file", "about", "data", "blob"}


def variant(version: Path, folder: Path, kind: str) -> Path:
    """The sample's published file with its rows changed to an extreme."""
    database = folder / "marts.duckdb"
    shutil.copyfile(version / "marts.duckdb", database)
    with duckdb.connect(database) as connection:
        tables: dict[str, dict[str, str]] = {}
        for table, column, data_type in connection.execute(
            "select table_name, column_name, data_type from duckdb_columns() where not internal"
        ).fetchall():
            tables.setdefault(table, {})[column] = data_type
        for table, columns in tables.items():
            if kind == "empty":
                connection.execute(f"delete from {table}")
            elif kind == "one product" and "product_id" in columns:
                connection.execute(f"delete from {table} where product_id <> 'P1'")
            elif (
                kind == "many products"
                and "product_id" in columns
                and table.startswith(("rpt_", "dim_p"))
            ):
                replaced = "'P' || (n * 10)::varchar as product_id"
                if "product_name" in columns:
                    replaced += ", 'Product with a rather long name ' || n as product_name"
                connection.execute(
                    f"insert into {table} select {table}.* replace ({replaced}) from {table}, range(1, 200) as t(n) "
                    "where product_id = 'P1'"
                )
            elif kind == "huge":
                amounts = [
                    f"{column} = case when hash({column}) % 2 = 0 then -9876543210123.45 else 9876543210123.45 end"
                    for column, data_type in columns.items()
                    if data_type == "DECIMAL(18,2)"
                ]
                if amounts:
                    connection.execute(f"update {table} set {', '.join(amounts)}")
                if table == "dim_product":
                    connection.execute(
                        "update dim_product set product_name = '=HYPERLINK(\"http://x\")' where product_id = 'P1'"
                    )
    return database


@pytest.mark.parametrize("kind", ["empty", "one product", "many products", "huge"])
def test_extreme_companies_are_drawn_too(
    browser: Browser, version: Path, tmp_path: Path, kind: str
) -> None:
    database = variant(version, tmp_path, kind)
    pages = site.write(source_of(version, database), tmp_path / "site")
    for width in (1360, PHONE) if kind == "huge" else (1360,):
        with opened(browser, width=width) as page:
            for path in pages:
                page.go(path)
                assert page.complaints == [], path.name
                assert page.too_wide() == [], path.name
                assert path.stat().st_size < BYTES_PER_PAGE - 1_000_000
                if kind == "empty":
                    assert page.page.locator("[data-drawn]").count() == 0
            if kind == "huge" and width > PHONE:
                page.go(tmp_path / "site" / "cost.html")
                with page.page.expect_download() as waiting:
                    page.page.locator("#unit-cost [data-csv]").click()
                text = waiting.value.path().read_text(encoding="utf-8-sig")
                assert "\"'=HYPERLINK" in text, "text that begins like a formula stays text"
            if kind == "many products":
                with duckdb.connect(database, read_only=True) as connection:
                    rows = connection.execute(
                        "select 7 * count(*) from rpt_product_contribution where is_closed"
                    ).fetchall()[0][0]
                assert rows > site.ROWS_CARRIED
                page.go(tmp_path / "site" / "revenue.html", "#from=2023-10-01")
                said = page.page.locator("#contribution-ladder [data-carried]").inner_text()
                found = re.fullmatch(
                    r"Shortened shows months from (\w+ \d{4}) on; all ([\d,]+) rows in rpt_product_contribution",
                    said,
                )
                assert found, said
                assert int(found.group(2).replace(",", "")) == rows
                period = page.page.locator("#contribution-ladder [data-period]").inner_text()
                assert period.startswith(f"Period {found.group(1)} ")
                assert page.page.locator("#mrr-months [data-carried]").inner_text() == ""
