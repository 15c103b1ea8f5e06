"""dbt inside this process, so that its start-up and its parse are paid for once."""

import json
import os
import signal
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Self

import duckdb
from tqdm import tqdm

from warehouse.errors import BuildFailedError, HomeBusyError

# Tag of models that judge the build itself, and so are built once it was audited.
AFTER_AUDIT = "after_audit"

_BUILD = ("build", "--exclude-resource-type", "unit_test")

# Bytes before the first block of a DuckDB file.
_HEADERS = 3 * 4096


@dataclass(frozen=True)
class NodeResult:
    """What became of one dbt node."""

    unique_id: str
    name: str
    kind: str
    # dbt's word: success, pass, warn, fail, error, skipped.
    status: str
    failures: int
    message: str
    seconds: float

    @property
    def is_broken(self) -> bool:
        """Whether it could not run."""
        return self.status in {"error", "runtime error"}


@dataclass(frozen=True)
class Increment:
    """What is added to tables that stand; models ask for it by the macro `increment`."""

    # Models whose tables are added to.
    models: Sequence[str]
    # Changed extracts (source/name): the time after which their new rows were loaded, None where others went.
    loaded_after: Mapping[str, str | None]
    # Models whose rows may be others now.
    reached: Sequence[str] = ()


class Transformation:
    """The dbt project against one warehouse home."""

    def __init__(self, project: Path, home: Path) -> None:
        self._project = project
        self._home = home
        self.target = home / "target"
        self.database = home / "warehouse.duckdb"
        # dbt's project, read once for all runs of a build.
        self._parsed: Any = None

    @property
    def manifest_path(self) -> Path:
        """dbt's manifest of the last run."""
        return self.target / "manifest.json"

    def parse(self, *options: str) -> None:
        """Read the project; runs that follow need not."""
        self._parsed = None
        result = self._invoke("parse", *options)
        if not result.success:
            raise BuildFailedError(f"dbt cannot read the project: {result.exception}")
        self._parsed = result.result

    def build(
        self, nodes: Collection[str] = (), increment: Increment | None = None
    ) -> list[NodeResult]:
        """Seeds, models and data tests in one dbt run, or just the named models and tests.

        Tables are built whole, but for those an increment names. Unit tests belong to the test suite;
        what judges the build itself is left for `build_judgements`.
        """
        if nodes:
            # The manifest of the whole build holds what was compiled.
            self.parse("--no-write-json")
            chosen = ("--indirect-selection", "empty", "--select", *sorted(nodes))
            told = json.dumps(asdict(increment)) if increment else "{}"
            with _environment({"WAREHOUSE_INCREMENT": told}):
                return self._run("build", "--no-write-json", *chosen)
        self.parse()
        return self._run(*_BUILD, "--exclude", f"tag:{AFTER_AUDIT}")

    def build_judgements(self) -> list[NodeResult]:
        """The models that read what the audit found, with their data tests."""
        # Times and states of the nodes stay those of the build.
        return self._run(*_BUILD, "--no-write-json", "--select", f"tag:{AFTER_AUDIT}")

    def unit_test(self) -> list[NodeResult]:
        """dbt's unit tests, on what the last build left."""
        return self._run("test", "--select", "test_type:unit")

    def _run(self, *arguments: str) -> list[NodeResult]:
        result = self._invoke(*arguments)
        if result.result is None:
            raise BuildFailedError(f"dbt could not start: {result.exception}") from result.exception
        return [
            NodeResult(
                unique_id=item.node.unique_id,
                name=item.node.name,
                kind=str(item.node.resource_type),
                status=str(item.status),
                failures=int(item.failures or 0),
                message=" ".join(str(item.message or "").split()),
                seconds=float(item.execution_time),
            )
            for item in result.result.results
            # What dbt does at the start of a run is no node of ours; where it fails, so does the run.
            if str(item.node.resource_type) != "operation"
        ]

    def document(self) -> Path:
        """One HTML file with definitions and lineage, from what the build left behind."""
        result = self._invoke("docs", "generate", "--static", "--no-compile")
        if not result.success:
            raise BuildFailedError(f"dbt docs failed: {result.exception}") from result.exception
        return self.target / "static_index.html"

    def discard_if_damaged(self) -> str | None:
        """Remove a working database that cannot be read; what was wrong with it, if anything was.

        It is derived from raw files and seeds, so nothing is lost.
        """
        if not self.database.exists():
            return None
        try:
            with duckdb.connect(self.database) as connection:
                # Free blocks at the end may be cut off.
                ((block_size, blocks),) = connection.execute(
                    "select block_size, used_blocks from pragma_database_size()"
                ).fetchall()
                connection.execute("select count(*) from duckdb_columns()").fetchall()
        except duckdb.Error as error:
            if "Could not set lock" in str(error):
                raise HomeBusyError(
                    f"{self.database} is open in another program ({_holder(str(error))}): close it "
                    "there; published/current/marts.duckdb is the file for reading."
                ) from error
            damage = str(error).splitlines()[0]
        else:
            # DuckDB opens a file that was cut off behind its table of contents.
            if self.database.stat().st_size >= _HEADERS + block_size * blocks:
                return None
            damage = "its end is missing"
        self.discard()
        return damage

    def discard(self) -> None:
        """Remove the working database."""
        for path in self._home.glob("warehouse.duckdb*"):
            path.unlink()

    def _invoke(self, *arguments: str) -> Any:
        # Importing dbt takes seconds; commands that do not need it should not wait for it.
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager
        from dbt.cli.main import dbtRunner

        options = ["--project-dir", str(self._project)]
        options += ["--profiles-dir", str(self._project / "profiles")]
        options += ["--target-path", str(self.target), "--log-path", str(self._home / "logs")]
        with (
            _environment({"WAREHOUSE_HOME": str(self._home)}),
            _interruptible(),
            _Bar(arguments[0]) as bar,
        ):
            try:
                return dbtRunner(manifest=self._parsed, callbacks=[bar]).invoke(
                    ["--log-level", "none", *arguments, *options]
                )
            finally:
                # dbt keeps the database open in this process, which would shut other readers out.
                DuckDBConnectionManager.close_all_connections()


class _Bar:
    """A progress bar fed by dbt's events; silent where there is no terminal."""

    _FINISHED = frozenset({"LogModelResult", "LogSeedResult", "LogTestResult", "LogSkipNode"})

    def __init__(self, title: str) -> None:
        self._bar: tqdm[Any] = tqdm(desc=title, unit="node", disable=None, leave=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def __call__(self, event: Any) -> None:
        if event.info.name in self._FINISHED:
            self._bar.total = getattr(event.data, "total", None) or self._bar.total
            self._bar.update()


@contextmanager
def _interruptible() -> Iterator[None]:
    """What dbt makes of Ctrl-C is a failure without a word, or nothing: here it stays what it is."""
    is_ours = threading.current_thread() is threading.main_thread()
    if not is_ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    is_interrupted = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal is_interrupted
        is_interrupted = True
        signal.default_int_handler(number, frame)

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if is_interrupted:
            raise KeyboardInterrupt


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _holder(message: str) -> str:
    _, _, after = message.partition("Conflicting lock is held in ")
    return after.split(". ")[0] or "unknown"
