"""From a dropped file of the sample's size to the new published version, by extract."""

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from warehouse.bench import Figure, Part
from warehouse.errors import BuildFailedError
from warehouse.origin import SAMPLE

# From what little stands on to what nearly everything stands on.
EXTRACTS = (
    "product/survey_responses",
    "revenue/payments",
    "revenue/touchpoints",
    "cost/timesheets",
    "budget/budget_lines",
    "revenue/subscriptions",
    "cost/cloud_costs",
    "revenue/invoice_lines",
    "cost/gl_entries",
)
PUBLISHED, FAILED = "is published", "failed:"


def run(folder: Path, _: Mapping[str, int]) -> list[Figure]:
    """Watch a home of the sample's files, and deliver extracts again one by one under a later day."""
    home = folder / "home"
    shutil.copytree(SAMPLE, home / "landing")
    for path in (home / "landing").rglob("*"):
        os.utime(path, (0, 0))
    figures = []
    with _watching(home) as lines:
        first = _until(lines, PUBLISHED)
        figures.append(Figure("everything, at the start", first, "s"))
        for extract in EXTRACTS:
            unfinished = folder / "next.csv"
            shutil.copyfile(SAMPLE / f"{extract}.csv", unfinished)
            unfinished.rename(home / "landing" / f"{extract}.2026-11-01.csv")
            figures.append(Figure(f"{extract}, drop to published", _until(lines, PUBLISHED), "s"))
    took = [figure.value for figure in figures[1:]]
    figures.append(Figure("drop to published, median", statistics.median(took), "s"))
    figures.append(Figure("drop to published, longest", max(took), "s"))
    return figures


@contextmanager
def _watching(home: Path) -> Iterator[Iterator[str]]:
    command = [sys.executable, "-m", "warehouse", "watch"]
    environment = os.environ | {"WAREHOUSE_HOME": str(home), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield iter(process.stdout)
        finally:
            process.terminate()


def _until(lines: Iterator[str], words: str) -> float:
    """Seconds until the watch says these words."""
    started = time.perf_counter()
    said = []
    for line in lines:
        said.append(line)
        if words in line:
            return time.perf_counter() - started
        if line.startswith(FAILED):
            break
    raise BuildFailedError("the watch did not publish:\n" + "".join(said))


PART = Part("watch", "from a dropped file to the new published version", run)
