"""One file or many into a stream, a file, or parts that a killed run goes on with."""

import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from io import BytesIO, StringIO
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest

from calling import command, run, status
from rlsiron import csv_answers, parquet_file
from rlsiron.archive import Archive, Done
from rlsiron.csv_answers import CsvFormat
from rlsiron.errors import RlsironError
from rlsiron.file_answers import Asked, Format
from rlsiron.guideline import load_guideline
from rlsiron.parquet_file import ParquetFormat
from rlsiron.parts import RECORD
from rlsiron.table_command import TABLE

KILLS = int(os.environ.get("RLSIRON_KILLS", "20"))
KINDS = ["csv", "parquet"]
FORMATS: dict[str, Format] = {
    "csv": CsvFormat(None, None, "."),
    "parquet": ParquetFormat({"sha256": "abc"}),
}
CALL = {"--part-rows": 3}
GIVEN: dict[str, Any] = {
    **dict.fromkeys(("parts", "unit", "column", "chosen", "engine", "address")),
    **dict.fromkeys(("separator", "encoding", "guidelines")),
    "files": ["labs"],
    "output": "out.pq",
    "part_rows": 3,
    "json": False,
    "decimal": ".",
    "prefix": "",
    "strict": False,
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def table(rows: int, start: int = 0) -> pa.Table:
    """Return rows of which some cannot be read; each has a number of its own."""
    seed = np.random.default_rng(start + rows)
    cells = ["62 ng/mL", "<5 ug/L", "310 ng/mL", "a lot", "", "QNS", "7.5 ug/dL"]
    return pa.table(
        {
            "id": range(start, start + rows),
            "ferritin": [cells[at] for at in seed.integers(0, len(cells), rows)],
            "tsat": [f"{share:.1f} %" for share in seed.uniform(2, 60, rows)],
        },
        pa.schema({"id": pa.int64(), "ferritin": pa.string(), "tsat": pa.string()}),
    )


def store(data: pa.Table, name: str) -> Path:
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    if path.suffix == ".csv":
        lines = [",".join(data.column_names)]
        lines += [",".join(map(str, row.values())) for row in data.to_pylist()]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    else:
        pq.write_table(data, path, row_group_size=7)
    return path


def stored(kind: str, *sizes: int) -> list[Path]:
    """Write files of so many rows, numbered through, to the folder `labs`."""
    starts = [sum(sizes[:at]) for at in range(len(sizes))]
    pairs = enumerate(zip(sizes, starts, strict=True))
    return [store(table(size, start), f"labs/{at}.{kind}") for at, (size, start) in pairs]


def archive(
    files: Sequence[Path], kind: str, told: Callable[[int, int], None] = lambda *_: None
) -> Archive:
    asked = Asked((load_guideline("aasm-2025"),), {}, {}, ".", strict=False)
    return Archive(files, FORMATS[kind], asked, told)


def rows(path: Path) -> object:
    """Return what two files must have in common: of CSV all bytes, of Parquet all cells."""
    if path.suffix == ".csv":
        return path.read_bytes()
    read = pq.read_table(path)
    return {name: read[name].to_pylist() for name in read.column_names}, read.schema


def parts_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != RECORD)


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
    with pytest.raises(RlsironError, match=r"has parts of another call: the input was \["):
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
    why = f"'labs/0.{kind}' has a header and no row below it; give it rows"
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


# as processes


PART_ROWS = 8
OPTIONS = ("--part-rows", str(PART_ROWS), "--guideline", "aasm-2025")


def _killed(call: Sequence[str], random: Random) -> bool:
    """Run a call, kill it at a random moment, and return whether it was still running."""
    record = Path("parts") / RECORD
    at_start = random.random() < 0.25
    before = record.stat().st_size if record.exists() else 0
    with subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        if not at_start:  # after at least one part
            while running.poll() is None and not (
                record.exists() and record.stat().st_size > before
            ):
                time.sleep(0.002)
        time.sleep(random.uniform(0, 1.2 if at_start else 0.3))
        running.kill()
    return running.returncode < 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_that_is_killed_again_and_again_ends_as_an_undisturbed_one(kind: str) -> None:
    files, out = stored(kind, 900, 5, 700), Path(f"out.{kind}")
    assert run("table", "labs", "-o", f"whole.{kind}", *OPTIONS).exit_code == 1
    whole = rows(Path(f"whole.{kind}"))
    call = command("table", "labs", "--parts", "parts", "-o", str(out), *OPTIONS)
    random, kills = Random(f"{kind} {KILLS}"), 0  # noqa: S311 - moments, no secrets
    while kills < KILLS / 2:
        kills += _killed(call, random)
        if out.exists():  # if at all, then whole; and once more from the start
            assert rows(out) == whole
            out.unlink()
            shutil.rmtree("parts")
    ended = subprocess.run(call, capture_output=True, check=False, encoding="utf-8")
    assert ended.returncode == 1, ended.stderr
    assert rows(out) == whole
    assert len(parts_in(Path("parts"))) == sum(
        -(-table_rows // PART_ROWS) for table_rows in (900, 5, 700)
    )
    numbers = [
        number for name in parts_in(Path("parts")) for number in _numbers(Path("parts") / name)
    ]
    assert numbers == list(range(1605)), files


def _numbers(path: Path) -> list[int]:
    if path.suffix == ".csv":
        return [int(line.split(",")[0]) for line in path.read_text().splitlines()[1:]]
    numbers: list[int] = pq.read_table(path)["id"].to_pylist()
    return numbers


def _full(bytes_: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, bytes_))


@pytest.mark.parametrize("kind", KINDS)
def test_a_disk_that_fills_is_one_sentence_and_nothing_is_in_place(kind: str) -> None:
    stored(kind, 400)
    # which writes a file of its own
    without_coverage = {
        name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")
    }
    for target in (["-o", f"out.{kind}"], ["--parts", "parts"]):
        done = subprocess.run(
            command("table", "labs", *target),
            capture_output=True,
            check=False,
            encoding="utf-8",
            env=without_coverage,
            preexec_fn=lambda: _full(8_000),
        )
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert done.stderr.startswith("error: the output ")
        assert done.stderr.endswith(
            "cannot be written: File too large; nothing of it is in place\n"
        )
    assert sorted(path.name for path in Path().iterdir()) == ["labs", "parts"]
    assert parts_in(Path("parts")) == []


def test_a_stream_that_is_full_is_one_sentence() -> None:
    stored("csv", 400)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command("table", "labs"), stdout=full, stderr=subprocess.PIPE, check=False, text=True
        )
    assert done.returncode == 2
    assert done.stderr == (
        "error: the output cannot be written: [Errno 28] No space left on device\n"
    )


def test_parts_with_line_ends_in_their_header_are_joined_under_one() -> None:
    path = Path("labs.csv")
    path.write_text('"a\nname",ferritin\n' + "x,62 ng/mL\n" * 7, encoding="utf-8")
    made = archive([path], "csv")
    made.to_parts(Path("parts"), 3, CALL)
    made.join(Path("out.csv"))
    archive([path], "csv").to_file(Path("whole.csv"))
    assert rows(Path("out.csv")) == rows(Path("whole.csv"))


@pytest.mark.parametrize(
    ("kind", "options", "why"),
    [
        ("parquet", [], "Parquet is not printed; say where it goes: -o out.parquet"),
        ("csv", ["-o", "labs"], "the output 'labs' is a folder; for a folder of parts say --parts"),
        ("csv", ["-o", "labs/0.csv"], "is the input; name another file"),
        ("csv", ["-o", "."], "-o '.' names no place; name a file or a folder"),
        ("csv", ["--parts", ".."], "--parts '..' names no place; name a file or a folder"),
        ("csv", ["--parts", "labs"], "holds other files, such as '0.csv'; name a new one"),
        (
            "parquet",
            ["-o", "out.pq", "--separator", ";"],
            "--separator is for CSV; a Parquet file says such things itself",
        ),
        (
            "parquet",
            ["--parts", "parts", "--encoding", "latin-1"],
            "--encoding is for CSV; a Parquet file says such things itself",
        ),
    ],
)
def test_a_call_that_has_no_place_to_write_is_refused(
    kind: str, options: list[str], why: str
) -> None:
    (file,) = stored(kind, 3)
    before = file.read_bytes()
    done = run("table", "labs", *options)
    assert done.exit_code == 2
    assert why in done.stderr
    assert file.read_bytes() == before
    assert [path.name for path in Path().iterdir()] == ["labs"]


@pytest.mark.parametrize(
    ("lacking", "why"), [("pyarrow", "pip install 'rlsiron[parquet]'"), ("pandas", None)]
)
def test_without_pyarrow_parquet_is_refused_with_the_way_out(
    lacking: str, why: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored("parquet", 3)
    monkeypatch.delitem(sys.modules, "rlsiron.parquet_file")
    monkeypatch.setitem(sys.modules, lacking, None)
    if why is None:
        with pytest.raises(ModuleNotFoundError, match=lacking):
            TABLE.run(**GIVEN)
    else:
        with pytest.raises(RlsironError) as fault:
            TABLE.run(**GIVEN)
        assert why in str(fault.value)


def test_columns_are_chosen_in_one_option_or_in_several(monkeypatch: pytest.MonkeyPatch) -> None:
    stored("csv", 3)
    call = ("table", "labs", "--guideline", "mayo-2021", "-o", "out.csv")
    headers = []
    for chosen in (["notes,tsat_bound"], ["notes", "--columns", "tsat_bound"]):
        assert status(monkeypatch, [*call, "--columns", *chosen]) in {0, 1}
        headers.append(Path("out.csv").read_text(encoding="utf-8").splitlines()[0])
    assert headers == ["id,ferritin,tsat,tsat_bound,notes"] * 2


def test_a_call_as_a_user_gives_it_again() -> None:
    stored("csv", 10)
    call = ("table", "labs", "--parts", "parts", "--part-rows", "4", "-o", "out.csv")
    first, again = run(*call), run(*call)
    assert (first.exit_code, again.exit_code) == (1, 1)
    assert "Parts: 3; there before: 0." in first.stderr
    assert "Parts: 3; there before: 3." in again.stderr
    other = run(*call, "--decimal", ",")
    assert other.exit_code == 2
    assert "parts of another call: --decimal was '.', and is ','" in other.stderr
    assert run(*call[:-3], "5").exit_code == 2


def test_a_guideline_file_that_changed_is_another_call() -> None:
    from rlsiron.catalog import text_of

    stored("csv", 4)
    own = text_of("guidelines/mayo-2021.toml").replace('id = "mayo-2021"', 'id = "own"', 1)
    own = own.replace("Mayo 2021", "Own")
    Path("own.toml").write_text(own, encoding="utf-8")
    call = ("table", "labs", "--parts", "parts", "--guideline", "own.toml")
    assert run(*call).exit_code in {0, 1}
    Path("own.toml").write_text(own + "\n# another\n", encoding="utf-8")
    again = run(*call)
    assert again.exit_code == 2
    assert "parts of another call: the knowledge was" in again.stderr


def test_done_begins_with_nothing_done() -> None:
    made: Any = None
    assert (Done(made).tally.rows, Done(made).parts, Done(made).parts_before) == (0, 0, 0)
