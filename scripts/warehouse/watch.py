"""Take files as they are dropped: ingest, build what stands on them, audit, publish.

Nothing but polling: a file is complete when its size and time stay the same from one look to the
next, or when a file of its name and `.done` lies beside it. Killed at any point, the next start
completes what was begun, because the ledger says what was taken and the versions what was published.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import duckdb

from warehouse import build, ingest, lock, origin, publish, record
from warehouse.errors import HomeBusyError, WarehouseError
from warehouse.home import PROJECT, Home
from warehouse.transform import Transformation

DONE = ".done"

# A file that nobody has written to for so many seconds is complete at first sight.
SETTLED = 60

# After a failure it waits this many times longer than before, up to the longest pause in seconds.
BACKOFF, LONGEST_PAUSE = 2, 300

Mark = tuple[int, int]


@dataclass
class Arrivals:
    """Tells which files of a folder are complete and new since the last look."""

    landing: Path
    _seen: dict[Path, Mark] = field(default_factory=dict)
    _taken: dict[Path, Mark] = field(default_factory=dict)

    def look(self) -> list[Path]:
        """Files that are complete and were not taken as they are now."""
        found = dict(self._marks())
        complete = [
            path
            for path, mark in found.items()
            if self._taken.get(path) != mark
            and (
                self._seen.get(path) == mark
                or time.time_ns() - mark[1] > SETTLED * 10**9
                or path.with_name(path.name + DONE).exists()
            )
        ]
        self._seen = found
        return complete

    def take(self, paths: list[Path]) -> None:
        """Remember that these were taken as they were when last looked at."""
        self._taken = {path: mark for path, mark in self._taken.items() if path in self._seen}
        self._taken.update({path: self._seen[path] for path in paths})

    def _marks(self) -> Iterator[tuple[Path, Mark]]:
        if not self.landing.is_dir():
            return
        for path in ingest.landed(self.landing):
            try:
                # What a broken link leads to has no size and time.
                status = path.stat() if path.exists() else path.lstat()
            except OSError:
                continue  # It was taken away between listing and looking.
            yield path, (status.st_size, status.st_mtime_ns)


def watch(
    home: Home,
    landing: Path | None,
    stop: Event,
    say: Callable[[str], None],
    interval: float = 2.0,
) -> None:
    """Watch until `stop` is set. A failure is said and tried again; it ends nothing."""
    source = origin.choose(home, home.open_ledger(), landing)
    watcher = _Watcher(home, Arrivals(source.landing), say)
    say(f"Watching {source.landing} every {interval:g} s; stop with Ctrl-C.")
    pause, is_due = interval, True
    with _log_of(home) as (log, details):
        while not stop.is_set():
            try:
                is_due = watcher.look(is_due)
                pause = interval
            except HomeBusyError as error:
                say(f"waiting: {error}")
                pause = min(pause * BACKOFF, LONGEST_PAUSE)
            except (WarehouseError, OSError, duckdb.Error) as error:
                # What is wrong with the marts is said once; it is built again when files arrive.
                say(f"failed: {error}")
                is_due = not isinstance(error, WarehouseError)
                pause = min(pause * BACKOFF, LONGEST_PAUSE)
            except Exception as error:
                log.exception("Not foreseen:")
                told = f"{type(error).__name__}: {error}".splitlines()[0]
                say(f"failed: {told} ({details.told()})")
                watcher, is_due = _Watcher(home, watcher.arrivals, say), True
                pause = min(pause * BACKOFF, LONGEST_PAUSE)
            stop.wait(pause)
    say("Stopped.")


class _Details(logging.FileHandler):
    """The file of tracebacks; it appears with the first, and ends nothing where it cannot be written."""

    failure: str | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or remember why that was not possible."""
        try:
            Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
            super().emit(record)
            self.failure = None
        except OSError as cause:
            self.failure = cause.strerror

    def told(self) -> str:
        """Where the details of the last failure are."""
        if self.failure:
            return f"no details, as {self.baseFilename} cannot be written: {self.failure}"
        return f"details in {self.baseFilename}"


@contextmanager
def _log_of(home: Home) -> Iterator[tuple[logging.Logger, _Details]]:
    """Where tracebacks of what nobody has thought of go."""
    log = logging.getLogger(__name__)
    handler = _Details(home.watch_log, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    log.addHandler(handler)
    try:
        yield log, handler
    finally:
        log.removeHandler(handler)
        handler.close()


@dataclass
class _Watcher:
    home: Home
    arrivals: Arrivals
    say: Callable[[str], None]
    _transformation: Transformation | None = None
    _code: str = ""

    def look(self, is_due: bool) -> bool:
        """Take what has arrived, and publish; with `is_due` also when nothing has. Returns False."""
        complete = self.arrivals.look()
        if not complete and not is_due:
            return False
        with lock.exclusive(self.home.lock, "a watch"):
            started = time.monotonic()
            taken = ingest.ingest(self.home, self.arrivals.landing, say=self.say, files=complete)
            self.arrivals.take(complete)
            record.keep_events(self.home)
            if taken.of("loaded") or is_due:
                version, is_new = build.rebuild(
                    self.home, build.Progress(self.say), transformation=self._ready()
                )
                took = time.monotonic() - started
                word = "is published" if is_new else "stays, nothing is new"
                self.say(f"Version {version.id} {word} after {took:.1f} s.")
        return False

    def _ready(self) -> Transformation:
        """dbt with the project parsed, parsed anew where the checkout has changed."""
        code = publish.code_digest(PROJECT, self.home.seeds)
        if self._transformation is None or self._code != code:
            self._transformation = Transformation(PROJECT, self.home.root)
            self._transformation.parse()
            self._code = code
        return self._transformation
