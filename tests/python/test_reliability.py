"""Killed at random moments and read while published: the code of `warehouse bench`, at a small size."""

import random
from pathlib import Path

import pytest

from warehouse.bench import kills, readers
from warehouse.home import Home


@pytest.fixture(scope="module")
def killer() -> kills.Kills:
    return kills.Kills(seed=random.randrange(10**6))


def test_killed_ingests_lose_and_double_nothing(killer: kills.Kills, tmp_path: Path) -> None:
    kills.ingests(killer, 3, tmp_path)
    assert killer.killed["ingest"] == 3, f"seed {killer.seed}"


def test_killed_backups_and_restores_are_completed(
    killer: kills.Kills, home: Home, tmp_path: Path
) -> None:
    kills.backups(killer, 3, home, tmp_path / "backups")
    kills.restores(killer, 2, home, tmp_path / "restores")
    assert (killer.killed["backup"], killer.killed["restore"]) == (3, 2), f"seed {killer.seed}"


def test_readers_meet_one_whole_version_each(tmp_path: Path) -> None:
    sizes = {"readers": 6, "versions": 8, "pause_milliseconds": 200, "longest_hold_seconds": 1}
    found = {figure.name: figure.value for figure in readers.run(tmp_path, sizes)}
    assert found["versions read"] > 2
    assert found["reads"] > 50
