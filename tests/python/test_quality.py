"""Great Expectations on DuckDB: what `check` reports, for tables, views and temporary tables."""

import subprocess
import sys
from collections.abc import Iterator

import duckdb
import great_expectations.expectations as gxe
import pytest
from great_expectations.expectations.expectation import Expectation

from warehouse.quality import RuleResult, check


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("""
            create temp table prices (id integer, currency varchar, amount decimal(9, 2));
            insert into prices values (1, 'USD', 10.00), (2, 'usd', -1.00), (3, null, 5.00);
        """)
        yield connection


def one(
    connection: duckdb.DuckDBPyConnection, expectation: Expectation, table: str = "prices"
) -> RuleResult:
    (result,) = check(connection, table, "suite", [expectation], row_id="id")
    return result


def failing_ids(connection: duckdb.DuckDBPyConnection, result: RuleResult) -> list[int]:
    assert result.failing_rows_query is not None
    return [
        row[0] for row in connection.sql(f"select id from ({result.failing_rows_query})").fetchall()
    ]


def test_a_rule_that_holds_says_how_many_rows_it_saw(connection: duckdb.DuckDBPyConnection) -> None:
    result = one(connection, gxe.ExpectColumnValuesToBeBetween(column="id", min_value=1))
    assert (result.success, result.checked_rows, result.unexpected_rows) == (True, 3, 0)


def test_a_broken_row_rule_leads_to_its_rows(connection: duckdb.DuckDBPyConnection) -> None:
    result = one(
        connection,
        gxe.ExpectColumnValuesToBeBetween(
            column="amount",
            min_value=0,
            meta={"rule": "amount_not_negative"},
            description="amounts are not negative",
        ),
    )
    assert (result.rule, result.message) == ("amount_not_negative", "amounts are not negative")
    assert (result.column, result.success, result.unexpected_rows) == ("amount", False, 1)
    assert failing_ids(connection, result) == [2]


@pytest.mark.parametrize("values", [[1, 3], [1.0, 3.5, 3], ["1", "3"]])
def test_rows_outside_a_set_are_found_whatever_its_type(
    connection: duckdb.DuckDBPyConnection, values: list[object]
) -> None:
    result = one(connection, gxe.ExpectColumnValuesToBeInSet(column="id", value_set=values))
    assert failing_ids(connection, result) == [2]


def test_samples_show_the_broken_values(connection: duckdb.DuckDBPyConnection) -> None:
    expectation = gxe.ExpectColumnValuesToBeInSet(column="currency", value_set=["USD"])
    (result,) = check(connection, "prices", "suite", [expectation])
    assert result.samples == ("usd",)


def test_a_rule_written_as_sql_leads_to_its_rows(connection: duckdb.DuckDBPyConnection) -> None:
    query = "select * from {batch} where not regexp_matches(currency, '^[A-Z]{{3}}$')"
    result = one(connection, gxe.UnexpectedRowsExpectation(unexpected_rows_query=query))
    assert (result.success, result.unexpected_rows) == (False, 1)
    assert failing_ids(connection, result) == [2]


def test_a_rule_about_the_table_says_what_it_found(connection: duckdb.DuckDBPyConnection) -> None:
    result = one(connection, gxe.ExpectTableRowCountToBeBetween(min_value=10))
    assert (result.success, result.failing_rows_query) == (False, None)
    assert "found 3" in result.message


def test_results_keep_the_order_of_the_suite_even_when_a_rule_cannot_run(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    suite = [
        gxe.ExpectColumnValuesToNotBeNull(column="id"),
        gxe.ExpectColumnValuesToNotBeNull(column="missing"),
        gxe.ExpectColumnValuesToBeUnique(column="id"),
    ]
    results = check(connection, "prices", "suite", suite)
    assert [result.success for result in results] == [True, False, True]
    assert "could not be evaluated" in results[1].message


def test_views_in_other_schemas_are_read(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create schema marts")
    connection.execute("create view marts.dim as select 1 as id")
    assert one(connection, gxe.ExpectColumnValuesToBeUnique(column="id"), "marts.dim").success


def test_an_empty_table_breaks_no_row_rule(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create table nothing as select * from prices where false")
    expectation = gxe.ExpectColumnValuesToBeBetween(column="amount", min_value=0)
    result = one(connection, expectation, "nothing")
    assert (result.success, result.checked_rows) == (True, 0)


def test_the_connection_stays_usable(connection: duckdb.DuckDBPyConnection) -> None:
    one(connection, gxe.ExpectColumnValuesToNotBeNull(column="missing"))
    assert connection.sql("select count(*) from prices").fetchall() == [(3,)]


def test_importing_the_module_does_not_import_great_expectations() -> None:
    code = "import sys, warehouse.quality; sys.exit('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
