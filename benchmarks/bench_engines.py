"""How many rows a second Dask and Spark answer on two cores, beside one process in the same run.

From Parquet to Parquet, numbers, one guideline: with every column of the answer, and with the
disposition alone. Medians of rounds taken in turn; the first round, which starts processes and
fills memories, is left out. The last round has ten times the rows, once.
"""

import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from typing import Any

import dask
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from distributed import Client, LocalCluster
from pyspark.sql import SparkSession

from rlsiron import dask_frames, spark_frames
from rlsiron.frames import interpret_frame

ROWS = int(os.environ.get("RLSIRON_BENCH_ROWS", "1_000_000"))
FILES = 10
ROUNDS = 5
CORES = 2
ASKED: dict[str, Any] = {"guidelines": "aasm-2025", "units": {"ferritin": "ng/mL", "tsat": "%"}}
WANTED = {"every column": None, "the disposition": ["aasm_2025_disposition"]}
Work = Callable[[Path, Path, list[str] | None], None]


def write_rows(folder: Path, rows: int) -> None:
    """Write files of three numbers."""
    folder.mkdir()
    for at in range(FILES):
        rng = np.random.default_rng(at)
        some = rows // FILES
        df = pd.DataFrame(
            {
                "ferritin": rng.lognormal(4.2, 1, some).clip(1, 5000).round(1),
                "tsat": rng.uniform(1, 60, some).round(1),
                "age": rng.uniform(0, 90, some).round(1),
            }
        )
        df.to_parquet(folder / f"{at}.parquet")


def one_process(source: Path, target: Path, wanted: list[str] | None) -> None:
    """Answer a file at a time, by the frame."""
    target.mkdir()
    for path in sorted(source.iterdir()):
        df = pd.read_parquet(path)
        out = interpret_frame(df, **ASKED)
        both = pd.concat([df, out if wanted is None else out[wanted]], axis=1)
        pq.write_table(pa.Table.from_pandas(both), target / path.name)


@contextmanager
def engines() -> Iterator[dict[str, Work]]:
    """Give what is compared, the first of which is one process."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    config = {
        "spark.driver.memory": "3g",
        "spark.log.level": "OFF",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    spark = SparkSession.builder.master(f"local[{CORES}]").config(map=config).getOrCreate()

    def by_threads(source: Path, target: Path, wanted: list[str] | None) -> None:
        with dask.config.set(scheduler="threads", num_workers=CORES):
            dask_frames.interpret_parquet(str(source), str(target), answers=wanted, **ASKED)

    def by_processes(source: Path, target: Path, wanted: list[str] | None) -> None:
        with dask.config.set(scheduler="dask.distributed"):
            dask_frames.interpret_parquet(str(source), str(target), answers=wanted, **ASKED)

    def by_spark(source: Path, target: Path, wanted: list[str] | None) -> None:
        spark_frames.interpret_parquet(
            str(source), str(target), spark=spark, answers=wanted, **ASKED
        )

    with (
        LocalCluster(
            n_workers=CORES, threads_per_worker=1, dashboard_address="127.0.0.1:0"
        ) as cluster,
        Client(cluster),
    ):
        yield {
            "one process": one_process,
            "Dask, two threads": by_threads,
            "Dask, two processes": by_processes,
            "Spark, two cores": by_spark,
        }
    spark.stop()


def seconds(work: Work, source: Path, wanted: list[str] | None) -> float:
    """Return how long a folder takes, whose answer is thrown away."""
    target = source.with_name("out")
    start = time.perf_counter()
    work(source, target, wanted)
    took = time.perf_counter() - start
    rmtree(target)
    return took


def report(rows: int, times: dict[str, list[float]]) -> None:
    """Print the medians, and what a billion rows would take."""
    single = times["one process"]
    for name, took in times.items():
        rate = rows / statistics.median(took)
        ratio = statistics.median(alone / one for alone, one in zip(single, took, strict=True))
        cores = 1 if took is single else CORES
        hours = 1e9 / rate * cores / 3600
        print(
            f"  {name:20} {rate / 1e6:6.2f} M rows/s {ratio:5.2f} of one process "
            f"{hours:6.2f} core-hours for a billion rows"
        )


def main() -> None:
    """Print the rates and their ratios."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder, engines() as compared:
        small, large = Path(folder, "small"), Path(folder, "large")
        write_rows(small, ROWS)
        write_rows(large, 10 * ROWS)
        for label, wanted in WANTED.items():
            rounds = [
                {name: seconds(work, small, wanted) for name, work in compared.items()}
                for _ in range(ROUNDS + 1)
            ][1:]
            print(f"{label}, {ROWS:,} rows, medians of {ROUNDS}")
            report(ROWS, {name: [one[name] for one in rounds] for name in compared})
            once = {name: [seconds(work, large, wanted)] for name, work in compared.items()}
            print(f"{label}, {10 * ROWS:,} rows, once", flush=True)
            report(10 * ROWS, once)


if __name__ == "__main__":
    main()
