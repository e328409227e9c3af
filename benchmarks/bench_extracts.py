"""How long `panels_from_long()` takes, and how its time and memory grow with the rows.

Of eight results of a draw two are of other tests; 1.5 % stand there twice, and 1.5 % differ. The
rows are in no order. Medians of rounds, as seconds of the processor; the first round is left out.
"""

import statistics
import time
import tracemalloc

import numpy as np
import pandas as pd

from rlsiron.extracts import panels_from_long

SIZES = (1_000_000, 5_000_000)
ROUNDS = 3
TESTS = ["2276-4", "2502-3", "2498-4", "2500-7", "718-7", "1988-5", "2160-0", "2345-7"]
UNITS = ["ng/mL", "%", "ug/dL", "ug/dL", "g/dL", "mg/L", "mg/dL", "mg/dL"]


def numbers(rows: int) -> pd.DataFrame:
    """Return an extract of numbers: patients as integers, datetimes, codes as categories."""
    rng = np.random.default_rng(1)
    at = np.arange(rows)
    again = (rng.random(rows) < 0.03) & (at % 2 == 1)
    test = at % 8 - again
    value = rng.uniform(10, 99, rows).round(1)
    same = np.flatnonzero(again & (rng.random(rows) < 0.5))
    value[same] = value[same - 1]
    drawn = np.datetime64("2015-01-01T08:00", "s") + at // 8 % 4 * np.timedelta64(90, "D")
    later = rng.integers(0, 10_800, rows) * (rng.random(rows) < 0.3)
    units = pd.Categorical([UNITS[one] for one in range(8)])
    df = pd.DataFrame(
        {
            "patient": at // 32,
            "time": drawn + later.astype("timedelta64[s]"),
            "test": pd.Categorical.from_codes(test, TESTS),
            "value": value,
            "unit": units.take(test),
        }
    )
    return df.iloc[rng.permutation(rows)].reset_index(drop=True)


def texts(rows: int) -> pd.DataFrame:
    """Return the same as texts, as from a CSV file."""
    df = numbers(rows)
    return df.assign(time=df["time"].astype(str)).astype("str")


def main() -> None:
    """Print a line for each kind of extract and each size."""
    for kind in (numbers, texts):
        for rows in SIZES:
            df = kind(rows)
            spent = []
            for _ in range(ROUNDS + 1):
                start = time.process_time()
                found = panels_from_long(df, window="3h")
                spent.append(time.process_time() - start)
            tracemalloc.start()
            panels_from_long(df, window="3h")
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            seconds = statistics.median(spent[1:])
            size = df.memory_usage(deep=True).sum()
            print(
                f"{kind.__name__:8}{rows:>10,} rows {seconds:6.2f} s "
                f"{rows / seconds / 1e6:5.2f} M/s, "
                f"peak {peak / 1e6:6.0f} MB beside {size / 1e6:.0f} MB, "
                f"{len(found.panels):,} draws, {len(found.left_out):,} left out"
            )


if __name__ == "__main__":
    main()
