"""What the documentation tells people to type works: every block of code, every command in a text."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest
from dbt.cli.main import cli as dbt

import semantic
from gate import land, raw, run
from homes import current
from warehouse import backup, cli
from warehouse.compiled import CompiledProject
from warehouse.home import PROJECT, Home
from warehouse.publish import Shelf

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from dbt_metricflow.cli.main import cli as metricflow

DOCUMENTS = [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *PROJECT.glob("docs/**/*.md")]
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(
    r"`((?:\w+=\S+ )*(?:uv|warehouse|dbt|pytest|mf) \w[^`\n]*|select [^`\n]+ from [^`\n]+)`"
)

# All else is run. What is too heavy for that, or would change the checkout, and what is proven of it.
NOT_RUN = {
    "warehouse build": "what fixtures do for a minute: its arguments are parsed",
    "warehouse bench": "measures for minutes, small in test_bench: its arguments are parsed",
    "warehouse report --lineage": "takes half a minute: its arguments are parsed",
    "warehouse simulate": "run by test_simulate: its arguments are parsed",
    "warehouse study": "takes hours, small in test_study: its arguments are parsed",
    "warehouse watch": "never ends, run by test_watch: its arguments are parsed",
    "dbt": "reads the project for half a minute: its arguments are parsed, and what they name exists",
    "scripts/build": "what fixtures do for a minute: bash can read it",
    "scripts/test": "runs this test, or Spark for a quarter of an hour: bash can read it",
    "pytest": "would run tests in a test: its selection finds tests",
    "pre-commit install": "changes the checkout: the hooks it installs are sound",
    "python docs/images/make.py": "drives a browser for minutes: Python can read it",
    "uv sync": "changes the environment: the group exists",
    "uv pip": "changes the environment: uv has the command",
    "uv add": "changes the project: uv has the command",
}

# What is run also between words, on the sample: it answers in seconds and changes nothing.
READS = {"explain", "mappings", "verify", "versions"}


@dataclass(frozen=True)
class Block:
    """A piece of code in a document."""

    place: str
    language: str
    text: str


def blocks() -> Iterator[Block]:
    """Every fenced block, and as `inline` every command and query between words."""
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        found = [(match.start(), match[1], match[2]) for match in FENCE.finditer(text)]
        bare = FENCE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
        found += [(match.start(), "inline", match[1]) for match in INLINE.finditer(bare)]
        for start, language, code in found:
            line = text.count("\n", 0, start) + 1
            yield Block(f"{path.relative_to(PROJECT)}:{line}", language, code)


@dataclass
class Desk:
    """Where a reader sits: a folder in which `data/` is the sample, and a home to do things to."""

    folder: Path
    sample: Home
    home: Home
    project: CompiledProject
    environment: dict[str, str] = field(default_factory=dict)

    def call(self, *command: str, folder: Path | None = None) -> str:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        done = subprocess.run(
            command,
            cwd=folder or self.folder,
            env=os.environ | {"PATH": path} | self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr or done.stdout
        return done.stdout


@pytest.fixture(scope="module")
def desk(
    small: Home, sample: Home, project: CompiledProject, tmp_path_factory: pytest.TempPathFactory
) -> Desk:
    folder = tmp_path_factory.mktemp("desk")
    (folder / "data").symlink_to(sample.root)
    shutil.copytree(small.root, folder / "home", symlinks=True)
    return Desk(folder, sample, Home(folder / "home"), project)


BLOCKS = list(blocks())


@pytest.mark.parametrize("block", BLOCKS, ids=[block.place for block in BLOCKS])
def test_what_a_document_shows_works(
    desk: Desk, block: Block, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.environment.clear()
    match block.language:
        case "sh":
            for line in block.text.replace("\\\n", " ").splitlines():
                prove(desk, line)
        case "inline" if block.text.startswith("select "):
            assert read(desk, block.text)
        case "inline":
            prove(desk, block.text, is_run=False)
        case "sql":
            assert read(desk, block.text)
        case "python":
            desk.call(sys.executable, "-c", block.text)
        case "yaml":
            prove_mapping(desk, block.text)
        case "text":
            prove_session(desk, block.text, capsys)
        case "mermaid":
            assert block.text.startswith("flowchart ")  # A drawing: nothing to run.
        case _:
            pytest.fail(f"{block.place}: nothing here can prove {block.language or 'no language'}")


def read(desk: Desk, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(current(desk.sample).path / "marts.duckdb", read_only=True) as connection:
        return connection.execute(query).fetchall()


def prove(desk: Desk, line: str, *, is_run: bool = True) -> None:
    """Run a command, or do what `NOT_RUN` says; without `is_run` only if it `READS`."""
    words = shlex.split(line, comments=True)
    words = words[1:] if words[:1] == ["export"] else words
    while words and re.match(r"\w+=", words[0]):
        name, _, value = words.pop(0).partition("=")
        desk.environment[name] = value
    if words[:2] == ["uv", "run"]:
        words = words[2:]
        if words[0] == "--group":
            assert words[1] in groups()
            words = words[2:]
    if not words or words[1:] == ["…"]:
        return
    command = " ".join(words)
    is_run = is_run and not any(command.startswith(start) for start in NOT_RUN)
    assert words[0] in PROOFS, f"nothing here can prove {words[0]}"
    PROOFS[words[0]](desk, words[1:], is_run)


def groups() -> set[str]:
    text = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    return {*tomllib.loads(text)["dependency-groups"]}


def prove_warehouse(desk: Desk, arguments: list[str], is_run: bool) -> None:
    if not is_run and len(arguments) == 1 and arguments[0] not in READS - {"explain"}:
        # Also the mere name of a command that needs more, in a sentence about it.
        known = re.findall(r"^    (\w+)  ", cli.parser().format_help(), re.MULTILINE)
        assert arguments[0] in {*known, "COMMAND", "--help"}
        return
    places = {"/new/home": desk.folder / "restored", "/backups/warehouse": desk.folder / "backup"}
    arguments = [str(places.get(argument, argument)) for argument in arguments]
    cli.parser().parse_args(arguments)
    if not is_run and arguments[0] not in READS:
        return
    usual = desk.home if is_run else desk.sample
    home = desk.environment.get("WAREHOUSE_HOME", str(usual.root))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WAREHOUSE_HOME", str(places.get(home, home)))
        if arguments[0] == "restore":
            backup.back_up(desk.home, Path(arguments[1]))
        if arguments[0] == "rollback":
            publish_another(desk.home)
        assert cli.main(arguments) == 0


def publish_another(home: Home) -> None:
    shelf = Shelf(home.published)
    folder = shelf.start()
    (folder / "index.html").write_text("another", encoding="utf-8")
    shelf.switch(shelf.put(folder, "another", {"marts": {}}))


def prove_dbt(desk: Desk, arguments: list[str], _: bool) -> None:
    """Its arguments are parsed, what they name exists, and what `show` selects is run."""
    name, *options = arguments
    given = dbt.commands[name].make_context(name, options).params
    manifest = desk.project.manifest
    nodes = {node["name"]: node for node in manifest["nodes"].values()}
    selected = [
        nodes[selector.strip("+")] for selector in given.get("select") or () if "<" not in selector
    ]
    for variable in given.get("vars") or {}:
        settings = (PROJECT / "dbt_project.yml").read_text(encoding="utf-8")
        assert f"\n  {variable}:" in settings or f'var("{variable}"' in selected[0]["raw_code"]
    target = given.get("target") or desk.environment.get("DBT_TARGET", "duckdb")
    profiles = (PROJECT / "profiles" / "profiles.yml").read_text(encoding="utf-8")
    assert f"\n    {target}:" in profiles
    if name == "run-operation":
        macro = manifest["macros"][f"macro.product_finance.{given['macro']}"]
        assert {*(given["args"] or ())} <= {argument["name"] for argument in macro["arguments"]}
    if name == "show" and selected:
        with duckdb.connect(desk.sample.database, read_only=True) as connection:
            assert connection.execute(selected[0]["compiled_code"]).fetchall()


def prove_metricflow(desk: Desk, arguments: list[str], _: bool) -> None:
    manifest = semantic.manifest_of(desk.sample)
    if arguments == ["list", "metrics"]:
        assert manifest.metrics
        return
    given = metricflow.commands[arguments[0]].make_context(arguments[0], arguments[1:]).params
    more = {"where_constraints": given["where"], "order_by_names": given["order"]}
    found = semantic.query(
        manifest, desk.sample.database, given["metrics"], given["group_by"], **more
    )
    assert len(found)


def prove_pytest(_: Desk, arguments: list[str], __: bool) -> None:
    tests = PROJECT / "tests" / "python"
    for option, value in pairwise(arguments):
        if option == "-k":
            named = (
                f"{path.stem} {path.read_text(encoding='utf-8')}"
                for path in tests.glob("test_*.py")
            )
            assert any(re.search(rf"^test_\w*{value}|def test_\w*{value}", text) for text in named)
        if option == "-p":
            assert (tests / f"{value}.py").exists()
    assert all((PROJECT / one).exists() for one in arguments if "/" in one)


def prove_uv(desk: Desk, arguments: list[str], is_run: bool) -> None:
    if arguments[0] == "export" and is_run:
        path = desk.folder / arguments[-1]
        desk.call("uv", *arguments[:-1], str(path), folder=PROJECT)
        assert path.stat().st_size
    elif arguments[:2] == ["sync", "--group"]:
        assert arguments[2] in groups()
    else:
        desk.call("uv", arguments[0], "--help")


def prove_python(desk: Desk, arguments: list[str], is_run: bool) -> None:
    if is_run:
        assert desk.call("python", *arguments)
    else:
        compile((PROJECT / arguments[0]).read_text(encoding="utf-8"), arguments[0], "exec")


def prove_duckdb(desk: Desk, arguments: list[str], _: bool) -> None:
    """By the command line of an older DuckDB, which is a development dependency."""
    assert desk.call("duckdb", "--version").startswith("v1.")
    assert desk.call("duckdb", *arguments).count("\n") >= 3


def prove_script(path: str, desk: Desk, *_: object) -> None:
    desk.call("bash", "-n", path, folder=PROJECT)


PROOFS: dict[str, Callable[[Desk, list[str], bool], object]] = {
    "warehouse": prove_warehouse,
    "dbt": prove_dbt,
    "mf": prove_metricflow,
    "pytest": prove_pytest,
    "uv": prove_uv,
    "python": prove_python,
    "duckdb": prove_duckdb,
    "pre-commit": lambda desk, *_: desk.call("pre-commit", "validate-config", folder=PROJECT),
    **{
        f"scripts/{name}": partial(prove_script, f"scripts/{name}")
        for name in ("build", "test", "test-spark")
    },
}

BUDGET = """\
Budget of 2027,,,,,

Cost center,Account,Status,Debit,Credit,Jul 2026
CC-100,6100,Approved,"1.234,50","0,50",x
CC-200,6100,draft,"1,00","0,00",x
"""


def prove_mapping(desk: Desk, text: str) -> None:
    """A file as the mapping describes it is taken by it."""
    desk.home.mappings.mkdir(exist_ok=True)
    (desk.home.mappings / "ours.yml").write_text(text, encoding="utf-8")
    land(desk.home, "ours/budget.2026-07-01.csv", BUDGET)
    (result,) = [file for file in run(desk.home).files if file.file.startswith("ours/")]
    assert (result.rows_accepted, result.rows_quarantined) == (1, 0), result
    assert (result.rows_read, result.rows_set_aside) == (2, 1)
    found = raw(desk.home, "budget_version, fiscal_period, amount", "budget/budget_lines")
    assert found == [("FY2027_original", "2027-P01", Decimal("1234.00"))]


def prove_session(desk: Desk, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What a command on the sample answers begins as shown; after an ellipsis, so do its lines."""
    command, *shown = text.splitlines()
    arguments = shlex.split(command.removeprefix("$ uv run warehouse "))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WAREHOUSE_HOME", str(desk.sample.root))
        assert cli.main(arguments) == 0
    answer = capsys.readouterr().out.splitlines()
    cut = shown.index("  ...")
    assert answer[:cut] == shown[:cut]
    words = [line.split()[0] for line in shown[cut + 1 :]]
    told = dict.fromkeys(line.split()[0] for line in answer if line)
    assert words == [word for word in told if word in words]


def test_every_exception_is_needed() -> None:
    """Nothing is excepted that no document shows, and each exception says why."""
    texts = [block.text for block in BLOCKS if block.language in {"", "sh", "inline"}]
    for start, reason in NOT_RUN.items():
        assert ":" in reason
        assert any(start in text for text in texts), f"no document shows {start}"
