"""Real FOCUS extracts, where they lie beside the checkout, come to their published sums."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
import yaml

from shared import DATA, needs_data
from warehouse.compiled import CompiledProject
from warehouse.home import PROJECT

FOCUS = DATA / "focus"
CONTRACT = PROJECT / "models" / "staging" / "cost" / "_cost__sources.yml"
FILES = [
    "focus_1_2_aws_sample/focus_sample_costandusage_aws_rows.csv",
    "spec_examples/aws_savings_plan_all_upfront_75pct_first20.csv",
]
pytestmark = needs_data


def snake_case(name: str) -> str:
    """A FOCUS column as staging names it."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def charges(path: Path) -> list[dict[str, object]]:
    tables = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))["sources"][0]["tables"]
    (table,) = [table for table in tables if table["name"] == "cloud_costs"]
    known = {column["name"] for column in table["columns"]}
    with path.open(encoding="utf-8", newline="") as file:
        return [
            {
                snake_case(name): None if value in {"", "null", "(null)"} else value
                for name, value in row.items()
                if name in known
            }
            for row in csv.DictReader(file)
        ]


@pytest.mark.parametrize("name", FILES)
def test_sums_are_the_published_ones(project: CompiledProject, name: str) -> None:
    with (FOCUS / "expected_aggregates.csv").open(encoding="utf-8", newline="") as file:
        (expected,) = [
            row
            for row in csv.DictReader(file)
            if row["file"] == name and row["dimension"] == "(total)"
        ]
    with project.run(
        ["fct_cloud_costs"], given={"stg_cost__cloud_costs": charges(FOCUS / name)}
    ) as connection:
        found = connection.execute(
            """
            select sum(charge_count), sum(reporting_billed_amount), sum(reporting_effective_amount)
            from marts.fct_cloud_costs
            """
        ).fetchall()[0]
    assert found[0] == int(expected["row_count"])
    for amount, column in zip(found[1:], ["billed_cost", "effective_cost"], strict=True):
        assert float(amount) == pytest.approx(float(expected[column]), abs=1e-6)
