"""What the report declares, and what a role's report holds."""

import re
from collections.abc import Iterator
from pathlib import Path

import altair as alt
import duckdb
import pytest
import vl_convert

from homes import current
from warehouse import report
from warehouse.errors import UsageError
from warehouse.home import Home
from warehouse.report import site
from warehouse.report.figure import Figure, kind, label
from warehouse.report.pages import PAGES, budget


def figures() -> Iterator[tuple[str, Figure]]:
    for page in PAGES:
        yield from site.figures(page)


def test_every_figure_asks_explains_and_names_its_marts() -> None:
    names = [name for name, _ in figures()]
    assert len(names) == len(set(names))
    for name, figure in figures():
        assert figure.title.endswith("?"), name
        assert 60 < len(figure.means) < 320, name
        assert figure.marts, name
        assert figure.unit, name


def test_every_chart_is_valid_vega_lite() -> None:
    for name, figure in figures():
        if figure.chart:
            try:
                alt.Chart.from_dict(dict(figure.chart))
            except alt.SchemaValidationError as error:
                pytest.fail(f"{name}: {error}")


def test_the_report_adds_up_and_computes_nothing_else() -> None:
    for name, figure in figures():
        computed = re.findall(
            r"\b(?:avg|median|stddev\w*|corr|regr_\w+|quantile\w*|power|exp|ln)\s*\(|[\w)]\s*/\s*[\w(]",
            figure.select,
        )
        assert computed == [], f"{name} computes {computed}: a mart should"


def test_columns_are_written_as_their_names_say() -> None:
    assert label("npv_amount") == "NPV"
    assert label("is_selected") == "Selected"
    assert kind("ttm_roi_rate", "DOUBLE") == "rate"
    assert kind("cost_amount", "DECIMAL(18,2)") == "money"
    assert kind("month", "DATE") == "month"
    assert kind("customers", "BIGINT") == "count"


def test_what_captions_speak_of_is_in_the_rows(sample: Home) -> None:
    version = current(sample)
    whole = site.draw(site.Source(version.path / "marts.duckdb", "", version.manifest, ""))
    drawn = {one.id: one.data for figures in whole.pages.values() for one in figures}
    with duckdb.connect(version.path / "marts.duckdb", read_only=True) as connection:
        dimensions = connection.execute(
            "select distinct dimension from rpt_data_quality where dimension <> 'all'"
        ).fetchall()
    for name, columns in {
        "quality": {dimension for (dimension,) in dimensions},
        "violations": {"is_excepted"},
        "realisation": {"realised_benefit_amount", "time_released_amount"},
    }.items():
        data = drawn[name]
        assert data is not None
        assert columns <= {column["name"] for column in data["columns"]}, name


def test_periods_of_an_entity_with_other_years_stand_in_their_own_months() -> None:
    """Periods of two entities share a name: P02 is February of one and May of the other."""
    months = {"A": "2026-02-01", "B": "2026-05-01"}
    with duckdb.connect() as connection:
        connection.execute("""
            create table dim_fiscal_period as
            select entity_id, entity_id = 'A' as is_reporting_entity, '2026-P02' as fiscal_period, 2026 as fiscal_year,
                true as is_closed, start_on, start_on + 27 as end_on
            from (values ('A', date '2026-02-01'), ('B', date '2026-05-01')) as periods (entity_id, start_on);
            create table dim_cost_center as select 'C' as cost_center_id, 'Centre' as cost_center_name;
            create table dim_account as select 'X' as account_id, 'Expense' as account_name;
            create table rpt_budget_variance as
            select entity_id, fiscal_period, fiscal_year, start_on as month_date, is_closed, 'plan' as budget_version,
                'original' as version_type, 'C' as cost_center_id, 'expense' as account_type, -1 as polarity,
                0 as budget_amount, 10 as actual_amount, -10 as variance_favourable_amount
            from dim_fiscal_period;
            create table rpt_budget_control as
            select entity_id, fiscal_period, 'C' as cost_center_id, 'X' as account_id, true as is_breach,
                'over' as control_status, 0 as budget_amount, 10 as actual_ytd_amount, 0 as committed_amount,
                10 as breach_amount, 0 as self_approval_count, 0 as over_authority_count, 0 as late_posting_count
            from dim_fiscal_period
        """)
        for name, (_, select, _) in site.VIEWS.items():
            if name not in {"report_products", "report_initiatives"}:
                connection.execute(f"create view {name} as {select}")
        for figure, amount in (
            (budget.budget_waterfall(), "case step_order when 4 then -amount end"),
            (budget.breaches(), "breach_amount"),
        ):
            rows = connection.execute(
                f"select cast(month as varchar), {amount} from ({figure.select}) where {amount} is not null order by 1"
            ).fetchall()
            assert rows == [(month, 10) for month in months.values()]


def test_a_role_sees_its_own_products_alone(sample: Home) -> None:
    version = current(sample)
    with duckdb.connect(version.path / "marts.duckdb", read_only=True) as connection:
        products = dict(
            connection.execute("select product_id, product_name from dim_product").fetchall()
        )
    foreign = [name for product_id, name in products.items() if product_id not in {"P1", "P2"}]
    pages = sorted((version.path / "roles" / "product_manager").glob("*.html"))
    assert len(pages) == len(PAGES)
    for path in pages:
        text = path.read_text(encoding="utf-8")
        found = [name for name in foreign if name in text]
        assert found == [], f"{path.name} names {found}"
    whole = (version.path / "returns.html").read_text(encoding="utf-8")
    assert all(name in whole for name in foreign)


def test_proof_a_role_cannot_look_at_is_left_out(sample: Home) -> None:
    version = current(sample)
    database = version.path / "roles" / "product_manager.duckdb"
    with duckdb.connect(database, read_only=True) as connection:
        held = {name for (name,) in connection.execute("show tables").fetchall()}
        named = {
            mart
            for (mart,) in connection.execute(
                "select evidence_mart from rpt_insights where is_open"
            ).fetchall()
        }
    assert named - held
    whole = site.draw(site.Source(database, "product_manager", version.manifest, ""))
    found = {one.id: one.data for figures in whole.pages.values() for one in figures}["insights"]
    assert found is not None
    columns = {column["name"]: column for column in found["columns"]}
    assert set(columns["evidence_mart"]["words"]) == named & held
    for query in columns["evidence_query"]["words"]:
        assert any(f" from {mart} " in query for mart in held), query


def test_what_a_role_may_not_see_is_said_to_be_absent(sample: Home) -> None:
    text = (current(sample).path / "roles" / "product_manager" / "revenue.html").read_text("utf-8")
    assert "Not in this file: <code>rpt_mrr_waterfall</code>" in text


def test_the_catalogue_counts_and_describes_what_the_file_holds(sample: Home) -> None:
    version = current(sample)
    drawn = site.draw(site.Source(version.path / "marts.duckdb", "", version.manifest, ""))
    assert {mart.name: mart.rows for mart in drawn.catalogue} == version.rows
    for mart in drawn.catalogue:
        assert mart.domain != "other"
        assert mart.description.startswith("One row per")
        assert all(meaning for _, _, meaning in mart.columns), mart.name


def test_the_report_is_written_on_request(sample: Home) -> None:
    index = report.write_current(sample)
    assert index.name == "index.html"
    assert (index.parent / "assets" / "vega.js").exists()
    single = report.write_current(sample, "product_manager", is_single=True)
    assert "assets/report.js" not in single.read_text(encoding="utf-8")
    with pytest.raises(UsageError, match="no role 'nobody'"):
        report.write_current(sample, "nobody")


def test_the_chart_library_is_bundled_once_per_home(
    sample: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = current(sample)
    database = version.path / "roles" / "product_manager.duckdb"

    def written(name: str, cache: Path) -> bytes:
        source = site.Source(database, "product_manager", version.manifest, "", cache=cache)
        site.write(source, tmp_path / name)
        return (tmp_path / name / "assets" / "vega.js").read_bytes()

    first = written("first", tmp_path / "cache")
    monkeypatch.setattr(vl_convert, "javascript_bundle", lambda *_: "bundled again")
    (tmp_path / "cache").rename(tmp_path / "kept")
    assert written("second", tmp_path / "kept") == first
    assert b"bundled again" in written("third", tmp_path / "empty")


def test_without_a_version_there_is_nothing_to_report(empty_home: Home) -> None:
    with pytest.raises(UsageError, match="warehouse build"):
        report.write_current(empty_home)


def test_column_lineage_needs_a_build(empty_home: Home) -> None:
    with pytest.raises(UsageError, match="warehouse build"):
        report.write_lineage(empty_home)
