"""The pages of a version: where everything is, and what was checked. They ask no other host."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from warehouse.audit import Finding

LINKS = (
    ("Marts", "index.html"),
    ("Definitions and lineage", "docs.html"),
    ("Quality", "quality.html"),
    ("Manifest", "manifest.json"),
)


def index(facts: Mapping[str, Any], created_at: str) -> str:
    """The home page of a version, from the facts of its manifest."""
    marts = [{"name": name, **mart} for name, mart in facts["marts"].items()]
    filled = [mart["name"] for mart in marts if mart["rows"]]
    return _render(
        "index.html.j2",
        here="Marts",
        marts=marts,
        example=next((name for name in filled if name.startswith("rpt_")), "dim_date"),
        rules=facts["audit"]["rules"],
        inputs=facts["inputs"],
        is_sample=facts["origin"] == "sample",
        commit=facts["git"]["commit"],
        is_dirty=facts["git"]["is_dirty"],
        created_at=created_at,
    )


def quality(
    findings: Sequence[Finding], files: Sequence[Mapping[str, Any]], created_at: str
) -> str:
    """The quality page: what the gate took, what was judged, what did not pass."""
    figures = (
        ("Rules checked", len(findings)),
        ("Did not pass", sum(finding.state != "passed" for finding in findings)),
        ("Rows accepted", _sum(files, "rows_accepted")),
        ("Rows quarantined", _sum(files, "rows_quarantined")),
    )
    return _render(
        "quality.html.j2",
        here="Quality",
        figures=figures,
        findings=findings,
        files=files,
        created_at=created_at,
    )


def _sum(rows: Iterable[Mapping[str, Any]], name: str) -> int:
    return sum(int(row[name]) for row in rows)


def _render(template: str, **values: Any) -> str:
    return _environment().get_template(template).render(links=LINKS, **values)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("warehouse"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
