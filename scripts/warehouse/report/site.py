"""Draw the report: run each figure's select on one published file, write pages that need no server.

A site asks no other host: scripts and styles lie beside the pages (or inside, in a single file),
rows are in the pages themselves, and a content security policy forbids everything else.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import yaml
from altair.utils import schemapi
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from warehouse.home import PROJECT
from warehouse.report.figure import HIDDEN, Figure, Page, kind, label
from warehouse.report.pages import PAGES
from warehouse.sql import literal
from warehouse.store import replacing

if TYPE_CHECKING:
    from warehouse.audit import Finding

ASSETS = Path(__file__).parent / "assets"

# Rows a figure carries at most, so that pages stay light: of more, the latest months.
ROWS_CARRIED = 10_000

# What figures join for names and months; a file without these marts gets empty ones.
VIEWS = {
    "report_products": (
        "dim_product",
        """select product_id, product_name as product, product_line from dim_product
        union all select 'unallocated', 'Borne by no product', null""",
        "select 'unallocated' as product_id, 'Borne by no product' as product, null as product_line",
    ),
    # A fiscal period belongs to the month that holds its middle; periods of entities share names, not months.
    "report_entity_periods": (
        "dim_fiscal_period",
        """select entity_id, is_reporting_entity, fiscal_period, fiscal_year, is_closed,
            cast(date_trunc('month', start_on + cast((end_on - start_on) / 2 as integer)) as date) as month
        from dim_fiscal_period""",
        """select '' as entity_id, false as is_reporting_entity, '' as fiscal_period, 0 as fiscal_year,
            false as is_closed, date '2000-01-01' as month where false""",
    ),
    "report_periods": (
        "dim_fiscal_period",
        "select * exclude (entity_id) from report_entity_periods where is_reporting_entity",
        "select '' as fiscal_period, 0 as fiscal_year, false as is_closed, date '2000-01-01' as month where false",
    ),
    "report_cost_centers": (
        "dim_cost_center",
        "select cost_center_id, cost_center_name as cost_center from dim_cost_center",
        "select '' as cost_center_id, '' as cost_center where false",
    ),
    "report_accounts": (
        "dim_account",
        "select account_id, account_name as account from dim_account",
        "select '' as account_id, '' as account where false",
    ),
    "report_initiatives": (
        "dim_initiative",
        "select initiative_id, initiative_name as initiative, product_id, initiative_type, status from dim_initiative",
        "select '' as initiative_id, '' as initiative, '' as product_id, '' as initiative_type, '' as status where false",
    ),
    # The plan a year is judged by: the original one, which later wishes cannot move.
    "report_budgets": (
        "rpt_budget_variance",
        """select fiscal_year, budget_version
        from (select distinct fiscal_year, budget_version, version_type from rpt_budget_variance)
        where version_type = 'original'
        qualify row_number() over (partition by fiscal_year order by budget_version) = 1""",
        "select 0 as fiscal_year, '' as budget_version where false",
    ),
}


@dataclass(frozen=True)
class Settings:
    """How figures are written: currency and locale stand in dbt_project.yml."""

    currency: str
    locale: str

    @classmethod
    @cache
    def load(cls) -> "Settings":
        """The settings of the checkout."""
        project = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))
        return cls(project["vars"]["reporting_currency"], project["vars"]["report_locale"])


@dataclass(frozen=True)
class Files:
    """Addresses of the published files, as seen from the pages."""

    database: str
    # Beginning of the address of each Parquet file.
    parquet: str


# What lies beside the report of a whole version.
VERSION_LINKS = (
    ("Definitions and lineage (dbt docs)", "docs.html"),
    ("Checks of this version", "quality.html"),
    ("Manifest: every input and the hash of every file", "manifest.json"),
)
VERSION_FILES = Files("marts.duckdb", "marts/")


@dataclass(frozen=True)
class Described:
    """One mart as the published file describes it."""

    name: str
    domain: str
    description: str
    rows: int
    # Name, type and meaning of each column.
    columns: Sequence[tuple[str, str, str]]


@dataclass(frozen=True)
class Source:
    """What a site is made from, and what its pages say about it."""

    # The marts: the whole version's, or what one role may see.
    database: Path
    # Who it is for; empty for the whole version.
    role: str
    # Facts of the version's manifest: marts, origin, as_of, git.
    facts: Mapping[str, Any]
    created_at: str
    # Pages beside the report, as (name, address).
    links: Sequence[tuple[str, str]] = ()
    # Where the published files lie, as seen from the pages; None where they do not.
    files: Files | None = None
    # Folder that keeps the chart library from one report to the next.
    cache: Path | None = None


@dataclass(frozen=True)
class Site:
    """Everything the pages of a site show, read from one file in one go."""

    source: Source
    pages: Mapping[Page, "Sequence[Drawn]"]
    catalogue: Sequence[Described]
    # What the filter offers: products with their lines, months with rows, the last closed one.
    choices: Mapping[str, Any]


@dataclass(frozen=True)
class Drawn:
    """A figure with its rows, ready for a page."""

    id: str
    figure: Figure
    unit: str
    # Marts its select needs that the file does not hold.
    missing: Sequence[str]
    # Columnar rows, text coded by dictionary; None where a mart is missing.
    data: Mapping[str, Any] | None


def write(source: Source, folder: Path) -> list[Path]:
    """Write the site into a folder, one file per page and its assets; the pages' paths."""
    site = draw(source)
    assets = folder / "assets"
    assets.mkdir(parents=True, exist_ok=True)
    for name, text in _assets(source.cache).items():
        (assets / name).write_text(str(text), encoding="utf-8")
    written = []
    for page in site.pages:
        path = folder / address(page)
        path.write_text(_page(site, [page], is_single=False), encoding="utf-8")
        written.append(path)
    return written


def write_single(source: Source, path: Path) -> Path:
    """Write the whole site as one file that can be mailed."""
    site = draw(source)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_page(site, list(site.pages), is_single=True), encoding="utf-8")
    return path


def write_checks(
    source: Source, findings: "Sequence[Finding]", files: Sequence[Mapping[str, Any]], path: Path
) -> Path:
    """Write the page of what the gate took, what was judged and what did not pass."""
    figures = (
        ("Rules checked", len(findings)),
        ("Did not pass", sum(finding.state != "passed" for finding in findings)),
        ("Rows accepted", sum(int(one["rows_accepted"]) for one in files)),
        ("Rows quarantined", sum(int(one["rows_quarantined"]) for one in files)),
    )
    text = _render(
        "quality.html.j2", source, PAGES, None, "", figures=figures, findings=findings, files=files
    )
    path.write_text(text, encoding="utf-8")
    return path


def draw(source: Source, pages: Sequence[Page] = PAGES) -> Site:
    """Run every figure's select on the source's file."""
    settings = Settings.load()
    with _connection(source.database) as connection:
        marts = {name for (name,) in connection.execute("show tables from published").fetchall()}
        for view, (mart, select, without) in VIEWS.items():
            connection.execute(f"create view {view} as {select if mart in marts else without}")
        drawn = {
            page: [
                _draw(connection, name, figure, marts, settings) for name, figure in figures(page)
            ]
            for page in pages
        }
        catalogue = _catalogue(connection, source.facts["marts"])
        return Site(source, drawn, catalogue, _choices(connection, drawn))


@cache
def figures(page: Page) -> Sequence[tuple[str, Figure]]:
    """The figures of a page by id; declaring charts takes longer than drawing them, so once."""
    # Every chart is checked against Vega-Lite's schema by a test; each build need not do it again.
    with schemapi.debug_mode(False):
        return tuple((one.__name__.replace("_", "-"), one()) for one in page.figures)


def address(page: Page) -> str:
    """The file of a page; the first one is the home page."""
    return "index.html" if page.id == "scorecard" else f"{page.id}.html"


@contextmanager
def _connection(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'; set threads = 1")
        connection.execute(f"attach {literal(str(database))} as published (read_only)")
        connection.execute("set search_path = 'memory,published'")
        yield connection


def _draw(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    figure: Figure,
    marts: set[str],
    settings: Settings,
) -> Drawn:
    unit = figure.unit.format(currency=settings.currency)
    missing = [mart for mart in figure.marts if mart not in marts]
    if missing:
        return Drawn(name, figure, unit, missing, None)
    result = connection.execute(figure.select)
    assert result.description is not None
    names = [(column[0], str(column[1])) for column in result.description]
    found = result.fetchall()
    rows = _latest(found, [column for column, _ in names])
    by_column: list[Sequence[Any]] = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    columns = []
    for values, (column, data_type) in zip(by_column, names, strict=True):
        how = figure.kinds.get(column) or kind(column, data_type)
        columns.append(
            {
                "name": column,
                "label": figure.labels.get(column, label(column)),
                "kind": how,
                "hidden": column in HIDDEN or column.endswith("_order"),
                **_encode(_plain(values, data_type), how),
            }
        )
    # The page says what it leaves out.
    data = {"size": len(rows), "found": len(found), "columns": columns}
    return Drawn(name, figure, unit, (), data)


def _latest(rows: list[Any], names: Sequence[str]) -> list[Any]:
    """All rows, or those of the latest months that a page can carry."""
    if len(rows) <= ROWS_CARRIED or "month" not in names:
        return rows
    at = names.index("month")
    per_month = Counter(row[at] for row in rows if row[at] is not None)
    kept: set[Any] = set()
    carried = 0
    for month in sorted(per_month, reverse=True):
        carried += per_month[month]
        if kept and carried > ROWS_CARRIED:
            break
        kept.add(month)
    return [row for row in rows if row[at] in kept]


def _encode(values: list[Any], how: str) -> dict[str, Any]:
    """Text as positions in a dictionary, which keeps pages small; everything else as it is."""
    if how not in {"text", "month", "date"}:
        return {"values": values}
    words = list(dict.fromkeys(value for value in values if value is not None))
    places = {word: place for place, word in enumerate(words)}
    return {"words": words, "values": [places.get(value) for value in values]}


def _plain(values: Sequence[Any], data_type: str) -> list[Any]:
    """Values as JSON has them: numbers as numbers, days as text, lists as words."""
    if data_type.startswith("DECIMAL"):
        # Money to the cent and seven digits before it is exact in a double, and far beyond.
        return [None if value is None else float(value) for value in values]
    if data_type == "DOUBLE":
        # Nine digits are more than any reader or chart can tell apart.
        return [None if value is None else float(f"{value:.9g}") for value in values]
    if data_type.startswith(("DATE", "TIMESTAMP")):
        return [None if value is None else value.isoformat()[:10] for value in values]
    if data_type.endswith("[]"):
        return [None if value is None else ", ".join(map(str, value)) for value in values]
    return list(values)


def _page(site: Site, shown: Sequence[Page], *, is_single: bool) -> str:
    settings = Settings.load()
    figures = [drawn for page in shown for drawn in site.pages[page]]
    shared = {
        "currency": settings.currency,
        "locale": settings.locale,
        "pages": [page.id for page in shown],
        **site.choices,
    }
    return _render(
        "page.html.j2",
        site.source,
        list(site.pages),
        _assets(site.source.cache) if is_single else None,
        "" if is_single else shown[0].id,
        shown={page: site.pages[page] for page in shown},
        catalogue=site.catalogue,
        shared=_script_json(shared),
        data={drawn.id: _script_json(_figure_data(drawn)) for drawn in figures},
    )


def _figure_data(drawn: Drawn) -> dict[str, Any]:
    return {
        "title": drawn.figure.title,
        "spec": drawn.figure.chart,
        "layout": drawn.figure.layout,
        "period": drawn.figure.period,
        "empty": drawn.figure.empty,
        "totals": [asdict(total) for total in drawn.figure.totals],
        "marts": drawn.figure.marts,
        **(drawn.data or {"size": 0, "found": 0, "columns": []}),
    }


def _render(
    template: str,
    source: Source,
    pages: Sequence[Page],
    assets: Mapping[str, Markup] | None,
    here: str,
    **values: Any,
) -> str:
    navigation = [
        (page.id, page.name, f"#page={page.id}" if assets else address(page)) for page in pages
    ]
    return (
        _environment()
        .get_template(template)
        .render(source=source, navigation=navigation, assets=assets, here=here, **values)
    )


def _catalogue(
    connection: duckdb.DuckDBPyConnection, facts: Mapping[str, Mapping[str, Any]]
) -> list[Described]:
    """Marts and columns of the file with their meaning, which are its comments."""
    columns: dict[str, list[tuple[str, str, str]]] = {}
    for table, name, data_type, meaning in connection.execute(
        """select table_name, column_name, data_type, coalesce(comment, '') from duckdb_columns()
        where database_name = 'published' order by table_name, column_index"""
    ).fetchall():
        columns.setdefault(table, []).append((name, data_type, meaning))
    return [
        Described(
            name=name,
            domain=facts.get(name, {}).get("domain", "other"),
            description=" ".join(description.split()),
            rows=rows,
            columns=columns[name],
        )
        for name, description, rows in connection.execute(
            """select table_name, coalesce(comment, ''), estimated_size from duckdb_tables()
            where database_name = 'published' order by table_name"""
        ).fetchall()
    ]


def _choices(
    connection: duckdb.DuckDBPyConnection, pages: Mapping[Page, Sequence[Drawn]]
) -> dict[str, Any]:
    products = connection.execute(
        """select product_id, product, product_line from report_products
        where product_id <> 'unallocated' order by product, product_id"""
    ).fetchall()
    ((closed,),) = connection.execute(
        "select max(month) from report_periods where is_closed"
    ).fetchall()
    months = sorted(
        {
            month
            for drawn in pages.values()
            for figure in drawn
            for column in (figure.data or {"columns": []})["columns"]
            if column["name"] == "month"
            for month in column["words"]
        }
    )
    return {
        "products": products,
        "months": months,
        "closed": str(closed) if closed else (months[-1] if months else None),
    }


def _script_json(value: Any) -> Markup:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028"))  # nosec B704 - "<" is escaped


@cache
def _assets(folder: Path | None) -> dict[str, Markup]:
    """Scripts and styles of a site by file name."""
    # The bundle declares one-letter names; inside a function they disturb nobody.
    vega = "(() => {" + _vega(folder) + "})();\n"
    own = {path.name: path.read_text(encoding="utf-8") for path in sorted(ASSETS.iterdir())}
    texts = {"vega.js": vega, **own}
    return {name: Markup(text.replace("</script", "<\\/script")) for name, text in texts.items()}  # nosec B704 - our own files


def _vega(folder: Path | None) -> str:
    """The chart library as a script. Bundling it takes seconds, so a folder keeps it by version."""
    kept = folder and folder / f"vega-{metadata.version('vl-convert-python')}.js"
    if kept and kept.exists():
        return kept.read_text(encoding="utf-8")
    import vl_convert

    bundle = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    if kept:
        with replacing(kept) as unfinished:
            unfinished.write_text(bundle, encoding="utf-8")
    return bundle


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("warehouse.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
