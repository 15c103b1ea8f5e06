"""A sheet of a spreadsheet file as CSV: cells as text, days as 2026-03-31, numbers as typed."""

import csv
import zipfile
from datetime import date, datetime, time, timedelta
from pathlib import Path

import python_calamine

from warehouse.errors import FileRefusedError
from warehouse.prepare import NUMBER_MARK

# A spreadsheet is read into memory as a whole; unpacked it may be this large.
MAX_UNPACKED = 1 << 28

Cell = str | int | float | bool | date | datetime | time | timedelta


def write_csv(path: Path, target: Path, sheet: str | None) -> None:
    """Write one sheet, the first one if none is named."""
    _refuse_bomb(path)
    try:
        with python_calamine.load_workbook(str(path)) as workbook:
            names = workbook.sheet_names
            if sheet is not None and sheet not in names:
                raise FileRefusedError(
                    f"it has no sheet {sheet}; its sheets are {', '.join(names)}"
                )
            rows = workbook.get_sheet_by_name(sheet or names[0]).to_python(skip_empty_area=False)
    except python_calamine.CalamineError as error:
        raise FileRefusedError(
            f"it is no spreadsheet that can be read ({error}): export the sheet as CSV"
        ) from None
    with target.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(
            [_text(cell) for cell in row] for row in rows
        )


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
