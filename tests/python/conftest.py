"""Fixtures shared by the Python tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiled import CompiledProject


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> CompiledProject:
    """The compiled project; compiled once, since that takes seconds."""
    home: Path = tmp_path_factory.mktemp("compiled")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WAREHOUSE_HOME", str(home))
        return CompiledProject.compile(home)
