"""MetricFlow asked about a home: its own SQL, run by DuckDB."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from warehouse.home import PROJECT, Home
from warehouse.transform import Transformation

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from metricflow.engine.metricflow_engine import MetricFlowEngine, MetricFlowQueryRequest
    from metricflow.protocols.sql_client import SqlEngine
    from metricflow.sql.render.duckdb_renderer import DuckDbSqlPlanRenderer
    from metricflow_semantics.model.dbt_manifest_parser import (
        parse_manifest_from_dbt_generated_manifest,
    )
    from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

engine_of: Any = MetricFlowEngine


class DuckDB:
    """What MetricFlow has to know of a database to write SQL for it; it never runs it here."""

    sql_engine_type = SqlEngine.DUCKDB
    sql_plan_renderer = DuckDbSqlPlanRenderer()


def manifest_of(home: Home) -> Any:
    """The semantic manifest the last build left."""
    path = Transformation(PROJECT, home.root).manifest_path.with_name("semantic_manifest.json")
    return parse_manifest_from_dbt_generated_manifest(path.read_text(encoding="utf-8"))


def query(
    manifest: Any, database: Path, metrics: Sequence[str], groups: Sequence[str], **more: Any
) -> Any:
    """The rows MetricFlow's SQL returns."""
    engine = engine_of(SemanticManifestLookup(manifest), DuckDB())
    request = MetricFlowQueryRequest.create(metric_names=metrics, group_by_names=groups, **more)
    sql = engine.explain(request).sql_statement.without_descriptions.sql
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        return connection.sql(sql).df()
