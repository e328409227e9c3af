"""`rlsiron table --engine`: an engine writes what one process writes, and its parts are counted."""

import json
from pathlib import Path

import dask
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
from distributed import LocalCluster
from pyspark.errors import PySparkRuntimeError
from pyspark.sql import SparkSession

from calling import run
from rlsiron import engines
from rlsiron.engines import engine_of
from rlsiron.errors import RlsironError

CALL = ("--unit", "ferritin=ng/mL", "--guideline", "aasm-2025")
ANSWER = ["aasm_2025_disposition", "aasm_2025_needs", "ferritin_low_ug_l", "problems"]


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two files with three rows each, two of which cannot be read in full."""
    folder = tmp_path / "archive"
    folder.mkdir()
    for at in (0, 3):
        pd.DataFrame(
            {
                "id": range(at, at + 3),
                "ferritin": [62.0, 310.0, None],
                "tsat": ["18 %", "12 / 14", None],
                "age": 44.0,
            }
        ).to_parquet(folder / f"{at}.parquet")
    monkeypatch.chdir(tmp_path)
    return folder


def rows_of(folder: str) -> pd.DataFrame:
    parts = [pd.read_parquet(path) for path in Path(folder).glob("*.parquet")]
    return pd.concat(parts).sort_values("id").reset_index(drop=True)[["id", *ANSWER]].astype(object)


def test_dask_writes_and_counts_what_one_process_does(archive: Path) -> None:
    one = run("table", str(archive), "--parts", "one", *CALL, "--json")
    on_dask = run("table", str(archive), "--engine", "dask", "--parts", "dask", *CALL, "--json")
    assert one.exit_code == on_dask.exit_code == 1
    pd.testing.assert_frame_equal(rows_of("dask"), rows_of("one"))
    told = json.loads(on_dask.stdout)
    assert (told["rows"], told["unreadable"], told["parts"]) == (6, 2, 2)
    assert told["dispositions"] == json.loads(one.stdout)["dispositions"]
    assert told["dispositions"]["aasm-2025"] == {
        "oral-or-iv-iron": 2, "withhold-iron": 2, "indeterminate": 2,
    }  # fmt: skip


def test_a_cluster_is_asked_at_its_address(archive: Path) -> None:
    local = LocalCluster(n_workers=1, processes=False, dashboard_address=None)  # type: ignore[no-untyped-call]
    with local as cluster:
        at = cluster.scheduler_address
        done = run(
            "table", str(archive), "--engine", "dask", "--address", at, "--parts", "x", *CALL
        )
    assert done.exit_code == 1, done.stderr
    assert len(rows_of("x")) == 6


def test_spark_writes_and_counts_what_one_process_does(archive: Path, spark: SparkSession) -> None:
    assert spark is not None  # the session that is there already is taken
    run("table", str(archive), "--parts", "one", *CALL)
    call = ("--engine", "spark", "--parts", "spark", "--columns", ",".join(ANSWER), *CALL)
    done = run("table", str(archive), *call, "--json")
    assert done.exit_code == 1, done.stderr
    pd.testing.assert_frame_equal(rows_of("spark"), rows_of("one"))
    assert json.loads(done.stdout)["rows"] == 6


def test_what_was_not_chosen_is_not_counted(archive: Path) -> None:
    call = ("--engine", "dask", "--parts", "x", "--columns", "notes", *CALL, "--json")
    done = run("table", str(archive), *call)
    told = json.loads(done.stdout)
    assert (told["rows"], told["unreadable"], told["dispositions"]) == (6, 0, {"aasm-2025": {}})


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--engine", "dusk", "--parts", "x"), "unknown engine 'dusk'; did you mean 'dask'?"),
        (("--engine", "dask", "-o", "x"), "--engine reads Parquet and writes parts; say --parts"),
        (
            ("--engine", "dask", "--parts", "x", "--part-rows", "5"),
            "--part-rows is of --parts without an engine; leave it out",
        ),
        (("-o", "x", "--part-rows", "5"), "--part-rows is of --parts without an engine"),
        (("--address", "tcp://h:1", "--parts", "x"), "--address 'tcp://h:1' is of an engine"),
        (("--engine", "dask", "--parts", "archive"), "'archive' is there; an engine writes to a"),
        (("--engine", "dask", "--parts", "x/y"), "there is no folder 'x' for the parts; make it"),
        (
            ("--parts", "x", "-o", "x/y"),
            "the output 'x/y' lies in the folder of parts; name another",
        ),
    ],
)
def test_a_wrong_call_is_one_sentence(
    archive: Path, options: tuple[str, ...], sentence: str
) -> None:
    done = run("table", str(archive), *options, *CALL)
    assert done.exit_code == 2
    assert done.stderr.startswith(f"error: {sentence}")
    assert not Path("x").exists()


ENGINES = pytest.mark.parametrize("engine", ["dask", "spark"])


def draw(**told: object) -> pa.Table:
    return pa.table({"ferritin": ["62 ng/mL"], "tsat": ["18 %"], "age": [44], **told})


@ENGINES
@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ((draw(), draw(conditions=["hemochromatosis"])), "has no column 'conditions', which"),
        (
            (draw(tsat=pa.array([0.45])), draw(tsat=pa.array([0.45], pa.float32()))),
            "column 'tsat' is double in",
        ),
    ],
    ids=["a column more", "a shorter float"],
)
def test_files_that_are_no_one_table_are_refused(
    tmp_path: Path, engine: str, files: tuple[pa.Table, ...], sentence: str, spark: SparkSession
) -> None:
    """Else the condition would be passed over, and 0.45 be 0.44999998807907104."""
    assert spark is not None
    for at, table in enumerate(files):
        pq.write_table(table, tmp_path / f"{at}.parquet")
    parts = tmp_path.parent / f"{tmp_path.name}-parts"
    done = run("table", str(tmp_path), "--engine", engine, "--parts", str(parts))
    assert done.exit_code == 2
    assert sentence in done.stderr
    assert not parts.exists()


@ENGINES
def test_a_name_in_a_path_is_no_column(tmp_path: Path, engine: str, spark: SparkSession) -> None:
    assert spark is not None
    (folder := tmp_path / "kidney=none").mkdir()
    pq.write_table(draw(kidney=["hemodialysis"]), folder / "0.parquet")
    call = ("--guideline", "aasm-2025", "--columns", "disposition")
    assert run("table", str(folder), "--parts", str(tmp_path / "one"), *call).exit_code == 0
    on_engine = ("--engine", engine, "--parts", str(tmp_path / engine))
    assert run("table", str(folder), *on_engine, *call).exit_code == 0
    one, other = (
        pd.concat(map(pd.read_parquet, (tmp_path / name).glob("*.parquet"))).astype(object)
        for name in ("one", engine)
    )
    assert one["kidney"].tolist() == ["hemodialysis"]
    pd.testing.assert_frame_equal(one, other)


@ENGINES
def test_damaged_numbers_are_not_read(tmp_path: Path, engine: str, spark: SparkSession) -> None:
    assert spark is not None
    path = tmp_path / "0.parquet"
    rows = pa.table({"ferritin": [f"{at} ng/mL" for at in range(300, 350)]})
    pq.write_table(rows, path, write_page_checksum=True, compression="none", use_dictionary=False)
    path.write_bytes(path.read_bytes().replace(b"325 ng", b"025 ng"))
    parts = tmp_path / "parts"
    done = run("table", str(path), "--engine", engine, "--parts", str(parts))
    assert done.exit_code == 2
    assert "CRC checksum verification failed" in done.stderr
    assert not list(parts.glob("[!._]*"))


def test_no_scheduler_at_the_address_is_told(archive: Path) -> None:
    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}):
        call = ("--engine", "dask", "--address", "tcp://127.0.0.1:1", "--parts", "x", *CALL)
        done = run("table", str(archive), *call)
    assert done.exit_code == 2
    assert done.stderr.startswith("error: no scheduler of Dask answers at 'tcp://127.0.0.1:1'")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("no gateway", "no gateway"),
        ("An error occurred\n: java.lang.X: no master\n\tat a.b\n", "java.lang.X: no master"),
        ("An error\n: c.Y\n\tat a.b\nCaused by: c.Z: damaged\n\tat c\n", "Caused by: c.Z: damaged"),
    ],
)
def test_a_master_of_spark_that_is_none_is_told(
    archive: Path, monkeypatch: pytest.MonkeyPatch, said: str, why: str
) -> None:
    class Refusing(SparkSession.Builder):
        def getOrCreate(self) -> SparkSession:  # noqa: N802 - of Spark
            raise PySparkRuntimeError(said, messageParameters={})

    monkeypatch.setattr(SparkSession, "builder", Refusing())
    call = ("--engine", "spark", "--address", "bogus", "--parts", "x", *CALL)
    done = run("table", str(archive), *call)
    assert done.exit_code == 2
    assert done.stderr == f"error: Spark at 'bogus' gave up: {why}\n"


@pytest.mark.parametrize(("missing", "is_ours"), [("dask", True), ("numpy", False)])
def test_a_missing_library_is_named(
    archive: Path,
    monkeypatch: pytest.MonkeyPatch,
    missing: str,
    is_ours: bool,  # noqa: FBT001
) -> None:
    def without(_: str) -> None:
        raise ModuleNotFoundError(name=missing)

    monkeypatch.setattr(engines, "import_module", without)
    arguments = ("table", str(archive), "--engine", "dask", "--parts", "x", *CALL)
    if not is_ours:
        with pytest.raises(AssertionError):
            run(*arguments)
        return
    done = run(*arguments)
    assert "run pip install 'rlsiron[dask]'" in done.stderr


def test_an_engine_is_named_in_lower_case() -> None:
    with pytest.raises(RlsironError, match="unknown engine 'Spark'; did you mean 'spark'"):
        engine_of("Spark")
