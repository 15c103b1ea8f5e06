"""What the documentation says about commands, marts and requirements is true."""

import argparse
import csv
import os
import re
from collections.abc import Mapping
from itertools import takewhile
from pathlib import Path

import pytest

from warehouse import catalog, cli
from warehouse.compiled import CompiledProject
from warehouse.home import PROJECT

README = PROJECT / "README.md"
REQUIREMENTS = PROJECT / "docs" / "requirements.csv"
MODEL_NAME = re.compile(r"(?:fct|dim|rpt)_\w+")


@pytest.fixture(scope="session")
def marts(project: CompiledProject) -> Mapping[str, catalog.Mart]:
    return {mart.name: mart for mart in catalog.marts(project.manifest)}


def commands() -> dict[str, argparse.ArgumentParser]:
    (choices,) = [
        action.choices
        for action in cli.parser()._actions  # noqa: SLF001
        if isinstance(action, argparse._SubParsersAction)  # noqa: SLF001
    ]
    return dict(choices)


def test_every_command_and_exit_code_is_in_the_docs() -> None:
    text = (PROJECT / "docs" / "cli.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([a-z]+)", text, flags=re.MULTILINE))
    assert documented == set(commands())
    meanings = dict(re.findall(r"^  (\d+)  (.+)$", cli.EXIT_CODES, re.MULTILINE))
    assert dict(re.findall(r"^\| (\d+) \| (.+) \|$", text, re.MULTILINE)) == meanings


def requirements() -> list[dict[str, str]]:
    with REQUIREMENTS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_requirements_are_planned_or_delivered() -> None:
    rows = requirements()
    assert {row["status"] for row in rows} <= {"planned", "delivered"}
    assert len(rows) == len({row["requirement_id"] for row in rows})


def test_what_is_delivered_exists_is_described_and_tested(
    marts: Mapping[str, catalog.Mart],
) -> None:
    for row in requirements():
        if row["status"] == "planned":
            continue
        for name in MODEL_NAME.findall(row["delivered_by"]):
            assert name in marts, f"{row['requirement_id']}: {name} is missing"
            mart = marts[name]
            assert mart.tests, f"{name} has no dbt test"
            bare = [column.name for column in mart.columns if not column.description]
            assert not bare, f"columns of {name} without description: {bare}"


def mart_table(marts: Mapping[str, catalog.Mart]) -> str:
    lines = ["| Mart | Grain | Answers |", "|---|---|---|"]
    lines += [f"| `{mart.name}` | {mart.grain} | {mart.question} |" for mart in marts.values()]
    return "\n".join(lines)


def test_readme_lists_every_mart(marts: Mapping[str, catalog.Mart]) -> None:
    text = README.read_text(encoding="utf-8")
    before, start, rest = text.partition("<!-- marts -->\n")
    _, end, after = rest.partition("<!-- /marts -->")
    current = f"{before}{start}{mart_table(marts)}\n{end}{after}"
    if os.environ.get("UPDATE_DOCS"):
        README.write_text(current, encoding="utf-8")
    elif text != current:
        pytest.fail("README's table of marts is old: UPDATE_DOCS=1 uv run pytest -k readme")


def test_every_mart_says_its_grain_and_its_question(
    project: CompiledProject, marts: Mapping[str, catalog.Mart]
) -> None:
    for mart in marts.values():
        assert mart.grain.startswith("One row per"), f"{mart.name}: begin with the grain"
        assert mart.question.endswith("?"), f"{mart.name}: ask the question it answers"
        path = PROJECT / project.manifest["nodes"][mart.unique_id]["original_file_path"]
        lines = path.read_text(encoding="utf-8").splitlines()
        comment = takewhile(lambda line: line.startswith("-- "), lines)
        stated = " ".join(line.removeprefix("-- ") for line in comment)
        assert stated == mart.grain, f"{path.name} begins with another grain than its description"


def test_links_between_documents_lead_somewhere() -> None:
    for document in [*PROJECT.glob("*.md"), *(PROJECT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text(encoding="utf-8")):
            if "://" not in target:
                assert Path(document.parent, target).exists(), f"{document.name} links to {target}"


def test_names_in_the_docs_exist() -> None:
    """Policies, columns, models and files that documents or descriptions name."""
    known = {"deprecation_date"}  # dbt's own
    named: dict[str, str] = {}
    for folder in ("analyses", "macros", "models", "scripts", "seeds", "tests/dbt"):
        for path in (PROJECT / folder).rglob("*.*"):
            known.add(path.stem)
            if path.suffix in {".sql", ".csv", ".py"}:
                known |= set(re.findall(r"[a-z]\w+", path.read_text(encoding="utf-8")))
            elif path.suffix == ".yml":
                text = path.read_text(encoding="utf-8")
                known |= set(re.findall(r"\bname: (\w+)", text))
                policies = re.findall(r"\bpolic(?:y|ies) ([a-z]+_\w+)", text)
                named |= dict.fromkeys(policies, path.name)
    # What has changed names what is gone.
    documents = {*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")}
    for document in documents - {PROJECT / "CHANGELOG.md"}:
        names = re.findall(
            r"`(?:[a-z_]+__)?([a-z]+_[a-z0-9_]+)`", document.read_text(encoding="utf-8")
        )
        named |= dict.fromkeys(names, document.name)
    assert {name: place for name, place in named.items() if name not in known} == {}


def test_the_lock_file_needs_only_the_public_registry() -> None:
    text = (PROJECT / "uv.lock").read_text(encoding="utf-8")
    hosts = set(re.findall(r'"https?://([^/"]+)', text))
    assert hosts == {"pypi.org", "files.pythonhosted.org"}
    assert "file://" not in text


def test_every_seeded_defect_of_the_sample_is_documented() -> None:
    text = (PROJECT / "docs" / "sample.md").read_text(encoding="utf-8")
    table = text.partition("## Seeded defects")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([a-z_, ]+) \|", table, flags=re.MULTILINE)
    documented = {rule for row in rows for rule in row.split(", ")}
    with (PROJECT / "sample-truth" / "defects.csv").open(encoding="utf-8", newline="") as file:
        assert documented == {row["rule"] for row in csv.DictReader(file)}
