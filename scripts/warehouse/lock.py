"""One writer at a time in a warehouse home."""

import fcntl
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from warehouse.errors import HomeBusyError, UsageError
from warehouse.home import Home


@contextmanager
def exclusive(path: Path, purpose: str) -> Iterator[None]:
    """Hold the lock file; the operating system frees it when its holder dies, however it dies.

    Nothing its holder writes can be read by others, but for what is published.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{path.parent} cannot be made ({error.strerror}): name another folder in WAREHOUSE_HOME."
        ) from error
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise HomeBusyError(f"{path.parent} is in use by {_describe(file.read())}") from None
        file.truncate(0)
        json.dump(
            {
                "pid": os.getpid(),
                "purpose": purpose,
                "since": datetime.now(UTC).isoformat(timespec="seconds"),
                "command": " ".join(sys.argv),
            },
            file,
        )
        file.flush()
        umask = os.umask(0o077)
        try:
            Home(path.parent).close()
            yield
        finally:
            os.umask(umask)
            file.truncate(0)


def _describe(holder: str) -> str:
    try:
        facts = json.loads(holder)
    except ValueError:
        return "another process that has just started."
    return (
        f"{facts['purpose']} (process {facts['pid']}, since {facts['since']}): "
        f"wait for it to end, or stop it with `kill {facts['pid']}`."
    )
