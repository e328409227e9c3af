"""How long `interpret_frame()` takes on a million rows, beside code written by hand, and pint.

One guideline. Medians of rounds taken in turn, in one process; the first round is left out.
"""

import statistics
import time
import tracemalloc
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pint

from rlsiron.frames import interpret_frame

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROWS = 1_000_000
BY_PINT = 20_000
ROUNDS = 5
GUIDELINE = "aasm-2025"
SPELLINGS = ("{} ng/mL", "{} ug/L", "{} µg/L", "{} mcg/L", "{} ng/ml")
SAID = ("oral-iron", "iv-iron", "oral-or-iv-iron", "no-iron", "withhold-iron", "indeterminate")
JUNK = ("hemolyzed", "see comment", "pending", "-", "12 / 14", "QNS")


def numbers(rng: np.random.Generator) -> pd.DataFrame:
    """Return rows of three numbers, nearly all different."""
    return pd.DataFrame(
        {
            "ferritin": rng.lognormal(4.2, 1, ROWS).clip(1, 5000),
            "tsat": rng.uniform(1, 60, ROWS),
            "age": rng.uniform(0, 90, ROWS),
        }
    )


def texts(rng: np.random.Generator) -> pd.DataFrame:
    """Return ferritin as laboratories print it: five spellings, 2 % bounds, 1 % junk."""
    whole = rng.lognormal(4.2, 1, ROWS).clip(1, 5000).round().astype(int).astype(str)
    spelling = rng.integers(len(SPELLINGS), size=ROWS)
    kind = rng.random(ROWS)
    ferritin = [
        JUNK[at % len(JUNK)] if share < 0.01 else SPELLINGS[at].format(number)
        for number, at, share in zip(whole, spelling, kind, strict=True)
    ]
    bounds = np.flatnonzero((kind >= 0.01) & (kind < 0.03))
    for row in bounds:
        ferritin[row] = ("<" if row % 2 else ">") + ferritin[row]
    tsat = rng.integers(1, 60, size=ROWS).astype(str)
    return pd.DataFrame(
        {
            "ferritin": pd.Series(ferritin, dtype="str"),
            "tsat": pd.Series([f"{one} %" for one in tsat], dtype="str"),
            "age": rng.uniform(0, 90, ROWS),
        }
    )


def by_hand(df: pd.DataFrame) -> "NDArray[np.int8]":
    """Return the place in `SAID` of what the guideline says of three numbers, and nothing else."""
    ferritin, tsat, age = (df[name].to_numpy() for name in ("ferritin", "tsat", "age"))
    child = age < 18
    return np.select(
        [
            (tsat >= 45) | (ferritin >= 300),
            child & (ferritin < 50),
            child,
            ferritin <= 75,
            tsat < 20,
            ferritin <= 100,
        ],
        [np.int8(4), np.int8(2), np.int8(3), np.int8(2), np.int8(5), np.int8(1)],
        default=np.int8(3),
    )


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


def seconds(call: Callable[[pd.DataFrame], object], df: pd.DataFrame) -> float:
    """Return the time of one call."""
    start = time.perf_counter()
    call(df)
    return time.perf_counter() - start


def of_numbers(df: pd.DataFrame) -> pd.DataFrame:
    """Return every column, of numbers."""
    return interpret_frame(df, guidelines=GUIDELINE, units={"ferritin": "ng/mL", "tsat": "%"})


def of_texts(df: pd.DataFrame) -> pd.DataFrame:
    """Return every column, of texts."""
    return interpret_frame(df, guidelines=GUIDELINE)


def peak(call: Callable[[pd.DataFrame], pd.DataFrame], df: pd.DataFrame) -> float:
    """Return the most memory held at once, input included, over that of input and result."""
    tracemalloc.start()
    out = call(df)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    given = df.memory_usage(deep=True).sum()
    return float((most + given) / (given + out.memory_usage(deep=True).sum()))


def main() -> None:
    """Print the medians and their ratios."""
    rng = np.random.default_rng(1)
    plain, mixed = numbers(rng), texts(rng)
    said = of_numbers(plain)["aasm_2025_disposition"].astype(object).to_numpy()
    if not (np.array(SAID, object)[by_hand(plain)] == said).all():
        message = "np.select and the frame differ"
        raise SystemExit(message)
    rounds = [
        (seconds(by_hand, plain), seconds(of_numbers, plain), seconds(of_texts, mixed))
        for _ in range(ROUNDS + 1)
    ][1:]
    hand, numeric, text = (statistics.median(times) for times in zip(*rounds, strict=True))
    few = mixed.head(BY_PINT)
    rows = statistics.median(seconds(by_pint, few) for _ in range(3)) * ROWS / BY_PINT
    over_hand = statistics.median(n / h for h, n, _ in rounds)
    over_numeric = statistics.median(t / n for _, n, t in rounds)
    print(f"np.select, the decision alone {hand * 1e3:8.1f} ms")
    print(f"numbers, every column         {numeric * 1e3:8.1f} ms  {over_hand:5.2f} of np.select")
    print(f"mixed texts, every column     {text * 1e3:8.1f} ms  {over_numeric:5.2f} of numbers")
    print(f"pint, ferritin row by row     {rows * 1e3:8.0f} ms  {rows / text:5.0f} times the texts")
    print(f"distinct ferritin texts       {mixed['ferritin'].nunique():8d}")
    print(f"peak memory, numbers          {peak(of_numbers, plain):8.2f} of input and result")
    print(f"peak memory, texts            {peak(of_texts, mixed):8.2f} of input and result")


if __name__ == "__main__":
    main()
