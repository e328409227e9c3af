"""Files of rows that the tests of `table` answer; each row has a number of its own."""

from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from rlsiron.parts import RECORD

KINDS = ["csv", "parquet"]


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


def rows(path: Path) -> object:
    """Return what two files must have in common: of CSV all bytes, of Parquet all cells."""
    if path.suffix == ".csv":
        return path.read_bytes()
    read = pq.read_table(path)
    return {name: read[name].to_pylist() for name in read.column_names}, read.schema


def parts_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != RECORD)
