"""Runs killed at random moments: what they leave is whole, and running again completes it.

Each run is a process of its own, forked from one that has imported what commands need, so that
nearly every moment is one of work. It is killed by SIGKILL; the moments are spread over the time
such a run takes when it is left alone.
"""

import multiprocessing
import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from multiprocessing.connection import wait
from pathlib import Path

import duckdb

from warehouse import backup, build, catalog, cli, verify
from warehouse.bench import Figure, Part
from warehouse.errors import BuildFailedError
from warehouse.home import LEDGER, PROJECT, Home
from warehouse.publish import Shelf, Version
from warehouse.transform import AFTER_AUDIT, NodeResult, Transformation

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([__name__, "warehouse.gx_engine", "dbt.adapters.duckdb.impl"])

# Starting a process asks after all others of this one: two threads that do so at once take the answer from each other.
_one_at_a_time = threading.Lock()

Work = Callable[..., None]

# Killed so many times, a run is left to complete what it finds.
AGAIN = 3
# A home is left for a new one after so many runs: its first moments are worth killing too.
ROUNDS = 4 * AGAIN
SUBSCRIPTIONS = (
    "subscription_id,valid_from,customer_id,product_id,plan_id,quantity,unit_price,"
    "billing_interval_months,currency"
)


@dataclass
class Kills:
    """Starts processes and kills them; counts what was killed and what had ended before."""

    seed: int
    killed: dict[str, int] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # The first process waits for the imports; no moment should.
        finish(time.sleep, 0)

    def moments(self, name: str, runs: int, seconds: float) -> Iterator[float]:
        """Moments spread over so many seconds, until so many runs were killed."""
        chance = random.Random(f"{self.seed} {name}")
        self.killed[name] = 0
        while (number := self.killed[name]) < runs:
            yield (number + chance.random()) / runs * seconds
            if self.killed[name] == number:
                # It had ended before, so it takes less time than was thought.
                seconds *= 0.8

    def kill(self, name: str, moment: float, work: Work, *arguments: object) -> None:
        """Start the work and kill it after so many seconds."""
        code = _ended(work, arguments, moment)
        if code == -signal.SIGKILL:
            self.killed[name] += 1
        elif code == 0:
            self.ended[name] = self.ended.get(name, 0) + 1
        else:
            raise BuildFailedError(
                f"{name} ended with {code} after {moment:.3f} s: {_said(arguments)}"
            )


def finish(work: Work, *arguments: object) -> float:
    """Do the work in a process of its own to its end; the seconds it took."""
    started = time.monotonic()
    if code := _ended(work, arguments, None):
        raise BuildFailedError(f"{work.__name__} {arguments} ended with {code}: {_said(arguments)}")
    return time.monotonic() - started


def _ended(work: Work, arguments: Iterable[object], moment: float | None) -> int | None:
    """Exit code of the work in a process of its own, which is killed after so many seconds."""
    process = _processes.Process(target=work, args=tuple(arguments))
    with _one_at_a_time:
        process.start()
    has_ended = wait([process.sentinel], moment)
    with _one_at_a_time:
        if not has_ended:
            process.kill()
        process.join()
        return process.exitcode


def command(home: Path, *arguments: str) -> None:
    """A `warehouse` command in a home; what it says goes to a file beside it."""
    os.environ["WAREHOUSE_HOME"] = str(home)
    _log_beside(home)
    # Left without clean-up, as a command is that was started by a shell.
    os._exit(cli.main(arguments))


class Standing(Transformation):
    """dbt left out: the working database as it stands is audited and published."""

    def build(self, *_: object) -> list[NodeResult]:
        """Nothing is built."""
        return []

    def build_judgements(self) -> list[NodeResult]:
        """Nothing is built."""
        return []

    def document(self) -> Path:
        """The page of the version before."""
        return self._home / "published" / "current" / "docs.html"


def publish_standing(home: Path) -> None:
    """Audit and publish the working database as it stands."""
    _log_beside(home)
    build.rebuild(
        Home(home), build.Progress(lambda _: None), transformation=Standing(PROJECT, home)
    )


def _log_beside(home: Path) -> None:
    log = os.open(home.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)


def _said(arguments: Iterable[object]) -> str:
    """The end of what a run in a home said, whose folder is the first argument."""
    logs = [argument.with_suffix(".log") for argument in arguments if isinstance(argument, Path)]
    return "".join(log.read_text(encoding="utf-8")[-2000:] for log in logs[:1] if log.exists())


def deliver(landing: Path, number: int) -> None:
    """Two small files of a day; every third has a customer that must go to quarantine."""
    folder = landing / "revenue"
    folder.mkdir(parents=True, exist_ok=True)
    day = date(2026, 4, 1) + timedelta(days=number)
    customers = ["customer_id,customer_name,acquired_on", f"C{number},Customer {number},2025-01-01"]
    if number % 3 == 0:
        customers.append(f"X{number},Nobody,never")
    lines = {
        "customers": customers,
        "subscriptions": [SUBSCRIPTIONS, f"S{number},2025-02-01,C{number},P1,L1,3,20.00,1,USD"],
    }
    for extract, rows in lines.items():
        unfinished = folder / f"{extract}.part"
        unfinished.write_text("\n".join(rows) + "\n", encoding="utf-8")
        # Old enough for a watch to take it at first sight.
        os.utime(unfinished, (0, 0))
        unfinished.rename(folder / f"{extract}.{day}.csv")


def ingests(kills: Kills, runs: int, folder: Path) -> None:
    """Kill ingests; running again takes each delivered row once."""
    deliver(folder / "measured" / "landing", 0)
    seconds = finish(command, folder / "measured", "ingest")
    for number, moment in enumerate(kills.moments("ingest", runs, seconds)):
        home = Home(folder / f"{number // ROUNDS}")
        deliver(home.landing, number)
        kills.kill("ingest", moment, command, home.root, "ingest")
        check_whole(home)
        if number % AGAIN == AGAIN - 1 or kills.killed["ingest"] == runs:
            finish(command, home.root, "ingest")
            check_complete(home)
            check_rows(home, home.landing, range(number // ROUNDS * ROUNDS, number + 1))


def backups(kills: Kills, runs: int, built: Home, folder: Path) -> None:
    """Kill backups of a home; every snapshot that is there is whole, and running again makes one."""
    seconds = finish(command, built.root, "backup", str(folder / "measured"))
    for number, moment in enumerate(kills.moments("backup", runs, seconds)):
        destination = folder / f"{number // AGAIN}"
        kills.kill("backup", moment, command, built.root, "backup", str(destination))
        check_whole(built)
        if number % AGAIN == AGAIN - 1 or kills.killed["backup"] == runs:
            finish(command, built.root, "backup", str(destination))
            check_complete(built)
        for snapshot in backup.snapshots(destination):
            backup.check(destination, snapshot)


def restores(kills: Kills, runs: int, built: Home, folder: Path) -> None:
    """Kill restores into an empty home; running again brings all of it back."""
    source = folder / "backup"
    finish(command, built.root, "backup", str(source))
    seconds = finish(command, folder / "measured", "restore", str(source))
    for number, moment in enumerate(kills.moments("restore", runs, seconds)):
        home = Home(folder / f"{number}")
        kills.kill("restore", moment, command, home.root, "restore", str(source))
        if not (home.ledger / LEDGER).exists() or (home.root / ".restoring").exists():
            finish(command, home.root, "restore", str(source))
        check_complete(home)
        if current(home).manifest_sha256 != current(built).manifest_sha256:
            _refuse([f"{home.root} was restored with another version"])
        shutil.rmtree(home.root)


def publishes(kills: Kills, runs: int, home: Home) -> None:
    """Kill audit and publishing of a changed mart; running again publishes just that change."""
    name = "audit and publish"
    before = hashes(current(home))
    _change_region(home, -1)
    seconds = finish(publish_standing, home.root)
    for number, moment in enumerate(kills.moments(name, runs, seconds)):
        _change_region(home, number)
        kills.kill(name, moment, publish_standing, home.root)
        check_whole(home)
        if number % AGAIN == AGAIN - 1 or kills.killed[name] == runs:
            finish(publish_standing, home.root)
            check_complete(home)
            after = current(home)
            differing = {mart for mart, sha256 in hashes(after).items() if before[mart] != sha256}
            with duckdb.connect(after.path / "marts.duckdb", read_only=True) as connection:
                found = connection.execute("select distinct region from dim_customer").fetchall()
            if (found, differing) != ([(f"R{number}",)], {"dim_customer"}):
                _refuse([f"killed after {moment:.3f} s: {found} and {differing} were published"])


def builds(kills: Kills, runs: Mapping[str, int], home: Home, seconds: float) -> int:
    """Kill builds, then watches, with new files for each; a build completes them. Files delivered."""
    number = 0
    for name, arguments in (("build", ("build",)), ("watch", ("watch", "--interval", "0.1"))):
        for moment in kills.moments(name, runs[name], seconds):
            deliver(home.landing, number)
            number += 1
            kills.kill(name, moment, command, home.root, *arguments)
            check_whole(home)
    finish(command, home.root, "build")
    check_complete(home)
    check_rows(home, home.landing, range(number))
    return number


def check_whole(home: Home) -> None:
    """What was accepted and published is there, unchanged and readable; BuildFailedError if not."""
    # What a killed run had not entered yet is removed or entered by the next; what it had entered
    # and not switched to is switched to.
    _refuse(
        problem
        for problem in verify.problems(home)
        if not problem.endswith("is not in the ledger")
        and not problem.startswith("published/current leads to")
    )
    version = Shelf(home.published).current()
    if version:
        with duckdb.connect(version.path / "marts.duckdb", read_only=True) as connection:
            tables = connection.execute("select table_name from duckdb_tables()").fetchall()
            rows = {
                name: connection.execute(f'select count(*) from "{name}"').fetchall()[0][0]
                for (name,) in tables
            }
        if rows != version.rows:
            _refuse([f"{version.path} holds other rows than its manifest says"])


def check_complete(home: Home) -> None:
    """Nothing is left of a killed run; BuildFailedError if something is."""
    check_whole(home)
    _refuse(verify.problems(home))
    _refuse(str(path) for path in home.published.glob("versions/.*"))
    _refuse(str(path) for path in home.raw.rglob("*.unfinished"))


def check_rows(home: Home, landing: Path, delivered: range) -> None:
    """Each delivered row is accepted once, or once in quarantine; BuildFailedError if not."""
    loaded = [entry["file"] for entry in home.open_ledger().entries if entry["event"] == "loaded"]
    landed = [path.relative_to(landing).as_posix() for path in landing.rglob("*.csv")]
    if sorted(loaded) != sorted(landed):
        _refuse([f"{sorted(loaded)} is in the ledger, and {sorted(landed)} was delivered"])
    expected = sorted(f"{number}" for number in delivered)
    for extract, key in (("customers", "customer_id"), ("subscriptions", "subscription_id")):
        query = (
            f"select {key}[2:] as number from read_parquet(?, union_by_name = true) order by all"
        )
        files = str(home.raw / "revenue" / extract / "*.parquet")
        with duckdb.connect() as connection:
            found = [number for (number,) in connection.execute(query, [files]).fetchall()]
        if found != expected:
            _refuse([f"{extract} hold {found}, and {expected} were delivered"])
    quarantined = len([*(home.quarantine / "revenue" / "customers").glob("*.csv")])
    if quarantined != sum(number % 3 == 0 for number in delivered):
        _refuse([f"{quarantined} files are in quarantine"])


def check_equal(one: Home, other: Home) -> None:
    """The marts of two homes with the same files are the same; BuildFailedError if not."""
    manifest = catalog.read_manifest(Transformation(PROJECT, one.root).manifest_path)
    # They say when files were loaded, and what builds found: that is not the same.
    own = {"rpt_freshness"} | catalog.tagged_marts(manifest, AFTER_AUDIT)
    found, expected = hashes(current(one)), hashes(current(other))
    _refuse(
        f"{name} in {one.root} is not the one in {other.root}"
        for name in {*found, *expected} - own
        if found.get(name) != expected.get(name)
    )


def hashes(version: Version) -> dict[str, str]:
    """The hash of every mart of a version."""
    return {name: str(mart["sha256"]) for name, mart in version.manifest["marts"].items()}


def current(home: Home) -> Version:
    """The version in force; there must be one."""
    version = Shelf(home.published).current()
    if version is None:
        raise BuildFailedError(f"{home.root} has no version")
    return version


def _change_region(home: Home, number: int) -> None:
    with duckdb.connect(home.database) as connection:
        connection.execute("update marts.dim_customer set region = ?", [f"R{number}"])


def _refuse(problems: Iterable[str]) -> None:
    for problem in problems:
        raise BuildFailedError(problem)


def run(folder: Path, sizes: Mapping[str, int]) -> list[Figure]:
    """Kill every kind of run so many times."""
    kills = Kills(sizes["seed"])
    built, killed = Home(folder / "built"), Home(folder / "killed")
    deliver(built.landing, 0)
    seconds = finish(command, built.root, "build")
    # Quick runs beside whole builds, each lane in homes of its own.
    with ThreadPoolExecutor(3) as lanes:
        building = lanes.submit(builds, kills, sizes, killed, seconds)
        taking = lanes.submit(ingests, kills, sizes["ingest"], folder / "ingests")
        backups(kills, sizes["backup"], built, folder / "backups")
        restores(kills, sizes["restore"], built, folder / "restores")
        publishes(kills, sizes["publish"], built)
        taking.result()
        delivered = building.result()
    for number in range(delivered):
        deliver(built.landing, number)
    finish(command, built.root, "build")
    check_equal(killed, built)
    return [
        *(Figure(f"runs of {name} killed", runs, "runs") for name, runs in kills.killed.items()),
        Figure("runs killed in all", sum(kills.killed.values()), "runs"),
        Figure("runs that had ended before they were killed", sum(kills.ended.values()), "runs"),
        Figure("rows lost or doubled, files damaged, readers left without a version", 0, ""),
    ]


PART = Part(
    "kills",
    "runs killed by SIGKILL at random moments: after each the current version is complete, and "
    "running again makes the same marts of every row, once",
    run,
    {"ingest": 110, "backup": 50, "restore": 20, "publish": 20, "build": 4, "watch": 4, "seed": 1},
)
