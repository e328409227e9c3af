"""How long `interpret()` takes, beside the validation of a ten-field pydantic model.

Three guidelines, inputs that all differ; medians of rounds taken in turn, in one process.
"""

import statistics
import time
from collections.abc import Callable
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel

import rlsiron

ROWS = 2000
ROUNDS = 9


class Row(BaseModel):
    """A model of ten fields, as a clinic's server validates one."""

    id: str
    age: float
    sex: Literal["female", "male"]
    ferritin: float
    unit: str
    tsat: float
    drawn: date
    fasting: bool
    draw: int
    note: str | None


def rows() -> list[dict[str, Any]]:
    """Return the fields of as many models."""
    return [
        {
            "id": str(n),
            "age": 20 + n % 60,
            "sex": "female",
            "ferritin": 20 + n % 300,
            "unit": "ng/mL",
            "tsat": n % 50,
            "drawn": date(2026, 1, 1 + n % 28),
            "fasting": True,
            "draw": n,
            "note": None,
        }
        for n in range(ROWS)
    ]


def inputs() -> list[dict[str, Any]]:
    """Return as many patients, no two alike."""
    return [
        {
            "ferritin": f"{20 + n % 300}.{n % 97} ng/mL",
            "tsat": f"{n % 50}.{n % 89} %",
            "patient": {"age": 20 + n % 60, "sex": "female"},
        }
        for n in range(ROWS)
    ]


def microseconds(call: Callable[..., object], arguments: list[dict[str, Any]]) -> float:
    """Return the time of one call, over all of them."""
    start = time.perf_counter()
    for one in arguments:
        call(**one)
    return (time.perf_counter() - start) / len(arguments) * 1e6


def main() -> None:
    """Print the medians and their ratio."""
    models, patients = rows(), inputs()
    rounds = [
        (microseconds(Row, models), microseconds(rlsiron.interpret, patients))
        for _ in range(ROUNDS + 1)
    ][1:]
    one, answer = (statistics.median(times) for times in zip(*rounds, strict=True))
    ratio = statistics.median(theirs / ours for ours, theirs in rounds)
    print(f"validate a model of ten fields {one:7.2f} us")
    print(f"interpret(), three guidelines  {answer:7.2f} us  {ratio:5.1f} times")


if __name__ == "__main__":
    main()
