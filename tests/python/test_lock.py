"""One writer at a time, and no lock outlives its holder."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from warehouse import lock
from warehouse.errors import HomeBusyError

HOLD = """
import sys, time
from pathlib import Path
from warehouse import lock
with lock.exclusive(Path(sys.argv[1]), "a build"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_process_is_refused_and_told_who_holds_it(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(HomeBusyError, match=rf"a build \(process {holder.pid}"):
            lock.exclusive(path, "an ingest").__enter__()
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
    with lock.exclusive(path, "an ingest"):
        assert f'"pid": {os.getpid()}' in path.read_text(encoding="utf-8")


def test_the_lock_is_free_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), lock.exclusive(tmp_path / ".lock", "a build"):
        raise RuntimeError
    with lock.exclusive(tmp_path / ".lock", "a build"):
        pass
