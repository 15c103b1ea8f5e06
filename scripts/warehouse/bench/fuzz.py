"""Random damage to what the gate's own parsers read: refused with a message, or read, nothing else."""

import random
import re
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path

import duckdb

from warehouse import contract, mapping, values
from warehouse.bench import Figure, Part
from warehouse.contract import Column
from warehouse.errors import BuildFailedError, FileRefusedError, MappingError
from warehouse.origin import SAMPLE
from warehouse.prepare import prepare

# Decimals are read a thousand at a time.
_BATCH = 1000
_DECIMAL = re.compile(r"[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?", re.ASCII)
_LETTERS = "0123456789" * 3 + "+-.,eE _'\u0661\u00bd\t"


def run(folder: Path, sizes: Mapping[str, int]) -> list[Figure]:
    """Give each parser its share of the time; what it must not do is an error with its seed."""
    known = contract.load()
    mappings = [path.read_text(encoding="utf-8") for path in mapping.BUILT_IN.glob("*.yml")]
    files = [path.read_bytes()[:4000] for path in sorted(SAMPLE.glob("*/*.csv"))]

    def read_mapping(luck: random.Random) -> None:
        path = folder / "fuzzed.yml"
        path.write_bytes(_damaged(luck, luck.choice(mappings).encode()))
        try:
            mapping.load(path, known)
        except MappingError as error:
            if str(path) not in str(error):
                raise ValueError("the message does not name the mapping") from error

    def prepare_file(luck: random.Random) -> None:
        path = folder / f"fuzzed.{luck.choice(['csv', 'tsv', 'jsonl', 'csv.gz', 'xlsx'])}"
        path.write_bytes(_damaged(luck, luck.choice(files)))
        try:
            prepare(path, folder)
        except FileRefusedError as error:
            if ": " not in str(error):
                raise ValueError("the message does not say what to do") from error

    figures = []
    parsers = {"mappings": read_mapping, "files": prepare_file, "decimals": _read_decimals}
    for name, parser in parsers.items():
        tried = _try(name, parser, sizes["seconds"] / len(parsers))
        figures.append(Figure(f"{name} tried", tried * (_BATCH if name == "decimals" else 1), ""))
    figures.append(Figure("time", sizes["seconds"] / 60, "min"))
    figures.append(Figure("neither read nor refused, or read as another value", 0, ""))
    return figures


def _try(name: str, parser: Callable[[random.Random], None], seconds: float) -> int:
    end, seed = time.monotonic() + seconds, 0
    while seed == 0 or time.monotonic() < end:
        try:
            parser(random.Random(seed))
        except Exception as error:
            raise BuildFailedError(f"{name}, seed {seed}: {error!r}") from error
        seed += 1
    return seed


def _damaged(luck: random.Random, content: bytes) -> bytes:
    damaged = bytearray(content)
    for _ in range(luck.randrange(1, 8)):
        at = luck.randrange(len(damaged) + 1)
        start = luck.randrange(len(content))
        moved = content[start : start + luck.randrange(40)]
        damaged[at : at + luck.randrange(8)] = luck.choice([moved, luck.randbytes(3), b"", b"\n"])
    return bytes(damaged)


def _read_decimals(luck: random.Random) -> None:
    """Whatever is read is what Python's exact arithmetic says the text is."""
    texts = ["".join(luck.choices(_LETTERS, k=luck.randrange(1, 14))) for _ in range(_BATCH)]
    kind = values.kind_of(Column("amount", "decimal(18,2)"), "text")
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"select text, {kind.value} from (select unnest(?) as text)", [texts]
        ).fetchall()
    for text, value in rows:
        # Spaces around a number say nothing.
        is_number = _DECIMAL.fullmatch(text.strip(" \t"))
        exact = Decimal(text.strip(" \t")) if is_number else None
        if value is not None and value != exact:
            raise ValueError(f"{text!r} is read as {value}")
        is_plain = exact is not None and "e" not in text.lower() and text == text.strip(" \t")
        if value is None and is_plain and exact == round(exact or 0, 2):
            raise ValueError(f"{text!r} is not read")


PART = Part(
    "fuzz",
    "random damage to mappings, files and numbers: each is read for what it is, or refused",
    run,
    {"seconds": 1200},
)
