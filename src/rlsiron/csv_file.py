"""Reads a CSV file in chunks; knows no column by its meaning.

Every cell is a text. Nothing is guessed: where the encoding or the separator is another one than
was declared, the error names the option that declares it.
"""

import codecs
import csv
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from rlsiron.errors import RlsironError, shown

_SEPARATORS = {",": "','", ";": "';'", "\t": "tab", "|": "'|'"}  # as one says them in a shell
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as the next one does
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OTHERS = (
    (b"\x1f\x8b", "is compressed by gzip; unpack it first: gunzip"),
    (b"PK\x03\x04", "is a workbook or a zip archive; export or unpack it as CSV"),
    (b"PAR1", "is a Parquet file; give it a name that ends in .parquet"),
)
_HEAD = 4096  # bytes that are looked at before any is read


class Row(NamedTuple):
    """The cells of a row, and the line of the file where it begins."""

    line: int
    cells: list[str]


class CsvFile:
    """A CSV file that is being read.

    Attributes
    ----------
    name
        Its path, as it is shown in an error.
    separator
        What separates its cells.
    header
        The first row.
    """

    def __init__(
        self, stream: BufferedReader, name: str, *, separator: str | None, encoding: str | None
    ) -> None:
        self.name = name
        self._stream = stream
        self._text = _decoded(stream, name, encoding)
        self.separator = _separator(separator)
        self._rows = self._read()
        header = next(self._rows, None)
        if header is None:
            raise RlsironError(f"{name} is empty; give a CSV file with a header")
        self.header = [header.cells[0].removeprefix("\ufeff"), *header.cells[1:]]
        self._refuse_another_separator(declared=separator is not None)

    @property
    def position(self) -> int:
        """How many bytes are read; 0 of a pipe, which does not know."""
        return self._stream.tell() if self._stream.seekable() else 0

    def skip(self, rows: int) -> None:
        """Pass over so many rows."""
        next(islice(self._rows, rows, rows), None)

    def chunks(self, rows: int) -> Iterator[list[Row]]:
        """Yield the rows below the header, so many at a time; blank lines are none.

        Raises
        ------
        RlsironError
            If a row has more or fewer cells than the header, or the text cannot be read.
        """
        while chunk := list(islice(self._rows, rows)):
            for row in chunk:
                if len(row.cells) != len(self.header):
                    sign = _SEPARATORS.get(self.separator, repr(self.separator))
                    raise RlsironError(
                        f"line {row.line} of {self.name} has {len(row.cells)} cells where the "
                        f"header has {len(self.header)}; mend it, and put a cell that holds the "
                        f"separator {sign} in quotes"
                    )
            yield chunk

    def _read(self) -> Iterator[Row]:
        reader = csv.reader(self._lines(), delimiter=self.separator, strict=True)
        line = 1
        try:
            for cells in reader:
                if cells:
                    yield Row(line, cells)
                line = reader.line_num + 1
        except csv.Error as fault:
            raise RlsironError(
                f"the row at line {line} of {self.name} is not CSV: {fault}; mend its quotes"
            ) from None

    def _lines(self) -> Iterator[str]:
        try:
            for number, line in enumerate(self._text, 1):
                if "\0" in line:
                    raise RlsironError(f"line {number} of {self.name} {_NUL}")
                yield line
        except UnicodeError as fault:
            met = ""
            if isinstance(fault, UnicodeDecodeError):
                met = f" at {fault.object[max(fault.start - 10, 0) : fault.start + 10]!r}"
            raise RlsironError(
                f"{self.name} is not {self._text.encoding.removesuffix('-sig')}{met}; say what it "
                "is, such as --encoding latin-1 or --encoding cp1252"
            ) from None
        except OSError as fault:
            raise RlsironError(f"{self.name} cannot be read: {fault}") from None

    def _refuse_another_separator(self, *, declared: bool) -> None:
        """Refuse a header that another separator may split, unless one was declared and splits."""
        split = len(self.header) > 1
        counts = {
            sign: sum(name.count(sign) for name in self.header)
            for sign in _SEPARATORS
            if sign != self.separator
        }
        other = max(counts, key=counts.__getitem__)
        if not counts[other] or (declared and split):
            return
        here = _SEPARATORS.get(self.separator, repr(self.separator))
        there = _SEPARATORS[other]
        if split:
            raise RlsironError(
                f"the header of {self.name} holds {there} beside {here}; say which one separates: "
                f"--separator {there} or --separator {here}"
            )
        raise RlsironError(
            f"the header of {self.name} did not split at {here}, and holds {there}; say "
            f"--separator {there}"
        )


_NUL = (
    "holds a NUL byte, which CSV does not; export it as CSV, or say its encoding, such as "
    "--encoding utf-16-le"
)


@contextmanager
def opened(
    path: Path, *, separator: str | None = None, encoding: str | None = None
) -> Iterator[CsvFile]:
    """Open a CSV file.

    Parameters
    ----------
    path
        Where it is.
    separator
        A character or ``"tab"``; a comma if not declared.
    encoding
        UTF-8, with or without a byte order mark, if not declared.

    Raises
    ------
    RlsironError
        If there is no such file, it is empty, or it has another encoding or separator.
    """
    name = repr(str(path))
    try:
        stream = path.open("rb")
    except FileNotFoundError:
        raise RlsironError(f"there is no file {name}; give the path of a CSV file") from None
    except IsADirectoryError:
        raise RlsironError(f"{name} is a folder; give the path of a CSV file") from None
    except (OSError, ValueError) as fault:
        raise RlsironError(f"{name} cannot be opened: {fault}") from None
    with stream:
        yield CsvFile(stream, name, separator=separator, encoding=encoding)


def _separator(given: str | None) -> str:
    if given is None:
        return ","
    sign = {"tab": "\t", "\\t": "\t"}.get(given, given)
    if len(sign) != 1 or sign.isalnum() or sign in '"\r\n\0':
        raise RlsironError(f"--separator {given!r} separates no cells; write ';', tab or the like")
    return sign


def _decoded(stream: BufferedReader, name: str, declared: str | None) -> TextIOWrapper:
    """Return the text of a file, its encoding held against its first bytes."""
    try:
        head = stream.peek(_HEAD)
    except OSError as fault:
        raise RlsironError(f"{name} cannot be read: {fault}") from None
    marked = next((encoding for mark, encoding in _MARKS if head.startswith(mark)), "utf-8")
    try:
        encoding = codecs.lookup(declared or "utf-8").name
        text = TextIOWrapper(
            stream, encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline=""
        )
    except (LookupError, ValueError):
        raise RlsironError(
            f"unknown encoding {shown(declared)}; write one such as utf-16, latin-1 or cp1252"
        ) from None
    for mark, what in _OTHERS:
        if head.startswith(mark):
            raise RlsironError(f"{name} {what}")
    has_mark = any(head.startswith(mark) for mark, _ in _MARKS)
    if has_mark and not encoding.startswith(marked):
        raise RlsironError(
            f"{name} begins with the byte order mark of {marked}, so it is not {encoding}; say "
            f"--encoding {marked}"
        )
    if b"\0" in head and not encoding.startswith(("utf-16", "utf-32")):
        raise RlsironError(f"{name} {_NUL}")
    return text
