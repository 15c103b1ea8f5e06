"""Fixtures shared by the Python tests."""

from __future__ import annotations

import csv
import fcntl
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from homes import write_landing
from warehouse import build, origin, store
from warehouse.compiled import CompiledProject
from warehouse.home import Home


@contextmanager
def once(tmp_path_factory: pytest.TempPathFactory, name: str) -> Iterator[tuple[Path, bool]]:
    """A folder all processes of a run share, and whether it is for this one to fill; others wait for it."""
    shared = os.environ.get("WAREHOUSE_TEST_HOMES")
    root = Path(shared) if shared else tmp_path_factory.getbasetemp()
    root.mkdir(parents=True, exist_ok=True)
    folder, done = root / name, root / f"{name}.done"
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        yield folder, not done.exists()
        done.touch()


def compiled(factory: pytest.TempPathFactory, name: str, **variables: str) -> CompiledProject:
    with once(factory, name) as (folder, is_new):
        if is_new:
            return CompiledProject.compile(folder, variables)
        manifest = json.loads((folder / "target" / "manifest.json").read_text(encoding="utf-8"))
        return CompiledProject(manifest, folder)


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> CompiledProject:
    """The compiled project; compiled once, since that takes seconds."""
    return compiled(tmp_path_factory, "compiled")


@pytest.fixture(scope="session")
def in_march(tmp_path_factory: pytest.TempPathFactory) -> CompiledProject:
    """The project told to look from the end of March."""
    return compiled(tmp_path_factory, "in_march", as_of="2026-03-31")


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A company with customers and subscriptions only, built once. Copy it to change it."""
    with once(tmp_path_factory, "small") as (folder, is_new):
        home = Home(folder)
        if is_new:
            write_landing(home.root)
            build.run(home, build.Progress(lambda _: None))
    return home


@pytest.fixture
def home(small: Home, tmp_path: Path) -> Home:
    """A copy of the small company's home, to do things to."""
    shutil.copytree(small.root, tmp_path / "home", symlinks=True)
    return Home(tmp_path / "home")


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The sample company, built and published once. For reading: copy it to change it."""
    with once(tmp_path_factory, "sample") as (folder, is_new):
        home = Home(folder)
        if is_new:
            build.run(home, build.Progress(lambda _: None), landing=origin.SAMPLE)
    return home


@pytest.fixture
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """An empty warehouse home."""
    # Waiting for the disk guards against power cuts, which no test makes.
    monkeypatch.setattr(store, "_sync", lambda _: None)
    return Home(tmp_path / "home")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Count what is delivered and what is still planned."""
    path = Path(__file__).parents[2] / "docs" / "requirements.csv"
    with path.open(encoding="utf-8", newline="") as file:
        states = Counter(row["status"] for row in csv.DictReader(file))
    counted = ", ".join(f"{number} {state}" for state, number in sorted(states.items()))
    terminalreporter.write_line(f"Requirements: {counted}.")
