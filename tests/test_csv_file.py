"""CSV files: what is read as it stands, what is refused with the option that declares it."""

import os
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import Any

import pytest

from rlsiron.csv_file import CsvFile, Row, opened
from rlsiron.errors import RlsironError

TABLE = "name,µ\na,1\nb,2\n"


def read(path: Path, **declared: str) -> tuple[list[str], list[Row]]:
    """Return the header and the rows of a file."""
    with opened(path, **declared) as source:
        return source.header, drain(source)


def drain(source: CsvFile) -> list[Row]:
    """Return every row."""
    return [row for chunk in source.chunks(2) for row in chunk]


def refusal(path: Path, content: bytes | str, **declared: str) -> str:
    """Return why a file is refused, its path left out."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(RlsironError) as error:
        read(path, **declared)
    return str(error.value).replace(repr(str(path)), "FILE")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "labs.csv"


# encodings


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8", None),
        ("utf-8-sig", None),
        ("utf-8-sig", "utf-8"),
        ("utf-8-sig", "UTF8"),
        ("latin-1", "latin-1"),
        ("cp1252", "windows-1252"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-32", "utf-32"),
    ],
)
def test_a_declared_encoding_is_read(file: Path, encoding: str, declared: str | None) -> None:
    file.write_bytes(TABLE.encode(encoding))
    header, rows = read(file, **({"encoding": declared} if declared else {}))
    assert header == ["name", "µ"]
    assert rows == [Row(2, ["a", "1"]), Row(3, ["b", "2"])]


def test_a_mark_of_declared_utf_16_is_no_part_of_the_first_name(file: Path) -> None:
    file.write_bytes(b"\xff\xfe" + TABLE.encode("utf-16-le"))
    assert read(file, encoding="utf-16-le")[0] == ["name", "µ"]


NOT_DECODED = {
    "latin-1": (
        TABLE.encode("latin-1"),
        {},
        (
            "FILE is not utf-8 at b'name,\\xb5\\na,1\\nb,2\\n'; say what it is, such as --encoding "
            "latin-1 or --encoding cp1252"
        ),
    ),
    "utf-16": (
        TABLE.encode("utf-16"),
        {},
        "FILE begins with the byte order mark of utf-16, so it is not utf-8; say --encoding utf-16",
    ),
    "utf-16 of the other end": (
        b"\xfe\xff" + TABLE.encode("utf-16-be"),
        {},
        "FILE begins with the byte order mark of utf-16, so it is not utf-8; say --encoding utf-16",
    ),
    "utf-32": (
        TABLE.encode("utf-32"),
        {},
        "FILE begins with the byte order mark of utf-32, so it is not utf-8; say --encoding utf-32",
    ),
    "utf-16 without a mark": (
        TABLE.encode("utf-16-le"),
        {},
        (
            "FILE holds a NUL byte, which CSV does not; export it as CSV, or say its encoding, "
            "such as --encoding utf-16-le"
        ),
    ),
    "utf-8 as latin-1": (
        TABLE.encode("utf-8-sig"),
        {"encoding": "latin-1"},
        (
            "FILE begins with the byte order mark of utf-8, so it is not iso8859-1; say --encoding "
            "utf-8"
        ),
    ),
    "utf-8 as utf-16": (
        TABLE.encode(),
        {"encoding": "utf-16"},
        "FILE is not utf-16; say what it is, such as --encoding latin-1 or --encoding cp1252",
    ),
    "unknown": (
        TABLE.encode(),
        {"encoding": "utf-99"},
        "unknown encoding 'utf-99'; write one such as utf-16, latin-1 or cp1252",
    ),
    "no encoding of text": (
        TABLE.encode(),
        {"encoding": "hex"},
        "unknown encoding 'hex'; write one such as utf-16, latin-1 or cp1252",
    ),
}


@pytest.mark.parametrize(("content", "declared", "sentence"), NOT_DECODED.values(), ids=NOT_DECODED)
def test_another_encoding_names_the_option(
    file: Path, content: bytes, declared: dict[str, str], sentence: str
) -> None:
    assert refusal(file, content, **declared) == sentence


def test_a_nul_byte_far_down_is_refused_with_its_line(file: Path) -> None:
    content = "ferritin\n" + "62 ng/mL\n" * 20_000 + "6\0\n"
    assert refusal(file, content).startswith("line 20002 of FILE holds a NUL byte")


# separators


@pytest.mark.parametrize(
    ("sign", "said"), [(",", "','"), (";", "';'"), ("\t", "tab"), ("|", "'|'")]
)
@pytest.mark.parametrize("declared", [True, False])
def test_another_separator_names_the_option(
    file: Path,
    sign: str,
    said: str,
    declared: bool,  # noqa: FBT001
) -> None:
    file.write_text(f"a{sign}b\n1{sign}2\n", encoding="utf-8")
    if declared or sign == ",":
        option = {} if sign == "," and not declared else {"separator": said.strip("'")}
        assert read(file, **option) == (["a", "b"], [Row(2, ["1", "2"])])
    else:
        assert refusal(file, file.read_bytes()) == (
            f"the header of FILE did not split at ',', and holds {said}; say --separator {said}"
        )


def test_a_declared_separator_that_does_not_split_is_refused(file: Path) -> None:
    assert refusal(file, "a,b,c\n", separator=";") == (
        "the header of FILE did not split at ';', and holds ','; say --separator ','"
    )


def test_a_rare_separator_is_shown_as_it_is(file: Path) -> None:
    assert "did not split at '^'" in refusal(file, "a,b\n", separator="^")
    assert "separator '^' in quotes" in refusal(file, "a^b\n1\n", separator="^")


def test_two_separators_in_a_header_are_not_chosen_from(file: Path) -> None:
    """Split at the comma, ferritin 62,5 would be 62."""
    content = "ferritin, ng/mL;tsat, %;age\n62,5;18,2;44\n"
    assert refusal(file, content) == (
        "the header of FILE holds ';' beside ','; say which one separates: --separator ';' or "
        "--separator ','"
    )
    assert read(file, separator=",")[1] == [Row(2, ["62", "5;18", "2;44"])]


@pytest.mark.parametrize("given", ["", ";;", "a", "5", '"', "\n", "comma"])
def test_what_separates_nothing_is_refused(file: Path, given: str) -> None:
    assert refusal(file, TABLE, separator=given) == (
        f"--separator {given!r} separates no cells; write ';', tab or the like"
    )


# rows


@pytest.mark.parametrize("content", ["", "\n\r\n\n", b"\xef\xbb\xbf"], ids=["none", "blank", "BOM"])
def test_an_empty_file_is_refused(file: Path, content: bytes | str) -> None:
    assert refusal(file, content) == "FILE is empty; give a CSV file with a header"


@pytest.mark.parametrize(("row", "cells"), [("1,2,3", 3), ("1", 1), ("62,5,18", 3)])
def test_a_ragged_row_is_refused_with_its_line(file: Path, row: str, cells: int) -> None:
    assert refusal(file, f"a,b\n1,2\n\n{row}\n") == (
        f"line 4 of FILE has {cells} cells where the header has 2; mend it, and put a cell that "
        "holds the separator ',' in quotes"
    )


def test_a_row_is_numbered_by_the_line_where_it_begins(file: Path) -> None:
    file.write_bytes(b'a,b\r\n1,"two\r\nlines"\r\n\r\n3,4\r\n')
    assert read(file)[1] == [Row(2, ["1", "two\r\nlines"]), Row(5, ["3", "4"])]


@pytest.mark.parametrize("row", ['1,"2', '1,"2"x'], ids=["open", "more behind"])
def test_a_broken_quote_is_refused_with_its_line(file: Path, row: str) -> None:
    said = refusal(file, f"a,b\n1,2\n{row}\n")
    assert said.startswith("the row at line 3 of FILE is not CSV: ")
    assert said.endswith("; mend its quotes")


def test_a_quote_that_is_never_closed_does_not_fill_the_memory(file: Path) -> None:
    said = refusal(file, 'a,b\n1,"' + "x\n" * 1_000_000)
    assert "field larger than field limit" in said


def test_rows_come_in_chunks(file: Path) -> None:
    file.write_text("a\n" + "1\n" * 5, encoding="utf-8")
    with opened(file) as source:
        assert [len(chunk) for chunk in source.chunks(2)] == [2, 2, 1]
        assert source.position == file.stat().st_size


# what cannot be opened


def test_a_file_that_is_not_there_is_a_sentence(file: Path) -> None:
    with pytest.raises(RlsironError, match=r"there is no file '.*'; give the path of a CSV file"):
        read(file)


def test_a_folder_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(RlsironError, match=r"'.*' is a folder; give the path of a CSV file"):
        read(tmp_path)


@pytest.mark.parametrize("name", ["x" * 10_000, "\0"], ids=["long", "NUL"])
def test_a_path_that_is_none_is_a_sentence(name: str) -> None:
    with pytest.raises(RlsironError, match="cannot be opened"):
        read(Path(name))


class Failing(RawIOBase):
    """A disk that gives some bytes, and then an error."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - of bytes
        if not self._content:
            raise OSError(5, "Input/output error")
        given, self._content = self._content, b""
        memoryview(buffer)[: len(given)] = given
        return len(given)


@pytest.mark.parametrize("content", [b"", b"ferritin\n62 ng/mL\n"], ids=["at once", "later"])
def test_a_disk_that_fails_is_a_sentence(content: bytes) -> None:
    stream: Any = BufferedReader(Failing(content))
    with pytest.raises(RlsironError, match=r"FILE cannot be read: .*Input/output error"):
        list(CsvFile(stream, "FILE", separator=None, encoding=None).chunks(9))


@pytest.mark.skipif(os.name != "posix", reason="pipes open in another way")
def test_a_pipe_is_read_and_knows_no_position() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(TABLE.encode())
    with os.fdopen(reading, "rb") as stream:
        assert isinstance(stream, BufferedReader)
        source = CsvFile(stream, "pipe", separator=None, encoding=None)
        assert len(next(source.chunks(9))) == 2
        assert source.position == 0


@pytest.mark.parametrize(
    ("start", "sentence"),
    [
        (b"\x1f\x8b\x08", "FILE is compressed by gzip; unpack it first: gunzip"),
        (b"PK\x03\x04", "FILE is a workbook or a zip archive; export or unpack it as CSV"),
        (b"PAR1", "FILE is a Parquet file; give it a name that ends in .parquet"),
    ],
)
def test_what_is_no_csv_says_what_it_is(file: Path, start: bytes, sentence: str) -> None:
    assert refusal(file, start + b"\x00rest") == sentence
