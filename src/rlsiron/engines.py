"""Answers Parquet files on an engine that is there already: Dask or Spark, here or on a cluster."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, get_args

from rlsiron.archive import Done, refuse_other_columns
from rlsiron.errors import RlsironError, did_you_mean, shown
from rlsiron.file_answers import Asked, planned
from rlsiron.parquet_file import opened
from rlsiron.tally import Tally

Engine = Literal["dask", "spark"]

_LIBRARY: dict[Engine, str] = {"dask": "dask.dataframe", "spark": "pyspark"}


def engine_of(name: str) -> Engine:
    """Return an engine by its name."""
    for one in get_args(Engine):
        if name == one:
            return one  # type: ignore[no-any-return]
    raise RlsironError(f"unknown engine {shown(name)}{did_you_mean(name, get_args(Engine))}")


def answer_on(
    engine: Engine, address: str | None, files: Sequence[Path], folder: Path, asked: Asked
) -> Done:
    """Write the rows of Parquet files with their answers, in parts, and return what was done.

    Parameters
    ----------
    engine
        ``"dask"`` or ``"spark"``.
    address
        Of a scheduler of Dask (``tcp://host:8786``) or a master of Spark (``spark://host:7077``);
        the cores of this machine if not given.
    files, folder
        Files with the same columns, and a folder that is new, which this machine and every worker
        see by these names.
    asked
        What is asked of every row.

    Raises
    ------
    RlsironError
        If the library of the engine is not installed, the call is wrong, or nothing answers at the
        address.
    """
    if folder.exists():
        raise RlsironError(
            f"{str(folder)!r} is there; an engine writes to a folder that is new, and does not go "
            "on with parts"
        )
    if not folder.absolute().parent.is_dir():
        raise RlsironError(
            f"there is no folder {str(folder.parent)!r} for the parts; make it first"
        )
    try:
        import_module(_LIBRARY[engine])
    except ModuleNotFoundError as fault:
        if fault.name not in {engine, _LIBRARY[engine]}:
            raise
        raise RlsironError(
            f"--engine {engine} needs a library that is not installed; run pip install "
            f"'rlsiron[{engine}]'"
        ) from None
    with opened(files[0]) as first:
        for path in files[1:]:
            with opened(path) as other:
                refuse_other_columns(other, first)
        plan = planned(first.labels, asked)
    call = {
        "prefix": asked.prefix,
        "answers": list(plan.written),
        "guidelines": asked.guidelines,
        "units": asked.units,
        "columns": asked.columns,
        "decimal": asked.decimal,
        "strict": asked.strict,
    }
    run = {"dask": _on_dask, "spark": _on_spark}[engine]
    run(address, [str(path.absolute()) for path in files], str(folder.absolute()), call)
    done = Done(plan)
    _count(done, folder)
    return done


def _on_dask(address: str | None, files: list[str], folder: str, call: dict[str, Any]) -> None:
    import dask

    from rlsiron.dask_frames import interpret_parquet

    if address is None:
        with dask.config.set(scheduler="threads"):
            interpret_parquet(files, folder, **call)
        return
    from distributed import Client

    try:
        client = Client(address)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as fault:
        raise RlsironError(f"no scheduler of Dask answers at {address!r}: {fault}") from None
    with client:
        interpret_parquet(files, folder, **call)


def _on_spark(address: str | None, files: list[str], folder: str, call: dict[str, Any]) -> None:
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    from py4j.protocol import Py4JError  # type: ignore[import-untyped]
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    from rlsiron.spark_frames import interpret_parquet

    settings: dict[str, Any] = {"spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}
    builder = SparkSession.builder.master(address or "local[*]").appName("rlsiron")
    try:
        spark = builder.config(map=settings).getOrCreate()
        interpret_parquet(files, folder, spark=spark, **call)
    except (PySparkException, Py4JError) as fault:
        where = f" at {address!r}" if address else ""
        raise RlsironError(f"Spark{where} gave up: {_cause(str(fault))}") from None


def _cause(said: str) -> str:
    """Return the line of an error of Java or of Python that says why."""
    lines = said.splitlines()
    causes = [line for line in lines if line.startswith(("Caused by: ", ": "))]
    return (causes or lines)[-1].removeprefix(": ")


def _count(done: Done, folder: Path) -> None:
    """Count what stands in the parts."""
    ids = tuple(guideline.id for guideline in done.plan.asked.guidelines)
    counted = done.plan.counted
    for path in sorted(folder.glob("[!._]*.parquet")):
        done.parts += 1
        with opened(path) as part:
            for batch in part.batches(only=list(counted)):
                out = batch.frame(counted).rename(columns=counted)
                tally = Tally()
                tally.count(out, ids, path.name, batch.place)
                done.tally.add(tally)
