"""How long an archive takes from Parquet to Parquet: `rlsiron table`, Dask, Spark, SQL in DuckDB.

Each is a process of its own, its start included, once, one after the other, with the most memory
that it held. `python benchmarks/bench_archive.py --rows 50_000_000` is what the docs record.
"""

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

GUIDELINE = "aasm-2025"
DISPOSITION = "aasm_2025_disposition"
GROUP = 1_000_000
TABLE = f"{{rlsiron}} table {{source}} --guideline {GUIDELINE} --unit ferritin=ng/mL --unit tsat=%"
COPY = """
import pyarrow.parquet as pq
file = pq.ParquetFile({source!r})
with pq.ParquetWriter({target!r}, file.schema_arrow) as writer:
    for batch in file.iter_batches(1_000_000):
        writer.write_batch(batch)
"""
SQL = """
import duckdb
from rlsiron.sql import guideline_sql
query = guideline_sql({guideline!r}, source="draws", keys=("id",))
with duckdb.connect() as engine:
    engine.execute("set preserve_insertion_order = false")
    engine.execute("set memory_limit = '1GB'")
    engine.execute('''create view draws as select id, age,
        ferritin as ferritin_low_ug_l, ferritin as ferritin_high_ug_l, '' as ferritin_bound,
        tsat as tsat_low_pct, tsat as tsat_high_pct, '' as tsat_bound, {nulls}
        from read_parquet({source!r})''')
    engine.execute(f"copy ({{query}}) to {target!r} (format parquet)")
"""


def write_rows(path: Path, rows: int) -> None:
    """Write a file of a key and three numbers, a million rows at a time."""
    rng = np.random.default_rng(1)
    writer = None
    for at in range(0, rows, GROUP):
        some = min(GROUP, rows - at)
        table = pa.table(
            {
                "id": np.arange(at, at + some),
                "ferritin": rng.lognormal(4.2, 1, some).clip(1, 5000).round(1),
                "tsat": rng.uniform(1, 60, some).round(1),
                "age": rng.uniform(0, 90, some).round(1),
            }
        )
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()


def calls(folder: Path, source: Path) -> dict[str, list[str]]:
    """Return what is compared, as calls of a process."""
    from rlsiron.sql import canonical_columns

    table = TABLE.format(rlsiron=Path(sys.executable).with_name("rlsiron"), source=source)
    given = {"age", *(f"{n}_{e}" for n in ("ferritin", "tsat") for e in ("bound",))}
    given |= {"ferritin_low_ug_l", "ferritin_high_ug_l", "tsat_low_pct", "tsat_high_pct"}
    others = [name for name, _ in canonical_columns(GUIDELINE) if name not in given]
    nulls = ", ".join(f"null as {name}" for name in others)
    sql = SQL.format(
        guideline=GUIDELINE, source=str(source), target=str(folder / "sql.parquet"), nulls=nulls
    )
    copy = COPY.format(source=str(source), target=str(folder / "copy.parquet"))
    chosen = f" --columns {DISPOSITION}"
    named = {
        "rlsiron table, every column": f"{table} -o {folder / 'one.parquet'}",
        "rlsiron table, the disposition": f"{table} -o {folder / 'few.parquet'}{chosen}",
        "Dask, every column": f"{table} --engine dask --parts {folder / 'dask'}",
        "Dask, the disposition": f"{table} --engine dask --parts {folder / 'dask1'}{chosen}",
        "Spark, the disposition": f"{table} --engine spark --parts {folder / 'spark'}{chosen}",
    }
    found = {name: shlex.split(call) for name, call in named.items()}
    return found | {
        "DuckDB, the generated SQL": [sys.executable, "-c", sql],
        "pyarrow, the rows copied": [sys.executable, "-c", copy],
    }


def measured(call: list[str]) -> tuple[float, float]:
    """Return how long a process takes [s], and the most memory that it held [MiB]."""
    start = time.perf_counter()
    process = subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        message = f"status {process.returncode} of {shlex.join(call)[:200]}"
        raise SystemExit(message)
    return time.perf_counter() - start, used.ru_maxrss / 1024


def main() -> None:
    """Print the rates and the memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        source = folder / "draws.parquet"
        write_rows(source, rows)
        single = 0.0
        print(f"{rows:,} rows")
        for name, call in calls(folder, source).items():
            took, memory = measured(call)
            single = single or took
            print(
                f"  {name:32} {took:7.1f} s {rows / took / 1e6:6.2f} M rows/s "
                f"{single / took:5.2f} of one process {memory:7.0f} MiB",
                flush=True,
            )


if __name__ == "__main__":
    main()
