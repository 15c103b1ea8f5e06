"""What each role may see, written as files of its own: the rest is absent, not hidden."""

import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import duckdb

from warehouse.catalog import Mart
from warehouse.errors import UsageError
from warehouse.publish import Base, write_database
from warehouse.sql import identifier, literal, parquet_rows

# The column that decides whose row it is, by the scope of a policy.
SCOPE_COLUMNS = {"own_products": "product_id", "own_cost_centers": "cost_center_id"}


# A role names files and folders; the seed's data test says the same.
ROLE = re.compile("[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Policy:
    """What one role may see of one mart."""

    role: str
    row_scope: str
    personal_data: str
    # Figures about fewer units than this speak of single people or customers; None where they do not.
    minimum_group: int | None


@dataclass(frozen=True)
class Policies:
    """What each role may see, and what is its own."""

    # By role and mart; what is not there is not to be seen.
    policies: Mapping[tuple[str, str], Policy]
    # Own values by role and column.
    scopes: Mapping[tuple[str, str], Sequence[str]]
    roles: Sequence[str]


def read_policies(connection: duckdb.DuckDBPyConnection) -> Policies:
    """The policies as the mart rpt_access_policy of the working database decides them."""
    decided = connection.execute(
        """
        select mart_name, role_id, row_scope, personal_data, minimum_group_size
        from marts.rpt_access_policy where is_published"""
    ).fetchall()
    scopes: dict[tuple[str, str], list[str]] = {}
    for role, column, value in connection.execute(
        "select role_id, scope_column, scope_value from reference.role_scopes order by all"
    ).fetchall():
        scopes.setdefault((role, column), []).append(value)
    every = connection.execute(
        "select distinct role_id from marts.rpt_access_policy order by role_id"
    ).fetchall()
    policies = {(role, mart): Policy(role, *rest) for mart, role, *rest in decided}
    return Policies(policies, scopes, [role for (role,) in every])


def selection(mart: Mart, policy: Policy, policies: Policies, key: str, rows: str) -> str | None:
    """The query of what the role may see of a mart's ordered rows, None if that is nothing.

    Rows whose owner is unknown belong to nobody, so a scoped role does not see them; a mart that
    cannot say whose its rows are is kept from scoped roles as a whole. Where everything may be seen
    it is the rows themselves.
    """
    columns = list(_columns(mart, policy, key))
    if not columns:
        return None
    conditions = []
    if policy.row_scope != "all":
        scope_column = SCOPE_COLUMNS[policy.row_scope]
        if scope_column not in {column.name for column in mart.columns}:
            return None
        own = policies.scopes.get((policy.role, scope_column), [])
        conditions.append(
            f"{identifier(scope_column)} in ({', '.join(map(literal, own))})" if own else "false"
        )
    if policy.minimum_group is not None:
        conditions.append(f"{identifier(mart.meta['group_size'])} >= {policy.minimum_group}")
    where = f" where {' and '.join(conditions)}" if conditions else ""
    # Rows of all columns are in order already.
    is_ordered = columns == [identifier(column.name) for column in mart.columns]
    if is_ordered and not where:
        return rows
    order = "" if is_ordered else " order by all"
    return f"select {', '.join(columns)} from {rows}{where}{order}"


def _columns(mart: Mart, policy: Policy, key: str) -> Iterator[str]:
    for column in mart.columns:
        name = identifier(column.name)
        if not column.pii or policy.personal_data == "keep":
            yield name
        elif policy.personal_data == "mask" and column.data_type == "string":
            # Keyed, so that nobody can find a name by hashing all likely ones.
            yield f"left(sha256({literal(key)} || {name}), 16) as {name}"


def publish(
    database: Path, marts: Sequence[Mart], folder: Path, key: str, base: Base | None = None
) -> dict[str, dict[str, int]]:
    """Write roles/<role>.duckdb and roles/<role>/<mart>.parquet from marts/; the rows per role and mart."""
    rows: dict[str, dict[str, int]] = {}
    with duckdb.connect(database, read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        policies = read_policies(connection)
        if wrong := [role for role in policies.roles if not ROLE.fullmatch(role)]:
            raise UsageError(
                f"role_policies: {wrong[0]!r} cannot name the files of a role: use small letters, digits "
                "and _, a letter first."
            )
        for role in policies.roles:
            (folder / "roles" / role).mkdir(parents=True)
            rows[role] = {}
            for mart in marts:
                policy = policies.policies.get((role, mart.name))
                mart_file = folder / "marts" / f"{mart.name}.parquet"
                mart_rows = parquet_rows(mart_file)
                query = policy and selection(mart, policy, policies, key, mart_rows)
                if not query:
                    continue
                name = f"roles/{role}/{mart.name}.parquet"
                if base and mart.name not in base.changed and base.copy(name, folder):
                    rows[role][mart.name] = base.version.manifest["roles"][role][mart.name]
                    continue
                if query == mart_rows:
                    shutil.copyfile(mart_file, folder / name)
                    written = connection.execute(f"select count(*) from {mart_rows}").fetchall()
                else:
                    path = literal(str(folder / name))
                    written = connection.execute(
                        f"copy ({query}) to {path} (format parquet, compression zstd)"
                    ).fetchall()
                rows[role][mart.name] = written[0][0]

    def write(role: str) -> None:
        seen = [mart for mart in marts if mart.name in rows[role]]
        write_database(folder, f"roles/{role}.duckdb", seen, folder / "roles" / role, base)

    with ThreadPoolExecutor(max_workers=len(os.sched_getaffinity(0))) as pool:
        list(pool.map(write, rows))
    return rows


def pseudonym_key(path: Path) -> str:
    """The secret of this home that pseudonyms are made with; made on first use."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".new")
        unfinished.unlink(missing_ok=True)
        unfinished.touch(mode=0o600)
        unfinished.write_text(secrets.token_hex(32), encoding="utf-8")
        unfinished.rename(path)
    return path.read_text(encoding="utf-8")
