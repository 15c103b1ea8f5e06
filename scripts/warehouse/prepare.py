"""Make a delivered file readable: unpack it, find its encoding, its delimiter and its columns.

The file is only read, in chunks of bounded size; what has to be changed goes to a scratch copy.
Parsing itself is DuckDB's. A file that cannot be read as a table is refused with the reason.
"""

import codecs
import csv
import io
import re
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from charset_normalizer import from_bytes

from warehouse.contract import squeezed
from warehouse.errors import FileRefusedError

CHUNK = 1 << 22
# How much of a file that is not UTF-8 is looked at to tell what it is.
SAMPLE = 1 << 26
# A line longer than this is not a row; DuckDB quarantines rows over 2 MiB by themselves.
MAX_LINE = 1 << 24
_NO_LINES = (
    f"a line is longer than {MAX_LINE >> 20} MiB, so this is no table of rows: "
    "check that it is the right file and that its lines end in line breaks"
)
MAX_COLUMNS = 2000
# A gzip file may unpack to this much, or to MAX_RATIO times its size if that is more.
MAX_UNPACKED = 1 << 30
MAX_RATIO = 100

# Ends a value of a sheet's CSV that was a number in its cell.
NUMBER_MARK = "\x01"

DELIMITERS = (",", ";", "\t", "|")
_FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".xlsx": "sheet",
    ".xls": "sheet",
    ".ods": "sheet",
}
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Encodings finance exports come in when they are not UTF-8, the most likely first.
_LEGACY = ["cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp437", "cp850", "mac_roman"]
_LEGACY += ["shift_jis", "euc_kr", "gb18030", "big5"]
_BLANK_LINES = (b"\n\n", b"\n\r\n", b"\r\r")
_BLANK_LINE = re.compile(rb"\n(?=\n)")
_NOT_ASCII = re.compile(rb"[^\n]*[\x80-\xff][^\n]*\n?")


@dataclass(frozen=True)
class Reading:
    """What a mapping says about how a file is written; what it leaves open is found out."""

    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    # The line, or row of a sheet, that holds the column names.
    header_row: int = 1


@dataclass(frozen=True)
class Prepared:
    """A file that DuckDB can read, and how."""

    path: Path
    format: str
    encoding: str = "utf-8"
    delimiter: str = ","
    # Lines before the header.
    skipped_lines: int = 0
    header: tuple[str, ...] = ()
    has_nul: bool = False
    # Written from a spreadsheet: numbers bear their mark.
    is_sheet: bool = False

    @property
    def first_record(self) -> int:
        """Number of the record that holds the column names."""
        return self.skipped_lines + 1


def format_of(path: Path) -> str | None:
    """csv, jsonl or parquet by the file's name; None where it is none of them."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    return _FORMATS.get(suffixes[-1]) if suffixes else None


def prepare(
    path: Path, scratch: Path, expected: Collection[str] = (), reading: Reading | None = None
) -> Prepared:
    """Make `path` readable; `expected` are squeezed column names that tell the delimiter."""
    reading = reading or Reading()
    file_format = format_of(path)
    if file_format is None:
        kinds = ", ".join(sorted(_FORMATS))
        raise FileRefusedError(
            f"its name ends in none of {kinds} (or one of them and .gz): export it as one of these"
        )
    if "\\" in str(path) and set("*?[") & set(str(path)):
        raise FileRefusedError("its name holds a backslash beside one of * ? [: rename it")
    unpacked = scratch / "unpacked"
    survey = Survey()
    is_packed = path.suffix.lower() == ".gz"
    with path.open("rb") as file:
        chunks = _chunks(file)
        if is_packed:
            limit = max(MAX_UNPACKED, MAX_RATIO * path.stat().st_size)
            chunks = _copied(_gunzipped(chunks, limit), unpacked)
        for chunk in chunks:
            survey.add(chunk)
            # Four bytes a character at most: no need to read gigabytes of one line to the end.
            if file_format in {"csv", "jsonl"} and survey.longest_line > 4 * MAX_LINE:
                raise FileRefusedError(_NO_LINES)
    readable = unpacked if is_packed else path
    prepared = Prepared(readable, file_format)
    if survey.size == 0:
        raise FileRefusedError("it is empty: deliver it again")
    if file_format == "parquet":
        return prepared
    if file_format == "sheet":
        from warehouse.sheet import write_csv

        as_csv = scratch / "sheet.csv"
        write_csv(readable, as_csv, reading.sheet)
        return _with_header(
            Prepared(as_csv, "csv", is_sheet=True),
            expected,
            Reading(header_row=reading.header_row, delimiter=","),
        )
    return _prepare_text(prepared, survey, scratch, expected, reading)


def _prepare_text(
    prepared: Prepared,
    survey: "Survey",
    scratch: Path,
    expected: Collection[str],
    reading: Reading,
) -> Prepared:
    encoding = _known_encoding(reading) or survey.encoding(prepared.path)
    path = prepared.path
    if encoding not in {"utf-8", "utf-8-sig"}:
        path = scratch / "utf-8"
        survey = Survey()
        for chunk in _copied(_transcoded(prepared.path, encoding), path):
            survey.add(chunk)
    if survey.longest_line > MAX_LINE:
        raise FileRefusedError(_NO_LINES)
    readable = replace(prepared, path=path, encoding=encoding, has_nul=survey.has_nul)
    if prepared.format == "csv":
        readable = _with_header(readable, expected, reading)
    is_json = prepared.format == "jsonl"
    # DuckDB takes the mark for a part of the first JSON object.
    has_mark = is_json and survey.head.startswith(codecs.BOM_UTF8)
    if survey.has_blank_lines or has_mark or (not is_json and survey.mixes_line_ends):
        tidy = scratch / "tidy"
        for _ in _copied(_tidied(readable), tidy):
            pass
        readable = replace(readable, path=tidy)
    return readable


def _known_encoding(reading: Reading) -> str | None:
    if reading.encoding is None:
        return None
    try:
        name = codecs.lookup(reading.encoding).name
        b" ".decode(name, errors="ignore")
    except LookupError:
        # Also of what Python knows as a codec but not of text, such as base64.
        raise FileRefusedError(
            f"its mapping names an unknown encoding, {reading.encoding}: name one like cp1252"
        ) from None
    return name


def _with_header(prepared: Prepared, expected: Collection[str], reading: Reading) -> Prepared:
    delimiter, skipped, header = _header(prepared.path, expected, reading)
    return replace(prepared, delimiter=delimiter, skipped_lines=skipped, header=header)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk


def _gunzipped(chunks: Iterator[bytes], limit: int) -> Iterator[bytes]:
    size = 0
    unpacker = zlib.decompressobj(wbits=31)
    try:
        for packed in chunks:
            rest = packed
            while rest:
                if unpacker.eof:
                    unpacker = zlib.decompressobj(wbits=31)
                chunk = unpacker.decompress(rest, CHUNK)
                rest = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
                size += len(chunk)
                if size > limit:
                    raise FileRefusedError(
                        f"it unpacks to more than {limit >> 20} MiB, over {MAX_RATIO} times its "
                        "size: if that is right, deliver it unpacked"
                    )
                yield chunk
    except zlib.error as error:
        raise FileRefusedError(f"it is not a valid gzip file ({error}): deliver it again") from None
    if not unpacker.eof:
        raise FileRefusedError("the gzip file is cut off: deliver it again")


def _copied(chunks: Iterator[bytes], path: Path) -> Iterator[bytes]:
    with path.open("wb") as file:
        for chunk in chunks:
            file.write(chunk)
            yield chunk


def _transcoded(path: Path, encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)(errors="strict")
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield decoder.decode(chunk).encode()
            yield decoder.decode(b"", final=True).encode()
    except UnicodeDecodeError as error:
        raise FileRefusedError(
            f"it is neither UTF-8 nor valid {encoding} ({error.reason}): save it as UTF-8"
        ) from None


def _tidied(prepared: Prepared) -> Iterator[bytes]:
    """Line breaks become line feeds and blank lines records without values, except inside quotes.

    DuckDB skips blank lines without counting them; as records they are counted and keep their place.
    """
    is_json = prepared.format == "jsonl"
    blank = (
        b"{}" if is_json else (prepared.delimiter * (len(prepared.header) - 1)).encode() or b'""'
    )
    tidier = _Tidier(blank, b"" if is_json else prepared.delimiter.encode())
    with prepared.path.open("rb") as file:
        is_first = True
        while chunk := file.read(CHUNK):
            yield tidier.tidy(chunk.removeprefix(codecs.BOM_UTF8) if is_first else chunk)
            is_first = False
    yield tidier.rest()


class _Tidier:
    """Follows the quotes of a CSV file: one opens at the start of a value, `""` inside is text."""

    def __init__(self, blank: bytes, delimiter: bytes) -> None:
        self._blank = blank
        # What a value starts after; without a delimiter nothing is quoted.
        self._starters = (b"\n", delimiter) if delimiter else ()
        self._is_quoted = False
        self._was_closed = False
        self._is_at_start = bool(delimiter)
        self._is_line_empty = False
        self._held = b""

    def tidy(self, chunk: bytes) -> bytes:
        """The next bytes, tidied; a carriage return at the end waits for what follows."""
        chunk, self._held = self._held + chunk, b""
        if chunk.endswith(b"\r"):
            chunk, self._held = chunk[:-1], b"\r"
        return self._tidied(chunk)

    def rest(self) -> bytes:
        """What was held back."""
        held, self._held = self._held, b""
        return self._tidied(held)

    def _tidied(self, chunk: bytes) -> bytes:
        segments = chunk.split(b'"')
        for at, segment in enumerate(segments):
            if at:
                self._pass_quote()
            if segment and not self._is_quoted:
                segments[at] = self._outside(segment)
            if segment:
                self._was_closed = False
        return b'"'.join(segments)

    def _pass_quote(self) -> None:
        if self._is_quoted:
            self._is_quoted, self._was_closed = False, True
        elif self._was_closed or self._is_at_start:
            self._is_quoted, self._was_closed = True, False
        self._is_at_start = self._is_line_empty = False

    def _outside(self, segment: bytes) -> bytes:
        segment = segment.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if self._is_line_empty and segment.startswith(b"\n"):
            segment = self._blank + segment
        segment = _BLANK_LINE.sub(b"\n" + self._blank, segment)
        self._is_line_empty = segment.endswith(b"\n")
        self._is_at_start = segment.endswith(self._starters)
        return segment


@dataclass
class Survey:
    """What one pass over the bytes tells."""

    size: int = 0
    head: bytes = b""
    has_nul: bool = False
    longest_line: int = 0
    is_utf8: bool = True
    has_blank_lines: bool = False
    _line: int = 0
    _feeds: int = 0
    _returns: int = 0
    _pairs: int = 0
    _last: bytes = b""
    _last_two: bytes = b""
    _decoder: codecs.IncrementalDecoder = field(
        default_factory=lambda: codecs.getincrementaldecoder("utf-8")()
    )

    def add(self, chunk: bytes) -> None:
        """Take the next bytes into account."""
        if not self.head:
            self.head = chunk[:4096]
        self.size += len(chunk)
        self.has_nul = self.has_nul or b"\0" in chunk
        self._count_line_ends(chunk)
        if self.is_utf8 and not (chunk.isascii() and self._decoder.getstate()[0] == b""):
            try:
                self._decoder.decode(chunk)
            except UnicodeDecodeError:
                self.is_utf8 = False

    def _count_line_ends(self, chunk: bytes) -> None:
        self._feeds += chunk.count(b"\n")
        if b"\r" in chunk or self._last == b"\r":
            self._returns += chunk.count(b"\r")
            self._pairs += chunk.count(b"\r\n") + (self._last == b"\r" and chunk[:1] == b"\n")
        seam = self._last_two + chunk[:2]
        # One look for the usual line ends: each look at every byte takes as long as counting rows.
        possible = _BLANK_LINES if b"\r" in chunk else _BLANK_LINES[:1]
        self.has_blank_lines = (
            self.has_blank_lines
            or any(breaks in chunk for breaks in possible)
            or any(breaks in seam for breaks in _BLANK_LINES)
        )
        self._last_two = (self._last_two + chunk[-2:])[-2:]
        self._last = chunk[-1:]
        last = chunk.rfind(b"\n")
        if last < 0:
            last = chunk.rfind(b"\r")
        if last < 0:
            self._line += len(chunk)
        else:
            self._line = len(chunk) - last
        self.longest_line = max(self.longest_line, self._line)

    @property
    def mixes_line_ends(self) -> bool:
        """More than one of LF, CR and CRLF occurs."""
        lone_feeds, lone_returns = self._feeds - self._pairs, self._returns - self._pairs
        return [bool(lone_feeds), bool(lone_returns), bool(self._pairs)].count(True) > 1

    def encoding(self, path: Path) -> str:
        """The encoding of the bytes that were surveyed, which `path` holds."""
        for bom, encoding in _BOMS:
            if self.head.startswith(bom):
                return encoding
        if self.has_nul and (wide := _wide_encoding(self.head)):
            return wide
        if self.is_utf8 or _is_mostly_utf8(path):
            return "utf-8"
        return _legacy_encoding(path)


def _wide_encoding(head: bytes) -> str | None:
    """UTF-16 without a mark: nearly every second byte of ASCII text is zero."""
    pairs = len(head) // 2
    if pairs and head[1::2].count(0) > 0.7 * pairs:
        return "utf-16-le"
    if pairs and head[0::2].count(0) > 0.7 * pairs:
        return "utf-16-be"
    return None


def _is_mostly_utf8(path: Path) -> bool:
    """A damaged row in a UTF-8 file is quarantined; it does not make the file something else."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    valid = invalid = 0
    for chunk in _sampled(path):
        text = decoder.decode(chunk)
        damaged = text.count("\ufffd")
        invalid += damaged
        valid += len(text) - len(text.encode("ascii", errors="ignore")) - damaged
    return valid > 10 * invalid


def _legacy_encoding(path: Path) -> str:
    """The likeliest old code page; Western European unless enough text speaks for another."""
    sample = b"".join(line for chunk in _sampled(path) for line in _NOT_ASCII.findall(chunk))
    sample = sample[: 1 << 18]
    if sum(byte > 127 for byte in sample) > 64:
        best = from_bytes(sample, cp_isolation=_LEGACY).best()
        if best is not None:
            return best.encoding
    # Windows-1252 leaves five bytes undefined; Latin-1 defines them all.
    return "latin-1" if any(byte in sample for byte in b"\x81\x8d\x8f\x90\x9d") else "cp1252"


def _sampled(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        for _ in range(SAMPLE // CHUNK):
            yield file.read(CHUNK)


def _header(
    path: Path, expected: Collection[str], reading: Reading
) -> tuple[str, int, tuple[str, ...]]:
    """The delimiter that finds most expected columns in the header, the lines before, the names."""
    with path.open("rb") as file:
        text = file.read(1 << 20).decode("utf-8-sig", errors="replace")
    lines = text.splitlines(keepends=True)
    skipped = reading.header_row - 1
    while skipped < len(lines) and not lines[skipped].strip("\r\n"):
        skipped += 1
    content = "".join(lines[skipped:])
    best: tuple[tuple[int, int], str, tuple[str, ...]] | None = None
    for delimiter in [reading.delimiter] if reading.delimiter else DELIMITERS:
        try:
            names = tuple(next(csv.reader(io.StringIO(content, newline=""), delimiter=delimiter)))
        except (csv.Error, StopIteration):
            continue
        known = sum(squeezed(name) in expected for name in names)
        if best is None or (known, len(names)) > best[0]:
            best = (known, len(names)), delimiter, names
    if best is None:
        raise FileRefusedError(
            "it has no line of column names that can be read: write them into the first line"
        )
    _, delimiter, names = best
    refuse_too_many(names)
    return delimiter, skipped, tuple(name.removesuffix(NUMBER_MARK) for name in names)


def refuse_too_many(names: Collection[str]) -> None:
    """Refuse a file with more columns than any table has."""
    if len(names) > MAX_COLUMNS:
        raise FileRefusedError(
            f"it has {len(names)} columns; at most {MAX_COLUMNS} are taken: keep those that are needed"
        )
