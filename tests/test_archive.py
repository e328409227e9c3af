"""One file or many into a stream, a file, or parts that a killed run goes on with."""

import os
import shutil
from collections.abc import Callable, Sequence
from io import BytesIO, StringIO
from pathlib import Path
from random import Random

import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pytest

from archives import KINDS, parts_in, rows, store, stored, table
from rlsiron import csv_answers, parquet_file
from rlsiron.archive import Archive
from rlsiron.csv_answers import CsvFormat
from rlsiron.errors import RlsironError
from rlsiron.file_answers import Asked, Format
from rlsiron.guideline import load_guideline
from rlsiron.parquet_file import ParquetFormat

FORMATS: dict[str, Format] = {
    "csv": CsvFormat(None, None, "."),
    "parquet": ParquetFormat({"sha256": "abc"}),
}
CALL = {"--part-rows": 3}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def archive(
    files: Sequence[Path], kind: str, told: Callable[[int, int], None] = lambda *_: None
) -> Archive:
    asked = Asked((load_guideline("aasm-2025"),), {}, {}, ".", strict=False)
    return Archive(files, FORMATS[kind], asked, told)


# into a stream, a file, parts


def test_files_are_one_table_in_their_order() -> None:
    files = stored("csv", 3, 5)
    stream = StringIO()
    done = archive(files, "csv").to_stream(stream)
    lines = stream.getvalue().splitlines()
    assert [line.split(",")[0] for line in lines] == ["id", *map(str, range(8))]
    assert done.tally.rows == 8


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_what_goes_into_a_stream(kind: str) -> None:
    files, stream, path = stored(kind, 9, 4), BytesIO(), Path(f"out.{kind}")
    streamed = archive(files, kind).to_stream(stream)
    filed = archive(files, kind).to_file(path)
    Path(f"stream.{kind}").write_bytes(stream.getvalue())
    assert rows(path) == rows(Path(f"stream.{kind}"))
    assert filed.tally == streamed.tally
    assert (filed.parts, filed.parts_before) == (0, 0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sizes", [(1,), (9,), (10, 3), (7, 0, 6)], ids=str)
@pytest.mark.parametrize("size", [1, 3, 100])
def test_parts_joined_are_the_file(kind: str, sizes: tuple[int, ...], size: int) -> None:
    files = stored(kind, *sizes)
    whole = archive(files, kind)
    filed = whole.to_file(Path(f"whole.{kind}"))
    made = archive(files, kind)
    done = made.to_parts(Path("parts"), size, CALL)
    made.join(Path(f"out.{kind}"))
    assert rows(Path(f"out.{kind}")) == rows(Path(f"whole.{kind}"))
    assert done.tally == filed.tally
    assert done.parts == sum(-(-rows // size) for rows in sizes) == len(parts_in(Path("parts")))
    assert done.parts_before == 0


def test_parts_are_numbered_by_their_input_and_in_it() -> None:
    archive(stored("csv", 4, 2), "csv").to_parts(Path("parts"), 3, CALL)
    numbers = ("00001-00001", "00001-00002", "00002-00001")
    assert parts_in(Path("parts")) == [f"part-{number}.csv" for number in numbers]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("chunk", [2, 1_000])
def test_parts_that_are_gone_or_cut_are_written_again_wherever_they_are(
    kind: str, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_answers, "CHUNK", chunk)
    monkeypatch.setattr(parquet_file, "CHUNK", chunk)
    files, random = stored(kind, 13, 6), Random(5)  # noqa: S311 - parts, no secrets
    whole = archive(files, kind).to_parts(Path("parts"), 3, CALL)
    names = parts_in(Path("parts"))
    before = {name: rows(Path("parts") / name) for name in names}
    assert whole.parts == 7
    for damaged in [{at} for at in range(7)] + [set(random.sample(range(7), 3)) for _ in range(5)]:
        for at in damaged:
            path = Path("parts") / names[at]
            if random.random() < 0.5:
                path.unlink()
            else:
                path.write_bytes(path.read_bytes()[:-1])
        again = archive(files, kind).to_parts(Path("parts"), 3, CALL)
        assert {name: rows(Path("parts") / name) for name in names} == before
        assert parts_in(Path("parts")) == names
        assert again.parts_before == 7 - len(damaged)
        assert (again.parts, again.tally) == (7, whole.tally)


def test_a_copy_of_a_part_in_the_folder_is_not_joined() -> None:
    files = stored("csv", 7)
    archive(files, "csv").to_parts(Path("parts"), 3, CALL)
    shutil.copy("parts/part-00001-00002.csv", "parts/part-00001-00002 copy.csv")
    made = archive(files, "csv")
    made.to_parts(Path("parts"), 3, CALL)
    made.join(Path("out.csv"))
    archive(files, "csv").to_file(Path("whole.csv"))
    assert rows(Path("out.csv")) == rows(Path("whole.csv"))


@pytest.mark.parametrize("kind", KINDS)
def test_an_input_that_changed_is_another_call(kind: str) -> None:
    files = stored(kind, 5)
    archive(files, kind).to_parts(Path("parts"), 3, CALL)
    store(table(6), str(files[0]))
    with pytest.raises(RlsironError, match="was changed since the parts of the folder"):
        archive(files, kind).to_parts(Path("parts"), 3, CALL)


@pytest.mark.parametrize("kind", KINDS)
def test_progress_tells_every_row_once_and_ends_at_the_size(kind: str) -> None:
    files = stored(kind, 9, 4)
    for again in (False, True):
        told: list[tuple[int, int]] = []
        made = archive(files, kind, lambda *some: told.append(some))  # noqa: B023 - told at once
        made.to_parts(Path("parts"), 3, CALL)
        assert sum(rows for rows, _ in told) == 13
        assert made.size == (13 if kind == "parquet" else sum(map(os.path.getsize, files)))
        assert again or told[-1][1] == made.size


def test_the_size_of_one_file_is_known_when_it_is_read() -> None:
    files = stored("parquet", 9)
    made = archive(files, "parquet")
    assert made.size == 0
    made.to_stream(BytesIO())
    assert made.size == 9


# files that do not go together


def refused(made: Callable[[], object]) -> str:
    with pytest.raises(RlsironError) as fault:
        made()
    return str(fault.value)


ALIKE = "; answer them in separate calls, or write them alike"


@pytest.mark.parametrize("kind", KINDS)
def test_files_of_other_columns_are_refused(kind: str) -> None:
    one, other = f"labs/0.{kind}", f"labs/1.{kind}"
    stored(kind, 2)
    files = [Path(one), Path(other)]
    for columns, why in (
        (["id", "ferritin"], f"'{other}' has no column 'tsat', which '{one}' has{ALIKE}"),
        (
            ["id", "ferritin", "tsat", "crp"],
            f"'{one}' has no column 'crp', which '{other}' has{ALIKE}",
        ),
        (
            ["id", "tsat", "ferritin"],
            f"'{other}' has the columns of '{one}' in another order{ALIKE}",
        ),
    ):
        data = table(2).append_column("crp", pa.array(["1 mg/L"] * 2))
        store(data.select(columns), other)
        assert refused(lambda: archive(files, kind)) == why


def test_files_of_other_types_are_refused() -> None:
    files = [*stored("parquet", 2), Path("labs/1.parquet")]
    store(table(2).set_column(0, "id", pa.array(["a", "b"])), "labs/1.parquet")
    assert refused(lambda: archive(files, "parquet")) == (
        f"column 'id' is int64 in 'labs/0.parquet' and string in 'labs/1.parquet'{ALIKE}"
    )


def test_a_pipe_is_not_read_twice() -> None:
    """What was looked at of it would be gone when it is answered."""
    os.mkfifo("pipe.csv")
    files = [*stored("csv", 2), Path("pipe.csv")]
    assert refused(lambda: archive(files, "csv")) == (
        "'pipe.csv' is read once only; make it a file, or give it alone"
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sizes", [(0,), (0, 0)], ids=str)
def test_files_without_rows_are_refused(kind: str, sizes: tuple[int, ...]) -> None:
    files = stored(kind, *sizes)
    why = f"'labs/0.{kind}' has columns and no row; give it rows"
    assert refused(lambda: archive(files, kind).to_file(Path("out"))) == why
    assert refused(lambda: archive(files, kind).to_parts(Path("parts"), 3, CALL)) == why
    assert not Path("out").exists()
    assert parts_in(Path("parts")) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_far_down_leaves_the_parts_before_it(kind: str) -> None:
    files = stored(kind, 20, 20)
    if kind == "csv":
        with files[1].open("a") as file:
            file.write("one cell\n")
    else:
        data = bytearray(files[1].read_bytes())
        data[4:60] = b"\xff" * 56
        files[1].write_bytes(data)
    with pytest.raises(RlsironError, match="labs/1"):
        archive(files, kind).to_parts(Path("parts"), 20, CALL)
    assert parts_in(Path("parts")) == [f"part-00001-00001.{kind}"]
    with pytest.raises(RlsironError, match="labs/1"):
        archive(files, kind).to_file(Path("out"))
    assert not Path("out").exists()


def test_parts_with_line_ends_in_their_header_are_joined_under_one() -> None:
    path = Path("labs.csv")
    path.write_text('"a\nname",ferritin\n' + "x,62 ng/mL\n" * 7, encoding="utf-8")
    made = archive([path], "csv")
    made.to_parts(Path("parts"), 3, CALL)
    made.join(Path("out.csv"))
    archive([path], "csv").to_file(Path("whole.csv"))
    assert rows(Path("out.csv")) == rows(Path("whole.csv"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [1, 3])
def test_what_is_a_fault_of_the_call_does_not_depend_on_the_size_of_parts(
    kind: str, size: int
) -> None:
    """The first row has no unit, and the second one has."""
    df = pd.DataFrame({"ferritin": [62.0, 80.0], "ferritin_unit": [None, "ng/mL"]})
    path = Path(f"units.{kind}")
    if kind == "csv":
        df.to_csv(path, index=False)
    else:
        df.to_parquet(path)
    done = archive([path], kind).to_parts(Path("parts"), size, CALL)
    assert (done.tally.rows, done.tally.unreadable) == (2, 1)
