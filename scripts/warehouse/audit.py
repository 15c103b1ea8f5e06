"""Judge the built marts: dbt's data tests and the publish suites, in one list of rules."""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from warehouse import quality
from warehouse.catalog import Mart
from warehouse.errors import UsageError
from warehouse.suites import publish as suites
from warehouse.transform import NodeResult


@dataclass(frozen=True)
class Finding:
    """One rule that was checked on the built version."""

    # Where it is written: dbt or great_expectations.
    origin: str
    subject: str
    rule: str
    state: str  # passed, failed, or accepted (failed, and let through by name)
    failing_rows: int
    message: str
    samples: tuple[str, ...] = ()
    # dbt's id of the test, where it is one.
    node: str | None = None

    @property
    def is_red(self) -> bool:
        """Whether it keeps the version from being published."""
        return self.state == "failed"

    def as_line(self) -> str:
        """What a user needs to read when it fails."""
        rows = f"{self.failing_rows} rows" if self.failing_rows else "the table as a whole"
        shown = f" Example: {self.samples[0]}" if self.samples else ""
        return f"{self.subject}: {self.rule} failed for {rows}: {self.message}.{shown}"


def from_dbt(results: Iterable[NodeResult]) -> list[Finding]:
    """Findings of dbt's data tests; models and seeds are not rules."""
    return [
        Finding(
            origin="dbt",
            subject="dbt test",
            rule=result.name,
            state="failed" if result.status == "fail" else "passed",
            failing_rows=result.failures,
            message=result.message if result.status == "fail" else "",
            node=result.unique_id,
        )
        for result in results
        if result.kind == "test" and result.status != "skipped"
    ]


def check_marts(
    database: Path, marts: Sequence[Mart], context: suites.Context, accepted: Collection[str] = ()
) -> list[Finding]:
    """Run every mart's publish suite; `accepted` names rules that may fail this once."""
    findings = []
    with duckdb.connect(database, read_only=True) as connection:
        for mart in marts:
            results = quality.check(
                connection,
                f"{mart.schema}.{mart.name}",
                suite_name=mart.name,
                expectations=suites.expectations(mart, context),
            )
            findings += [_finding(mart.name, result, accepted) for result in results]
    return findings


def check_accepted(accepted: Collection[str], marts: Sequence[Mart]) -> None:
    """UsageError where a name to accept is of no rule."""
    rules = {rule for mart in marts for rule in suites.rules(mart)}
    known = {*rules, *(f"{mart.name}.{rule}" for mart in marts for rule in suites.rules(mart))}
    if unknown := [name for name in accepted if name not in known]:
        raise UsageError(
            f"--accept {unknown[0]}: there is no such rule; there are {', '.join(sorted(rules))}, "
            "each also as MART.RULE. A failed dbt test cannot be let through."
        )


def summary(findings: Sequence[Finding]) -> dict[str, Any]:
    """How many rules there were, and which were let through by name."""
    accepted = [f"{one.subject}.{one.rule}" for one in findings if one.state == "accepted"]
    return {"rules": len(findings), "accepted": accepted}


def as_json(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Findings for quality.json."""
    return [asdict(finding) for finding in findings]


def read(path: Path) -> list[Finding]:
    """Findings of an earlier audit; none where there was none."""
    if not path.exists():
        return []
    stored = json.loads(path.read_text(encoding="utf-8"))
    return [Finding(**{**one, "samples": tuple(one["samples"])}) for one in stored]


def _finding(mart: str, result: quality.RuleResult, accepted: Collection[str]) -> Finding:
    is_accepted = result.rule in accepted or f"{mart}.{result.rule}" in accepted
    failure = "accepted" if is_accepted else "failed"
    return Finding(
        origin="great_expectations",
        subject=mart,
        rule=result.rule,
        state="passed" if result.success else failure,
        failing_rows=result.unexpected_rows,
        message=result.message,
        samples=result.samples,
    )
