"""A role's files hold what its policy allows, and nothing else."""

import tempfile
from pathlib import Path

import duckdb
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from homes import current
from warehouse import catalog, publish, roles
from warehouse.catalog import Column, Mart
from warehouse.compiled import CompiledProject
from warehouse.errors import UsageError
from warehouse.home import PROJECT, Home
from warehouse.sql import scalar

COLUMNS = {
    "fct_pay": [
        Column("person_id", "string", "Person.", pii=True),
        Column("cost_center_id", "string", "Cost center.", pii=False),
        Column("product_id", "string", "Product.", pii=False),
        Column("pay_amount", "decimal(18,2)", "Pay, in USD.", pii=True),
    ],
    "rpt_product": [
        Column("product_id", "string", "Product.", pii=False),
        Column("customers", "bigint", "Customers counted.", pii=False),
        Column("nps_rate", "double", "Net promoter score.", pii=False),
    ],
    "rpt_company": [Column("cash_amount", "decimal(18,2)", "Cash, in USD.", pii=False)],
}
ROWS = {
    "fct_pay": "('ann', 'CC1', 'P1', 100), ('bob', 'CC2', 'P2', 200), ('eve', null, null, 300)",
    "rpt_product": "('P1', 4, 0.1), ('P2', 50, 0.2), ('P3', 60, 0.3)",
    "rpt_company": "(1000)",
}
MARTS = [
    Mart(
        name=name,
        domain="cost",
        schema="marts",
        description="One row per thing.",
        columns=tuple(columns),
        extracts=frozenset(),
        owner="",
        tests=0,
        meta={"group_size": "customers"} if name == "rpt_product" else {},
    )
    for name, columns in COLUMNS.items()
]
KEY = "k" * 64

ROLES = st.sampled_from(["analyst", "manager"])
# What rpt_access_policy says of a role and a mart it may see.
POLICY_ROWS = st.lists(
    st.tuples(
        ROLES,
        st.sampled_from(sorted(COLUMNS)),
        st.sampled_from(["all", "own_products", "own_cost_centers"]),
        st.sampled_from(["keep", "mask", "drop"]),
    ),
    min_size=1,
    unique_by=lambda row: row[:2],
)
SCOPE_ROWS = st.lists(
    st.one_of(
        st.tuples(ROLES, st.just("product_id"), st.sampled_from(["P1", "P2", "P'4"])),
        st.tuples(ROLES, st.just("cost_center_id"), st.sampled_from(["CC1", "CC2"])),
    ),
    unique=True,
)


def write_working_database(
    path: Path, policies: list[tuple[str, str, str, str]], scopes: list[tuple[str, str, str]]
) -> None:
    with duckdb.connect(path) as connection:
        connection.execute("create schema marts")
        connection.execute("create schema reference")
        for mart in MARTS:
            columns = ", ".join(
                f"{column.name} {column.data_type.replace('string', 'varchar')}"
                for column in mart.columns
            )
            connection.execute(f"create table marts.{mart.name} ({columns})")
            connection.execute(f"insert into marts.{mart.name} values {ROWS[mart.name]}")
        connection.execute(
            "create table marts.rpt_access_policy (role_id varchar, mart_name varchar, row_scope varchar, "
            "personal_data varchar, is_published boolean, minimum_group_size integer)"
        )
        rows = [
            (*row, True, 5 if row[1] == "rpt_product" and row[3] == "drop" else None)
            for row in policies
        ]
        connection.executemany(
            "insert into marts.rpt_access_policy values (?, ?, ?, ?, ?, ?)", rows
        )
        # What is withheld is said, too; its scope must not count.
        connection.execute(
            """
            insert into marts.rpt_access_policy
            select role_id, mart_name, 'all', 'keep', false, null
            from (select distinct role_id from marts.rpt_access_policy)
            cross join (values ('fct_pay'), ('rpt_product'), ('rpt_company')) as every (mart_name)
            anti join marts.rpt_access_policy using (role_id, mart_name)"""
        )
        connection.execute(
            "create table reference.role_scopes "
            "(role_id varchar, scope_column varchar, scope_value varchar)"
        )
        if scopes:
            connection.executemany("insert into reference.role_scopes values (?, ?, ?)", scopes)


def publish_roles(database: Path, folder: Path, key: str) -> dict[str, dict[str, int]]:
    folder.mkdir(exist_ok=True)
    publish.export_marts(database, MARTS, folder)
    return roles.publish(database, MARTS, folder, key)


def read(path: Path) -> dict[str, list[dict[str, object]]]:
    with duckdb.connect(path, read_only=True) as connection:
        tables = [name for (name,) in connection.execute("show tables").fetchall()]
        found = {}
        for name in tables:
            rows = connection.execute(f"from {name}").fetchall()
            names = [column for column, *_ in connection.execute(f"describe {name}").fetchall()]
            found[name] = [dict(zip(names, row, strict=True)) for row in rows]
    return found


@settings(max_examples=15, deadline=None)
@given(policy_rows=POLICY_ROWS, scope_rows=SCOPE_ROWS)
def test_a_role_never_gets_what_its_policy_withholds(
    policy_rows: list[tuple[str, str, str, str]], scope_rows: list[tuple[str, str, str]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "warehouse.duckdb"
        write_working_database(database, policy_rows, scope_rows)
        written = publish_roles(database, Path(folder), KEY)
        assert set(written) == {role for role, *_ in policy_rows}
        for role, rows_written in written.items():
            contents = read(Path(folder) / "roles" / f"{role}.duckdb")
            files = {path.stem for path in (Path(folder) / "roles" / role).iterdir()}
            assert set(contents) == files == set(rows_written)
            for name, rows in contents.items():
                assert len(rows) == rows_written[name]
                check_rows(role, name, rows, policy_rows, scope_rows)


def check_rows(
    role: str,
    name: str,
    rows: list[dict[str, object]],
    policy_rows: list[tuple[str, str, str, str]],
    scope_rows: list[tuple[str, str, str]],
) -> None:
    """Written from the policy's words, not from the code: what may be in these rows."""
    ((_, _, row_scope, personal_data),) = [row for row in policy_rows if row[:2] == (role, name)]
    for row in rows:
        if row_scope == "own_products":
            assert (role, "product_id", row["product_id"]) in scope_rows
        if row_scope == "own_cost_centers":
            assert (role, "cost_center_id", row["cost_center_id"]) in scope_rows
        if personal_data != "keep":
            assert row.get("person_id") not in {"ann", "bob", "eve"}
            assert "pay_amount" not in row
        if personal_data == "drop":
            assert "person_id" not in row
            assert row.get("customers", 5) != 4


def whole(role: str, personal_data: str) -> list[tuple[str, str, str, str]]:
    """Every mart, all rows."""
    return [(role, mart, "all", personal_data) for mart in COLUMNS]


def test_a_policy_that_allows_all_withholds_nothing(tmp_path: Path) -> None:
    write_working_database(tmp_path / "w.duckdb", whole("boss", "keep"), [])
    written = publish_roles(tmp_path / "w.duckdb", tmp_path, KEY)
    assert written == {"boss": {"fct_pay": 3, "rpt_product": 3, "rpt_company": 1}}


@pytest.mark.parametrize("role", ["../../escape", "/tmp/escape", "", "Boss", "a.b", "boss\n"])
def test_a_role_that_is_no_file_name_writes_nothing(tmp_path: Path, role: str) -> None:
    write_working_database(tmp_path / "w.duckdb", whole("boss", "drop") + whole(role, "keep"), [])
    with pytest.raises(UsageError, match="cannot name the files of a role"):
        publish_roles(tmp_path / "w.duckdb", tmp_path / "next", KEY)
    assert not list(tmp_path.rglob("*escape*"))
    assert not (tmp_path / "next" / "roles").exists()


def test_the_seed_refuses_a_role_that_is_no_file_name() -> None:
    path = PROJECT / "seeds" / "governance" / "_governance__seeds.yml"
    stated = yaml.safe_load(path.read_text(encoding="utf-8"))["seeds"]
    (policies,) = [seed for seed in stated if seed["name"] == "role_policies"]
    (satisfies,) = [test["every_row"] for test in policies["data_tests"] if "every_row" in test]
    (condition,) = [one for one in satisfies["arguments"]["satisfies"] if "role_id" in one]
    names = ["boss", "b2_c", "../../escape", "", "Boss", "a.b", "boss\n", "2b", None]
    with duckdb.connect() as connection:
        query = f"select {condition} is true from (select ? as role_id)"
        accepted = [name for name in names if scalar(connection, query, [name])]
    assert accepted == ["boss", "b2_c"]


def test_pseudonyms_are_stable_and_tell_people_apart(tmp_path: Path) -> None:
    policies = whole("one", "mask") + whole("two", "mask")
    write_working_database(tmp_path / "w.duckdb", policies, [])
    publish_roles(tmp_path / "w.duckdb", tmp_path, KEY)
    one, two = [
        [row["person_id"] for row in read(tmp_path / "roles" / f"{role}.duckdb")["fct_pay"]]
        for role in ("one", "two")
    ]
    assert one == two
    assert len(set(one)) == 3
    publish_roles(tmp_path / "w.duckdb", tmp_path / "other", "another key")
    other = [row["person_id"] for row in read(tmp_path / "other/roles/one.duckdb")["fct_pay"]]
    assert not set(one) & set(other)


def test_the_key_is_kept_and_is_the_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "pseudonym.key"
    key = roles.pseudonym_key(path)
    assert len(key) == 64
    assert roles.pseudonym_key(path) == key
    assert path.stat().st_mode & 0o777 == 0o600


# What no person does.
IMPERSONAL = {"rpt_programme_targets.measured_by"}


def test_personal_data_keeps_its_mark_all_the_way_to_the_marts(project: CompiledProject) -> None:
    """Also who did something, whatever the extract or mart."""
    delivered = [
        (f"{table['name']}.{column['name']}", column)
        for path in PROJECT.glob("models/staging/*/_*__sources.yml")
        for source in yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]
        for table in source["tables"]
        for column in table["columns"]
    ]
    marked = {
        name: bool(column.get("config", {}).get("meta", {}).get("pii"))
        for name, column in delivered
    }
    personal = {name.partition(".")[2] for name, is_marked in marked.items() if is_marked}
    assert {"person_id", "email", "approved_by"} <= personal
    published = {
        f"{mart.name}.{column.name}": column.pii
        for mart in catalog.marts(project.manifest)
        for column in mart.columns
    }
    assert any(published.values())
    unmarked = [
        name
        for name, is_marked in (marked | published).items()
        if not is_marked
        and (name.partition(".")[2] in personal or name.endswith("_by"))
        and name not in IMPERSONAL
    ]
    assert not unmarked, "add config: {meta: {pii: true}}"


def test_the_most_specific_pattern_decides(project: CompiledProject) -> None:
    warehouse = project.run(
        ["rpt_access_policy"],
        given={
            "role_policies": [
                policy("dim_*", "own_products"),
                policy("dim_date", "all"),
                policy("dim_account", "none"),
                policy("*", "all", "auditor"),
                policy("rpt_*", "none", "auditor"),
                policy("rpt_coho*", "all", "auditor"),
            ],
            "role_scopes": [
                {"role_id": "manager", "scope_column": "product_id", "scope_value": "P1"},
                {"role_id": "manager", "scope_column": "product_id", "scope_value": "P2"},
            ],
        },
    )
    rows = warehouse.execute(
        "select role_id, mart_name, is_published, withheld_reason, row_scope, own_count, "
        "personal_data, minimum_group_size from marts.rpt_access_policy"
    ).fetchall()
    decided = {row[1]: row[2:6] for row in rows if row[0] == "manager"}
    assert decided["dim_date"] == (True, None, "all", None)
    assert decided["dim_product"] == (True, None, "own_products", 2)
    assert decided["dim_account"] == (False, "denied", "none", None)
    assert decided["dim_channel"] == (False, "cannot_tell_whose", "none", None)
    assert decided["rpt_access_policy"] == (False, "no_policy", "none", None)
    audited = {row[1]: row[2:] for row in rows if row[0] == "auditor"}
    assert audited["fct_labour_costs"] == (True, None, "all", None, "not_held", None)
    assert audited["fct_benefits"] == (True, None, "all", None, "drop", None)
    assert audited["rpt_retention"] == (False, "denied", "none", None, "none", None)
    assert audited["rpt_cohorts"] == (True, None, "all", None, "not_held", 5)


def policy(pattern: str, row_scope: str, role: str = "manager") -> dict[str, str]:
    facts = {"role_id": role, "personal_data": "drop", "reason": "Needs it."}
    return facts | {"mart_pattern": pattern, "row_scope": row_scope}


def test_the_access_policy_says_what_the_files_hold(sample: Home) -> None:
    version = current(sample)
    with duckdb.connect(version.path / "marts.duckdb", read_only=True) as connection:
        said = connection.execute(
            "select role_id, mart_name, visible_column_count from rpt_access_policy "
            "where is_published"
        ).fetchall()
    held = []
    for role in version.manifest["roles"]:
        with duckdb.connect(version.path / "roles" / f"{role}.duckdb", read_only=True) as file:
            held += file.execute(
                "select ?, table_name, column_count from duckdb_tables()", [role]
            ).fetchall()
    assert sorted(said) == sorted(held)
    assert said


@pytest.mark.parametrize("role", ["product_manager", "product_director", "financial_analyst"])
def test_only_roles_that_answer_for_people_read_personal_data(
    role: str, project: CompiledProject
) -> None:
    warehouse = project.run(["role_policies"])
    kinds = warehouse.execute(
        "select distinct personal_data from reference.role_policies where role_id = ?", [role]
    ).fetchall()
    assert kinds == [("drop",)]
