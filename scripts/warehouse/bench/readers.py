"""Many readers of the current version while new ones are published: each sees one version, whole."""

import json
import multiprocessing
import random
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from warehouse import publish
from warehouse.bench import Figure, Part
from warehouse.catalog import Column, Mart
from warehouse.errors import BuildFailedError

ROWS = 20_000
MARTS = [
    Mart(
        name=f"rpt_{name}",
        domain="revenue",
        schema="marts",
        description="One row per number. Which version is it of?",
        columns=(Column("version_number", "bigint", "The version.", pii=False),),
        extracts=frozenset(),
        owner="finance",
        tests=1,
        meta={},
    )
    for name in ("cost", "revenue", "returns")
]


@dataclass
class Seen:
    """What one reader met."""

    reads: int = 0
    connections: int = 0
    switches: int = 0
    versions: set[int] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)


def put(shelf: publish.Shelf, folder: Path, number: int) -> None:
    """Publish a version whose every row bears its number, by the steps of a build."""
    database = folder / "working.duckdb"
    with duckdb.connect(database) as connection:
        connection.execute("create schema if not exists marts")
        for mart in MARTS:
            connection.execute(
                f"create or replace table marts.{mart.name} as "
                "select cast(? as bigint) as version_number, hash(number) as hash "
                "from range(?) as numbers (number)",
                [number, ROWS],
            )
    aside = shelf.start()
    published = publish.export_marts(database, MARTS, aside)
    publish.write_database(aside, "marts.duckdb", MARTS, aside / "marts")
    digest = publish.content_digest(published, "bench", [])
    facts = {"number": number, "marts": publish.describe(published)}
    shelf.switch(shelf.put(aside, digest, facts))
    shelf.drop_old()


def read(current: Path, stop: Path, longest: int, seed: int) -> Seen:
    """Connect to what is current over and over until there is a file that says stop."""
    chance, seen = random.Random(seed), Seen()
    while not stop.exists():
        # Most connections are short, a few are kept long.
        hold = longest * chance.random() ** 4
        try:
            if seed % 2:
                _read_database(current, hold, seen)
            else:
                _read_files(current, seen)
                time.sleep(hold)
        except (duckdb.Error, OSError, ValueError) as problem:
            seen.problems.append(f"{type(problem).__name__}: {problem}")
    return seen


def _read_database(current: Path, hold: float, seen: Seen) -> None:
    """One connection: every table before and after a pause speaks of the same version."""
    opened = current.resolve()
    numbers = set()
    with duckdb.connect(current / "marts.duckdb", read_only=True) as connection:
        for pause in (hold, 0):
            for mart in MARTS:
                query = f"select version_number, count(*) from {mart.name} group by all"
                found = connection.execute(query).fetchall()
                numbers |= {number for number, rows in found if rows == ROWS} or {-1}
                seen.reads += 1
            time.sleep(pause)
    _note(seen, numbers)
    seen.switches += current.resolve() != opened


def _read_files(current: Path, seen: Seen) -> None:
    """One folder: the link is followed once, and all its files speak of the same version."""
    folder = current.resolve(strict=True)
    numbers = {int(json.loads((folder / publish.MANIFEST).read_text(encoding="utf-8"))["number"])}
    with duckdb.connect() as connection:
        for mart in MARTS:
            query = "select version_number, count(*) from read_parquet(?) group by all"
            path = str(folder / "marts" / f"{mart.name}.parquet")
            found = connection.execute(query, [path]).fetchall()
            numbers |= {number for number, rows in found if rows == ROWS} or {-1}
            seen.reads += 1
    _note(seen, numbers)


def _note(seen: Seen, numbers: set[int]) -> None:
    seen.connections += 1
    seen.versions |= numbers
    if len(numbers) != 1 or -1 in numbers:
        seen.problems.append(f"versions {sorted(numbers)} in one connection")


def run(folder: Path, sizes: Mapping[str, int]) -> list[Figure]:
    """Read from many processes while versions are published; BuildFailedError if any read fails."""
    shelf, stop = publish.Shelf(folder / "published"), folder / "stop"
    put(shelf, folder, 0)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with ProcessPoolExecutor(sizes["readers"], mp_context=context) as pool:
        # All are there before the first switch.
        list(pool.map(time.sleep, [0.1] * sizes["readers"]))
        started = time.monotonic()
        running = [
            pool.submit(
                read, folder / "published" / "current", stop, sizes["longest_hold_seconds"], seed
            )
            for seed in range(sizes["readers"])
        ]
        try:
            for number in range(1, sizes["versions"] + 1):
                put(shelf, folder, number)
                time.sleep(sizes["pause_milliseconds"] / 1000)
        finally:
            stop.touch()
        seconds = time.monotonic() - started
        seen = [one.result() for one in running]
    if problems := [problem for one in seen for problem in one.problems]:
        raise BuildFailedError(f"{len(problems)} reads failed: {problems[0]}")
    return [
        Figure("readers at once", sizes["readers"], "processes"),
        Figure("time they read", seconds / 60, "minutes"),
        Figure("versions published meanwhile", sizes["versions"], "versions"),
        Figure("versions read", len(set().union(*(one.versions for one in seen))), "versions"),
        Figure("reads", sum(one.reads for one in seen), "queries"),
        Figure("connections", sum(one.connections for one in seen), ""),
        Figure(
            "connections held while another version became current",
            sum(one.switches for one in seen),
            "",
        ),
        Figure("reads that failed", 0, "queries"),
        Figure("connections that met two versions", 0, ""),
    ]


PART = Part(
    "readers",
    "readers in processes of their own while new versions are published: every read succeeds, and "
    "a connection sees one version from its first query to its last",
    run,
    {"readers": 50, "versions": 120, "pause_milliseconds": 2000, "longest_hold_seconds": 15},
)
