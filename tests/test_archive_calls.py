"""Files answered by calls: killed, on a full disk, given again, or wrong."""

import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest

from archives import KINDS, parts_in, rows, stored
from calling import command, run, status
from rlsiron.archive import Done
from rlsiron.errors import RlsironError
from rlsiron.parts import RECORD
from rlsiron.table_command import TABLE

KILLS = int(os.environ.get("RLSIRON_KILLS", "20"))
GIVEN: dict[str, Any] = {
    **dict.fromkeys(("parts", "unit", "column", "chosen", "engine", "address")),
    **dict.fromkeys(("separator", "encoding", "guidelines")),
    "files": ["labs"],
    "output": "out.pq",
    "part_rows": None,
    "json": False,
    "decimal": ".",
    "prefix": "",
    "strict": False,
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


PART_ROWS = 8
OPTIONS = ("--guideline", "aasm-2025")


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
    sized = ("--parts", "parts", "--part-rows", str(PART_ROWS))
    call = command("table", "labs", *sized, "-o", str(out), *OPTIONS)
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
    monkeypatch.delitem(sys.modules, "rlsiron.parquet_file", raising=False)
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
