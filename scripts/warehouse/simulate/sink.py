"""Writes extracts to files: CSV text for a small company, typed Parquet in parts for a large one."""

import csv
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

import duckdb
import numpy as np
import yaml

from warehouse.home import PROJECT

Row = list[str]
Arrays = dict[str, np.ndarray[Any, Any]]


def stream(seed: int, *tags: object) -> np.random.Generator:
    """A random stream of its own for every part of the company, so that one can change alone."""
    words = [zlib.crc32(str(tag).encode()) for tag in tags]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *words])))


def money(minor: int) -> str:
    """An amount in hundredths as text."""
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100}.{abs(minor) % 100:02d}"


def round_half_up(numerator: int, denominator: int) -> int:
    """numerator / denominator to the nearest integer, half away from zero."""
    if numerator < 0:
        return -round_half_up(-numerator, denominator)
    return (2 * numerator + denominator) // (2 * denominator)


def contracts() -> dict[str, tuple[str, dict[str, str]]]:
    """Source and column types of every extract a company delivers; recorded_at comes last."""
    found: dict[str, tuple[str, dict[str, str]]] = {}
    for path in sorted((PROJECT / "models" / "staging").glob("*/_*__sources.yml")):
        for source in yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]:
            if source.get("config", {}).get("meta", {}).get("internal"):
                continue  # The warehouse writes it.
            for table in source["tables"]:
                columns = {c["name"]: c["data_type"] for c in table["columns"]}
                columns.setdefault("recorded_at", "timestamp")
                found[table["name"]] = (source["name"], columns)
    return found


class Sink:
    """All files of one simulated company. Rows are text in the contract's column order."""

    def __init__(self, out: Path, file_format: str) -> None:
        self._out = out
        self._format = file_format
        self._contracts = contracts()
        self._open: dict[str, tuple[TextIO, Path]] = {}
        self._parts: dict[str, int] = {}
        self.rows: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for handle, _ in self._open.values():
            handle.close()
        if kind is None and self._format == "parquet":
            for name in sorted(self._open):
                self._to_parquet(name)

    def columns(self, extract: str) -> list[str]:
        """Column names of an extract."""
        return list(self._contracts[extract][1])

    def add(self, extract: str, rows: Iterable[Sequence[str]], stamp: str = "") -> None:
        """Append rows to the extract's file, or to a separately delivered one dated `stamp`."""
        name = f"{extract}.{stamp}" if stamp else extract
        if name not in self._open:
            folder = self._out / self._contracts[extract][0]
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"{name}.csv"
            handle = path.open("w", encoding="utf-8", newline="")
            self._open[name] = handle, path
            handle.write(",".join(self.columns(extract)) + "\n")
        count = 0
        writer = csv.writer(self._open[name][0], lineterminator="\n")
        for row in rows:
            writer.writerow(row)
            count += 1
        self.rows[extract] = self.rows.get(extract, 0) + count

    def add_arrays(self, extract: str, arrays: Arrays, expressions: dict[str, str]) -> None:
        """Write one part of a large extract; SQL expressions make the contract's columns of arrays."""
        source, types = self._contracts[extract]
        folder = self._out / source
        folder.mkdir(parents=True, exist_ok=True)
        part = self._parts.get(extract, 0) + 1
        self._parts[extract] = part
        chosen = ", ".join(
            f'cast({expressions.get(name, "null")} as {kind}) as "{name}"'
            for name, kind in types.items()
        )
        path = folder / f"{extract}.part{part:04d}.{self._format}"
        with duckdb.connect(config={"threads": 2, "memory_limit": "2GB"}) as connection:
            connection.register("arrays", arrays)
            how = "format parquet, compression zstd" if self._format == "parquet" else "header"
            # COPY takes no bound parameters for its target; the path is ours.
            connection.execute(f"copy (select {chosen} from arrays) to '{path}' ({how})")
        self.rows[extract] = self.rows.get(extract, 0) + len(next(iter(arrays.values())))

    def _to_parquet(self, name: str) -> None:
        _, path = self._open[name]
        types = self._contracts[name.split(".")[0]][1]
        chosen = ", ".join(
            f'cast("{column}" as {kind}) as "{column}"' for column, kind in types.items()
        )
        with duckdb.connect(config={"threads": 2, "memory_limit": "2GB"}) as connection:
            connection.execute(
                f"copy (select {chosen} from read_csv('{path}', all_varchar = true, header = true,"
                f" quote = '\"', delim = ',', nullstr = ''))"
                f" to '{path.with_suffix('.parquet')}' (format parquet, compression zstd)"
            )
        path.unlink()
