"""What is wrong in the sample company is found by a rule with a name, and nothing else is."""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import duckdb
import pytest

from homes import current
from warehouse import catalog, explain, roles, verify
from warehouse.errors import UsageError
from warehouse.home import PROJECT, Home

# The rules that find each kind of planted defect. The gate finds what cannot be read.
RULES = {
    "budget_changed_after_lock": {"changed_after_lock"},
    "duplicate_row": {"duplicate_row"},
    "late_correction": {"late_posting", "corrected_row"},
    "missing_exchange_rate": {"missing_fx_rate"},
    "missing_month": {"missing_month"},
    "sample_ratio_mismatch": {"sample_ratio_mismatch"},
    "self_approval": {"self_approval"},
    "subledger_difference": {"unreconciled_account"},
    "unbalanced_journal": {"unbalanced_journal"},
    "unconfirmed_benefit": {"uncounted_benefit"},
    "unknown_product": {"unknown_product"},
    "variance_explained_late": {"overdue_explanation"},
    "variance_unexplained": {"overdue_explanation"},
}
ELSEWHERE = {"unreadable_date"}

Planted = dict[str, list[dict[str, str]]]


@pytest.fixture(scope="module")
def marts(sample: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(current(sample).path / "marts.duckdb", read_only=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def planted() -> Planted:
    found = defaultdict(list)
    with (PROJECT / "sample-truth" / "defects.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found[row["rule"]].append(row)
    return found


@dataclass(frozen=True)
class Violation:
    rule: str
    record_key: str
    message: str
    amount: Decimal | None


def matches(defect: dict[str, str], found: Violation) -> bool:
    """Whether a violation is about a planted defect, or one of its consequences."""
    values = [pair.partition("=")[2] for pair in re.split(r", (?=\w+=)", found.record_key)]
    if "/".join(values) == defect["key"] or values[0] == defect["key"]:
        return True
    if defect["rule"] == "missing_exchange_rate":
        # The supplier is paid in the currency without a rate too.
        return "CHF" in defect["detail"] and "CHF" in found.message
    if defect["rule"] == "subledger_difference":
        # Revenue not invoiced is missing in deferred revenue, by the same amount.
        return str(abs(found.amount or 0)) in defect["detail"]
    return False


def violations(marts: duckdb.DuckDBPyConnection) -> list[Violation]:
    rows = marts.execute(
        "select rule_id, record_key, message, amount from rpt_rule_violations "
        "where not is_excepted order by all"
    ).fetchall()
    return [Violation(*row) for row in rows]


def test_every_kind_of_defect_has_a_rule(planted: Planted) -> None:
    assert set(planted) == set(RULES) | ELSEWHERE


@pytest.mark.parametrize("kind", RULES)
def test_each_planted_defect_is_found_by_its_rules(
    marts: duckdb.DuckDBPyConnection, planted: Planted, kind: str
) -> None:
    found = violations(marts)
    assert planted[kind]
    for defect in planted[kind]:
        rules = {one.rule for one in found if one.rule in RULES[kind] and matches(defect, one)}
        assert rules == RULES[kind], defect


def test_nothing_is_found_that_was_not_planted(
    marts: duckdb.DuckDBPyConnection, planted: Planted
) -> None:
    unplanted = [
        one
        for one in violations(marts)
        if not any(
            matches(defect, one)
            for kind, rules in RULES.items()
            if one.rule in rules
            for defect in planted[kind]
        )
    ]
    assert not unplanted


def test_the_gate_keeps_out_what_cannot_be_read_and_nothing_else(
    sample: Home, planted: Planted
) -> None:
    kept_out = []
    for path in sample.quarantine.rglob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                record = json.loads(row["record"])
                kept_out.append((path.parent.name, next(iter(record.values()))))
    seeded = [(defect["file"], defect["key"]) for defect in planted["unreadable_date"]]
    assert sorted(kept_out) == sorted(seeded)


def personal_values() -> dict[str, set[str]]:
    """What no file may hold whose role may not see it: names, addresses and people of the sample."""
    values: dict[str, set[str]] = {"customer": set(), "person": set(), "login": set()}
    with (PROJECT / "sample/revenue/customers.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            values["customer"] |= {row["customer_name"], row["email"]}
    with (PROJECT / "sample/cost/payroll.csv").open(encoding="utf-8", newline="") as file:
        values["person"] |= {row["person_id"] for row in csv.DictReader(file)}
    positions = set()
    for path in (PROJECT / "sample").glob("*/*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                values["login"] |= {row[column] for column in row if column.endswith("_by")}
                positions |= {row[column] for column in row if column.endswith("owner")}
    values["login"] -= positions | {""}
    return values


def test_no_role_file_holds_what_its_policy_withholds(sample: Home) -> None:
    """Opens every file of every role and looks for what must not be there."""
    version = current(sample)
    manifest = catalog.read_manifest(sample.root / "target" / "manifest.json")
    marts = {mart.name: mart for mart in catalog.marts(manifest)}
    with duckdb.connect(sample.database, read_only=True) as connection:
        policies = roles.read_policies(connection)
    values = personal_values()
    assert min(map(len, values.values())) > 5
    secrets = rf"\b({'|'.join(map(re.escape, sorted(set().union(*values.values()))))})\b"
    for role in policies.roles:
        database = version.path / "roles" / f"{role}.duckdb"
        assert database.stat().st_mode & 0o222 == 0
        with duckdb.connect(database, read_only=True) as file:
            query = "select table_name from duckdb_tables()"
            tables = [name for (name,) in file.execute(query).fetchall()]
            parquet = {path.stem for path in (version.path / "roles" / role).glob("*.parquet")}
            assert set(tables) == parquet
            for name in tables:
                policy = policies.policies[role, name]
                check_table(file, role, marts[name], policy, policies, secrets)
            # The catalog of the file names nothing else either.
            described = file.execute("select sql from duckdb_tables()").fetchall()
            assert not any("email" in sql for (sql,) in described)


def check_table(
    file: duckdb.DuckDBPyConnection,
    role: str,
    mart: catalog.Mart,
    policy: roles.Policy,
    policies: roles.Policies,
    secrets: str,
) -> None:
    where = (role, mart.name)
    columns = [(name, kind) for name, kind, *_ in file.execute(f"describe {mart.name}").fetchall()]
    personal = {column.name for column in mart.columns if column.pii}
    if policy.personal_data == "drop":
        assert not personal & {name for name, _ in columns}, where
    if policy.row_scope == "own_products":
        seen = file.execute(f"select distinct product_id from {mart.name}").fetchall()
        own = set(policies.scopes[role, "product_id"])
        assert {product for (product,) in seen} <= own, where
    if policy.personal_data == "drop" and (group := mart.meta.get("group_size")):
        assert file.execute(f"select count(*) from {mart.name} where {group} < 5").fetchall() == [
            (0,)
        ]
    if policy.personal_data != "keep":
        for name, kind in columns:
            if kind == "VARCHAR":
                found = file.execute(
                    f'select "{name}" from {mart.name} where regexp_matches("{name}", ?) limit 1',
                    [secrets],
                ).fetchall()
                assert not found, (*where, name)


def test_the_ledger_of_the_sample_verifies(sample: Home) -> None:
    assert list(verify.problems(sample)) == []


# A row of each traced mart, chosen by what makes its trail long, and a figure of it.
TRACED = {
    "rpt_initiative_returns": ("case_version = 'realised'", "roi_rate"),
    "rpt_product_roi": ("product_id = 'P2' and is_closed", "ttm_roi_rate"),
    "rpt_budget_variance": ("is_material and budget_version <> 'none'", "variance_amount"),
    "fct_revenue": ("is_scheduled = false and recognised_amount > 0", "recognised_amount"),
    "fct_mrr_movements": ("movement_type = 'contraction'", "mrr_change_amount"),
    "rpt_mrr_waterfall": ("churn_amount <> 0", "closing_mrr_amount"),
    "fct_initiative_cash_flows": ("case_version = 'realised' and benefit_amount > 0", "net_amount"),
}


def keys(marts: duckdb.DuckDBPyConnection, mart: str, condition: str, key: list[str]) -> list[str]:
    """The key of the last row that meets the condition, as `column=value`."""
    query = f"select {', '.join(key)} from {mart} where {condition} order by all desc limit 1"
    (row,) = marts.execute(query).fetchall()
    return [f"{name}={'' if v is None else v}" for name, v in zip(key, row, strict=True)]


@pytest.mark.parametrize("mart", TRACED)
def test_figures_are_what_their_parts_make_down_to_delivered_lines(
    sample: Home, marts: duckdb.DuckDBPyConnection, mart: str
) -> None:
    condition, figure = TRACED[mart]
    manifest = catalog.read_manifest(sample.root / "target" / "manifest.json")
    key = explain.Trails(manifest).key(mart)
    chosen = keys(marts, mart, condition, key)
    found = explain.explain(sample, mart, chosen, figure, rows=3)
    nodes = list(found.node.walk())
    assert [node for node in nodes if not node.is_explained] == []
    lines = [one for node in nodes for part in node.parts for one in part.lines]
    assert lines
    entered = {entry["file"] for entry in sample.open_ledger().loads}
    assert {one.file for one in lines} == set(found.inputs) <= entered
    text = "\n".join(explain.render(found))
    assert found.version.id in text
    for facts in found.inputs.values():
        assert facts["sha256"] in text


def test_every_row_of_every_products_cost_is_what_its_parts_make(
    sample: Home, marts: duckdb.DuckDBPyConnection
) -> None:
    rows = marts.execute(
        """select product_id, max(month_date) from rpt_product_roi
        where is_closed and product_id <> 'unallocated' group by product_id"""
    ).fetchall()
    assert len(rows) == 6
    for product, month in rows:
        found = explain.explain(
            sample, "rpt_product_roi", [product, str(month)], "direct_cost_amount", rows=None
        )
        assert [node for node in found.node.walk() if not node.is_explained] == []


def test_a_line_that_is_named_is_the_line_of_the_file(
    sample: Home, marts: duckdb.DuckDBPyConnection
) -> None:
    condition, figure = TRACED["fct_revenue"]
    chosen = keys(marts, "fct_revenue", condition, ["invoice_id", "line_number", "fiscal_period"])
    found = explain.explain(sample, "fct_revenue", chosen, figure)
    ((lines,),) = [part.lines for part in found.node.parts]
    with (PROJECT / "sample" / lines.file).open(encoding="utf-8") as file:
        text = file.read().splitlines()[lines.rows[-1] - 1]
    assert text.startswith(chosen[0].partition("=")[2] + ",")


def test_what_cannot_be_explained_says_what_can(sample: Home) -> None:
    with pytest.raises(UsageError, match="rpt_product_roi"):
        explain.explain(sample, "rpt_nothing", [])
    with pytest.raises(UsageError, match="more than one row with no key"):
        explain.explain(sample, "fct_revenue", [])
    with pytest.raises(UsageError, match="no row with month_date=1999-01-01"):
        explain.explain(sample, "rpt_mrr_waterfall", ["1999-01-01"])
    with pytest.raises(UsageError, match="the key of rpt_mrr_waterfall is MONTH_DATE"):
        explain.explain(sample, "rpt_mrr_waterfall", ["month=1999-01-01"])
    with pytest.raises(UsageError, match="it does for closing_mrr_amount"):
        explain.explain(sample, "rpt_mrr_waterfall", ["2026-08-01"], "opening_customers")
