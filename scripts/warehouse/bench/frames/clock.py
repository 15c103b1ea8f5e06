"""How each way of making the marts is timed: one after another, each to where its file is written."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from warehouse.home import PROJECT

SEEDS = PROJECT / "seeds"
Mart = TypeVar("Mart")


def write_in_turn(
    marts: Iterator[tuple[str, Mart]], write: Callable[[Mart, Path], object], out: Path
) -> None:
    """Make and write each mart, and print what it took beside what those before it had made."""
    seconds = {}
    started = time.perf_counter()
    for name, mart in marts:
        write(mart, out / f"{name}.parquet")
        ended = time.perf_counter()
        seconds[name] = ended - started
        started = ended
    print(json.dumps(seconds))
