"""What every mart owes its readers, asked of the project itself."""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

from homes import current
from warehouse.compiled import CompiledProject
from warehouse.home import PROJECT, Home
from warehouse.transform import AFTER_AUDIT

SEEDS = PROJECT / "seeds" / "governance"

# Numbers whose names say their unit: rates and ratios are fractions, money is in a stated currency.
MONEY = re.compile(r"_amount$|_cost$")
CURRENCY = re.compile(r"currency|USD|minor unit", re.IGNORECASE)
PURE = re.compile(r"_(rate|share|probability|ratio|index|multiple)$")
UNIT = re.compile(
    r"hours?\b|days?\b|months?\b|periods?\b|years?\b|fraction|from -?\d\S* to \d|pure number|\bratio\b|currency|"
    r"\bunits?\b|quantity|customers|conversions|\bnats\b|p-value|\bper \w|points|journeys|\brows\b|standard error|"
    r"standard deviation|correlation|\bfactor\b|\bweight\b|\bfreedom\b|MASE|WAPE|users|tickets|initiatives|touches|"
    r"\bmoney\b",
    re.IGNORECASE,
)
SIGN = re.compile(r"positive|negative|debit|absolute|natural direction|helps profit", re.IGNORECASE)


def nodes(project: CompiledProject, kind: str = "model") -> Iterator[Mapping[str, Any]]:
    for node in project.manifest["nodes"].values():
        if node["resource_type"] == kind:
            yield node


def mart_nodes(project: CompiledProject) -> list[Mapping[str, Any]]:
    return [node for node in nodes(project) if node["fqn"][1] == "marts"]


def seed(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_mart_has_an_owner_a_contract_and_is_public(project: CompiledProject) -> None:
    groups = {group["name"]: group["owner"] for group in project.manifest["groups"].values()}
    for node in mart_nodes(project):
        config = node["config"]
        assert groups[config["group"]]["email"], node["name"]
        assert config["contract"]["enforced"], node["name"]
        assert config["access"] == "public", node["name"]


def test_what_is_no_mart_is_for_the_project_alone(project: CompiledProject) -> None:
    open_to_all = [
        node["name"]
        for node in nodes(project)
        if node["fqn"][1] != "marts" and node["config"]["access"] == "public"
    ]
    assert not open_to_all


def test_every_column_says_what_it_is(project: CompiledProject) -> None:
    bare = [
        f"{node['name']}.{column['name']}"
        for node in mart_nodes(project)
        for column in node["columns"].values()
        if not column["description"].strip() or not column["data_type"]
    ]
    assert not bare


def test_money_says_its_currency(project: CompiledProject) -> None:
    """In the column, or for all of them in the description of the mart."""
    silent = [
        f"{node['name']}.{column['name']}"
        for node in mart_nodes(project)
        if not CURRENCY.search(node["description"]) and "currency" not in node["columns"]
        for column in node["columns"].values()
        if MONEY.search(column["name"]) and not CURRENCY.search(column["description"])
    ]
    assert not silent


def number_columns(project: CompiledProject) -> list[tuple[str, str, str, str]]:
    """Mart and its description, column and its description, of every decimal or double."""
    return [
        (node["name"], node["description"], column["name"], column["description"])
        for node in mart_nodes(project)
        for column in node["columns"].values()
        if column["data_type"].startswith(("decimal", "double"))
    ]


def test_numbers_say_their_unit(project: CompiledProject) -> None:
    """By their name (money is asked for its currency above), else in words."""
    columns = number_columns(project)
    assert len(columns) > 500
    silent = [
        f"{mart}.{column}"
        for mart, _, column, meaning in columns
        if not MONEY.search(column) and not PURE.search(column) and not UNIT.search(meaning)
    ]
    assert not silent


def test_money_says_its_sign(project: CompiledProject) -> None:
    """In the column, or for all of them in the description of the mart."""
    silent = [
        f"{mart}.{column}"
        for mart, description, column, meaning in number_columns(project)
        if MONEY.search(column) and not SIGN.search(description) and not SIGN.search(meaning)
    ]
    assert not silent


def test_only_staging_reads_what_was_delivered(project: CompiledProject) -> None:
    readers = [
        node
        for node in nodes(project)
        if any(parent.startswith("source.") for parent in node["depends_on"]["nodes"])
    ]
    assert readers
    assert [node["name"] for node in readers if node["fqn"][1] != "staging"] == []


def test_every_mart_has_a_reader(project: CompiledProject) -> None:
    read = {
        parent
        for exposure in project.manifest["exposures"].values()
        for parent in exposure["depends_on"]["nodes"]
    }
    assert [node["name"] for node in mart_nodes(project) if node["unique_id"] not in read] == []
    for exposure in project.manifest["exposures"].values():
        assert exposure["owner"]["email"], exposure["name"]
        assert exposure["description"], exposure["name"]


def test_the_semantic_layer_is_a_reader_of_its_marts(project: CompiledProject) -> None:
    manifest = project.manifest
    asked = [one["depends_on"]["nodes"] for one in manifest["semantic_models"].values()]
    exposure = manifest["exposures"]["exposure.product_finance.semantic_layer"]
    assert set(exposure["depends_on"]["nodes"]) == set().union(*asked)


def test_no_model_outlives_its_deprecation_date(project: CompiledProject) -> None:
    for node in nodes(project):
        if date := node.get("deprecation_date"):
            assert datetime.fromisoformat(date).replace(tzinfo=UTC) > datetime.now(UTC), node[
                "name"
            ]


def test_only_marts_that_judge_the_build_wait_for_the_audit(project: CompiledProject) -> None:
    tagged = {node["unique_id"] for node in nodes(project) if AFTER_AUDIT in node["config"]["tags"]}
    assert tagged
    for node in nodes(project):
        if node["unique_id"] not in tagged:
            assert not tagged & set(node["depends_on"]["nodes"]), node["name"]


def test_every_governance_rule_is_registered_and_every_entry_is_a_model(
    project: CompiledProject,
) -> None:
    prefix = "int_violations__"
    models = {node["unique_id"] for node in nodes(project) if node["name"].startswith(prefix)}
    rules = {unique_id.rpartition(prefix)[2] for unique_id in models}
    assert {row["rule_id"] for row in seed("governance_rules")} == rules
    # A rule the macro changed_rules does not list would count as kept.
    (mart,) = [node for node in nodes(project) if node["name"] == "rpt_rule_violations"]
    assert {one for one in mart["depends_on"]["nodes"] if prefix in one} == models


def test_the_control_registry_names_every_output(project: CompiledProject) -> None:
    """What is not registered is not measured, so nothing may be left out."""
    registered = {(row["item_type"], row["item_id"]) for row in seed("control_registry")}
    exposures = {("exposure", one["name"]) for one in project.manifest["exposures"].values()}
    with (PROJECT / "seeds/performance/kpi_catalog.csv").open(encoding="utf-8") as file:
        metrics = {("metric", row["kpi_id"]) for row in csv.DictReader(file)}
    with (PROJECT / "seeds/attribution/attribution_models.csv").open(encoding="utf-8") as file:
        models = {("attribution", row["attribution_model"]) for row in csv.DictReader(file)}
    assert exposures | metrics | models <= registered


@pytest.fixture(scope="module")
def secured(sample: Home, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A copy of the sample's working database with the secure views, and their statements."""
    home = tmp_path_factory.mktemp("secured")
    shutil.copy(sample.database, home / "warehouse.duckdb")
    (home / "raw").symlink_to(sample.raw)
    statements: list[str] = []

    def hear(event: Any) -> None:
        if event.info.name == "PrintEvent":
            statements.append(event.info.msg)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WAREHOUSE_HOME", str(home))
        arguments = ["--quiet", "run-operation", "secure_roles", "--project-dir", str(PROJECT)]
        arguments += ["--profiles-dir", str(PROJECT / "profiles")]
        arguments += ["--target-path", str(home / "target"), "--log-path", str(home / "logs")]
        result = dbtRunner(callbacks=[hear]).invoke(arguments)
        DuckDBConnectionManager.close_all_connections()
    assert result.success, result.exception
    return home / "warehouse.duckdb", "\n".join(statements)


@pytest.mark.filterwarnings("default::ResourceWarning")
def test_secure_views_show_what_the_role_files_hold(
    secured: tuple[Path, str], sample: Home
) -> None:
    database, text = secured
    statements = [line.rstrip(";") for line in text.splitlines() if line]
    version = current(sample)
    key = sample.pseudonym_key.read_text(encoding="utf-8")
    with duckdb.connect(database) as connection:
        # The engine the views are for calls it sha2; grants are the catalog's.
        connection.execute("create macro sha2(x, bits) as sha256(x)")
        for statement in statements:
            if not statement.startswith(("grant", "revoke")):
                connection.execute(statement)
        connection.execute("insert into role_secrets.pseudonym_keys values (?)", [key])
        for role, marts in version.manifest["roles"].items():
            views = connection.execute(
                "select view_name from duckdb_views() where schema_name = ?", [f"role_{role}"]
            ).fetchall()
            assert {name for (name,) in views} == set(marts)
            for mart, rows in marts.items():
                file = version.path / "roles" / role / f"{mart}.parquet"
                differing = connection.execute(
                    f"select count(*) from (from role_{role}.{mart} except all "
                    f"from read_parquet('{file}'))"
                ).fetchall()
                count = connection.execute(f"select count(*) from role_{role}.{mart}").fetchall()
                assert (differing, count) == ([(0,)], [(rows,)]), (role, mart)
    assert key not in text
    granted = set(re.findall(r"grant select on (role_\w+)\.", text))
    assert granted == {f"role_{role}" for role in version.manifest["roles"]}
