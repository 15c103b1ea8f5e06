"""Benchmarks: what a part of the warehouse costs in time and memory, and on which machine.

A part is a module of this package with a `PART`. It works in an empty folder that is removed
afterwards, and returns figures; whatever it compares, it must check that the results are right.
"""

import importlib
import json
import os
import pkgutil
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from warehouse.errors import BuildFailedError, UsageError
from warehouse.home import PROJECT


@dataclass(frozen=True)
class Figure:
    """One figure of a benchmark."""

    name: str
    value: float
    unit: str

    @property
    def shown(self) -> str:
        """The value for people."""
        return f"{self.value:,}" if isinstance(self.value, int) else f"{self.value:,.2f}"

    def __str__(self) -> str:
        return f"{self.name:<64}{self.shown:>16} {self.unit}"


@dataclass(frozen=True)
class Part:
    """What to measure: `run` takes an empty folder and the sizes, by default these."""

    name: str
    description: str
    run: Callable[[Path, Mapping[str, int]], Sequence[Figure]]
    sizes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Process:
    """What a child process took."""

    seconds: float
    # Of all its threads; on a busy machine the fairer figure.
    processor_seconds: float
    peak_gigabytes: float
    output: str


def parts() -> dict[str, Part]:
    """Every part by name: each module of this package defines one."""
    modules = (
        importlib.import_module(f"{__name__}.{found.name}")
        for found in pkgutil.iter_modules(__path__)
    )
    return {part.name: part for part in (module.PART for module in modules)}


def choose(names: Sequence[str]) -> list[Part]:
    """The named parts, or all."""
    known = parts()
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(f"there is no part {', '.join(unknown)}; there are {', '.join(known)}.")
    return [known[name] for name in names or known]


def sizes_from(settings: Iterable[str], chosen: Sequence[Part]) -> dict[str, int]:
    """Sizes given as NAME=NUMBER, each of them a size of a chosen part."""
    known = sorted({name for part in chosen for name in part.sizes})
    sizes = {}
    for setting in settings:
        name, _, value = setting.partition("=")
        if name not in known or not value.isdecimal():
            raise UsageError(f"--set {setting}: give NAME=NUMBER, NAME being {', '.join(known)}.")
        sizes[name] = int(value)
    return sizes


def run(part: Part, sizes: Mapping[str, int], out: Path, page: Path | None = None) -> list[Figure]:
    """Run one part in a folder that is removed afterwards, and write its figures to `out`.

    With a page of Markdown they are also its section of the part's name.
    """
    used = {name: sizes.get(name, default) for name, default in part.sizes.items()}
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix=f"bench-{part.name}-") as folder:
        figures = [*part.run(Path(folder), used)]
    figures.append(Figure("the benchmark as a whole", time.perf_counter() - started, "s"))
    out.mkdir(parents=True, exist_ok=True)
    record = {
        "part": part.name,
        "description": part.description,
        "machine": machine(),
        "sizes": used,
        "figures": [asdict(figure) for figure in figures],
    }
    text = json.dumps(record, indent=2) + "\n"
    (out / f"{part.name}.json").write_text(text, encoding="utf-8")
    if page:
        write_section(page, part, used, figures)
    return figures


def write_section(
    page: Path, part: Part, sizes: Mapping[str, int], figures: Sequence[Figure]
) -> None:
    """Put the figures into a page, in place of the section that has the part's name, or at its end."""
    facts = [f"{name} {value}" for facts in (sizes, machine()) for name, value in facts.items()]
    section = "\n".join(
        [
            f"## {part.name.replace('_', ' ').capitalize()}",
            "",
            f"{part.description[0].upper()}{part.description[1:]}.",
            "",
            "| Figure | Value | Unit |",
            "|---|---:|---|",
            *(f"| {one.name} | {one.shown} | {one.unit} |" for one in figures),
            "",
            f"Measured on {datetime.now(UTC):%Y-%m-%d}: {', '.join(facts)}.",
            "",
        ]
    )
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    pieces = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    heading = section.splitlines()[0]
    at = next(
        (n for n, piece in enumerate(pieces) if piece.startswith(f"{heading}\n")), len(pieces)
    )
    pieces[at : at + 1] = [section]
    page.write_text("\n".join(f"{piece.strip()}\n" for piece in pieces if piece), encoding="utf-8")


def machine() -> dict[str, str | int | float]:
    """Where it ran: figures mean little without."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_gigabytes": round(memory / 1e9, 1),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in ("duckdb", "dbt-core")},
    }


@contextmanager
def timed(figures: list[Figure], name: str) -> Iterator[None]:
    """Add the seconds the block takes to the figures, and those of the processor, over all threads."""
    started, used = time.perf_counter(), time.process_time()
    yield
    figures.append(Figure(name, time.perf_counter() - started, "s"))
    figures.append(Figure(f"{name}, processor", time.process_time() - used, "s"))


# Started by a small process: a child's memory counts from what its parent held when it was started.
_LAUNCHER = """
import json, resource, subprocess, sys, time
started = time.perf_counter()
done = subprocess.run(sys.argv[2:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
took = time.perf_counter() - started
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as report:
    json.dump([done.returncode, took, used.ru_utime + used.ru_stime, used.ru_maxrss, done.stdout], report)
"""


def measure(command: Sequence[str], environment: Mapping[str, str]) -> Process:
    """Run a command and wait for it: seconds, and the most memory it held at one time."""
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as report:
        launcher = [sys.executable, "-S", "-c", _LAUNCHER, report.name, *command]
        subprocess.run(launcher, env=os.environ | environment, check=True)
        code, seconds, used, peak, output = json.load(report)
    if code:
        raise BuildFailedError(f"{' '.join(command)} ended with {code}:\n{output}")
    return Process(seconds, used, peak / 1e6, output)


def warehouse(arguments: Sequence[str], environment: Mapping[str, str]) -> Process:
    """Run a command of the warehouse as people do."""
    return measure([sys.executable, "-m", "warehouse", *arguments], environment)


def build_models(home: Path, select: Sequence[str]) -> tuple[Process, dict[str, float]]:
    """Build dbt models and what they read, without tests: what it took, and seconds by model."""
    command = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", "--quiet", "build"]
    command += ["--select", *(f"+{name}" for name in select)]
    command += ["--exclude-resource-type", "unit_test", "--exclude-resource-type", "test"]
    command += ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT / "profiles")]
    command += ["--target-path", str(home / "target"), "--log-path", str(home / "logs")]
    # The profile gives a query one thread, so that builds repeat to the last digit; here time counts.
    threads = os.environ.get("WAREHOUSE_THREADS", str(os.cpu_count() or 1))
    process = measure(command, {"WAREHOUSE_HOME": str(home), "WAREHOUSE_THREADS": threads})
    results = json.loads((home / "target" / "run_results.json").read_text(encoding="utf-8"))
    return process, {
        item["unique_id"].rpartition(".")[2]: item["execution_time"]
        for item in results["results"]
        if item["unique_id"].startswith("model.")
    }


def table(figures: Sequence[Figure]) -> list[str]:
    """The lines to print: the machine, then a figure each."""
    where = ", ".join(f"{name} {value}" for name, value in machine().items())
    return [f"on {where}", *map(str, figures)]
