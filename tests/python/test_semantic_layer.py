"""Key figures by MetricFlow are the key figures of the mart: one definition, two ways to ask for it."""

import csv
import warnings
from collections.abc import Mapping
from typing import Any

import duckdb
import pandas as pd
import pytest

import semantic
from warehouse.home import PROJECT, Home

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from metricflow_semantic_interfaces.validations.semantic_manifest_validator import (
        SemanticManifestValidator,
    )

# How MetricFlow names the members of a scope; what initiatives do belongs to their product.
MEMBERS = {
    "company": None,
    "product_line": "product__product_line",
    "product": "product",
    "objective": "initiative__objective_id",
}
OF_INITIATIVES = {"fct_initiative_cash_flows", "rpt_earned_value"}


def member_of(scope: str, source: str) -> str | None:
    """A line counts a customer once, which only its own rows of fct_product_metrics say; no other mart has them."""
    if scope.startswith("product") and source in OF_INITIATIVES:
        return f"initiative__{MEMBERS[scope]}"
    if scope == "product_line" and "fct_product_metrics" in source:
        return "product_month__product_line" if source == "fct_product_metrics" else "of no mart"
    return MEMBERS[scope]


def catalog() -> list[Mapping[str, str]]:
    path = PROJECT / "seeds" / "performance" / "kpi_catalog.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def semantic_manifest(sample: Home) -> Any:
    return semantic.manifest_of(sample)


@pytest.fixture(scope="module")
def values(sample: Home) -> pd.DataFrame:
    with duckdb.connect(str(sample.database), read_only=True) as connection:
        found = connection.sql("select * from marts.fct_kpi_values").df()
    found["month_date"] = pd.to_datetime(found.month_date)
    return found


def test_the_semantic_layer_is_valid(semantic_manifest: Any) -> None:
    issues = SemanticManifestValidator[Any]().validate_semantic_manifest(semantic_manifest)
    assert not issues.all_issues, issues.summary()


def test_every_key_figure_is_a_metric_of_the_same_meaning(semantic_manifest: Any) -> None:
    metrics = {metric.name: metric for metric in semantic_manifest.metrics}
    for kpi in catalog():
        assert kpi["kpi_id"] in metrics, f"{kpi['kpi_id']} is no metric"
        description = metrics[kpi["kpi_id"]].description
        assert description == f"{kpi['kpi_name']}; {kpi['formula']}.", kpi["kpi_id"]


@pytest.mark.parametrize("scope", MEMBERS)
def test_metricflow_and_the_mart_agree(
    scope: str, semantic_manifest: Any, sample: Home, values: pd.DataFrame
) -> None:
    """Every figure of every month and member, to a millionth; ratios without a divisor are empty."""
    compared = 0
    expected = values[values.scope_type == scope].set_index(["kpi_id", "scope_id", "month_date"])
    kpis_of: dict[str | None, list[str]] = {}
    for entry in catalog():
        if entry["kpi_id"] in expected.index.get_level_values(0):
            member = member_of(scope, entry["source_model"])
            kpis_of.setdefault(member, []).append(entry["kpi_id"])
    kpis_of.pop("of no mart", None)
    for member, kpis in kpis_of.items():
        groups = ["metric_time__month", member] if member else ["metric_time__month"]
        found = semantic.query(semantic_manifest, sample.database, kpis, groups)
        found["scope_id"] = found[member] if member else "company"
        found["month_date"] = pd.to_datetime(found.metric_time__month)
        rows = found.set_index(["scope_id", "month_date"])
        for kpi in kpis:
            ours = expected.loc[kpi]
            theirs = rows[kpi].reindex(ours.index).astype(float)
            both = pd.DataFrame({"mart": ours.kpi_value, "metricflow": theirs})
            # The mart shows no ratio over a divisor that is negative.
            both = both[~(ours.kpi_value_reason == "no_denominator") | (ours.denominator == 0)]
            close = (both.mart - both.metricflow).abs() <= 1e-6 * both.mart.abs().clip(lower=1)
            # Nothing spent is a zero in the mart and no row in MetricFlow; no divisor is empty in both.
            close |= both.metricflow.isna() & (both.mart.isna() | (both.mart == 0))
            wrong = both[~close]
            assert wrong.empty, f"{kpi} per {scope}:\n{wrong}"
            compared += len(both)
    assert compared > 300
    assert scope != "company" or set(expected.index.get_level_values(0)) == {
        kpi["kpi_id"] for kpi in catalog()
    }
