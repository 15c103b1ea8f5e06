"""A sheet of a spreadsheet file as CSV: cells as text, days as 2026-03-31, numbers as typed.

A process of its own reads the file: a cell in the last row and column of an otherwise small sheet
takes more memory than any machine has, and whoever asks for that is ended by the system.
"""

import csv
import re
import resource
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from io import BytesIO
from pathlib import Path

import python_calamine

from warehouse.errors import FileRefusedError
from warehouse.prepare import CHUNK, NUMBER_MARK

# Unpacked, a spreadsheet may be this large, and so large its CSV.
MAX_UNPACKED, MAX_CSV = 1 << 28, 1 << 30
# Its reader may use so much memory and so many seconds of the processor.
MAX_MEMORY, MAX_SECONDS = 1 << 31, 600

# Cells that hold an error; calamine would give them as empty.
_ERROR_CELL = re.compile(rb"""(<(?:\w+:)?c\s(?:[^>]*\s)?t\s*=\s*["'])e(?=["'])""")

Cell = str | int | float | bool | date | datetime | time | timedelta


def write_csv(path: Path, target: Path, sheet: str | None) -> None:
    """Write one sheet, the first one if none is named."""
    _refuse_bomb(path)
    command = [sys.executable, "-P", "-m", __name__, str(path), *([sheet] if sheet else [])]
    size = 0
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as reader,
        target.open("wb") as file,
    ):
        assert reader.stdout is not None
        assert reader.stderr is not None
        while chunk := reader.stdout.read(CHUNK):
            file.write(chunk)
            size += len(chunk)
            if size > MAX_CSV:
                reader.kill()
        said = reader.stderr.read().decode(errors="replace").strip()
    if reader.returncode == FileRefusedError.exit_code:
        raise FileRefusedError(said)
    if reader.returncode or size > MAX_CSV:
        raise FileRefusedError(
            "it is no spreadsheet that can be read, or its cells reach further than can be held: "
            "delete what stands far below or beside the table, or export the sheet as CSV"
        )


def main(path: Path, sheet: str | None) -> int:
    """Write a sheet to the standard output; what is wrong with it goes to the error output."""
    limits = {resource.RLIMIT_AS: MAX_MEMORY, resource.RLIMIT_CPU: MAX_SECONDS}
    for limit, most in limits.items():
        with suppress(ValueError):  # Where the system sets a lower limit already.
            resource.setrlimit(limit, (most, most))
    try:
        # Whatever the locale, as the gate reads it.
        with open(sys.stdout.fileno(), "w", encoding="utf-8", newline="", closefd=False) as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerows([_text(cell) for cell in row] for row in _rows(path, sheet))
    except FileRefusedError as error:
        sys.stderr.write(str(error))
        return error.exit_code
    except python_calamine.CalamineError as error:
        sys.stderr.write(
            f"it is no spreadsheet that can be read ({error}): export the sheet as CSV"
        )
        return FileRefusedError.exit_code
    return 0


def _rows(path: Path, sheet: str | None) -> Iterator[list[Cell]]:
    with python_calamine.load_workbook(_with_errors_as_text(path)) as workbook:
        names = workbook.sheet_names
        if not names:
            raise FileRefusedError("it has no sheet: export the sheet as CSV")
        if sheet is not None and sheet not in names:
            raise FileRefusedError(
                f"it has no sheet {sheet}; its sheets are {', '.join(names)}: name one of them"
            )
        found = workbook.get_sheet_by_name(sheet or names[0])
        # Of what is empty before the first cell, calamine gives the rows and not the columns.
        _, before = found.start or (0, 0)
        for row in found.iter_rows():
            yield [""] * before + row


def _with_errors_as_text(path: Path) -> str | BytesIO:
    """The spreadsheet; where cells hold errors, a copy of it in which these are texts like #N/A."""
    if not zipfile.is_zipfile(path):
        return str(path)
    with zipfile.ZipFile(path) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        if not any(_ERROR_CELL.search(archive.read(name)) for name in sheets):
            return str(path)
        copy = BytesIO()
        with zipfile.ZipFile(copy, "w") as other:
            for name in archive.namelist():
                part = archive.read(name)
                other.writestr(name, _ERROR_CELL.sub(rb"\1str", part) if name in sheets else part)
    copy.seek(0)
    return copy


def _refuse_bomb(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile:
        return  # Old .xls files are no archives; calamine judges them.
    if size > MAX_UNPACKED:
        raise FileRefusedError(
            f"it unpacks to {size >> 20} MiB, and at most {MAX_UNPACKED >> 20} MiB of a spreadsheet "
            "are taken: export the sheet as CSV"
        )


def _text(cell: Cell) -> str:
    match cell:
        case bool():
            return "true" if cell else "false"
        case float() if cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        case float():
            # The shortest text of this number, without an exponent.
            shortest = f"{cell:.15f}".rstrip("0").rstrip(".") if "e" in repr(cell) else repr(cell)
            return shortest + NUMBER_MARK
        case datetime() if (cell.hour, cell.minute, cell.second) == (0, 0, 0):
            return cell.date().isoformat()
        case datetime() | date() | time():
            return cell.isoformat()
        case _:
            return str(cell)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None))
