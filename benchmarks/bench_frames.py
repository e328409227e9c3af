"""How long `interpret_frame()` takes, beside code written by hand and the engines one could take.

Medians of rounds taken in turn, in one process, as ratios: the machine is noisy. What a tool would
take too long for is measured on fewer rows. `python benchmarks/bench_frames.py --rows 100000` is a
quick look; `make bench` writes the table and the plot of the documentation.
"""

import argparse
import gc
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import peers
import pint
import polars as pl
import pyarrow as pa

import rlsiron
from rlsiron.catalog import guideline_ids
from rlsiron.frames import interpret_frame

DOCS = Path(__file__).resolve().parents[1] / "docs"
ROUNDS = 5
GUIDELINE = "aasm-2025"
UNITS = {"ferritin": "ng/mL", "tsat": "%"}
SPELLINGS = ("{} ng/mL", "{} ug/L", "{} µg/L", "{} mcg/L", "{} ng/ml")
JUNK = ("hemolyzed", "see comment", "pending", "-", "12 / 14", "QNS")
FIRST = """
import time, sys
sys.path.insert(0, {here!r})
import bench_frames as bench
df = bench.numbers({rows})
for _ in range(2):
    start = time.perf_counter()
    bench.frame_of(df)
    print(time.perf_counter() - start)
"""


class Row(NamedTuple):
    """One measurement: how many rows a second."""

    name: str
    rows: int
    seconds: float
    note: str = ""

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds


def numbers(rows: int) -> pd.DataFrame:
    """Return rows of three numbers, nearly all different."""
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "ferritin": rng.lognormal(4.2, 1, rows).clip(1, 5000),
            "tsat": rng.uniform(1, 60, rows),
            "age": rng.uniform(0, 90, rows),
        }
    )


def texts(rows: int) -> pd.DataFrame:
    """Return ferritin as laboratories print it: five spellings, 2 % bounds, 1 % junk."""
    rng = np.random.default_rng(2)
    whole = rng.lognormal(4.2, 1, rows).clip(1, 5000).round().astype(int).astype(str)
    spelling = rng.integers(len(SPELLINGS), size=rows)
    kind = rng.random(rows)
    ferritin = [
        JUNK[at % len(JUNK)] if share < 0.01 else SPELLINGS[at].format(number)
        for number, at, share in zip(whole, spelling, kind, strict=True)
    ]
    for row in np.flatnonzero((kind >= 0.01) & (kind < 0.03)):
        ferritin[row] = ("<" if row % 2 else ">") + ferritin[row]
    tsat = rng.integers(1, 60, size=rows).astype(str)
    return pd.DataFrame(
        {
            "ferritin": pd.Series(ferritin, dtype="str"),
            "tsat": pd.Series([f"{one} %" for one in tsat], dtype="str"),
            "age": rng.uniform(0, 90, rows),
        }
    )


def distinct_texts(rows: int, distinct: int) -> pd.DataFrame:
    """Return ferritin as so many different texts."""
    rng = np.random.default_rng(3)
    pool = np.array([f"{number / 100 + 1:.2f} ng/mL" for number in range(distinct)], object)
    return pd.DataFrame(
        {"ferritin": pd.Series(pool[rng.integers(distinct, size=rows)], dtype="str"), "age": 44.0}
    )


def frame_of(df: pd.DataFrame, guidelines: str | tuple[str, ...] = GUIDELINE) -> pd.DataFrame:
    """Return every column, of numbers or texts."""
    declared = {} if df["ferritin"].dtype == "str" else UNITS
    return interpret_frame(df, guidelines=guidelines, units=declared)


def by_interpret(df: pd.DataFrame) -> list[rlsiron.Interpretation]:
    """Return the answers of `interpret`, row by row."""
    return [
        rlsiron.interpret(
            ferritin=(row.ferritin, "ng/mL"),
            tsat=(row.tsat, "%"),
            patient={"age": row.age},
            guidelines=GUIDELINE,
        )
        for row in df.itertuples()
    ]


def by_pint(df: pd.DataFrame) -> list[float]:
    """Return ferritin in the canonical unit, row by row; what pint cannot read is NaN."""
    registry: pint.UnitRegistry[float] = pint.UnitRegistry()
    registry.define("mcg = microgram")
    read = []
    for text in df["ferritin"]:
        try:
            read.append(float(registry.Quantity(text.lstrip("<>")).m_as("ug/L")))
        except Exception:  # noqa: BLE001 - of any kind, on junk
            read.append(float("nan"))
    return read


def seconds(call: Callable[[], object]) -> float:
    """Return the time of one call."""
    gc.collect()
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def medians(calls: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Return the median time of each, measured in turn; the first round is left out."""
    rounds = [{name: seconds(call) for name, call in calls.items()} for _ in range(ROUNDS + 1)]
    return {name: statistics.median(one[name] for one in rounds[1:]) for name in calls}


def memory(call: Callable[[], pd.DataFrame]) -> tuple[float, float]:
    """Return the most bytes held at once beside the result, and the bytes of the result."""
    gc.collect()
    tracemalloc.start()
    out = call()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    result = float(out.memory_usage(deep=True).sum())
    return most - result, result


def copy_bandwidth() -> float:
    """Return how many bytes a second the machine copies, read and written both counted."""
    source = np.ones(50_000_000)
    target = np.empty_like(source)
    taken = statistics.median(seconds(lambda: np.copyto(target, source)) for _ in range(ROUNDS))
    return 2 * source.nbytes / taken


def refuse_differences(df: pd.DataFrame) -> None:
    """Refuse to compare tools that do not say the same."""
    said = frame_of(df)["aasm_2025_disposition"].astype(object).to_numpy()
    found = {
        "numpy": peers.by_numpy(df),
        "polars": peers.by_polars(pl.from_pandas(df)),
        "DuckDB": peers.by_duckdb(pa.Table.from_pandas(df)),
        "apply": peers.by_apply(df),
        "zen-engine": peers.by_zen(df),
        "cql-execution": peers.by_cql(df)[0],
    }
    for name, codes in found.items():
        if not (np.array(peers.SAID, object)[codes] == said).all():
            message = f"{name} and the frame differ"
            raise SystemExit(message)


def measured(rows: int) -> tuple[list[Row], dict[str, str]]:
    """Return what was measured, and the ratios that the library promises."""
    plain, mixed, few = numbers(rows), texts(rows), numbers(min(rows, 20_000))
    refuse_differences(few.head(2_000))
    frame, table = pl.from_pandas(plain), pa.Table.from_pandas(plain)
    every = guideline_ids()
    code = FIRST.format(here=str(Path(__file__).parent), rows=rows)
    first = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)  # noqa: S603
    at_first, at_second = map(float, first.stdout.split())
    calls: dict[str, Callable[[], object]] = {
        "numpy": lambda: peers.by_numpy(plain),
        "words": lambda: peers.by_numpy(plain, np.array(peers.SAID)),
        "polars": lambda: peers.by_polars(frame),
        "duckdb": lambda: peers.by_duckdb(table),
        "one": lambda: frame_of(plain),
        "three": lambda: frame_of(plain, every[:3]),
        "all": lambda: frame_of(plain, every),
        "texts": lambda: frame_of(mixed),
    }
    took = medians(calls)
    slow = medians(
        {
            "apply": lambda: peers.by_apply(few),
            "zen": lambda: peers.by_zen(few),
            "interpret": lambda: by_interpret(few.head(2_000)),
            "pint": lambda: by_pint(mixed.head(len(few))),
        }
    )
    cql = statistics.median(peers.by_cql(few.head(5_000))[1] for _ in range(ROUNDS))
    found = [
        Row("rlsiron, one guideline, every column", rows, took["one"]),
        Row("rlsiron, three guidelines", rows, took["three"]),
        Row(f"rlsiron, {len(every)} guidelines", rows, took["all"]),
        Row("rlsiron, the first call of a process", rows, at_first, "compiles, meets each kind"),
        Row("rlsiron, mixed texts", rows, took["texts"], "5 spellings, 2 % bounds, 1 % junk"),
        Row("rlsiron.interpret, row by row", 2_000, slow["interpret"], "with all notes"),
        Row("numpy.select", rows, took["numpy"], "one decision, as a number of a byte"),
        Row("numpy.select, words", rows, took["words"], "one decision, as its word"),
        Row("polars", rows, took["polars"], "one decision, all cores"),
        Row("DuckDB", rows, took["duckdb"], "one decision, all cores"),
        Row("DataFrame.apply", len(few), slow["apply"], "one decision"),
        Row("zen-engine", len(few), slow["zen"], "one decision"),
        Row("cql-execution", min(len(few), 5_000), cql, "one decision, in Node.js"),
        Row("pint, one text column", len(few), slow["pint"], "units only"),
    ]
    extra, result = memory(lambda: frame_of(plain))
    extra_texts, result_texts = memory(lambda: frame_of(mixed))
    large = numbers(10 * rows)
    tenfold = medians({"one": lambda: frame_of(plain), "ten": lambda: frame_of(large)})
    large_extra, _ = memory(lambda: frame_of(large))
    touched = (plain.memory_usage().sum() + result) / took["one"]
    pools = {n: distinct_texts(rows, n) for n in (1_000, 10_000, 100_000)}
    by_texts = medians({str(n): (lambda df=df: frame_of(df)) for n, df in pools.items()})
    ratios = {
        "every column of one guideline, beside `numpy.select` of the decision alone": (
            f"{took['one'] / took['numpy']:.2f} times"
        ),
        "the same, beside `numpy.select` of its word": f"{took['one'] / took['words']:.2f} times",
        "the first call of a process beside its second": f"{at_first / at_second:.1f} times",
        "three guidelines beside one": f"{took['three'] / took['one']:.2f} times",
        f"{len(every)} guidelines beside one": f"{took['all'] / took['one']:.2f} times",
        "mixed texts beside numbers": f"{took['texts'] / took['one']:.2f} times",
        "mixed texts, every column, beside pint reading one of them row by row": (
            f"{slow['pint'] / len(few) * rows / took['texts']:.0f} times faster"
        ),
        "ten times the rows: time": f"{tenfold['ten'] / tenfold['one']:.2f} times",
        "ten times the rows: memory beside the result": f"{large_extra / extra:.2f} times",
        "memory beside the result, over it: numbers": f"{extra / result:.2f}",
        "memory beside the result, over it: texts": f"{extra_texts / result_texts:.2f}",
        "bytes of input and result a second, over what the machine copies": (
            f"{touched / copy_bandwidth():.2f}"
        ),
        "100,000 distinct texts beside 1,000": f"{by_texts['100000'] / by_texts['1000']:.2f} times",
    }
    return found, ratios


def page(found: list[Row], ratios: dict[str, str], rows: int) -> str:
    """Return the page of the documentation."""
    base = next(row.rate for row in found if row.name == "numpy.select")
    about = (
        f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}: medians of {ROUNDS} rounds "
        f"taken in turn in one process, {rows:,} rows of ferritin, TSAT and age. The machine has "
        "two cores and is noisy, so read the ratios. `rlsiron` gives all columns (the interval "
        "that was used, criterion, disposition, possible, needs, rule, notes, assumptions, "
        "problems); the others give one decision of complete numbers, in which nothing is missing."
    )
    lines = [
        "# Benchmarks",
        "",
        about,
        "",
        "![Rows a second](benchmarks.svg)",
        "",
        "| what | rows a second | beside `numpy.select` | |",
        "|---|---:|---:|---|",
        *(
            f"| {row.name} | {row.rate:,.0f} | {row.rate / base:.3g} | {row.note} |"
            for row in found
        ),
        "",
        "| ratio, in the same run | |",
        "|---|---|",
        *(f"| {what} | {ratio} |" for what, ratio in ratios.items()),
        "",
    ]
    return "\n".join(lines)


def plot(found: list[Row]) -> None:
    """Draw the rates."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "rlsiron"
    from matplotlib import pyplot as plt

    ordered = sorted(found, key=lambda row: row.rate)
    figure, axes = plt.subplots(figsize=(8, 0.38 * len(ordered) + 0.8))
    ours = ["#2a6f97" if row.name.startswith("rlsiron") else "#b0b7bd" for row in ordered]
    bars = axes.barh([row.name for row in ordered], [row.rate for row in ordered], color=ours)
    axes.bar_label(bars, [f"{row.rate:,.0f}" for row in ordered], padding=3, fontsize=8)
    axes.set(xscale="log", xlabel="rows a second")
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.15)
    figure.tight_layout()
    figure.savefig(DOCS / "benchmarks.svg", metadata={"Date": None})


def main() -> None:
    """Print the table; write the page and the plot where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--write", action="store_true", help="write the page and the plot")
    asked: Any = parser.parse_args()
    found, ratios = measured(asked.rows)
    text = page(found, ratios, asked.rows)
    print(text)
    if asked.write:
        (DOCS / "benchmarks.md").write_text(text, encoding="utf-8")
        plot(found)


if __name__ == "__main__":
    main()
