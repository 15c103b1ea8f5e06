"""Great Expectations suites on DuckDB: each runs as SQL on the caller's own connection."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from warehouse.sql import qualified, scalar

if TYPE_CHECKING:
    import duckdb
    from great_expectations.expectations.expectation import Expectation

SAMPLES = 5


@dataclass(frozen=True)
class RuleResult:
    """What one expectation found in one table."""

    suite: str
    rule: str
    column: str | None
    success: bool
    checked_rows: int
    unexpected_rows: int
    message: str
    samples: tuple[str, ...] = ()
    # SQL that selects the failing rows; None for a rule about the table as a whole.
    failing_rows_query: str | None = None


def check(
    connection: "duckdb.DuckDBPyConnection",
    table: str,
    suite_name: str,
    expectations: Sequence["Expectation"],
    row_id: str | None = None,
) -> list[RuleResult]:
    """Run a suite on a table or view (`name` or `schema.name`); results are in the suite's order.

    A rule's name is its `meta["rule"]`, else its type; its message is its `description`. With
    `row_id`, the name of a column that tells rows apart, a failed rule about rows also says in
    `failing_rows_query` how to select them. The connection must not be inside a transaction.
    """
    # Importing Great Expectations takes seconds; commands that check nothing should not wait.
    from warehouse.gx_engine import validator

    result_format: dict[str, Any] = {
        "result_format": "SUMMARY",
        "partial_unexpected_count": SAMPLES,
    }
    if row_id:
        result_format |= {
            "result_format": "COMPLETE",
            "unexpected_index_column_names": [row_id],
            "exclude_unexpected_values": True,
        }
    configurations = []
    for position, expectation in enumerate(expectations):
        configuration = expectation.configuration
        configuration.meta = {**(configuration.meta or {}), "position": position}
        configurations.append(configuration)
    checked_rows = scalar(connection, f"select count(*) from {qualified(table)}")
    validations: list[Any] = validator(connection, table).graph_validate(
        configurations, runtime_configuration={"result_format": result_format}
    )
    # Some rules read only the first rows of their result; left open it would block the connection.
    connection.abort()
    # Rules that raised come first in the answer, whatever their place in the suite.
    validations.sort(key=lambda validation: validation.expectation_config.meta["position"])
    return [_rule_result(validation, suite_name, checked_rows, table) for validation in validations]


def _rule_result(validation: Any, suite: str, checked_rows: int, table: str) -> RuleResult:
    configuration = validation.expectation_config
    kwargs, result = configuration.kwargs, validation.result
    unexpected_rows = 0
    samples: tuple[str, ...] = ()
    query: str | None = None
    if not validation.success and "unexpected_rows_query" in kwargs:
        unexpected_rows = int(result.get("observed_value") or 0)
        samples = tuple(str(row) for row in result.get("details", {}).get("unexpected_rows", ()))
        query = kwargs["unexpected_rows_query"].format(batch=qualified(table))
    elif not validation.success:
        unexpected_rows = int(result.get("unexpected_count") or 0)
        samples = tuple(str(value) for value in result.get("partial_unexpected_list", ()))
        query = (result.get("unexpected_index_query") or "").strip().removesuffix(";") or None
    return RuleResult(
        suite=suite,
        rule=configuration.meta.get("rule") or configuration.type,
        column=configuration.meta.get("column") or kwargs.get("column") or kwargs.get("column_A"),
        success=bool(validation.success),
        checked_rows=checked_rows,
        unexpected_rows=unexpected_rows,
        message=_message(validation),
        samples=samples[:SAMPLES],
        failing_rows_query=query,
    )


def _message(validation: Any) -> str:
    """What the rule asks for; what was found instead, where it is about the table as a whole."""
    configuration, result = validation.expectation_config, validation.result
    arguments = {name: value for name, value in configuration.kwargs.items() if name != "batch_id"}
    message = configuration.description or f"{configuration.type} {arguments}"
    if error := _raised(validation.exception_info):
        return f"{message} (could not be evaluated: {error})"
    is_about_table = "observed_value" in result and "unexpected_rows_query" not in arguments
    if not validation.success and is_about_table:
        return f"{message} (found {result['observed_value']})"
    return str(message)


def _raised(exception_info: dict[str, Any]) -> str | None:
    """The exception's text; Great Expectations nests it by metric when a metric failed."""
    infos = [exception_info, *(info for info in exception_info.values() if isinstance(info, dict))]
    return next((info["exception_message"] for info in infos if info.get("raised_exception")), None)
